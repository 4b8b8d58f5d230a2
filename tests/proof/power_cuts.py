#!/usr/bin/env python3
"""R4 and R5: the power goes, under everything: service, store, stage and the legacy side's folder on one volume (cut_disks.py).

Without synchronous renames (R5, --renames ordinary) what the consumer had may come again, and is counted; everything else must not happen.

Needs root, FUSE and loop devices; where they are not to be had it ends with 77.

Usage: power_cuts.py BUILD_FOLDER [--images N] [--mails N] [--kind KIND] [--renames synchronous|ordinary] [--file-system ext4|xfs]
                     [--eventful] [--lying] [--seed N] [--keep FOLDER]
"""

import argparse
import os
import random
import sys
import threading
import time

from cut_disks import EVERYTHING, FILE_SYSTEMS, FLUSHED, SOME, Disk, Machine, Skipped, judge_is_awake, records
from gateway import breathe
from older_store import make_older
from other_sides import FILES, readers_are_awake


def mail_passes(life, serials, chance, enough):
    """Some senders, and a consumer who for a while takes everything the moment that it is there, and stays away for another."""
    sizes = {serial: min(chance.choice((0, 1000, 9000, 90_000)), life.side.largest) for serial in serials}

    def send(some):
        for serial in some:
            life.send(serial, sizes[serial])

    senders = [threading.Thread(target=send, args=(serials[first::3],)) for first in range(3)]
    for each in senders:
        each.start()
    deadline, at_it, until = time.monotonic() + 120, False, 0.0
    while not enough() and time.monotonic() < deadline:
        if time.monotonic() > until:
            at_it, until = not at_it, time.monotonic() + chance.uniform(0.05, 0.2)
        if at_it:
            life.consume()
        else:
            breathe()
    return senders


def live(machine, mails, chance):
    """All of them pass."""
    life = machine.life()
    machine.gateway.start()
    for each in mail_passes(life, range(1, mails + 1), chance, lambda: len(life.seen) == mails):
        each.join()
    if machine.gateway.stop() != 0 or len(life.seen) < mails:
        raise RuntimeError(f"the life that is to be cut off went wrong: {len(life.seen)} of {mails}")
    return life


def live_eventfully(machine, mails, chance):
    """Between starts some of them pass: kills and recoveries, backups, purges, and an update from an older version's store."""
    life, gateway, each_time = machine.life(), machine.gateway, max(3, mails // 6)
    for end, first in zip(("kill", "backup", "kill", "purge", "update", "stop"), range(1, 1 + 6 * each_time, each_time)):
        gateway.start()
        some = range(first, first + each_time)
        enough = chance.randrange(each_time) if end == "kill" else each_time
        senders = mail_passes(life, some, chance, lambda: len(life.answered.keys() & set(some)) >= enough)
        if end == "kill":
            gateway.kill()
        for each in senders:
            each.join()
        if end == "backup":
            life.back_up("backup.db")
        if end == "purge":
            life.postern("reload")  # nothing that was exported is kept
        if end != "kill" and gateway.stop() != 0:
            raise RuntimeError("it does not stop: " + "; ".join(gateway.log[-3:]))
        if end == "update":
            life.by_others(lambda: make_older(os.path.join(gateway.folder, "store")))
    gateway.start()
    if not gateway.wait_until_settled():
        raise RuntimeError("the life that is to be cut off went wrong: not settled")
    life.consume()
    if gateway.stop() != 0 or life.answered.keys() - life.seen.keys():
        raise RuntimeError(f"the life that is to be cut off went wrong: {life.answered.keys() - life.seen.keys()}")
    return life


def cut(machine, options):
    life = (live_eventfully if options.eventful else live)(machine, options.mails, random.Random(options.seed))
    weaker = any(" adapter.weaker " in line for line in machine.gateway.log)
    log = machine.switch_off()
    disk = Disk(machine.image, log, machine.begun, options.lying)
    moments = [moment for *_, moment in records(log, machine.begun) if not life.is_others(moment)]
    chance, images, lost, doubled, told = random.Random(options.seed), 0, 0, 0, time.monotonic()
    # Of XFS the service can not see it.
    weaker = weaker and options.file_system == "ext4" and options.renames == "synchronous"
    problems = ["the folder does not make renames durable: this would prove nothing"] if weaker else []
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
    disks = options.file_system + ", " + ("a disk that lies" if options.lying else options.renames + " renames")
    disks += ", an eventful life" if options.eventful else ""
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
    parser.add_argument("--file-system", choices=FILE_SYSTEMS, default="ext4")
    parser.add_argument("--eventful", action="store_true", help="a life with kills, recoveries, a backup, a purge and an update")
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
        with Machine(options.build, options.kind, renames, options.file_system, options.renames == "synchronous",
                     'retention = "0s"\n' if options.eventful else "") as machine:
            return cut(machine, options)
    except Skipped as reason:
        print(f"skipped: {reason}")
        return 77


if __name__ == "__main__":
    sys.exit(main())
