#!/usr/bin/env python3
"""R4 and R5: the power goes, under everything: service, store, stage and the legacy side's folder on one ext4 volume (cut_disks.py).

Without synchronous renames (R5, --renames ordinary) what the consumer had may come again, and is counted; everything else must not happen.

Needs root, FUSE and loop devices; where they are not to be had it ends with 77.

Usage: power_cuts.py BUILD_FOLDER [--images N] [--mails N] [--kind KIND] [--renames synchronous|ordinary] [--lying] [--seed N] [--keep FOLDER]
"""

import argparse
import os
import random
import sys
import threading
import time

from cut_disks import EVERYTHING, FLUSHED, SOME, Disk, Machine, Skipped, judge_is_awake, records
from gateway import breathe
from other_sides import FILES, readers_are_awake


def live(machine, mails, chance):
    """A life with some senders, and a consumer who for a while takes everything the moment that it is there, and stays away for another."""
    life = machine.life()
    machine.gateway.start()
    sizes = {serial: min(chance.choice((0, 1000, 9000, 90_000)), machine.side.largest) for serial in range(1, mails + 1)}

    def send(serials):
        for serial in serials:
            life.send(serial, sizes[serial])

    senders = [threading.Thread(target=send, args=(range(first, mails + 1, 3),)) for first in (1, 2, 3)]
    for each in senders:
        each.start()
    deadline, at_it, until = time.monotonic() + 120, False, 0.0
    while len(life.seen) < mails and time.monotonic() < deadline:
        if time.monotonic() > until:
            at_it, until = not at_it, time.monotonic() + chance.uniform(0.05, 0.2)
        if at_it:
            life.consume()
        else:
            breathe()
    for each in senders:
        each.join()
    if machine.gateway.stop() != 0 or len(life.seen) < mails:
        raise RuntimeError(f"the life that is to be cut off went wrong: {len(life.seen)} of {mails}")
    return life


def cut(machine, options):
    life = live(machine, options.mails, random.Random(options.seed))
    weaker = any(" adapter.weaker " in line for line in machine.gateway.log)
    log = machine.switch_off()
    disk, moments = Disk(machine.image, log, machine.begun, options.lying), [moment for *_, moment in records(log, machine.begun)]
    chance, images, lost, doubled, told = random.Random(options.seed), 0, 0, 0, time.monotonic()
    problems = ["the folder does not make renames durable: this would prove nothing"] if weaker and options.renames == "synchronous" else []
    for moment in sorted(chance.choices(moments, k=options.images)):
        disk.go_to(moment)
        left = chance.choice((EVERYTHING, FLUSHED, SOME, SOME))
        missing, again, wrong = machine.look_behind(disk, left, chance, life, "" if options.lying else options.keep)
        if options.lying and wrong:
            continue  # nothing of it can be read
        images, lost, doubled = images + 1, lost + len(missing), doubled + len(again)
        where = f"cut at {moment} with {left}"
        if not options.lying:
            problems += [f"{where}: {each}" for each in wrong]
            problems += [f"{where}: lost {missing}"] if missing else []
            problems += [f"{where}: doubled {again}"] if again and options.renames == "synchronous" else []
        if problems or (options.lying and lost):
            break
        if time.monotonic() - told > 30:
            told = time.monotonic()
            print(f"{images} of {options.images} disks", flush=True)
    if options.lying and not lost:
        problems.append("a disk that lies lost nothing: this would not notice a loss")
    for each in problems:
        print(f"FAILED: {each}")
    disks = "a disk that lies" if options.lying else options.renames + " renames"
    print(f"power cuts under {options.kind}, {disks}, seed {options.seed}: {images} disks of {len(moments)} moments, {options.mails} mails; "
          f"{lost} lost, {doubled} doubled, {machine.doubts} in doubt, {len(problems)} wrong")
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--mails", type=int, default=30)
    parser.add_argument("--kind", default="drop", choices=FILES, help="the adapter, or a way of one")
    parser.add_argument("--renames", choices=("synchronous", "ordinary"), default="synchronous")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--lying", action="store_true", help="the control: a disk that forgets what it had flushed; mail must be lost")
    parser.add_argument("--keep", default="", metavar="FOLDER", help="where the disks are kept that something is wrong with")
    options = parser.parse_args()
    judge_is_awake()
    readers_are_awake()
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
    renames = "" if options.renames == "synchronous" else "synchronous_renames = false\n"
    try:
        with Machine(options.build, options.kind, renames) as machine:
            return cut(machine, options)
    except Skipped as reason:
        print(f"skipped: {reason}")
        return 77


if __name__ == "__main__":
    sys.exit(main())
