"""How the sweeps of scenes.py run: which calls a scene makes, one run of it with a fault in one of them, and what has to hold behind it."""

import collections
import os
import re
import shutil
import signal
import threading
import time

from gateway import breathe
from kill_sweep import Tracer, thread_ids
from scenes import CLIENT_GIVES_UP, Rig

# No fault is put into these: the C library takes their failure for the end of the world, or they can not fail.
NEVER = {"futex", "restart_syscall", "clock_nanosleep", "sched_yield", "exit", "exit_group", "rt_sigreturn", "arch_prctl", "set_robust_list",
         "rseq", "set_tid_address", "rt_sigprocmask", "execve", "getpid", "gettid", "madvise", "munmap"}
NEW = 90  # serials of the mails that are sent behind a fault
WINDOW = 0.3
MOST_IN_WINDOW = 60  # of failing calls: more is spinning; who breathes 50 ms between makes 6
BY_THE_WAY = {"mprotect", "mmap", "munmap", "brk"}  # whoever works asks for memory again and again


class Point(collections.namedtuple("Point", "scene kind thread call ordinal")):
    """The N-th call of a name that a thread makes in a scene."""

    def __str__(self):
        return f"{self.scene} ({self.kind}) {self.thread or 'at its start'}: {self.call} #{self.ordinal}"


# A wake-up by an eventfd: eventfd(2) knows no error of it that a service could meet.
WAKE_UP = re.compile(r'(read|write)\(\d+, "\\1(\\0){7}", 8\)')
UNLOCK = re.compile(r"fcntl\(\d+, F_SETLK\w*, \{l_type=F_UNLCK")  # a lock can be refused; to let one go is not


def ordinals(lines, never):
    """[(call, ordinal)] of one thread's trace. What the loader did before our configuration was read is left out."""
    seen, found, ours = collections.Counter(), [], not any(line.startswith("execve(") for line in lines)
    for line in lines:
        named = re.match(r"([a-z0-9_]+)\(", line)
        if not named:
            continue
        ours = ours or "postern.toml" in line and not line.startswith("execve(")
        seen[named.group(1)] += 1
        if ours and named.group(1) not in never and not WAKE_UP.match(line) and not UNLOCK.match(line):
            found.append((named.group(1), seen[named.group(1)]))
    return found


def by_thread(lines):
    """The lines of a trace of several threads, apart; the main thread's first."""
    found = {}
    for line in lines:
        named = re.match(r"(\d+) +(.*)", line)
        if named:
            found.setdefault(named.group(1), []).append(named.group(2))
    return list(found.values())


class Sweep:
    """One scene with one kind of adapter, again and again."""

    def __init__(self, build, name, scene, kind):
        self.build, self.name, self.scene, self.kind = build, name, scene, kind
        self.rig, self.kept = None, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.rig:
            self.rig.close()
        if self.kept:
            shutil.rmtree(self.kept, ignore_errors=True)

    def ready(self):
        """A rig behind the scene's `before`: a new one, or the one whose folders can be put back."""
        if self.rig and not self.kept:
            self.rig.close()
        if not self.kept:
            self.rig = Rig(self.build, self.kind, self.scene.extra, self.scene.watchers)
            self.scene.before(self.rig)
            if self.scene.at_rest:
                self.kept = self.rig.gateway.folder + "-kept"
                shutil.copytree(self.rig.gateway.folder, self.kept, symlinks=True, ignore=shutil.ignore_patterns("control.sock"))
                self.ledger = (set(self.rig.ledger.accepted), set(self.rig.ledger.attempted), dict(self.rig.ledger.arrived))
        else:
            self.rig.gateway.kill()
            for name in os.listdir(self.rig.gateway.folder):
                path = self.rig.path(name)
                (shutil.rmtree if os.path.isdir(path) else os.unlink)(path)
            shutil.copytree(self.kept, self.rig.gateway.folder, symlinks=True, dirs_exist_ok=True)
            accepted, attempted, arrived = self.ledger
            self.rig.ledger.accepted, self.rig.ledger.attempted, self.rig.ledger.arrived = set(accepted), set(attempted), dict(arrived)
        self.rig.problems, self.rig.status, self.rig.doubts = [], None, set()
        self.rig.gateway.log.clear()
        return self.rig

    def points(self, never):
        found = []
        for thread in self.scene.threads or ("",):
            rig = self.ready()
            traces = self.work(rig, thread, [])
            if rig.follow:
                traces = by_thread(traces[0])[1:]
            there = [each for lines in traces for each in ordinals(lines, never)]
            found += [Point(self.name, self.kind, thread, *each) for each in dict.fromkeys(there)]
        return found

    def work(self, rig, thread, options, beside=None, most=64):
        """The scene with `options` of strace on the threads of that name, `most` of them. Result: their traces. `beside`: what to do before
        the fault is taken away."""
        rig.options, rig.follow = options, self.scene.follow
        # Into files: a pipe that nobody reads would hold the traced thread up.
        tracers = [Tracer(tid, ["-o", f"{rig.trace}.{tid}", *options]) for tid in thread_ids(rig.gateway, thread)[:most]] if thread else []
        try:
            self.scene.work(rig)
            if beside:
                beside(rig)
        finally:
            for tracer in tracers:
                tracer.finish()
        return rig.traces()

    def rest(self, rig):
        """The service is at work, without faults: everything is made good, and held against the ledger."""
        problems, gateway = rig.problems, rig.gateway
        if not rig.alive():
            gateway.log.clear()
            try:
                gateway.start()
            except RuntimeError as error:
                problems.append(f"it does not start again: {error}")
                return problems
        if not rig.send(NEW + 1):
            problems.append("it takes no mail when the fault is gone")
        self.scene.after(rig)
        if not gateway.wait_until_settled(20):
            problems.append("not settled")
        states = gateway.states()
        rig.doubts = {int(subject.split()[1]) for subject, in rig.rows(
            "SELECT message.subject FROM item JOIN message ON message.id = item.message_id WHERE state = 'in_doubt'")}
        if set(states) - {*self.scene.ends, *(["in_doubt"] if self.kind in self.scene.doubted_by else [])}:
            problems.append(f"states {states}")
        status = gateway.stop()
        if status != 0:
            problems.append(f"exit status {status} at the last stop")
        rig.take()
        rig.ledger.accepted -= rig.doubts  # such a mail may be there once or not
        return problems + rig.ledger.verdict()


def spins(rig):
    """Whether some thread meets the error again and again without a breath between."""
    before = rig.errors_met()
    if not before or not rig.alive():
        return False
    threading.Event().wait(WINDOW)
    return rig.errors_met() - before > MOST_IN_WINDOW


def goes_on_or_ends(rig, asked_to_stop):
    """With the fault gone: it takes mail, or has ended with an error that it names. Nothing else."""
    gateway = rig.gateway
    deadline = time.monotonic() + 2 * CLIENT_GIVES_UP
    while rig.alive():
        if rig.send(NEW):
            return
        if time.monotonic() > deadline:
            rig.problems.append("it lives and takes no mail")
            return
        breathe()
    status = gateway.wait_for_end(10)
    if status == 0 and asked_to_stop:
        return
    if status is None or status <= 0:
        rig.problems.append(f"it ended with {signal.Signals(-status).name if status else status}")
    elif not any(" service.failed " in line or "posternd: " in line for line in gateway.log):
        rig.problems.append(f"it ended with {status} and without a word")
