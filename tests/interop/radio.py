#!/usr/bin/env python3
"""Two pat stations and an FBB board take what the adapters b2f and fbb wrote, and drop what comes twice.

The stations talk by telnet on loopback. The board runs in a network of its own (unshare -n): its port would be
open to everybody otherwise. Each function named test_* is one test. Usage: radio.py BUILD_FOLDER [TEST ...]
"""

import base64
import contextlib
import glob
import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
from gateway import Gateway, breathe  # noqa: E402
from peers import run_tests  # noqa: E402

BUILD = ""
ROUTE = '[[route]]\nrecipient = "*@radio.example"\nadapter = "out"\nlegacy = "{local}"\n'
EVERY_BYTE = bytes(range(256))


def wait_for(look, limit=20.0):
    deadline = time.monotonic() + limit
    while not look():
        assert time.monotonic() < deadline, "it took too long"
        breathe()


def stop(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def send(gateway, to, subject, text, attachment=None):
    message = f"From: Alice <alice@example.org>\r\nTo: {to}@radio.example\r\nSubject: {subject}\r\n"
    if attachment is None:
        message += f"\r\n{text}\r\n"
    else:
        coded = base64.encodebytes(attachment).decode().replace("\n", "\r\n")
        message += ("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
                    f"{text}\r\n--b\r\nContent-Type: application/octet-stream; name=data.bin\r\n"
                    f"Content-Transfer-Encoding: base64\r\n\r\n{coded}--b--\r\n")
    with smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client:
        client.sendmail("alice@example.org", [f"{to}@radio.example"], message)


@contextlib.contextmanager
def gateway_for(kind, settings):
    gateway = Gateway(BUILD, extra_config=ROUTE, kind=kind, adapters=settings)
    try:
        gateway.start()
        yield gateway
        assert gateway.stop() == 0
    finally:
        gateway.close()


def expect_exported(gateway):
    assert gateway.wait_until_settled(), gateway.states()
    assert set(gateway.states()) == {"exported"}, gateway.states()


class Station:
    """One pat with a configuration and mailboxes of its own."""

    def __init__(self, folder, call):
        self.folder, self.call = os.path.join(folder, call), call
        self.mailbox = os.path.join(self.folder, "mailbox", call)
        os.makedirs(self.mailbox)
        with socket.socket() as free:  # pat can not tell which port it got
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with open(os.path.join(self.folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump({"mycall": call, "locator": "JO59JS", "http_addr": "127.0.0.1:0", "listen": [],
                       "telnet": {"listen_addr": f"127.0.0.1:{self.port}", "password": ""}}, file)

    def command(self, *words):
        base = [f"--{key}={os.path.join(self.folder, value)}" for key, value in
                (("config", "config.json"), ("mbox", "mailbox"), ("log", "log"), ("event-log", "events"),
                 ("forms", "forms"))]
        return ["pat-winlink", *base, *words]

    def environment(self):
        return {**os.environ, "HOME": self.folder}

    @contextlib.contextmanager
    def listening(self):
        out = os.path.join(self.folder, "out.log")
        with open(out, "wb") as log:
            process = subprocess.Popen(self.command("--listen", "telnet", "http"), stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, env=self.environment())
        def ready():
            with open(out, encoding="utf-8") as text:
                return "Listening for incoming" in text.read()
        try:
            wait_for(ready)
            yield
        finally:
            stop(process)

    def call_up(self, other):
        """One connection; what pat said. The other's listener may need a moment more."""
        url = f"telnet://{self.call}@127.0.0.1:{other.port}/{other.call}"
        for _ in range(50):
            done = subprocess.run(self.command("connect", url), stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=60, check=False, env=self.environment())
            said = (done.stdout + done.stderr).decode("utf-8", "replace")
            if "refused" not in said:
                return said
            breathe()
        raise AssertionError(said)

    def files(self, box):
        return sorted(glob.glob(os.path.join(self.mailbox, box, "*.b2f")))


def sections(path):
    """The header lines, the body and the files of a B2F file."""
    with open(path, "rb") as file:
        head, rest = file.read().split(b"\r\n\r\n", 1)
    parts = []
    for line in head.split(b"\r\n"):
        name, value = line.split(b": ", 1)
        if name in (b"Body", b"File"):
            parts.append(int(value.split()[0]))
    found = []
    for size in parts:
        found.append(rest[:size])
        rest = rest[size + 2:]
    return head, found[0], found[1:]


def test_two_pats_carry_it_and_refuse_it_twice():
    with gateway_for("b2f", 'call = "N0AAA"') as gateway:
        ours, theirs = Station(gateway.folder, "N0AAA"), Station(gateway.folder, "N0BBB")
        os.symlink(gateway.out, os.path.join(ours.mailbox, "out"))
        text = "Hello from the gateway.\r\nGr\u00fc\u00dfe. Line two."
        with smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client:
            client.sendmail("alice@example.org", ["N0BBB@radio.example"], (
                "From: Alice <alice@example.org>\r\nTo: N0BBB@radio.example\r\nSubject: Test\r\nMIME-Version: 1.0\r\n"
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
                f"\r\n{text}\r\n--b\r\nContent-Type: application/octet-stream; name=data.bin\r\n"
                "Content-Transfer-Encoding: base64\r\n\r\n" +
                base64.encodebytes(EVERY_BYTE).decode().replace("\n", "\r\n") + "--b--\r\n").encode())
        send(gateway, "N0BBB", "Second", "Short.")
        # pat would keep the first two of these for ever, and the third would end each of its sessions.
        subjects = ["", "x" * 140, "\u00e4" * 34, "\u00e4" * 128]
        with smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client:
            for subject in subjects:
                client.sendmail("alice@example.org", ["N0BBB@radio.example"],
                                f"From: Alice <alice@example.org>\r\nSubject: {subject}\r\n\r\nText.\r\n".encode())
        expect_exported(gateway)
        written = ours.files("out")
        assert len(written) == 6, written
        with theirs.listening():
            said = ours.call_up(theirs)
            assert "Ignoring" not in said and "mismatch" not in said, said
            assert len(theirs.files("in")) == 6, said
            assert not ours.files("out") and len(ours.files("sent")) == 6, said
            for path, subject in zip(theirs.files("in")[2:], subjects):
                head, body, _ = sections(path)
                if subject == "":
                    assert b"Subject: (no subject)\r\n" in head, head
                else:
                    assert body.startswith(b"Subject: " + subject.encode("latin-1") + b"\r\n"), body
            head, body, files = sections(theirs.files("in")[0])
            assert b"From: N0AAA" in head and b"To: N0BBB" in head, head
            wanted = "From: Alice <alice@example.org>\r\n\r\n" + text + "\r\n"
            assert body == wanted.encode("latin-1"), body
            assert files == [EVERY_BYTE], files
            subprocess.run(theirs.command("extract", theirs.files("in")[0]), check=True, capture_output=True,
                           cwd=theirs.folder, timeout=60, env=theirs.environment())
            with open(os.path.join(theirs.folder, "data.bin"), "rb") as file:
                assert file.read() == EVERY_BYTE
            # A rename that a power failure undid, published again: the same id.
            again = shutil.copy(ours.files("sent")[0], gateway.out)
            said = ours.call_up(theirs)
            assert len(theirs.files("in")) == 6, said
            assert not os.path.exists(again), said
            assert "already received" in said or "FS -" in said, said


class Board:
    """One FBB that imports from a folder."""

    def __init__(self, folder, imports):
        self.data = os.path.join(folder, "board")
        etc = os.path.join(self.data, "etc")
        shutil.copytree("/etc/ax25/fbb", etc)
        for name in ("mail", "binmail", "fbbdos/yapp", "docs", "sat", "nts", "newdoc", "log", "wp"):
            os.makedirs(os.path.join(self.data, name), exist_ok=True)
        for digit in range(10):
            for name in ("mail", "binmail"):
                os.makedirs(os.path.join(self.data, name, f"mail{digit}"))
        self.config = os.path.join(etc, "fbb.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""version = FBB7.0.11
callsign = N0BBS.TST.NOAM
ssid = 1
qraloc = JN03QL
city = Town
name = Op
sysop = N0GW
data = {self.data}
config = {etc}
messages = {self.data}/mail
compressed = {self.data}/binmail
fbbdos = *,{self.data}/fbbdos,*,*,*,*,*,*
yapp = {self.data}/fbbdos/yapp
docs = {self.data}/docs
import = {imports}/mail.in
logs = OK
test = NO
fbbfwd = OK 160
""")
        with open(os.path.join(etc, "port.sys"), "w", encoding="utf-8") as file:
            file.write(" 1      2\n 1   9        189C        0\n"
                       "  0   0    0   0        0     0     0     0      00/01   ----  File-fwd.\n"
                       "  1   4    1   0        250   2     4     10     13/60   TUY   Telnet\n")

    def start(self):
        apart = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-r", "-n"]
        with open(os.path.join(self.data, "out.log"), "wb") as log:
            return subprocess.Popen([*apart, "sh", "-c", "ip link set lo up; exec xfbbd -v"], stdin=subprocess.PIPE,
                                    stdout=log, stderr=log, env={**os.environ, "FBBCONF": self.config})

    def make(self):
        """The first start asks before it creates each of its files."""
        process = self.start()
        def answer():
            with contextlib.suppress(OSError):
                while process.poll() is None:
                    os.write(process.stdin.fileno(), b"Y\n" * 64)
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            wait_for(lambda: os.path.exists(os.path.join(self.data, "etat.sys")))
        finally:
            stop(process)
            thread.join(10)
            process.stdin.close()

    @contextlib.contextmanager
    def running(self):
        process = self.start()
        try:
            yield
            assert process.poll() is None, self.said()
        finally:
            stop(process)
            process.stdin.close()

    def said(self):
        with open(os.path.join(self.data, "out.log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]

    def messages(self):
        found = []
        for path in sorted(glob.glob(os.path.join(self.data, "mail", "mail?", "m_*.mes"))):
            with open(path, encoding="ascii") as file:
                found.append(file.read().replace("\r", ""))
        return found


def test_fbb_imports_each_once_and_its_lock_is_honoured():
    with gateway_for("fbb", 'call = "N0GW"\nlock_wait = "0s"\nretry_rules = ["busy 200ms 200ms"]') as gateway:
        imported = os.path.join(gateway.out, "mail.in")
        lock = os.path.join(gateway.out, "mail.lck")
        board = Board(gateway.folder, gateway.out)
        board.make()
        send(gateway, "N0USR", "One", "Hello from the gateway.\r\n/EX\r\nSP N0BAD < N0BAD\r\nnot a command")
        send(gateway, "N0USR", "Two", "Short.")
        expect_exported(gateway)
        kept = shutil.copy(imported, os.path.join(gateway.folder, "kept"))
        with board.running():
            wait_for(lambda: not os.path.exists(imported))
            wait_for(lambda: len(board.messages()) == 2)
        head = "From: Alice <alice@example.org>\n\n"
        assert board.messages() == [
            head + "Hello from the gateway.\n /EX\nSP N0BAD < N0BAD\nnot a command\n", head + "Short.\n"]

        # What a power failure brought back: the same ids.
        shutil.copy(kept, imported)
        with board.running():
            wait_for(lambda: not os.path.exists(imported))
        assert len(board.messages()) == 2, board.messages()

        # While anybody holds the lock neither we nor the board touch the file.
        with open(lock, "w", encoding="utf-8"):
            pass
        send(gateway, "N0USR", "Three", "Behind the lock.")
        wait_for(lambda: any("locked" in line for line in gateway.log) or "ready" in gateway.states())
        assert not os.path.exists(imported)
        os.unlink(lock)
        expect_exported(gateway)
        with open(lock, "w", encoding="utf-8"):
            pass
        with board.running():
            deadline = time.monotonic() + 5  # without the lock it takes one or two
            while time.monotonic() < deadline:
                assert os.path.exists(imported), "the board read it behind the lock"
                breathe()
        os.unlink(lock)
        with board.running():
            wait_for(lambda: not os.path.exists(imported))
            wait_for(lambda: len(board.messages()) == 3)
        assert board.messages()[2] == head + "Behind the lock.\n", board.messages()


def main():
    global BUILD
    BUILD = os.path.abspath(sys.argv[1])
    for tool in ("pat-winlink", "xfbbd", "unshare"):
        assert shutil.which(tool), f"{tool} is not installed (packaging/debian-check-packages.txt)"
    return run_tests({name: each for name, each in globals().items() if name.startswith("test_")}, sys.argv[2:])


sys.exit(main())
