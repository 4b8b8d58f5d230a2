"""A gateway whose every file stands on one volume, of ext4 or XFS, on a device that records each write and flush, and what a power cut leaves of it.

A life is lived on the volume while the outside notes what it knew since when. Then the disk is made as it may have been at any moment of
that: with everything that was written until then, with what had been flushed only, or with some of the sectors written since. It is mounted,
the service starts on it, and what is there is compared with what senders and consumer knew at that moment.

Lost: answered "250" before the cut and never seen. Doubled: it came again although the consumer had it and it was not there any more."""

import contextlib
import copy
import os
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

SECTOR = 512
SUPERBLOCK = 4096  # ext4 writes the first block in place and takes its two sectors for one; torn it is no file system any more
HEAD = struct.Struct("=QQQ")
WRITE, FLUSH = 1, 2
# The file systems: bytes of a volume, how it is made, and how it is mounted so that renames are in order; ext4 is told by its folders.
FILE_SYSTEMS = {"ext4": (48 << 20, ("mkfs.ext4", "-q", "-F", "-J", "size=4"), ""), "xfs": (64 << 20, ("mkfs.xfs", "-q", "-f"), ",wsync")}
# What lets mkfs.xfs make a volume below 300 MB.
SMALL = {"TEST_DIR": "1", "TEST_DEV": "1", "QA_CHECK_FS": "1"}
SETTINGS = 'reserve = "1 MiB"\nwarn_below = "1 MiB"\n'
# A reader's emptying of a mailbox that was not on the disk yet comes undone below what we were adding: nobody can tell what he had.
DOUBTED_BY = ("mbox",)
EVERYTHING, FLUSHED, SOME = "everything", "what was flushed", "some of the rest"


class Skipped(Exception):
    """This machine does not let us do it. Anything else that goes wrong is a failure."""


def error_of(said):
    """Of what a program said."""
    forbidden = ("not permitted", "permission denied", "could not find any free loop", "no such device", "failed to setup loop",
                 "unknown filesystem type")
    return Skipped(said) if any(word in said.lower() for word in forbidden) else RuntimeError(said)


def run(*words):
    try:
        done = subprocess.run(words, capture_output=True, check=False, env={**os.environ, **SMALL})
    except FileNotFoundError as error:
        raise Skipped(f"{words[0]} is not installed") from error
    if done.returncode != 0:
        raise error_of(f"{words}: {done.stderr.decode().strip()}")


class Volume:
    """A file system in a file, mounted where the gateway has its folder."""

    def __init__(self, device, folder, file_system, ordered):
        how = "loop,noatime" + (FILE_SYSTEMS[file_system][2] if ordered else "")
        deadline = time.monotonic() + 10
        while True:
            try:
                run("mount", "-t", file_system, "-o", how, device, folder)
                break
            except Skipped:  # who comes at the same moment may have taken the loop device that was free
                if time.monotonic() > deadline:
                    raise
                breathe()
        self.folder = folder

    def close(self):
        deadline = time.monotonic() + 10
        while subprocess.run(["umount", self.folder], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.folder} can not be unmounted")
            breathe()


class Recorder:
    """The recording device."""

    def __init__(self, build, folder, file_system):
        size, make, _ = FILE_SYSTEMS[file_system]
        self.image, self.log, self.orders = (os.path.join(folder, name) for name in ("image", "log", "orders"))
        with open(self.image, "wb") as file:
            file.truncate(size)
        run(*make, self.image)
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
                raise error_of("the recording device: " + self.process.stderr.read().decode().strip())
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
        self.backups = {}   # path: the moment at which it stood there, and how many mails it has
        self.others = []    # from one moment to another the test itself wrote
        self.handed = {}    # name of a file that the consumer took from under a list: the moment before that
        self.ledger = Ledger(side.kind)

    def send(self, serial, size=0, word=""):
        """Whether it was answered with 250."""
        self.sent.add(serial)
        if not self.ledger.send(self.gateway.port, serial, size, word=word, attachment=self.side.attachment):
            return False
        self.answered[serial] = self.moment()
        return True

    def postern(self, *words):
        done = subprocess.run([self.gateway.postern, "--config", self.gateway.config, *words], capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"postern {words}: {done.stderr.decode()}")

    def back_up(self, name):
        path = os.path.join(self.gateway.folder, name)
        self.postern("db", "backup", path)
        self.backups[path] = self.moment(), mails_in(path)

    def by_others(self, work):
        """What a test writes is on the disk before it goes on; a cut within is no life's."""
        begun = self.moment()
        work()
        os.sync()
        self.others.append((begun, self.moment()))

    def is_others(self, moment):
        return any(begun < moment < end for begun, end in self.others)

    def consume(self):
        """The consumer takes what is there."""
        before, taken, behind = self.moment(), taken_by(self.side, self.gateway), self.moment()
        self.handed.update((name, before) for name in self.side.sent - self.handed.keys())
        for serial, times in taken.items():
            if times > 1 or serial in self.seen:
                raise RuntimeError(f"mail {serial} came twice, and the power had not even failed")
            self.seen[serial] = before, behind


def mails_in(path):
    """A whole database's number of mails."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        if database.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise RuntimeError(f"{path} is damaged")
        return database.execute("SELECT count(*) FROM message").fetchone()[0]


def taken_by(side, gateway):
    """Serials, each with how often it was there."""
    ledger = Ledger(side.kind)
    side.take(gateway, ledger)
    return ledger.arrived


class Copy:
    """What lies where the consumer looks, for one who looks and leaves it there. Nobody holds a lock on it."""

    def __init__(self, gateway, side, place):
        self.out = os.path.join(place, "out")
        shutil.copytree(gateway.out, self.out, symlinks=True)
        if side.lock(self):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(side.lock(self))


def in_reach(gateway, side):
    """As taken_by(), while no service runs, and everything stays."""
    if side.kind == "mbox":  # until the service has cut it back it may end with a piece of a mail, for which its reader has to wait
        return side.mails_in(gateway)
    with tempfile.TemporaryDirectory(prefix="postern-look-") as place:
        return taken_by(copy.deepcopy(side), Copy(gateway, side, place))


def records(log, since=0):
    """(what, where on the disk, where its bytes begin in the log, their number, the moment behind it)."""
    at = since
    while at < len(log):
        what, offset, size = HEAD.unpack_from(log, at)
        begin = at + HEAD.size
        at = begin + (size if what == WRITE else 0)
        yield what, offset, begin, size, at


class Disk:
    """The device as time goes on: what is flushed, and what was written since."""

    def __init__(self, image, log, begun, lying):
        self.flushed, self.pending, self.log, self.at, self.lying = bytearray(image), [], log, begun, lying
        self.coming = records(log, begun)

    def go_to(self, moment):
        """REQUIRES: a moment of records(), not before the one where it is."""
        while self.at < moment:
            what, offset, begin, size, self.at = next(self.coming)
            if what == WRITE:
                self.pending.append((offset, begin, size))
            elif what == FLUSH and not self.lying:
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


def held_against(life, moment, before, after):
    """What the consumer can reach before the service starts behind a cut at that moment, and after that; (lost, doubled)."""
    known = {serial for serial, (_, behind) in life.seen.items() if behind <= moment}
    perhaps = {serial for serial, (begun, _) in life.seen.items() if begun <= moment}
    lost = [serial for serial, since in life.answered.items() if since <= moment and serial not in perhaps and serial not in after]
    doubled = [serial for serial, times in after.items() if times > 1 or (serial in known and serial not in before)]
    return lost, doubled


def judge_is_awake():
    """It must say lost and doubled of what is."""
    life = Life(None, other_sides.of("drop"), None)
    life.answered, life.seen = {1: 10, 2: 10, 3: 10, 4: 30, 5: 10}, {2: (11, 12), 3: (11, 12)}
    found = held_against(life, 20, {2: 1}, {2: 1, 3: 1, 5: 2})
    if found != ([1], [3, 5]):
        raise RuntimeError(f"the judge sleeps: {found}")


class Machine:
    """A gateway whose folder is the volume; its store is made. REQUIRES root, FUSE, loop devices; else Skipped."""

    def __init__(self, build, kind, adapters, file_system="ext4", ordered=True, settings=""):
        if os.geteuid() != 0 or not os.path.exists("/dev/fuse") or not os.path.exists(os.path.join(build, "tests", "proof", "recorded_volume")):
            raise Skipped("needs root, /dev/fuse and libfuse3-dev at the build")
        self.name, self.side, self.file_system, self.ordered = kind, other_sides.of(kind), file_system, ordered
        self.gateway = Gateway(build, SETTINGS + settings, adapters=adapters + self.side.settings, kind=self.side.kind, route=self.side.route,
                               has_folder=self.side.has_folder)
        self.folder, self.recorder, self.volume, self.cuts = tempfile.mkdtemp(prefix="postern-power-"), None, None, 0
        self.doubts = 0  # of all disks
        try:
            with open(self.gateway.config, "rb") as file:
                config = file.read()
            self.recorder = Recorder(build, self.folder, file_system)
            self.volume = self.mounted(self.recorder.device)
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

    def mounted(self, device):
        return Volume(device, self.gateway.folder, self.file_system, self.ordered)

    def life(self):
        return Life(self.gateway, self.side, self.recorder.moment)

    def switch_off(self):
        """Behind the life; what was recorded of it."""
        self.gateway.kill()
        self.volume.close()
        self.volume = None
        with open(self.recorder.log, "rb") as file:
            return file.read()

    def look_behind(self, disk, left, chance, life, keep=""):
        """Starts on what the cut leaves where the disk is; (lost, doubled, other problems). With problems the disk is kept in that folder."""
        self.cuts += 1
        # A name of its own each: mount(8) takes a loop device again that still has a file of that name, with what it remembers of it.
        path = os.path.join(self.folder, f"cut-{self.cuts}")
        bytes_left = disk.after_cut(left, chance)
        with open(path, "wb") as file:
            file.write(bytes_left)
        volume = None
        try:
            volume = self.mounted(path)
            found = self.judge(life, disk.at)
        except (Skipped, RuntimeError, OSError, sqlite3.Error, AssertionError) as error:
            found = [], [], [repr(error)]
        finally:
            self.gateway.kill()
            if volume:
                volume.close()
            os.unlink(path)
        if keep and any(found):
            with open(os.path.join(keep, f"cut-{self.cuts}-at-{disk.at}"), "wb") as file:
                file.write(bytes_left)
        return found

    def judge(self, life, moment):
        side = other_sides.of(self.name)
        side.sent = {name for name, since in life.handed.items() if since <= moment}
        side.begin(self.gateway)
        before = in_reach(self.gateway, side)
        self.gateway.log.clear()
        self.gateway.start()
        settled = self.gateway.wait_until_settled()
        states = self.gateway.states()
        status = self.gateway.stop()
        after = taken_by(side, self.gateway)
        problems = []
        doubts = self.doubted()
        self.doubts += len(doubts)
        if not settled or status != 0 or set(states) - {"exported", *(["in_doubt"] if side.kind in DOUBTED_BY else [])}:
            problems.append(f"settled {settled}, exit status {status}, states {states}: " + "; ".join(self.gateway.log[-3:]))
        problems += [f"mail {serial} was never sent" for serial in after if serial not in life.sent]
        problems += [f"{path} has other mails than {number}" for path, (since, number) in life.backups.items()
                     if since <= moment and mails_in(path) != number]
        lost, doubled = held_against(life, moment, before, after)
        return [serial for serial in lost if serial not in doubts], doubled, problems

    def doubted(self):
        """The serials of what the service says it can not know about."""
        path = os.path.join(self.gateway.folder, "store", "postern.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            return {int(subject.split()[1]) for subject, in database.execute(
                "SELECT message.subject FROM item JOIN message ON message.id = item.message_id WHERE state = 'in_doubt'")}

    def close(self):
        self.gateway.kill()
        if self.volume:
            self.volume.close()
        if self.recorder:
            self.recorder.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.gateway.close()
        self.side.close()
