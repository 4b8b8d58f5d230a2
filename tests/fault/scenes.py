"""Stretches of the service's life for the sweeps: each brings a gateway to a point, does one thing while a fault waits at a call of
some of its threads, and says afterwards what has to be there. The ledger (gateway.py) is outside of the product.

A fault is what strace puts into the N-th call of one name that a thread makes: an error, once or from then on, a kill or a stop."""

import contextlib
import glob
import os
import re
import signal
import smtplib
import sqlite3
import subprocess
import time

import other_sides
from gateway import START_LIMIT, Gateway, Ledger, breathe, mail_text
from kill_sweep import Tracer, thread_ids
from older_store import make_older

HOME = """
[[route]]
recipient = "*@home.example"
adapter = "home"
[adapter.home]
kind = "drop"
folder = "{folder}/home"
watchers = 1
retry_first = "50ms"
retry_longest = "200ms"
"""
QUICK = 'retry_first = "50ms"\nretry_longest = "200ms"\n'
LEASE = 'lease = "2s"\n'
KEPT = 'retention = "7d"\n'
SEEN_IDLE = 'poll_interval = "2s"\n'  # watchers that look seldom leave the writer the idle second in which it empties its log
FILED = 1200  # lines: such a mail stands in a file of its own in the store
GIVE_UP = 40.0  # behind this the service counts as hung; a stop may take its 20 s, and so may SQLite until it believes that a lock is refused
CLIENT_GIVES_UP = 15.0


class Rig:
    """A gateway, its ledger, and the faults that were put into it."""

    def __init__(self, build, kind, extra, more):
        self.build, self.kind = build, kind
        self.side = other_sides.of(kind)
        self.gateway = Gateway(build, extra_config=LEASE + extra, adapters=QUICK + more + self.side.settings, kind=self.side.kind,
                               route=self.side.route, has_folder=self.side.has_folder)
        os.mkdir(os.path.join(self.gateway.folder, "home"))
        with open(self.gateway.config, "a", encoding="utf-8") as file:
            file.write(HOME.format(folder=self.gateway.folder))
        self.ledger = Ledger(kind)
        self.status = None  # of a command that was launched
        self.options, self.follow, self.tracers = [], False, []  # of strace, for what is launched
        self.trace = os.path.join(self.gateway.folder, "trace")
        self.problems = []

    def path(self, *names):
        return os.path.join(self.gateway.folder, *names)

    def alive(self):
        return self.gateway.process is not None and self.gateway.process.poll() is None

    def said(self, event):
        return any(f" {event} " in line or line.endswith(" " + event) for line in self.gateway.log)

    def send(self, serial, to="user@legacy.example", sender="sender@home.example", lines=0):
        """Whether the answer was 250; a client that waits for too long is a problem of the service."""
        if self.gateway.port is None:
            return False
        self.ledger.attempted.add(serial)
        begun = time.monotonic()
        try:
            with smtplib.SMTP("127.0.0.1", self.gateway.port, local_hostname="client.example.org", timeout=CLIENT_GIVES_UP) as client:
                client.sendmail(sender, [to], mail_text(serial, size=lines * 72, attachment=self.side.attachment))
        except smtplib.SMTPResponseException as error:
            if not 400 <= error.smtp_code < 500 and error.smtp_code != -1:  # -1: the connection ended
                self.problems.append(f"answered {error.smtp_code} {error.smtp_error!r}")
            return False
        except smtplib.SMTPRecipientsRefused as error:
            if not all(400 <= code < 500 for code, _ in error.recipients.values()):
                self.problems.append(f"refused: {error.recipients}")
            return False
        except (OSError, smtplib.SMTPException):
            if time.monotonic() - begun > CLIENT_GIVES_UP - 1 and self.alive():
                self.problems.append("a client got no answer")
            return False
        self.ledger.accepted.add(serial)
        return True

    def until(self, look, limit):
        """Whether `look` came true while the service lives."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if look():
                return True
            if not self.alive():
                return False
            breathe()
        return False

    def postern(self, *words, limit=60):
        return subprocess.run([self.gateway.postern, "--config", self.gateway.config, *words], capture_output=True, timeout=limit, check=False)

    def rows(self, question):
        with contextlib.closing(sqlite3.connect(f"file:{self.path('store', 'postern.db')}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(question).fetchall()

    def begin(self):
        """Starts the service under strace with the fault, in its main thread or in all. Whether it became ready."""
        self.gateway.log.clear()
        alone = ("strace", "-D", "-I2", "-qq", "-o", self.trace, *self.options)
        try:
            if self.follow:
                self.gateway.start(preload=self.stopped_first(), begun=self.watch)
            else:
                self.gateway.start(wrapper=alone)
        except RuntimeError:
            if self.alive() and self.gateway.wait_for_end(GIVE_UP - START_LIMIT) is None:
                self.problems.append("the start neither ends nor gets ready")
            return False
        return True

    def stopped_first(self):
        library = os.path.abspath(os.path.join(self.build, "tests", "fault", "libstopped_first.so"))
        if not os.path.exists(library):
            raise FileNotFoundError(f"{library}: build the target stopped_first")
        return library

    def watch(self, process):
        """A tracer of all threads, from before the first line of ours on."""
        def stopped():
            with open(f"/proc/{process}/stat", encoding="utf-8") as file:
                return file.read().rsplit(")", 1)[1].split()[0] == "T"

        if not self.until(stopped, 10):
            raise RuntimeError("it does not stop before its first line")
        self.tracers.append(Tracer(process, ["-f", "-o", self.trace, *self.options]))
        os.kill(process, signal.SIGCONT)

    def command(self, *words):
        """Runs a postern command under strace with the fault; its exit status."""
        try:
            done = subprocess.run(["strace", "-qq", "-o", self.trace, *self.options, self.gateway.postern, "--config", self.gateway.config,
                                   *words], capture_output=True, timeout=GIVE_UP, check=False)
        except subprocess.TimeoutExpired:
            self.problems.append(f"{words} does not end")
            return -signal.SIGKILL
        if done.returncode > 0 and not done.stderr:
            self.problems.append(f"{words} ended with {done.returncode} and without a word")
        return done.returncode

    def let_go(self):
        """Takes the tracer of begin() away, and its fault with it."""
        for tracer in self.tracers:
            tracer.finish()
        self.tracers.clear()
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{self.gateway.process.pid}/status", encoding="utf-8") as file:
                tracer = int(re.search(r"TracerPid:\s+(\d+)", file.read()).group(1))
            if tracer:
                os.kill(tracer, signal.SIGTERM)
                self.until(lambda: not self.traced(), 10)

    def traced(self):
        with contextlib.suppress(OSError):
            with open(f"/proc/{self.gateway.process.pid}/status", encoding="utf-8") as file:
                return not re.search(r"TracerPid:\s+0\b", file.read())
        return False

    def traces(self):
        """The lines that strace wrote, of each tracer."""
        found = []
        for path in sorted(glob.glob(self.trace + "*")):
            with open(path, encoding="utf-8", errors="replace") as file:
                found.append(file.read().splitlines())
        return found

    def errors_met(self):
        return sum("(INJECTED)" in line for lines in self.traces() for line in lines)

    def reports(self):
        """How many failure reports stand in the sender's folder."""
        folder = self.path("home")
        return sum(not name.startswith(".") for name in os.listdir(folder))

    def take(self):
        """Whoever the mail is for takes what there is."""
        self.side.take(self.gateway, self.ledger)

    def close(self):
        self.let_go()
        self.gateway.close()
        self.side.close()


class Scene:
    """REQUIRES of each: `before` leaves the service as `work` needs it; `work` returns early when it ends."""

    threads = ()  # their names; empty: what `work` launches is under the fault
    follow = False  # launched: all threads, or the main one
    kinds = ("drop",)
    extra = ""
    watchers = "watchers = 1\n"
    ends = ("exported",)  # the states that items may have in the end
    doubted_by = ()  # kinds that can not tell everything
    asked_to_stop = False
    at_rest = False  # nothing runs behind `before`, so its folders can be used again

    def before(self, rig):
        rig.gateway.start()
        rig.until(lambda: sum(" adapter.ready " in line for line in rig.gateway.log) == 2, 10)
        rig.gateway.log.clear()

    def work(self, rig):
        raise NotImplementedError

    def after(self, rig):
        """With the fault gone and the service at work."""


class Mail(Scene):
    threads = ("intake", "store-writer", "watch:out")
    kinds = ("pipe", "smtp", "lmtp", *other_sides.FILES)
    # mbox: between a failed sync and a take-back that fails too, a reader may have taken the mail or not. The others hand it over to
    # somebody else, and what he answered can be lost.
    doubted_by = ("mbox", "pipe", "smtp", "lmtp")

    def work(self, rig):
        if rig.send(1):
            rig.until(lambda: rig.said("item.exported") or rig.said("item.deferred") or rig.said("adapter.suspended"), 3)


class Checkpoint(Scene):
    """The writer empties its log when nothing else is to do."""

    threads = ("store-writer",)
    extra = SEEN_IDLE

    def before(self, rig):
        super().before(rig)
        rig.send(1)
        rig.until(lambda: rig.said("item.exported"), 10)

    def work(self, rig):
        rig.until(lambda: os.path.getsize(rig.path("store", "postern.db-wal")) == 0 or rig.said("store.trouble"), 4)


def three_wait(rig):
    """Three mails of a service that was started, held back by the adapter's suspension."""
    rig.gateway.start()
    rig.postern("adapter", "suspend", "out", "--reason", "test")
    for serial in (1, 2, 3):
        rig.send(serial)


class Start(Scene):
    """With three mails that a kill left behind in `publishing`: one was published, two were not."""

    at_rest = True

    def before(self, rig):
        three_wait(rig)
        tracers = [Tracer(tid, ["-e", "trace=renameat2", "-e", "inject=renameat2:signal=KILL:when=2"])
                   for tid in thread_ids(rig.gateway, "watch:out")]
        rig.postern("adapter", "resume", "out")
        rig.gateway.wait_for_end(10)
        for tracer in tracers:
            tracer.finish()
        if rig.gateway.states() != {"publishing": 3}:
            raise RuntimeError(f"the scene was not reached: {rig.gateway.states()}")
        rig.take()

    def work(self, rig):
        if rig.begin():
            rig.until(lambda: sum(" item.exported " in line for line in rig.gateway.log) == 3 or rig.said("adapter.suspended"), 4)


class Recovery(Start):
    """The same, with the fault in whatever thread comes to that call."""

    follow = True


class Creation(Scene):
    """The first start: the store is made, and all its migrations run."""

    at_rest = True

    def before(self, rig):
        pass

    def work(self, rig):
        rig.begin()


class Stop(Scene):
    """A stop just behind a 250."""

    threads = ("posternd", "store-writer", "watch:out", "intake")
    asked_to_stop = True

    def work(self, rig):
        rig.send(1)
        if rig.alive():
            rig.gateway.process.send_signal(signal.SIGTERM)
        if rig.gateway.wait_for_end(GIVE_UP) is None:
            rig.problems.append("it does not stop")


class Report(Scene):
    """A mail fails by an operator's word, and its sender is told in the same transaction: once, or not at all and the mail stands."""

    threads = ("store-writer", "watch:home")
    ends = ("exported", "failed")

    def before(self, rig):
        super().before(rig)
        rig.postern("adapter", "suspend", "out", "--reason", "test")
        rig.send(1)
        rig.ledger.accepted.discard(1)  # it is not to arrive

    def work(self, rig):
        rig.postern("queue", "bounce", "1", "--reason", "test")
        rig.until(lambda: rig.reports() == 1 or rig.said("item.deferred") or rig.said("adapter.suspended"), 4)

    def after(self, rig):
        state = rig.rows("SELECT state FROM item WHERE id = 1")[0][0]
        made = rig.rows("SELECT count(*) FROM item WHERE adapter = 'home'")[0][0]
        if (state, made) not in (("failed", 1), ("ready", 0)):
            rig.problems.append(f"the mail is {state}, and there are {made} reports of it")
        if state != "failed":
            done = rig.postern("queue", "bounce", "1", "--reason", "test")
            if done.returncode != 0:
                rig.problems.append(f"it can not be bounced afterwards: {done.stderr.decode()}")
        rig.postern("adapter", "resume", "out")
        rig.gateway.wait_until_settled()
        if rig.reports() != 1:
            rig.problems.append(f"{rig.reports()} reports arrived")


class Backup(Scene):
    """A backup by the command itself, of a store whose service is down. The command is what is traced."""

    at_rest = True

    def before(self, rig):
        three_wait(rig)
        rig.gateway.stop()

    def work(self, rig):
        rig.status = rig.command("db", "backup", rig.path("copy.db"))

    def after(self, rig):
        there = os.path.exists(rig.path("copy.db"))
        if rig.status == 0 and not there:
            rig.problems.append("it says that there is a backup, and there is none")
        if there:
            with contextlib.closing(sqlite3.connect(f"file:{rig.path('copy.db')}?mode=ro", uri=True)) as database:
                counted = database.execute("SELECT count(*) FROM item WHERE adapter = 'out' AND state = 'ready'").fetchone()[0]
                whole = database.execute("PRAGMA integrity_check").fetchone()[0]
            if counted != 3 or whole != "ok":
                rig.problems.append(f"a backup stands with its name and is not whole: {counted} items, {whole}")
        again = rig.postern("db", "backup", rig.path("again.db"))
        if again.returncode != 0:
            rig.problems.append(f"no backup afterwards: {again.stderr.decode()}")
        left = [name for name in os.listdir(rig.gateway.folder) if name.startswith("copy.db.") or name.startswith("again.db.")]
        if left and rig.status == 0:
            rig.problems.append(f"left behind: {left}")
        rig.postern("adapter", "resume", "out")


class Migration(Scene):
    """A start upon an older version's store, which a kill left with all its mail in the log: it is copied aside and brought up to date."""

    at_rest = True

    def before(self, rig):
        three_wait(rig)
        rig.gateway.stop()
        self.older = make_older(rig.path("store"))

    def work(self, rig):
        rig.begin()

    def after(self, rig):
        version = rig.rows("PRAGMA user_version")[0][0]
        if version != self.older + 1:
            rig.problems.append(f"it has version {version}")
        names = sorted(name for name in os.listdir(rig.path("store")) if ".before-" in name)
        if names != [f"postern.db.before-{self.older + 1}"]:
            rig.problems.append(f"the store of before: {names}")
        for name in names:
            with contextlib.closing(sqlite3.connect(f"file:{rig.path('store', name)}?mode=ro", uri=True)) as database:
                found = [database.execute(question).fetchone()[0] for question in (
                    "PRAGMA user_version", "SELECT count(*) FROM item WHERE state = 'ready'", "PRAGMA integrity_check")]
            if found != [self.older, 3, "ok"]:
                rig.problems.append(f"{name}: {found}")
        rig.postern("adapter", "resume", "out")


class Purge(Scene):
    """What was exported goes when a reload says that it is kept no longer; what waits stays. Every other mail stands in a file."""

    threads = ("housekeeper", "store-writer")
    settled, waiting = (1, 2, 3), (4, 5)
    extra = KEPT

    def before(self, rig):
        super().before(rig)
        for serial in self.settled:
            rig.send(serial, lines=FILED * (serial % 2))
        rig.until(lambda: rig.gateway.states() == {"exported": len(self.settled)}, 10)
        rig.postern("adapter", "suspend", "out", "--reason", "test")
        for serial in self.waiting:
            rig.send(serial, lines=FILED * (serial % 2))
        with open(rig.gateway.config, encoding="utf-8") as file:
            text = file.read()
        with open(rig.gateway.config, "w", encoding="utf-8") as file:
            file.write(text.replace(KEPT, 'retention = "0ms"\n'))
        rig.gateway.log.clear()

    def work(self, rig):
        rig.postern("reload")
        rig.until(lambda: any(rig.said("store." + how) for how in ("purged", "trouble", "full", "broken")), 5)

    def there(self, rig, serials):
        subjects = ", ".join(f"'serial {serial}'" for serial in serials)
        return rig.rows(f"SELECT count(*) FROM message JOIN item ON item.message_id = message.id WHERE subject IN ({subjects})")[0][0]

    def after(self, rig):
        left = self.there(rig, self.settled)
        if left not in (0, len(self.settled)):
            rig.problems.append(f"{left} of what was purged in one commit are left")
        rig.gateway.stop()  # a file whose row is gone goes with the next start
        rig.gateway.start()
        self.check(rig)
        rig.postern("reload")
        if not rig.until(lambda: self.there(rig, self.settled) == 0, 10):
            rig.problems.append("it is not purged when the fault is gone")
        if self.there(rig, self.waiting) != len(self.waiting):
            rig.problems.append("what waits was purged")
        self.check(rig)
        rig.postern("adapter", "resume", "out")

    def check(self, rig):
        """No row without its body, no body without its row."""
        looked = rig.postern("db", "check")
        if looked.returncode != 0:
            rig.problems.append(f"db check: {(looked.stdout + looked.stderr).decode()}")


SCENES = {"mail": Mail, "checkpoint": Checkpoint, "start": Start, "recovery": Recovery, "creation": Creation, "stop": Stop, "report": Report,
          "backup": Backup, "migration": Migration, "purge": Purge}
