#!/usr/bin/env python3
"""Everything that can come between, at once and by chance: senders and consumers that take and delete are at work, while the service is
killed, stopped and started, stalled past its lease and let go on, its clock set by an hour, its configuration read again, its adapters
suspended and resumed, and its mail held, released, tried, moved, routed again and deleted by operators.

In the end every mail that got its "250" has arrived once; one that an operator deleted at most once. What is done, to what and for how
long follows from the seed, which is printed: the same seed plays the same steps again, though not the same moments.

Usage: torture.py BUILD_FOLDER [--steps N] [--seed S]
"""

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
from clock_jumps import HOUR, LEASE, Clock  # noqa: E402
from gateway import Gateway, Ledger, breathe  # noqa: E402
from soak import KINDS, Worker, configuration  # noqa: E402

SENDERS = 3
REFUSED = (65, 66, 75)  # an operator who comes too late, names what is gone, or meets a service that is busy: no fault of the service
HANDOVER = 30.0


class Rack:
    def __init__(self, build, seed):
        self.gateway = Gateway(build, f'lease = "{LEASE}s"\nhold_after_deaths = 1000\n', adapters="watchers = 3")
        with open(self.gateway.config, "a", encoding="utf-8") as file:
            file.write(configuration(self.gateway.folder))
        self.ledger, self.boxes = Ledger(), Ledger("mbox")
        self.boxes.arrived = self.ledger.arrived
        self.chance, self.lock, self.serial = random.Random(seed), threading.Lock(), 0
        self.clock = Clock(self.gateway.folder)
        self.clock.set(0)
        self.done, self.obeyed = {}, 0

    # The outside.

    def send(self, chance):
        port = self.gateway.port
        if port is None:
            return
        with self.lock:
            self.serial += 1
            serial = self.serial
        self.ledger.send(port, serial, size=chance.choice((0, 500, 5000, 80_000)), to="user@" + chance.choice(list(KINDS.values())))

    def take(self):
        self.ledger.take(self.gateway.out)
        self.boxes.take_mailbox(os.path.join(self.gateway.folder, "mbox", "inbox"))
        new = os.path.join(self.gateway.folder, "maildir", "new")
        if os.path.isdir(new):
            self.ledger.take(new)

    # What is done to it. Each returns once it is done, and leaves the service at work.

    def start(self):
        self.gateway.start(wrapper=self.clock.wrapper())

    def kill(self):
        self.gateway.port = None
        self.gateway.kill()
        self.start()

    def stop_and_start(self):
        self.gateway.port = None
        status = self.gateway.stop()
        if status != 0:
            raise RuntimeError(f"exit status {status} at a stop")
        self.start()

    def stall(self):
        os.kill(self.gateway.process.pid, signal.SIGSTOP)
        try:
            threading.Event().wait(self.chance.choice((0.1, 0.5, LEASE + 0.5)))
        finally:
            os.kill(self.gateway.process.pid, signal.SIGCONT)

    def kill_what_is_stalled(self):
        os.kill(self.gateway.process.pid, signal.SIGSTOP)
        self.kill()

    def set_clock(self):
        self.clock.set(self.chance.choice((-HOUR, 0, HOUR)))

    def postern(self, *words):
        done = subprocess.run([self.gateway.postern, "--config", self.gateway.config, *words], capture_output=True, timeout=120, check=False)
        if done.returncode not in (0, *REFUSED):
            raise RuntimeError(f"{words}: {done.returncode} {done.stderr.decode()[-300:]}")
        self.obeyed += done.returncode == 0

    def items(self, *states):
        path = os.path.join(self.gateway.folder, "store", "postern.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            marks = ", ".join("?" * len(states))
            return database.execute("SELECT item.id, message.subject FROM item JOIN message ON message.id = item.message_id "
                                    f"WHERE state IN ({marks}) ORDER BY item.id", states).fetchall()

    def some(self, *states):
        there = [str(item) for item, _ in self.items(*states)]
        return self.chance.sample(there, min(len(there), self.chance.randrange(1, 6)))

    def change(self, verb, states, *more):
        items = self.some(*states)
        if items:
            self.postern("queue", verb, *more, *items)

    def hold(self):
        self.change("hold", ("ready",))

    def release(self):
        self.change("release", ("held",))

    def retry(self):
        self.change("retry", ("ready",))

    def delete(self):
        self.change("delete", ("ready", "held"))

    def requeue(self):
        self.change("requeue", ("ready",))

    def move(self):
        self.change("move", ("ready",), "--to", self.chance.choice(("out", "maildir", "mbox")))

    def suspend(self):
        self.postern("adapter", "suspend", self.chance.choice(("out", "maildir", "mbox")), "--reason", "torture")

    def resume(self):
        self.postern("adapter", "resume", self.chance.choice(("out", "maildir", "mbox")))

    def reload(self):
        self.postern("reload")

    def step(self):
        what = self.chance.choices(
            (self.kill, self.kill_what_is_stalled, self.stop_and_start, self.stall, self.set_clock, self.hold, self.release, self.retry,
             self.delete, self.requeue, self.move, self.suspend, self.resume, self.reload),
            weights=(6, 2, 2, 2, 3, 4, 3, 2, 1, 2, 3, 3, 4, 1))[0]
        pause = self.chance.uniform(0.02, 0.3)
        what()
        self.done[what.__name__] = self.done.get(what.__name__, 0) + 1
        threading.Event().wait(pause)

    # The end.

    def come_to_rest(self):
        self.clock.set(0)
        for adapter in ("out", "maildir", "mbox"):
            self.postern("adapter", "resume", adapter)
        deadline = time.monotonic() + HANDOVER * 4
        while time.monotonic() < deadline:
            if self.items("held"):
                self.postern("queue", "release", "--all")
            if self.items("ready"):
                self.postern("queue", "retry", "--all")
            if not self.items("ready", "held", "claimed", "publishing"):
                return True
            breathe()
        return False

    def verdict(self):
        deleted = {int(subject.split()[1]) for _, subject in self.items("deleted")}
        problems = [each for each in self.ledger.verdict() if not (each.endswith("is lost") and int(each.split()[1]) in deleted)]
        return problems, len(deleted)


def play(build, steps, seed):
    rack, problems = Rack(build, seed), []
    try:
        rack.start()
        workers = [Worker(f"sender {number}", 0.01, lambda chance=random.Random(seed + number): rack.send(chance)) for number in range(SENDERS)]
        consumer = Worker("consumer", 0.01, rack.take)
        try:
            for number in range(steps):
                try:
                    rack.step()
                except (RuntimeError, OSError, sqlite3.Error, subprocess.TimeoutExpired) as error:
                    problems.append(f"step {number + 1}: {type(error).__name__}: {error}")
                    break
        finally:
            for each in workers:
                problems += each.stop()
        if not problems and not rack.come_to_rest():
            problems.append(f"not settled: {rack.gateway.states()}")
        states = rack.gateway.states()
        if set(states) - {"exported", "deleted"}:
            told = subprocess.run([rack.gateway.postern, "--config", rack.gateway.config, "queue", "list", "--state", "in_doubt,held,failed"],
                                  capture_output=True, timeout=60, check=False).stdout.decode()
            problems.append(f"states {states}\n{told}")
        if rack.gateway.stop() != 0:
            problems.append(f"exit status {rack.gateway.process.returncode}")
        problems += consumer.stop()
        rack.take()
        wrong, deleted = rack.verdict()
        problems += wrong
        if rack.obeyed * 8 < steps:
            problems.append(f"of all that operators wanted only {rack.obeyed} was done")
        if len(rack.ledger.accepted) < steps:
            problems.append("too little load for it to mean anything")
    finally:
        rack.gateway.close()
    return rack, deleted, problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.steps} steps", flush=True)
    rack, deleted, problems = play(options.build, options.steps, options.seed)
    for each in problems[:20]:
        print(f"FAILED: {each}")
    print("torture: " + ", ".join(f"{count} {name}" for name, count in sorted(rack.done.items())))
    print(f"torture: {sum(rack.done.values())} steps, {len(rack.ledger.accepted)} mails, {deleted} deleted; {len(problems)} lost, doubled or stuck; "
          f"seed {options.seed}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
