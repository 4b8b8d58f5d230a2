#!/usr/bin/env python3
"""kill -9 of posternd at every system call of one accepted and exported mail, in turn.

A first run records, thread by thread, the system calls of one mail on its way in and out. Then each of them is the
last one: strace kills the process as that thread enters that call. The service is started again; what the
consumer found is held against what the sender was told. Twice: the consumer takes and deletes at once, or comes late.

Usage: kill_sweep.py BUILD_FOLDER [--every K] [--kind KIND]   (K: only each K-th point)
"""

import argparse
import collections
import contextlib
import re
import select
import subprocess
import sys
import time

import other_sides
from gateway import Gateway, Ledger, breathe

# Threads that carry a mail, by the names that posternd gives them.
ROLES = ("intake", "store-writer", "watch:out")
# Calls that only wait or read a clock: being killed in them is being killed between two others.
IDLE_CALLS = {"futex", "epoll_wait", "restart_syscall", "clock_nanosleep", "poll", "ppoll", "sched_yield"}


class Tracer:
    """strace on one thread of a running process."""

    def __init__(self, tid, arguments):
        self.process = subprocess.Popen(["strace", "-p", str(tid), *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.text = b""
        self._wait_for(b"attached")

    def _wait_for(self, word):
        deadline = time.monotonic() + 10
        while word not in self.text and time.monotonic() < deadline:
            readable, _, _ = select.select([self.process.stderr], [], [], max(0.0, deadline - time.monotonic()))
            if readable:
                chunk = self.process.stderr.read1(65536)
                if not chunk:
                    break
                self.text += chunk
        if word not in self.text:
            raise RuntimeError(f"strace could not attach: {self.text!r}")

    def finish(self):
        if self.process.poll() is None:
            self.process.terminate()
        _, rest = self.process.communicate(timeout=10)
        return (self.text + (rest or b"")).decode("utf-8", "replace")


def one_mail(gateway, ledger, side, consumer_at_once):
    """Sends a mail and lets it through; returns early when the service dies."""
    ledger.send(gateway.port, 1, attachment=side.attachment)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and gateway.process.poll() is None:
        if any(" item.exported" in line for line in gateway.log):
            break
        if consumer_at_once:
            side.take(gateway, ledger)
        else:
            breathe()


def thread_ids(gateway, role):
    """The role's threads; one names itself only when it first runs."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = gateway.threads().get(role)
        if found:
            return found
    raise RuntimeError(f"posternd has no thread named {role}: {gateway.threads()}")


def points_in(text):
    """The calls of an strace that are worth dying in: [(name, ordinal of that name)]."""
    points, seen = [], collections.Counter()
    for line in text.splitlines():
        found = re.match(r"([a-z0-9_]+)\(", line)
        if not found or found.group(1) in IDLE_CALLS:
            continue
        seen[found.group(1)] += 1
        points.append((found.group(1), seen[found.group(1)]))
    return points


def watched(gateway, role, work):
    """The points of the role's threads while `work` is done."""
    tracers = [Tracer(tid, []) for tid in thread_ids(gateway, role)]
    work()
    return points_in("".join(tracer.finish() for tracer in tracers))


def killed_at(gateway, role, call, ordinal, work):
    """Does `work` with the role's thread dying in that call. Whether it did; the service is down then either way."""
    tracers = [Tracer(tid, ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={ordinal}"])
               for tid in thread_ids(gateway, role)]
    work()
    killed = gateway.process.poll() is not None or gateway.wait_for_end(0.2) is not None
    for tracer in tracers:
        tracer.finish()
    if not killed:
        gateway.stop()
    return killed


@contextlib.contextmanager
def site_of(build, kind):
    """A gateway with one adapter, its ledger, and who is on the other side."""
    side = other_sides.of(kind)
    gateway = Gateway(build, adapters="watchers = 1\n" + side.settings, kind=side.kind, route=side.route, has_folder=side.has_folder)
    try:
        yield gateway, Ledger(kind), side
    finally:
        gateway.close()
        side.close()


def record(build, role, kind):
    """The calls that the role's thread makes for one mail."""
    with site_of(build, kind) as (gateway, ledger, side):
        gateway.start()
        points = watched(gateway, role, lambda: one_mail(gateway, ledger, side, False))
        gateway.stop()
    return points


def kill_at(build, kind, role, call, ordinal, consumer_at_once):
    """One run: killed at that point, started again. Returns (problems, whether the kill happened)."""
    with site_of(build, kind) as (gateway, ledger, side):
        gateway.start()
        gateway.log.clear()
        killed = killed_at(gateway, role, call, ordinal, lambda: one_mail(gateway, ledger, side, consumer_at_once))
        if consumer_at_once:
            side.take(gateway, ledger)
        gateway.start()
        ledger.send(gateway.port, 2, attachment=side.attachment)  # the queue goes on
        settled = gateway.wait_until_settled()
        states = gateway.states()
        status = gateway.stop()
        side.take(gateway, ledger)
        problems = ledger.verdict()
        if not settled:
            problems.append("not settled after the restart")
        if set(states) - {"exported"}:
            problems.append(f"states after the restart: {states}")
        if status != 0:
            problems.append(f"exit status {status}")
        return problems, killed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--kind", default="drop", help="the adapter, or a way of one (other_sides.py)")
    options = parser.parse_args()
    other_sides.readers_are_awake()
    points = [(role, call, ordinal) for role in ROLES for call, ordinal in record(options.build, role, options.kind)]
    points = points[::options.every]
    print(f"{len(points)} points, each with a consumer that takes at once and one that comes late", flush=True)
    failed = killed = runs = 0
    for index, (role, call, ordinal) in enumerate(points):
        for at_once in (True, False):
            problems, died = kill_at(options.build, options.kind, role, call, ordinal, at_once)
            runs += 1
            killed += died
            if problems:
                failed += 1
                print(f"FAILED at {role} {call} #{ordinal}, consumer {'at once' if at_once else 'late'}: {problems}", flush=True)
        if index % 20 == 19:
            print(f"  {index + 1}/{len(points)} points, {killed} kills, {failed} failures", flush=True)
    print(f"kill sweep of {options.kind}: {len(points)} points, {runs} runs, {killed} killed, {failed} lost or doubled")
    if killed < runs // 2:
        print("too few runs were killed: the sweep does not reach its points")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
