#!/usr/bin/env python3
"""R20 and overload, from outside.

  crowd     so many connections, half of them slow, a byte now and then: how long does an ordinary client take, and how much
            memory does the service
  overload  clients that offer ten times as many sessions as are allowed, on a disk whose every sync is slow: the rest hear
            421 or 451, what is taken comes to no less than without the rush, the export goes on in every second of it, each
            mail taken is exported soon and once

Usage: overload.py BUILD_FOLDER [--connections N] [--seconds S] [--only crowd|overload]
"""

import argparse
import os
import resource
import smtplib
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from gateway import Gateway, Ledger, breathe  # noqa: E402

MARK = 'address = "127.0.0.1:0"\n'
TAKEN_WITHIN = 1.0        # seconds, of an ordinary client in a crowd
EXPORTED_WITHIN = 5.0     # seconds behind its 250, of 99 in 100 under overload
MOST_MEMORY = 1 << 20     # kB
SESSIONS = 10             # allowed under overload
RUSH = 10                 # times as many are tried
SYNC_MILLIS = 40
CODES = (421, 451)        # what a client may hear that is too much


def open_gateway(build, listener, top=""):
    gateway = Gateway(build, top)
    with open(gateway.config, encoding="utf-8") as file:
        text = file.read()
    with open(gateway.config, "w", encoding="utf-8") as file:
        file.write(text.replace(MARK, MARK + listener))
    return gateway


def resident(gateway):
    with open(f"/proc/{gateway.process.pid}/status", encoding="utf-8") as file:
        return max(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


class Slow:
    """Connections of which half say a byte now and then, in a command or in a text, and half say nothing."""

    def __init__(self, port, count):
        self.sockets, self.ended = [], threading.Event()
        for number in range(count):
            each = socket.create_connection(("127.0.0.1", port), timeout=60)
            each.recv(1000)
            if number % 4 == 0:
                for line, code in ((b"EHLO slow.example", b"250"), (b"MAIL FROM:<slow@example.org>", b"250"),
                                   (b"RCPT TO:<slow@legacy.example>", b"250"), (b"DATA", b"354")):
                    each.sendall(line + b"\r\n")
                    if not each.recv(1000).startswith(code):
                        raise RuntimeError(f"a slow client was refused at {line}")
            each.setblocking(False)
            self.sockets.append(each)
        self.thread = threading.Thread(target=self.drip)
        self.thread.start()

    def drip(self):
        while not self.ended.wait(0.25):
            for each in self.sockets[::2]:
                try:
                    each.send(b"x")
                except OSError:
                    pass  # it was let go, or is full: both are fine

    def still_there(self):
        """How many the service has not closed: nothing to read, or an answer."""
        there = 0
        for each in self.sockets:
            try:
                there += each.recv(1, socket.MSG_PEEK) != b""
            except BlockingIOError:
                there += 1
            except OSError:
                pass
        return there

    def close(self):
        self.ended.set()
        self.thread.join()
        for each in self.sockets:
            each.close()


def crowd(build, connections, clients):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, connections * 3 + 500), hard))
    room = f"sessions = {connections + 50}\nsessions_per_address = {connections + 50}\n"
    gateway, ledger = open_gateway(build, room, f"sessions = {connections + 50}\n"), Ledger()
    problems, took = [], []
    try:
        gateway.start()
        slow = Slow(gateway.port, connections)
        try:
            for serial in range(1, clients + 1):
                begun = time.monotonic()
                if not ledger.send(gateway.port, serial):
                    problems.append(f"ordinary client {serial} was refused")
                took.append(time.monotonic() - begun)
            memory, there = resident(gateway), slow.still_there()
        finally:
            slow.close()
        if there < connections:
            problems.append(f"only {there} of {connections} connections were there to the end")
        if not gateway.wait_until_settled():
            problems.append("not settled")
        if gateway.stop() != 0:
            problems.append("exit status")
        ledger.take(gateway.out)
        problems += ledger.verdict()
    finally:
        gateway.close()
    if max(took) >= TAKEN_WITHIN:
        problems.append(f"an ordinary client took {max(took):.2f} s")
    if memory >= MOST_MEMORY:
        problems.append(f"{memory} kB of memory")
    print(f"crowd: {connections} connections, {connections // 2} of them slow; {clients} ordinary clients took "
          f"{sorted(took)[len(took) // 2] * 1000:.0f} ms in the middle, {max(took) * 1000:.0f} ms at most; {memory // 1024} MiB", flush=True)
    return problems


class Rush:
    """Clients that try again and again. What they were told and when, and when the consumer found it."""

    def __init__(self, gateway, clients, first):
        self.gateway, self.ledger = gateway, Ledger()
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.serial, self.told, self.found, self.refused, self.odd = first, {}, {}, 0, []
        self.threads = [threading.Thread(target=self.work) for _ in range(clients)]
        self.consumer = threading.Thread(target=self.consume)

    def next(self):
        with self.lock:
            self.serial += 1
            self.ledger.attempted.add(self.serial)
            return self.serial

    def send_all(self, client):
        """Mail after mail over one session, as relays do that have much."""
        while not self.ended.is_set():
            serial = self.next()
            client.sendmail("sender@example.org", ["user@legacy.example"],
                            f"X-Serial: {serial}\r\nSubject: serial {serial}\r\n\r\nbody {serial}\r\n")
            with self.lock:
                self.told[serial] = time.monotonic()
                self.ledger.accepted.add(serial)

    def work(self):
        while not self.ended.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self.gateway.port, local_hostname="client.example.org", timeout=30) as client:
                    self.send_all(client)
            except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected, OSError) as refused:
                code = getattr(refused, "smtp_code", None)
                with self.lock:
                    self.refused += code in CODES
                    if code not in CODES and not isinstance(refused, (smtplib.SMTPServerDisconnected, ConnectionError)):
                        self.odd.append(repr(refused))
                self.ended.wait(0.05)

    def consume(self):
        while not self.ended.is_set() or set(self.ledger.accepted) - set(self.ledger.arrived):
            before = set(self.ledger.arrived)
            self.ledger.take(self.gateway.out)
            moment = time.monotonic()
            for serial in set(self.ledger.arrived) - before:
                self.found[serial] = moment
            if self.ended.is_set() and moment > self.end + 60:
                return
            breathe()

    def run(self, seconds):
        begun = time.monotonic()
        self.consumer.start()
        for each in self.threads:
            each.start()
        self.ended.wait(seconds)
        self.end = time.monotonic()
        self.ended.set()
        for each in self.threads + [self.consumer]:
            each.join()
        self.rate = len(self.told) / (self.end - begun)
        late = sorted(self.found[each] - self.told[each] for each in self.told if each in self.found)
        self.late = late[int(len(late) * 0.99)] if late else 0.0
        # Seconds of the rush in which nobody got anything, the first one apart.
        busy = {int(moment - begun) for moment in self.found.values()}
        self.idle = [second for second in range(1, int(seconds)) if second not in busy]


def overload(build, seconds):
    os.environ["POSTERN_SYNC_MILLIS"] = str(SYNC_MILLIS)
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"  # so that the disk is as slow as it is said to be, whatever else writes to the real one
    disk = os.path.join(build, "tests", "proof", "libslow_disk.so")
    gateway = open_gateway(build, f"sessions = {SESSIONS}\nsessions_per_address = {SESSIONS}\n")
    problems = []
    try:
        gateway.start(wrapper=("env", f"LD_PRELOAD={disk}"))
        alone = Rush(gateway, SESSIONS, 0)
        alone.run(seconds)
        rush = Rush(gateway, SESSIONS * RUSH, alone.serial)
        rush.run(seconds)
        if gateway.stop() != 0:
            problems.append("exit status")
    finally:
        gateway.close()
    for name, each in (("without a rush", alone), ("in the rush", rush)):
        problems += [f"{name}: {what}" for what in each.ledger.verdict() + each.odd[:5]]
        if each.late > EXPORTED_WITHIN:
            problems.append(f"{name}: {each.late:.1f} s from 250 to exported")
        if each.idle:
            problems.append(f"{name}: nothing was exported in seconds {each.idle}")
    if rush.rate < alone.rate / 2:
        problems.append(f"{alone.rate:.0f} mails a second fell to {rush.rate:.0f}")
    if not rush.refused:
        problems.append("nobody was told to come later")
    print(f"overload: {SESSIONS} sessions on a disk with {SYNC_MILLIS} ms for a sync: {alone.rate:.0f} mails a second, {alone.late:.2f} s from 250 to "
          f"exported for 99 in 100; {RUSH} times as many clients: {rush.rate:.0f} a second, {rush.late:.2f} s, "
          f"{rush.refused} refusals with 421 or 451, {len(rush.told)} taken", flush=True)
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--only", choices=("crowd", "overload"))
    options = parser.parse_args()
    problems = []
    if options.only != "overload":
        problems += crowd(options.build, options.connections, options.clients)
    if options.only != "crowd":
        problems += overload(options.build, options.seconds)
    for each in problems:
        print(f"FAILED: {each}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
