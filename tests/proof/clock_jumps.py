#!/usr/bin/env python3
"""R22: the clock is set forth and back by an hour under a service that works, that is stopped in the middle and taken up
again, and that is killed and started; and 2038 begins. No mail twice, none lost, and none waits for longer than a lease.

The clock is that of the Debian package "faketime" (its library for programs with threads); time since the start of the machine goes on
as it is, as it does when somebody sets a real clock. The ledger is outside, and looks at the real clock.

Usage: clock_jumps.py BUILD_FOLDER [--rounds N] [--short]
"""

import argparse
import glob
import os
import re
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from gateway import Gateway, Ledger, breathe  # noqa: E402

LEASE = 2  # seconds
PATIENCE = LEASE + 8  # how long a mail may take on a machine that does other things too
HOUR = 3600
BEFORE_2038 = 2147483647 - 4  # the last second that 32 bits can hold, and a few to begin in


def library():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        raise RuntimeError("the Debian package faketime is not installed")
    return found[0]


class Clock:
    """What the service takes for the time: an offset to the real one, which may change under it."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "clock")

    def set(self, offset):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            file.write(f"{offset:+d}\n")
        os.replace(self.path + ".new", self.path)

    def wrapper(self):
        return ("env", f"LD_PRELOAD={library()}", f"FAKETIME_TIMESTAMP_FILE={self.path}", "FAKETIME_NO_CACHE=1", "DONT_FAKE_MONOTONIC=1",
                "FAKETIME_DONT_RESET=1")


class Sender:
    """Sends mail after mail until it is told to stop; whoever is not answered sends the same again."""

    def __init__(self, gateway, ledger, first):
        self.gateway, self.ledger, self.serial = gateway, ledger, first
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.ended.is_set():
            self.serial += 1
            while not self.ledger.send(self.gateway.port, self.serial) and not self.ended.wait(0.02):
                pass

    def stop(self):
        self.ended.set()
        self.thread.join()
        return self.serial


def wait_for_all(gateway, ledger, problems, where):
    deadline = time.monotonic() + PATIENCE
    begun = time.monotonic()
    while set(ledger.accepted) - set(ledger.arrived):
        if time.monotonic() > deadline:
            missing = sorted(set(ledger.accepted) - set(ledger.arrived))
            problems.append(f"{where}: {len(missing)} mails are not out after {PATIENCE} s, {missing[:5]}; {gateway.states()}")
            return PATIENCE
        ledger.take(gateway.out)
        breathe()
    return time.monotonic() - begun


def living(gateway, clock, ledger, offset):
    """The clock is set while the service works, with senders at it."""
    sender = Sender(gateway, ledger, max(ledger.attempted, default=0))
    begun = time.monotonic()
    while time.monotonic() - begun < 0.5:
        ledger.take(gateway.out)
        breathe()
    clock.set(offset)
    while time.monotonic() - begun < 1.0:
        ledger.take(gateway.out)
        breathe()
    sender.stop()


def stalled(gateway, clock, ledger, offset):
    """It is stopped in the middle of its work; the clock it sees when it goes on is another one."""
    sender = Sender(gateway, ledger, max(ledger.attempted, default=0))
    begun = time.monotonic()
    while time.monotonic() - begun < 0.3:
        ledger.take(gateway.out)
        breathe()
    os.kill(gateway.process.pid, signal.SIGSTOP)
    clock.set(offset)
    ledger.take(gateway.out)
    os.kill(gateway.process.pid, signal.SIGCONT)
    sender.stop()


def killed(gateway, clock, ledger, offset):
    """It dies in the middle of its work, and starts by another clock: what was claimed then has a lease of another time."""
    sender = Sender(gateway, ledger, max(ledger.attempted, default=0))
    begun = time.monotonic()
    while time.monotonic() - begun < 0.3:
        ledger.take(gateway.out)
        breathe()
    gateway.kill()
    sender.ended.set()
    clock.set(offset)
    gateway.start(wrapper=clock.wrapper())
    sender.stop()


def jumps(build, rounds, offsets):
    gateway, ledger, problems, longest = Gateway(build, f'lease = "{LEASE}s"\n', adapters="watchers = 2"), Ledger(), [], 0.0
    clock = Clock(gateway.folder)
    clock.set(0)
    count = 0
    try:
        gateway.start(wrapper=clock.wrapper())
        for number in range(rounds):
            for how in (living, stalled, killed):
                for offset in offsets:
                    how(gateway, clock, ledger, offset)
                    count += 1
                    where = f"round {number + 1}, {how.__name__}, the clock set to {offset:+d} s"
                    longest = max(longest, wait_for_all(gateway, ledger, problems, where))
                    if problems:
                        return count, longest, ledger, problems
        if not gateway.wait_until_settled():
            problems.append(f"not settled: {gateway.states()}")
        if set(gateway.states()) != {"exported"}:
            problems.append(f"states: {gateway.states()}")
        if gateway.stop() != 0:
            problems.append("exit status")
        ledger.take(gateway.out)
        problems += ledger.verdict()
    finally:
        gateway.close()
    return count, longest, ledger, problems


def year_2038(build):
    gateway, ledger, problems = Gateway(build, f'lease = "{LEASE}s"\n'), Ledger(), []
    clock = Clock(gateway.folder)
    clock.set(BEFORE_2038 - int(time.time()))
    try:
        gateway.start(wrapper=clock.wrapper())
        sender = Sender(gateway, ledger, 0)
        begun = time.monotonic()
        while time.monotonic() - begun < 6.0:  # past the moment
            ledger.take(gateway.out)
            breathe()
        sender.stop()
        wait_for_all(gateway, ledger, problems, "2038")
        gateway.kill()
        gateway.start(wrapper=clock.wrapper())
        ledger.send(gateway.port, sender.serial + 1)
        wait_for_all(gateway, ledger, problems, "2038, started again")
        if not any(re.match(r"2038-01-19T03:14:(0[89]|[1-5])", line) for line in gateway.log):
            problems.append("the service never saw 2038: " + "\n".join(gateway.log[-3:]))
        if gateway.stop() != 0:
            problems.append("exit status")
        ledger.take(gateway.out)
        problems += ledger.verdict()
    finally:
        gateway.close()
    return ledger, problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="forth and back, once each way")
    options = parser.parse_args()
    count, longest, first, problems = jumps(options.build, options.rounds, (HOUR, 0) if options.short else (HOUR, 0, -HOUR, 0))
    second, more = year_2038(options.build)
    problems += more
    for each in problems:
        print(f"FAILED: {each}")
    print(f"clock jumps: {count} jumps of an hour and 2038, {len(first.accepted) + len(second.accepted)} mails, "
          f"{len(problems)} lost, doubled or stuck; the longest wait behind a jump {longest:.1f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
