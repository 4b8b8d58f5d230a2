#!/usr/bin/env python3
"""R11: a sync fails under everything: service, store, stage and drop folder on one ext4 volume, whose device can not write some blocks.

What Linux does then is done here by Linux: the sync answers with an error, once; the pages that were not written count as clean, and
whoever reads them finds what never reached the disk. One of the writes with a mail's text fails, of the log, the database, a body's or an
artifact's file, once or until the service was started again. It refuses the mail, puts it off, or ends; it is started again, takes more
mail, and its consumer takes what comes. Then the power goes, at some moment behind the fault (power_cuts.py), so that what stood in
memory only is gone, and it starts on what the disk holds.

Lost: answered "250" before the cut and never seen. Doubled: it arrived under two names, or again although the consumer had it.

Needs root, FUSE and loop devices; where they are not to be had it ends with 77.

Usage: failed_syncs.py BUILD_FOLDER [--rounds N] [--seed N]
"""

import argparse
import collections
import contextlib
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from gateway import Gateway, Ledger, breathe  # noqa: E402
from power_cuts import (EVERYTHING, FLUSHED, HEAD, SETTINGS, SOME, WRITE, Disk, Recorder, Skipped, Volume, World, look, look_behind,  # noqa: E402
                        steps_of)

FAILED = 3
QUICK = 'synchronous_renames = true\nretry_first = "50ms"\nretry_longest = "200ms"\n'
SKIPS = 4  # a mail's text goes to the log, to the stage folder and to the database; a large one to a file first
CUTS = 3   # behind each fault
PATIENCE = 20


class Life:
    def __init__(self, gateway, recorder, chance):
        self.gateway, self.recorder, self.chance = gateway, recorder, chance
        self.world, self.ledger, self.serial = World(), Ledger(), 0
        self.stretches, self.counted, self.problems = [], collections.Counter(), []

    def send(self, serial, word="", size=0):
        """Whether it was answered with 250."""
        if self.gateway.process.poll() is not None:
            return False
        self.world.sent.add(serial)
        if not self.ledger.send(self.gateway.port, serial, size, word=word):
            return False
        self.world.answered[serial] = self.recorder.moment()
        return True

    def consume(self):
        look(self.world, self.gateway, self.recorder.moment, lambda serial: serial % 2 == 0)

    def until(self, holds, what):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                self.problems.append(f"{what} behind {PATIENCE} s")
                return
            self.consume()
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
        return self.gateway.process.poll() is not None or set(self.world.answered) <= {serial for serial, _ in self.world.seen.values()}

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
            self.consume()
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


def failures_in(log):
    """The moments behind which a write had failed."""
    found, at = [], 0
    while at < len(log):
        what, _, size = HEAD.unpack_from(log, at)
        at += HEAD.size + (size if what == WRITE else 0)
        if what == FAILED:
            found.append(at)
    return found


def cut(life, image, log, begun, folder):
    """The power goes behind each fault that came; (disks, lost, doubled)."""
    disk, moments, failures = Disk(image, log, begun, False), steps_of(log), failures_in(log)
    images, lost, doubled = 0, 0, 0
    for first, last in life.stretches:
        failed = [moment for moment in failures if first < moment <= last]
        life.counted["met"] += bool(failed)
        behind = [moment for moment in moments if failed and failed[0] <= moment <= last]
        for moment in sorted([*life.chance.sample(behind, k=min(CUTS - 1, len(behind))), *behind[-1:]]):
            disk.go_to(moment)
            left = life.chance.choice((EVERYTHING, FLUSHED, SOME))
            path = os.path.join(folder, f"cut-{images}")  # each its own, as in power_cuts.py
            with open(path, "wb") as file:
                file.write(disk.after_cut(left, life.chance))
            try:
                missing, again, wrong = look_behind(path, life.gateway, life.world, moment, False)
            except (RuntimeError, OSError, sqlite3.Error, AssertionError) as error:
                missing, again, wrong = [], [], [repr(error)]
            os.unlink(path)
            images, lost, doubled = images + 1, lost + len(missing), doubled + len(again)
            life.problems += [f"cut at {moment} with {left}: {what}" for what in
                              [*wrong, *([f"lost {missing}"] if missing else []), *([f"doubled {again}"] if again else [])]]
    return images, lost, doubled


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse") or not os.path.exists(os.path.join(options.build, "tests", "proof", "recorded_volume")):
        print("skipped: needs root, /dev/fuse and libfuse3-dev at the build")
        return 77
    gateway = Gateway(options.build, SETTINGS, adapters=QUICK)
    folder, recorder, life = tempfile.mkdtemp(prefix="postern-sync-"), None, None
    try:
        with open(gateway.config, "rb") as file:
            config = file.read()
        recorder = Recorder(options.build, folder)
        try:
            volume = Volume(recorder.device, gateway.folder)
        except RuntimeError as error:
            raise Skipped(str(error)) from error
        try:
            with open(gateway.config, "wb") as file:
                file.write(config)
            os.mkdir(gateway.out)
            gateway.start()
            os.sync()
            with open(recorder.image, "rb") as file:
                image = file.read()
            begun = recorder.moment()
            life = Life(gateway, recorder, random.Random(options.seed))
            for number in range(options.rounds):
                life.round(number)
            if gateway.stop() != 0:
                life.problems.append("it does not stop as it should")
        finally:
            gateway.kill()
            volume.close()
        with open(recorder.log, "rb") as file:
            log = file.read()
        images, lost, doubled = cut(life, image, log, begun, folder)
    except Skipped as reason:
        print(f"skipped: {reason}")
        return 77
    finally:
        if recorder is not None:
            recorder.close()
        shutil.rmtree(folder, ignore_errors=True)
        gateway.close()
    if life.counted["met"] * 4 < options.rounds:
        life.problems.append("too few rounds met a failed write: this would prove nothing")
    for each in life.problems:
        print(f"FAILED: {each}")
    print(f"failed syncs, seed {options.seed}: {life.counted['met']} of {options.rounds} rounds met one, {life.counted['refused']} refused a mail, "
          f"{life.counted['ended']} ended the service; {images} power cuts behind them, {len(life.world.sent)} mails; "
          f"{lost} lost, {doubled} doubled, {len(life.problems)} wrong")
    return 1 if life.problems else 0


if __name__ == "__main__":
    sys.exit(main())
