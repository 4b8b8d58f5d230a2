#!/usr/bin/env python3
"""kill -9 at every step of an SMTP and an LMTP delivery; the ledger is the host's.

Before the final dot a mail is sent again and arrives once. From the dot to its answer nobody can know: the item is
in doubt, and is sent again only where that was chosen. Never lost without a word, never twice without leave.
Usage: kill_wire.py BUILD_FOLDER [--kills N]
"""

import argparse
import contextlib
import os
import random
import re
import smtplib
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gateway import Gateway, breathe  # noqa: E402

STEPS = ["greeting", "hello", "mail", "rcpt", "data", "text", "dot", "answer"]
LIMIT = 30.0

ADAPTER = """
[[route]]
recipient = "*@old.example"
adapter = "old"
[adapter.old]
kind = "{kind}"
hosts = ["127.0.0.1:{port}"]
tls = "none"
retry_first = "50ms"
retry_longest = "100ms"
{more}
"""


class Host:
    """Takes mail, and can stop at a step of it until it is told to go on."""

    def __init__(self, dedupes=False):
        self.ear = socket.create_server(("127.0.0.1", 0))
        self.port = self.ear.getsockname()[1]
        self.taken = {}   # serial -> the texts that came, whole
        self.dropped = 0  # seconds of a Message-ID
        self.dedupes = dedupes
        self.stop_at = None
        self.stopped = threading.Event()
        self.close_after_answers = None
        self.lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.ear.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _step(self, name, connection):
        """False: the test wanted to stop here, and this connection is over."""
        if self.stop_at != name:
            return True
        self.stop_at = None
        self.stopped.set()
        with contextlib.suppress(OSError):
            while connection.recv(65536):  # until the gateway is dead
                pass
        return False

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            file = connection.makefile("rb")
            lmtp, recipients = False, 0
            if not self._step("greeting", connection):
                return
            connection.sendall(b"220 host.example ready\r\n")
            for line in iter(file.readline, b""):
                verb = line[:4].upper()
                name = {b"EHLO": "hello", b"LHLO": "hello", b"MAIL": "mail", b"RCPT": "rcpt", b"DATA": "data"}.get(verb, "")
                if not self._step(name, connection):
                    return
                if verb in (b"EHLO", b"LHLO"):
                    lmtp = verb == b"LHLO"
                    connection.sendall(b"250 host.example\r\n")
                elif verb == b"DATA":
                    connection.sendall(b"354 go on\r\n")
                    if not self._take(file, connection, recipients if lmtp else 1):
                        return
                elif verb == b"QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                else:
                    recipients = 0 if verb == b"MAIL" else recipients + (verb == b"RCPT")
                    connection.sendall(b"250 ok\r\n")

    def _take(self, file, connection, answers):
        lines = []
        for line in iter(file.readline, b""):
            if line == b".\r\n":
                break
            lines.append(line)
            if line.startswith(b"X-Last:") and not self._step("text", connection):
                return False
        else:
            return False  # a text without its dot is nothing
        text = b"".join(lines)
        serial = int(re.search(rb"X-Serial: (\d+)", text).group(1))
        with self.lock:
            kept = self.taken.setdefault(serial, [])
            if self.dedupes and kept:
                self.dropped += 1
                same(text, kept[0])
            else:
                kept.append(text)
        if not self._step("dot", connection):
            return False
        for number in range(answers):
            if number == self.close_after_answers:
                return False
            connection.sendall(b"250 taken\r\n")
        return self._step("answer", connection)


def same(again, first):
    """Our own Received line is of the first arrival, so every attempt has the same bytes."""
    if again != first:
        raise AssertionError(f"another text at the second attempt:\n{first!r}\n{again!r}")


def message(serial):
    return (f"X-Serial: {serial}\r\nSubject: serial {serial}\r\nX-Last: header\r\n\r\nbody {serial}\r\n")


class Site:
    def __init__(self, build, kind, more="", dedupes=False):
        self.host = Host(dedupes)
        self.gateway = Gateway(build, adapters=ADAPTER.format(kind=kind, port=self.host.port, more=more))

    def __enter__(self):
        self.gateway.start()
        return self

    def __exit__(self, *_):
        self.gateway.close()
        with contextlib.suppress(OSError):
            self.host.ear.shutdown(socket.SHUT_RDWR)
        self.host.ear.close()

    def send(self, serial, recipients=("user@old.example",)):
        with smtplib.SMTP("127.0.0.1", self.gateway.port, "client.example.org", timeout=20) as client:
            client.sendmail("sender@example.org", list(recipients), message(serial))

    def settle(self):
        if not self.gateway.wait_until_settled():
            raise AssertionError(f"not settled: {self.gateway.states()}\n" + "\n".join(self.gateway.log[-12:]))
        return self.gateway.states()


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def kill_at(build, kind, step, on_doubt):
    dedupes = on_doubt == "receiver_dedupes"
    with Site(build, kind, f'on_doubt = "{on_doubt}"', dedupes) as site:
        site.host.stop_at = step
        site.send(1)
        check(site.host.stopped.wait(LIMIT), f"{step} was never reached")
        site.gateway.kill()
        site.gateway.start()
        states = site.settle()
        copies = site.host.taken.get(1, [])
        what = f"{kind}, {on_doubt}, killed at {step}: {states}, {len(copies)} copies"
        if on_doubt == "hold":
            if step in STEPS[:5]:
                check(states == {"exported": 1} and len(copies) == 1, what)
            elif step == "text":  # the mark may stand or not, the dot has not been read
                wanted = 1 if states == {"exported": 1} else 0
                check(states in ({"exported": 1}, {"in_doubt": 1}) and len(copies) == wanted, what)
            elif step == "dot":
                check(states == {"in_doubt": 1} and len(copies) == 1, what)
            else:
                check(states in ({"exported": 1}, {"in_doubt": 1}) and len(copies) == 1, what)
        else:
            check(states == {"exported": 1}, what)
            check(len(copies) == 1 if dedupes else 1 <= len(copies) <= 2, what)
            for copy in copies[1:]:
                same(copy, copies[0])
        print("ok     ", what, flush=True)


def cut_between_answers(build):
    with Site(build, "lmtp") as site:
        site.host.close_after_answers = 1
        site.send(1, ["a@old.example", "b@old.example"])
        states = site.settle()
        check(states == {"in_doubt": 1}, states)
        shown = subprocess.run([site.gateway.postern, "--config", site.gateway.config, "queue", "show", "1"],
                               capture_output=True, timeout=60).stdout.decode()
        check(re.search(r"a@old\.example.*exported", shown) and re.search(r"b@old\.example.*pending", shown), shown)
        check("Look there for <i1." in shown, shown)
        site.host.close_after_answers = None
        subprocess.run([site.gateway.postern, "--config", site.gateway.config, "queue", "resolve", "1", "--resend"], check=True,
                       capture_output=True, timeout=60)
        check(site.settle() == {"exported": 1} and len(site.host.taken[1]) == 2, site.gateway.states())
        print("ok      lmtp, cut between two answers: one is final, one in doubt", flush=True)


def storm(build, kind, kills):
    """Mail flows, and the gateway dies at any moment."""
    chance = random.Random(4711)
    with Site(build, kind) as site:
        serial = 0
        for _ in range(kills):
            accepted = []
            for _ in range(6):
                serial += 1
                site.send(serial)
                accepted.append(serial)
            goal = len(site.host.taken) + chance.randrange(4)
            for _ in range(200):
                if len(site.host.taken) >= goal:
                    break
                breathe()
            site.gateway.kill()
            site.gateway.start()
        states = site.settle()
        copies = [len(site.host.taken.get(number, [])) for number in range(1, serial + 1)]
        what = f"{kind}, {kills} kills, {serial} mails: {states}, {copies.count(1)} arrived once"
        check(max(copies) == 1, what)
        check(sum(states.values()) == serial and set(states) <= {"exported", "in_doubt"}, what)
        check(copies.count(0) <= states.get("in_doubt", 0) <= 2 * kills, what)
        print("ok     ", what, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--kills", type=int, default=8)
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    for kind in ("smtp", "lmtp"):
        for step in STEPS:
            kill_at(build, kind, step, "hold")
        storm(build, kind, options.kills)
    for on_doubt in ("resend", "receiver_dedupes"):
        for step in ("text", "dot", "answer"):
            kill_at(build, "smtp", step, on_doubt)
    cut_between_answers(build)
    return 0


if __name__ == "__main__":
    sys.exit(main())
