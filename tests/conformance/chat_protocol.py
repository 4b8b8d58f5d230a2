#!/usr/bin/env python3
"""The chat as an IRC client finds it on a socket: negotiation, logging on, labels, lengths, bytes.

Each file in chat/ is one test, in the words of tests/unit/chat/dialogues/README.md; "..." takes any text, and "server:" gives options
to the program. Each function named test_* is one more. Usage: chat_protocol.py CHAT_ALONE [TEST ...]
"""

import base64
import glob
import hashlib
import hmac
import os
import re
import socket
import subprocess
import sys
import threading
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 30.0
PROGRAM = ""

def check(condition, text):
    if not condition:
        raise AssertionError(text)


class Server:
    def __init__(self, *options):
        self.process = subprocess.Popen([PROGRAM, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self.port = int(self.answer("listening"))

    def __enter__(self):
        return self

    def __exit__(self, trouble, *_):
        self.process.stdin.close()
        try:
            code = self.process.wait(LIMIT)
        finally:
            self.process.kill()
            self.process.stdout.close()
        check(trouble or code == 0, f"the program ended with {code}")

    def answer(self, word):
        deadline = threading.Timer(LIMIT, self.process.kill)  # then the line ends
        deadline.start()
        try:
            line = self.process.stdout.readline().split(maxsplit=1)
        finally:
            deadline.cancel()
        check(len(line) == 2 and line[0] == word, f"wanted {word}, got {line}")
        return line[1]

    def add(self, name, password, roles):
        self.process.stdin.write(f"account {name} {password} {roles}\n")
        self.process.stdin.flush()
        self.answer("added")


class Person:
    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def give(self, data):
        self.socket.sendall(data)

    def line(self):
        """The next line as bytes; None when the connection ended."""
        while b"\r\n" not in self.rest:
            got = self.socket.recv(65536)
            if not got:
                check(not self.rest, f"the end of a line is missing: {self.rest}")
                return None
            self.rest += got
        line, self.rest = self.rest.split(b"\r\n", 1)
        return line

    def skip_to(self, command):
        while True:
            line = self.line()
            check(line is not None, f"ended before {command}")
            if command.encode() in re.sub(rb"^(@\S+ )?(:\S+ )?", b"", line).split(b" ")[:1]:
                return

    def nothing(self):
        self.give(b"PING is-there-more\r\n")
        line = self.line()
        check(line is not None and line.endswith(b" PONG chat.alone :is-there-more"), f"heard as well: {line}")

    def log_on(self, nick, caps):
        if caps:
            self.give(b"CAP REQ :" + " ".join(caps).encode() + b"\r\n")
        self.give(f"NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\nCAP END\r\n".encode())
        self.skip_to("422")


def unescape(text):
    r"""As bytes: "\xHH", "{12*text}", "{sasl:a|b}" (base64 with NUL for the bars, or a piece of it: "{sasl:a|b:0:400}")."""
    text = re.sub(r"\{(\d+)\*([^{}]*)\}", lambda found: found[2] * int(found[1]), text)
    data = re.sub(rb"\\x(..)", lambda found: bytes([int(found[1], 16)]), text.encode())

    def plain(found):
        begin, end = (int(found[2]), int(found[3])) if found[2] else (None, None)
        return base64.b64encode(found[1].replace(b"|", b"\0"))[begin:end]

    return re.sub(rb"\{sasl:([^{}:]*)(?::(\d+):(\d+))?\}", plain, data)


def sorted_tags(line):
    if not line.startswith(b"@"):
        return line
    tags, rest = line[1:].split(b" ", 1)
    return b"@" + b";".join(sorted(tags.split(b";"))) + b" " + rest


def fits(wanted, got):
    pattern = b".*".join(re.escape(part) for part in sorted_tags(wanted).split(b"..."))
    return got is not None and re.fullmatch(pattern, sorted_tags(got), re.DOTALL) is not None


def play(server, script):
    people = {}

    def person(name):
        if name not in people:
            people[name] = Person(server)
        return people[name]

    for step in script:
        word, _, rest = step.partition(" ")
        name, sign = re.match(r"([\w-]+)([<>]*[.!:]?)$", word).groups()
        if word == "account:":
            server.add(*unescape(rest).decode().split())
        elif word == "logged-on:":
            nick, *caps = rest.split()
            person(nick).log_on(nick, caps)
        elif sign == ">":
            person(name).give(unescape(rest) + b"\r\n")
        elif sign == "<":
            got = person(name).line()
            check(fits(unescape(rest), got), f"{step}\n   got {got}")
        elif sign == "<<":
            person(name).skip_to(rest)
        elif sign == "<.":
            person(name).nothing()
        elif sign == "<!":
            got = people.pop(name).line()
            check(got is None, f"{step}\n   got {got}")
        else:
            raise AssertionError(f"no such word: {step}")
    for each in people.values():
        each.nothing()
    for each in people.values():
        each.socket.close()


def run_file(path):
    with open(path, encoding="utf-8") as file:
        script = [line for line in file.read().splitlines() if not line.startswith("#")]
    options = script.pop(0).split()[1:] if script[0].startswith("server:") else []
    with Server(*options) as server:
        play(server, script)


def test_lines_are_put_together_from_any_pieces():
    with Server() as server:
        ann, bob = Person(server), Person(server)
        ann.log_on("ann", [])
        bob.log_on("bob", [])
        line = "PRIVMSG bob :ä, 😃\r\n".encode()
        for pieces in ([line], [line[i:i + 1] for i in range(len(line))], [line[:-1], line[-1:]], [line[:-2] + b"\n"], [b"\r\n\n" + line],
                       [line[:15], line[15:] + line[:20], line[20:]]):
            for piece in pieces:
                ann.give(piece)
            for _ in range(b"".join(pieces).count(b"PRIVMSG")):
                got = bob.line()
                check(got == ":ann!ann@127.0.0.1 PRIVMSG bob :ä, 😃".encode(), f"{pieces}: {got}")
        ann.nothing()
        bob.nothing()


def test_a_relayed_line_has_512_bytes_at_most_and_whole_characters():
    with Server() as server:
        ann, bob = Person(server), Person(server)
        ann.log_on("ann", [])
        bob.log_on("bob", [])
        before = len(b":ann!ann@127.0.0.1 ")
        for size in range(470, 498):
            said = "m" * (size - 4) + "😃"
            ann.give(f"PRIVMSG bob :{said}\r\n".encode())
            got = bob.line()
            check(len(got) <= 510, f"{size}: {len(got)} bytes")
            text = got.decode().split(" :", 1)[1]
            room = 510 - before - len(b"PRIVMSG bob :")
            check(text == (said if size <= room else "m" * min(size - 4, room)), f"{size}: {text}")


def scram(person, name, password):
    """The client's side of SCRAM-SHA-256 (RFC 7677) up to the server's last word, which is returned with what it must be."""
    bare = f"n={name},r=nonce-of-ours"
    person.give(b"AUTHENTICATE SCRAM-SHA-256\r\n")
    check(person.line() == b"AUTHENTICATE +", "SCRAM-SHA-256")
    person.give(b"AUTHENTICATE " + base64.b64encode(("n,," + bare).encode()) + b"\r\n")
    first = base64.b64decode(person.line().split()[1]).decode()
    nonce, salt, rounds = (field[2:] for field in first.split(","))
    check(nonce.startswith("nonce-of-ours") and nonce != "nonce-of-ours", first)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    mac = lambda key, text: hmac.new(key, text, hashlib.sha256).digest()  # noqa: E731
    last = f"c=biws,r={nonce}"
    message = f"{bare},{first},{last}".encode()
    key = mac(salted, b"Client Key")
    proof = bytes(a ^ b for a, b in zip(key, mac(hashlib.sha256(key).digest(), message)))
    person.give(b"AUTHENTICATE " + base64.b64encode(f"{last},p={base64.b64encode(proof).decode()}".encode()) + b"\r\n")
    return person.line(), b"v=" + base64.b64encode(mac(mac(salted, b"Server Key"), message))


def test_scram_proves_both_sides():
    with Server() as server:
        server.add("Ann", "pencil", "viewer")
        ann = Person(server)
        got, _ = scram(ann, "Ann", "chalk")
        check(fits(b":chat.alone 904 * :...", got), got)
        got, _ = scram(ann, "nobody", "pencil")
        check(fits(b":chat.alone 904 * :...", got), got)
        got, wanted = scram(ann, "Ann", "pencil")
        check(got == b"AUTHENTICATE " + base64.b64encode(wanted), got)
        ann.give(b"AUTHENTICATE +\r\n")
        play_on = ann.line(), ann.line()
        check(fits(b":chat.alone 900 * ... Ann :...", play_on[0]) and fits(b":chat.alone 903 * :...", play_on[1]), play_on)


def main():
    global PROGRAM
    PROGRAM = sys.argv[1]
    files = sorted(glob.glob(os.path.join(HERE, "chat", "*.txt")))
    tests = {os.path.basename(path)[:-4]: lambda path=path: run_file(path) for path in files}
    tests.update({name[5:]: test for name, test in globals().items() if name.startswith("test_")})
    failed = 0
    for name in sys.argv[2:] or tests:
        try:
            tests[name]()
            print(f"ok   {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
    print(f"{len(sys.argv[2:] or tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
