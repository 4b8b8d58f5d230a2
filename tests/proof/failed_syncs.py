#!/usr/bin/env python3
"""R11: a sync fails under everything: service, store, stage and drop folder on one ext4 volume, whose device can not write some blocks.

What Linux does then is done here by Linux: the sync answers with an error, once; the pages that were not written count as clean, and
whoever reads them finds what never reached the disk. One of the writes with a mail's text fails, of the log, the database, a body's or an
artifact's file, once or until the service was started again. It refuses the mail, puts it off, or ends; it is started again, takes more
mail, and its consumer takes what comes. Then the power goes, at some moment behind the fault (cut_disks.py), so that what stood in
memory only is gone, and it starts on what the disk holds.

Needs root, FUSE and loop devices; where they are not to be had it ends with 77.

Usage: failed_syncs.py BUILD_FOLDER [--rounds N] [--seed N]
"""

import argparse
import collections
import contextlib
import os
import random
import sys
import time

from cut_disks import EVERYTHING, FLUSHED, SOME, Disk, Machine, Skipped, judge_is_awake, records
from gateway import breathe

FAILED = 3
QUICK = 'retry_first = "50ms"\nretry_longest = "200ms"\n'
SKIPS = 4  # a mail's text goes to the log, to the stage folder and to the database; a large one to a file first
CUTS = 3   # behind each fault
PATIENCE = 20


class Rounds:
    """A life with a fault in each round of it."""

    def __init__(self, machine, chance):
        self.gateway, self.recorder, self.chance = machine.gateway, machine.recorder, chance
        self.life, self.serial = machine.life(), 0
        self.stretches, self.counted, self.problems = [], collections.Counter(), []

    def send(self, serial, word="", size=0):
        """Whether it was answered with 250."""
        return self.gateway.process.poll() is None and self.life.send(serial, size, word)

    def until(self, holds, what):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                self.problems.append(f"{what} behind {PATIENCE} s")
                return
            self.life.consume()
            breathe()

    def order(self, text):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.recorder.orders)
        if text:
            with open(self.recorder.orders + ".new", "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(self.recorder.orders + ".new", self.recorder.orders)

    def over(self):
        """The mails that were answered are out, or the service has ended."""
        return self.gateway.process.poll() is not None or set(self.life.answered) <= set(self.life.seen)

    def folded(self):
        return self.gateway.process.poll() is not None or os.path.getsize(os.path.join(self.gateway.folder, "store", "postern.db-wal")) == 0

    def round(self, number):
        begun = self.recorder.moment()
        word, size = f"word-{number}-fails", self.chance.choice((0, 9000, 90_000))
        self.order(f"{number % SKIPS} {1000 if number // SKIPS % 2 else 1} {word}")
        self.serial += 3
        mails = {self.serial - 2: (word, size), self.serial - 1: ("", 1000), self.serial: ("", 9000)}
        unanswered = [serial for serial, mail in mails.items() if not self.send(serial, *mail)]
        deadline = time.monotonic() + 3
        while not (self.over() and self.folded()) and time.monotonic() < deadline:  # a fault in the drop folder waits for good
            self.life.consume()
            breathe()
        self.order("")
        status = self.gateway.wait_for_end(0.1)
        if status is not None:
            self.counted["ended"] += 1
            if status <= 0 or not any(" service.failed " in line or " store.broken " in line for line in self.gateway.log):
                self.problems.append(f"round {number}: it ended with {status} and without a word")
            self.gateway.log.clear()
            self.gateway.start()
        self.counted["refused"] += bool(unanswered)
        for serial in unanswered:
            self.until(lambda each=serial: self.send(each, *mails[each]), f"round {number}: mail {serial} is not taken")
        self.until(self.over, f"round {number}: not all is out")
        self.stretches.append((begun, self.recorder.moment()))


def cut(rounds, machine, log):
    """The power goes behind each fault that came; (disks, lost, doubled)."""
    disk, moments = Disk(machine.image, log, machine.begun, False), [moment for *_, moment in records(log)]
    failures = [moment for what, *_, moment in records(log) if what == FAILED]
    images, lost, doubled = 0, 0, 0
    for first, last in rounds.stretches:
        failed = [moment for moment in failures if first < moment <= last]
        rounds.counted["met"] += bool(failed)
        behind = [moment for moment in moments if failed and failed[0] <= moment <= last]
        for moment in sorted([*rounds.chance.sample(behind, k=min(CUTS - 1, len(behind))), *behind[-1:]]):
            disk.go_to(moment)
            left = rounds.chance.choice((EVERYTHING, FLUSHED, SOME))
            missing, again, wrong = machine.look_behind(disk, left, rounds.chance, rounds.life)
            images, lost, doubled = images + 1, lost + len(missing), doubled + len(again)
            rounds.problems += [f"cut at {moment} with {left}: {what}" for what in
                                [*wrong, *([f"lost {missing}"] if missing else []), *([f"doubled {again}"] if again else [])]]
    return images, lost, doubled


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    judge_is_awake()
    try:
        with Machine(options.build, "drop", QUICK) as machine:
            rounds = Rounds(machine, random.Random(options.seed))
            machine.gateway.start()
            for number in range(options.rounds):
                rounds.round(number)
            if machine.gateway.stop() != 0:
                rounds.problems.append("it does not stop as it should")
            images, lost, doubled = cut(rounds, machine, machine.switch_off())
    except Skipped as reason:
        print(f"skipped: {reason}")
        return 77
    if rounds.counted["met"] * 4 < options.rounds:
        rounds.problems.append("too few rounds met a failed write: this would prove nothing")
    for each in rounds.problems:
        print(f"FAILED: {each}")
    print(f"failed syncs, seed {options.seed}: {rounds.counted['met']} of {options.rounds} rounds met one, {rounds.counted['refused']} refused a mail, "
          f"{rounds.counted['ended']} ended the service; {images} power cuts behind them, {len(rounds.life.sent)} mails; "
          f"{lost} lost, {doubled} doubled, {len(rounds.problems)} wrong")
    return 1 if rounds.problems else 0


if __name__ == "__main__":
    sys.exit(main())
