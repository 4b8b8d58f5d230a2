#!/usr/bin/env python3
"""R15, RFC 1047: the answer to the final dot is cut off behind each of its bytes, and the client sends again. One copy each.

Over SMTP and over LMTP with two recipients. Four ways to lose an answer:
  cut    the client has read so many bytes of it, and its connection is reset; the service lives
  kill   the same, and the service is killed before the client comes back
  part   the same two over LMTP, and the client comes again only for those of its recipients whose answer it did not read whole
  call   the service is killed as it enters a system call of the session that it makes for the answer, or shortly before
Usage: cut_answers.py BUILD_FOLDER [--every K]   (K: only each K-th byte is followed by a kill, each K-th call is one)
"""

import argparse
import os
import re
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from gateway import Gateway, Ledger, breathe  # noqa: E402
from kill_sweep import killed_at, watched  # noqa: E402

LMTP = """
[[listener]]
name = "lmtp"
protocol = "lmtp"
address = "127.0.0.1:0"
"""
RECIPIENTS = {"smtp": ["user@legacy.example"], "lmtp": ["user@legacy.example", "other@legacy.example"]}
LIMIT = 30


class Client:
    """One session that offers one mail, and is lost whenever it is told to."""

    def __init__(self, gateway, protocol):
        self.protocol = protocol
        self.socket = socket.create_connection(("127.0.0.1", gateway.ports[protocol]), timeout=LIMIT)
        self.line(b"220")

    def line(self, code):
        """One whole answer, byte by byte, so that nothing behind it is read."""
        text = b""
        while not re.search(rb"^\d{3} [^\n]*\n\Z", text, re.M):
            byte = self.socket.recv(1)
            if not byte:
                raise ConnectionError(f"closed behind {text!r}")
            text += byte
        if not text.startswith(code):
            raise ConnectionError(f"got {text!r}, wanted {code!r}")
        return text

    def say(self, line, code):
        self.socket.sendall(line + b"\r\n")
        return self.line(code)

    def offer(self, serial, recipients=None):
        """Up to the final dot, whose answer is not read."""
        self.recipients = recipients or RECIPIENTS[self.protocol]
        self.say(b"%s client.example.org" % (b"LHLO" if self.protocol == "lmtp" else b"EHLO"), b"250")
        self.say(b"MAIL FROM:<sender@example.org>", b"250")
        for each in self.recipients:
            self.say(b"RCPT TO:<%s>" % each.encode(), b"250")
        self.say(b"DATA", b"354")
        self.socket.sendall(b"X-Serial: %d\r\nSubject: again\r\n\r\nbody %d\r\n.\r\n" % (serial, serial))

    def answer(self):
        return b"".join(self.line(b"250") for _ in self.recipients)

    def read(self, count):
        text = b""
        while len(text) < count:
            more = self.socket.recv(count - len(text))
            if not more:
                raise ConnectionError(f"closed behind {text!r}")
            text += more
        return text

    def vanish(self):
        """A reset: the service can not know what was read."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def quit(self):
        self.say(b"QUIT", b"221")
        self.socket.close()


def queued_as(answer):
    return re.findall(rb"queued as (\w+)", answer)


class Run:
    def __init__(self, build):
        self.gateway = Gateway(build, adapters="watchers = 1" + LMTP)
        self.ledger = Ledger()
        self.serial = 0
        self.problems = []
        self.gateway.start()

    def next(self):
        self.serial += 1
        self.ledger.attempted.add(self.serial)
        return self.serial

    def whole(self, protocol, serial, recipients=None):
        client = Client(self.gateway, protocol)
        client.offer(serial, recipients)
        answer = client.answer()
        client.quit()
        self.ledger.accepted.add(serial)
        return answer

    def stored(self):
        return sum(self.gateway.states().values())

    def lose_answer(self, protocol, count, kill, part=False):
        """One mail whose answer is lost behind `count` bytes, and its second try; `part`: for those alone whose answer was lost."""
        before, serial = self.stored(), self.next()
        client = Client(self.gateway, protocol)
        client.offer(serial)
        deadline = time.monotonic() + LIMIT
        while self.stored() == before and time.monotonic() < deadline:
            breathe()
        left = RECIPIENTS[protocol][client.read(count).count(b"\n") if part else 0:]
        client.vanish()
        if kill:
            self.gateway.kill()
            self.gateway.start()
        where = f"{protocol}, {count} bytes{', killed' if kill else ''}{', for ' + ' '.join(left) if part else ''}"
        again = b"".join(self.whole(protocol, serial, [each]) for each in left) if part else self.whole(protocol, serial, left)
        if self.stored() != before + 1:
            self.problems.append(f"{where}: {self.stored() - before} copies are stored; {again!r}")
        if len(set(queued_as(again))) != 1:
            self.problems.append(f"{where}: {again!r}")

    def end(self):
        if not self.gateway.wait_until_settled():
            self.problems.append("not settled")
        if self.gateway.stop() != 0:
            self.problems.append("exit status")
        self.ledger.take(self.gateway.out)
        self.problems += self.ledger.verdict()
        self.gateway.close()


def cuts(build, every):
    """(runs, problems): every byte of the answers, with the service alive, and each K-th with a kill."""
    run, runs = Run(build), 0
    try:
        for protocol in RECIPIENTS:
            length = len(run.whole(protocol, run.next()))
            for count in range(length):
                for kill in (False, True) if count % every == 0 else (False,):
                    for part in (False, True) if protocol == "lmtp" else (False,):
                        run.lose_answer(protocol, count, kill, part)
                        runs += 1
            print(f"  {protocol}: {length} bytes of answer", flush=True)
    finally:
        run.end()
    return runs, run.problems


def offered(run, protocol, serial, read):
    """One mail, as far as the service lives; whether its answer was read."""
    run.ledger.attempted.add(serial)
    try:
        client = Client(run.gateway, protocol)
        client.offer(serial)
        if read:
            client.answer()
            client.quit()
            run.ledger.accepted.add(serial)
        return True
    except (OSError, ConnectionError):
        return False


def calls(build, every):
    """The service dies in a call of its intake thread; a client without its answer comes again."""
    runs, problems = 0, []
    for protocol in RECIPIENTS:
        first = Run(build)
        points = watched(first.gateway, "intake", lambda: offered(first, protocol, first.next(), True))
        first.end()
        for call, ordinal in points[::-every]:
            run = Run(build)
            try:
                killed_at(run.gateway, "intake", call, ordinal, lambda: offered(run, protocol, run.next(), True))
                run.gateway.start()
                if run.serial not in run.ledger.accepted:
                    run.whole(protocol, run.serial)
                runs += 1
            finally:
                run.end()
            problems += [f"{protocol}, killed at {call} #{ordinal}: {each}" for each in run.problems]
    return runs, problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    runs, problems = cuts(options.build, options.every)
    more, others = calls(options.build, max(1, options.every // 2))
    problems += others
    for each in problems:
        print(f"FAILED: {each}")
    print(f"answers cut off: {runs + more} runs, {len(problems)} lost or doubled")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
