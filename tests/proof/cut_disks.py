"""A gateway whose every file stands on one ext4 volume, on a device that records each write and flush, and what a power cut leaves of it.

A life is lived on the volume while the outside notes what it knew since when. Then the disk is made as it may have been at any moment of
that: with everything that was written until then, with what had been flushed only, or with some of the sectors written since. It is mounted,
the service starts on it, and what is there is compared with what senders and consumer knew at that moment.

Lost: answered "250" before the cut and never seen. Doubled: it came again although the consumer had it and it was not there any more."""

import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
import other_sides  # noqa: E402
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


class Life:
    """What is known outside of the machine, and since when."""

    def __init__(self, gateway, side, moment):
        self.gateway, self.side, self.moment = gateway, side, moment
        self.sent = set()
        self.answered = {}  # serial: the moment at which its 250 was known
        self.seen = {}      # serial: the moments before and behind the consumer's taking it
        self.ledger = Ledger(side.kind)

    def send(self, serial, size=0, word=""):
        """Whether it was answered with 250."""
        self.sent.add(serial)
        if not self.ledger.send(self.gateway.port, serial, size, word=word, attachment=self.side.attachment):
            return False
        self.answered[serial] = self.moment()
        return True

    def consume(self):
        """The consumer takes what is there."""
        before, taken, behind = self.moment(), taken_by(self.side, self.gateway), self.moment()
        for serial, times in taken.items():
            if times > 1 or serial in self.seen:
                raise RuntimeError(f"mail {serial} came twice, and the power had not even failed")
            self.seen[serial] = before, behind


def taken_by(side, gateway):
    """Serials, each with how often it was there."""
    ledger = Ledger(side.kind)
    side.take(gateway, ledger)
    return ledger.arrived


def in_reach(gateway):
    """The serials of what the consumer could find this moment, whole or not."""
    found = set()
    for place, folders, files in os.walk(gateway.out):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.startswith("."):
                continue
            with open(os.path.join(place, name), "rb") as file:
                found.update(map(int, re.findall(rb"\bserial (\d+)\b", file.read())))
    return found


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


class Machine:
    """A gateway whose folder is the volume; its store is made. REQUIRES root, FUSE, loop devices; else Skipped."""

    def __init__(self, build, kind, adapters):
        if os.geteuid() != 0 or not os.path.exists("/dev/fuse") or not os.path.exists(os.path.join(build, "tests", "proof", "recorded_volume")):
            raise Skipped("needs root, /dev/fuse and libfuse3-dev at the build")
        self.side = other_sides.of(kind)
        self.gateway = Gateway(build, SETTINGS, adapters=adapters + self.side.settings, kind=self.side.kind, route=self.side.route,
                               has_folder=self.side.has_folder)
        self.folder, self.recorder, self.volume, self.cuts = tempfile.mkdtemp(prefix="postern-power-"), None, None, 0
        try:
            with open(self.gateway.config, "rb") as file:
                config = file.read()
            self.recorder = Recorder(build, self.folder)
            try:
                self.volume = Volume(self.recorder.device, self.gateway.folder)
            except RuntimeError as error:
                raise Skipped(str(error)) from error
            with open(self.gateway.config, "wb") as file:
                file.write(config)
            os.mkdir(self.gateway.out)
            self.gateway.start()  # what is cut off later is a life, not the first start
            self.gateway.stop()
            os.sync()
            with open(self.recorder.image, "rb") as file:
                self.image = file.read()
            self.begun = self.recorder.moment()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def life(self):
        return Life(self.gateway, self.side, self.recorder.moment)

    def switch_off(self):
        """Behind the life; what was recorded of it."""
        self.gateway.kill()
        self.volume.close()
        self.volume = None
        with open(self.recorder.log, "rb") as file:
            return file.read()

    def look_behind(self, disk, left, chance, life):
        """Starts on what the cut leaves where the disk is; (lost, doubled, other problems). Of one that nothing can be read from all is lost."""
        self.cuts += 1
        # A name of its own each: mount(8) takes a loop device again that still has a file of that name, with what it remembers of it.
        path = os.path.join(self.folder, f"cut-{self.cuts}")
        with open(path, "wb") as file:
            file.write(disk.after_cut(left, chance))
        volume = None
        try:
            volume = Volume(path, self.gateway.folder)
            return self.judge(life, disk.at)
        except (RuntimeError, OSError, sqlite3.Error, AssertionError, AttributeError) as error:
            return [serial for serial, since in life.answered.items() if since <= disk.at], [], [repr(error)]
        finally:
            self.gateway.kill()
            if volume:
                volume.close()
            os.unlink(path)

    def judge(self, life, moment):
        before = in_reach(self.gateway)
        known = {serial for serial, (_, behind) in life.seen.items() if behind <= moment}
        perhaps = {serial for serial, (begun, _) in life.seen.items() if begun <= moment}
        self.gateway.log.clear()
        self.gateway.start()
        settled = self.gateway.wait_until_settled()
        states = self.gateway.states()
        status = self.gateway.stop()
        after = taken_by(self.side, self.gateway)
        problems = []
        if not settled or status != 0 or set(states) - {"exported"}:
            problems.append(f"settled {settled}, exit status {status}, states {states}: " + "; ".join(self.gateway.log[-3:]))
        lost = [serial for serial, since in life.answered.items() if since <= moment and serial not in perhaps and serial not in after]
        doubled = [serial for serial, times in after.items() if times > 1 or (serial in known and serial not in before)]
        problems += [f"mail {serial} was never sent" for serial in after if serial not in life.sent]
        return lost, doubled, problems

    def close(self):
        self.gateway.kill()
        if self.volume:
            self.volume.close()
        if self.recorder:
            self.recorder.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.gateway.close()
        self.side.close()
