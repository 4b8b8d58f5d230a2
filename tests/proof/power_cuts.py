#!/usr/bin/env python3
"""R4 and R5: the power goes, under everything: service, store, stage and drop folder on one ext4 volume.

The volume stands on a device that records each write and each flush (recorded_volume). Mails come in and are exported, a consumer looks
at all of them and takes some. Then the disk is made as a power cut may have left it at any moment of that: with everything
that was written until then, with what had been flushed only, or with some of the sectors written since the last flush, by chance. It
is mounted, the service starts on it, and what is there is compared with what senders and consumer knew at that moment.

Lost: answered "250" before the cut and never seen. Doubled: published again although the consumer had seen it before the cut and it
was not there any more. Without synchronous renames (R5, --renames ordinary) that may happen and is counted; everything else must not.

Needs root, FUSE and loop devices; where they are not to be had it ends with 77.

Usage: power_cuts.py BUILD_FOLDER [--images N] [--mails N] [--renames synchronous|ordinary] [--lying] [--seed N]
"""

import argparse
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from gateway import Gateway, Ledger, breathe  # noqa: E402

VOLUME = 48 << 20
SECTOR = 512
SUPERBLOCK = 4096  # ext4 writes the first block in place and takes its two sectors for one; torn it is no file system any more
HEAD = struct.Struct("=QQQ")
WRITE, FLUSH = 1, 2
SETTINGS = 'reserve = "1 MiB"\nwarn_below = "1 MiB"\n'
EVERYTHING, FLUSHED, SOME = "everything", "what was flushed", "some of the rest"


class Skipped(Exception):
    pass


def run(*words):
    try:
        done = subprocess.run(words, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise Skipped(f"{words[0]} is not installed") from error
    if done.returncode != 0:
        raise RuntimeError(f"{words}: {done.stderr.decode().strip()}")


class Volume:
    """A file system in a file, mounted where the gateway has its folder."""

    def __init__(self, device, folder):
        run("mount", "-t", "ext4", "-o", "loop,noatime", device, folder)
        self.folder = folder

    def close(self):
        deadline = time.monotonic() + 10
        while subprocess.run(["umount", self.folder], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.folder} can not be unmounted")
            breathe()


class Recorder:
    """The recording device."""

    def __init__(self, build, folder):
        self.image, self.log, self.orders = (os.path.join(folder, name) for name in ("image", "log", "orders"))
        with open(self.image, "wb") as file:
            file.truncate(VOLUME)
        run("mkfs.ext4", "-q", "-F", "-J", "size=4", self.image)
        self.place = os.path.join(folder, "device")
        os.mkdir(self.place)
        self.process = subprocess.Popen([os.path.join(build, "tests", "proof", "recorded_volume"), self.image, self.log, self.place,
                                         self.orders],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.device = os.path.join(self.place, "disk")
        deadline = time.monotonic() + 10
        while not os.path.exists(self.device):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise Skipped("no FUSE: " + self.process.stderr.read().decode().strip())
            breathe()

    def moment(self):
        return os.path.getsize(self.log)

    def close(self):
        subprocess.run(["fusermount3", "-u", self.place], capture_output=True, check=False)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class World:
    """What is known outside of the machine, and since when."""

    def __init__(self):
        self.answered = {}  # serial: the moment at which its 250 was known
        self.seen = {}      # name in the drop folder: (serial, the moment at which the consumer had it)
        self.sent = set()


def look(world, gateway, moment, take):
    """The consumer looks at every file, and takes some."""
    for name in os.listdir(gateway.out):
        if name.startswith(".") or name in world.seen:
            continue
        path = os.path.join(gateway.out, name)
        serial = read(path)
        world.seen[name] = (serial, moment())
        if take(serial):
            os.unlink(path)


def read(path):
    ledger = Ledger()
    with open(path, "rb") as file:
        ledger.take_one(file.read(), path)
    return next(iter(ledger.arrived))


def live(gateway, recorder, mails, chance):
    """A life with some senders; what became known of it, and when."""
    world, ledger, lock = World(), Ledger(), threading.Lock()
    gateway.start()

    def send(serials):
        for serial in serials:
            size = chance.choice((0, 1000, 9000, 90_000))
            with lock:
                world.sent.add(serial)
            if ledger.send(gateway.port, serial, size):
                with lock:
                    world.answered[serial] = recorder.moment()

    senders = [threading.Thread(target=send, args=(range(first, mails + 1, 3),)) for first in (1, 2, 3)]
    for each in senders:
        each.start()
    deadline = time.monotonic() + 120
    while len(world.seen) < mails and time.monotonic() < deadline:
        look(world, gateway, recorder.moment, lambda serial: serial % 2 == 0)
        breathe()
    for each in senders:
        each.join()
    if gateway.stop() != 0 or len(world.seen) < mails:
        raise RuntimeError(f"the life that is to be cut off went wrong: {len(world.seen)} of {mails}")
    return world


class Disk:
    """The device as time goes on: what is flushed, and what was written since."""

    def __init__(self, image, log, begun, lying):
        self.flushed, self.pending, self.log, self.at, self.lying = bytearray(image), [], log, begun, lying

    def go_to(self, moment):
        while self.at < moment:
            what, offset, size = HEAD.unpack_from(self.log, self.at)
            begin = self.at + HEAD.size
            if what == WRITE:
                self.pending.append((offset, begin, size))
                self.at = begin + size
                continue
            self.at = begin
            if what == FLUSH and not self.lying:
                for start, source, length in self.pending:
                    self.flushed[start:start + length] = self.log[source:source + length]
                self.pending.clear()

    def after_cut(self, left, chance):
        disk = bytearray(self.flushed)
        for offset, begin, size in self.pending if left != FLUSHED else []:
            unit = SUPERBLOCK if offset < SUPERBLOCK else SECTOR
            for at in range(0, size, unit):
                if left == EVERYTHING or chance.random() < 0.5:
                    end = min(at + unit, size)
                    disk[offset + at:offset + end] = self.log[begin + at:begin + end]
        return disk


def steps_of(log):
    moments, at = [], 0
    while at < len(log):
        what, _, size = HEAD.unpack_from(log, at)
        at += HEAD.size + (size if what == WRITE else 0)
        moments.append(at)
    return moments


def judge(gateway, world, moment):
    """Starts the service on the disk that is mounted; (lost, doubled, other problems)."""
    before = {name for name in os.listdir(gateway.out) if not name.startswith(".")}
    known = {name: serial for name, (serial, since) in world.seen.items() if since <= moment}
    gateway.log.clear()
    gateway.start()
    settled = gateway.wait_until_settled()
    states = gateway.states()
    status = gateway.stop()
    after = {name: read(os.path.join(gateway.out, name)) for name in os.listdir(gateway.out) if not name.startswith(".")}
    problems = []
    if not settled or status != 0 or set(states) - {"exported"}:
        problems.append(f"settled {settled}, exit status {status}, states {states}: " + "; ".join(gateway.log[-3:]))
    there = set(after.values()) | set(known.values())
    lost = [serial for serial, since in world.answered.items() if since <= moment and serial not in there]
    doubled = [serial for name, serial in after.items() if name in known and name not in before]
    names = {}
    for name, serial in [*after.items(), *known.items()]:
        names.setdefault(serial, set()).add(name)
    problems += [f"mail {serial} has the names {sorted(all_names)}" for serial, all_names in names.items() if len(all_names) > 1]
    return lost, doubled, problems


def look_behind(path, gateway, world, moment, lying):
    """judge() on this disk. One that nothing can be read from has lost everything; only one that lies comes to that."""
    try:
        volume = Volume(path, gateway.folder)
    except RuntimeError:
        if not lying:
            raise
        return [serial for serial, since in world.answered.items() if since <= moment], [], []
    try:
        return judge(gateway, world, moment)
    except (RuntimeError, OSError, sqlite3.Error, AssertionError, AttributeError):
        if not lying:
            raise
        return [serial for serial, since in world.answered.items() if since <= moment], [], []
    finally:
        gateway.kill()
        volume.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--mails", type=int, default=30)
    parser.add_argument("--renames", choices=("synchronous", "ordinary"), default="synchronous")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--lying", action="store_true", help="the control: a disk that forgets what it had flushed; mail must be lost")
    options = parser.parse_args()
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse") or not os.path.exists(os.path.join(options.build, "tests", "proof", "recorded_volume")):
        print("skipped: needs root, /dev/fuse and libfuse3-dev at the build")
        return 77
    chance = random.Random(options.seed)
    synchronous = options.renames == "synchronous"
    gateway = Gateway(options.build, SETTINGS, adapters=f"synchronous_renames = {str(synchronous).lower()}")
    folder, recorder = tempfile.mkdtemp(prefix="postern-power-"), None
    lost = doubled = images = 0
    problems = []
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
            gateway.start()  # makes the store: what is cut off is a life, not the first start
            gateway.stop()
            os.sync()
            with open(recorder.image, "rb") as file:
                image = file.read()
            begun = recorder.moment()
            world = live(gateway, recorder, options.mails, chance)
        finally:
            gateway.kill()
            volume.close()
        with open(recorder.log, "rb") as file:
            log = file.read()
        disk, moments = Disk(image, log, begun, options.lying), [moment for moment in steps_of(log) if moment > begun]
        cuts = sorted(chance.choices(moments, k=options.images))
        told = time.monotonic()
        for moment in cuts:
            disk.go_to(moment)
            left = chance.choice((EVERYTHING, FLUSHED, SOME, SOME))
            # A name of its own each: mount(8) takes a loop device again that still has a file of that name, with what it remembers of it.
            path = os.path.join(folder, f"cut-{images}")
            with open(path, "wb") as file:
                file.write(disk.after_cut(left, chance))
            missing, again, wrong = look_behind(path, gateway, world, moment, options.lying)
            os.unlink(path)
            images += 1
            lost += len(missing)
            doubled += len(again)
            where = f"cut at {moment} with {left}"
            if not options.lying:
                problems += [f"{where}: {each}" for each in wrong]
                problems += [f"{where}: lost {missing}"] if missing else []
                problems += [f"{where}: doubled {again}"] if again and synchronous else []
            if problems or (options.lying and lost):
                break
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print(f"{images} of {len(cuts)} disks", flush=True)
    except Skipped as reason:
        print(f"skipped: {reason}")
        return 77
    finally:
        if recorder is not None:
            recorder.close()
        shutil.rmtree(folder, ignore_errors=True)
        gateway.close()
    if options.lying and not lost:
        problems.append("a disk that lies lost nothing: this would not notice a loss")
    for each in problems:
        print(f"FAILED: {each}")
    print(f"power cuts, {'a disk that lies' if options.lying else options.renames + ' renames'}, seed {options.seed}: {images} disks of {len(moments)} moments, {options.mails} mails; "
          f"{lost} lost, {doubled} doubled, {len(problems)} wrong")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
