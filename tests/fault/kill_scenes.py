#!/usr/bin/env python3
"""kill -9 at every system call of what kill_sweep.py does not reach: the start, recovery, the making of a store, the emptying of its log,
a stop, a report, a backup, a migration, a purge. And what can come between:

  --twice   the service is killed at a call of a watcher that has three mails in hand, and again at each call of the recovery from that
  --stall   nobody is killed: one watcher of two stands still at a call for longer than its lease, and the other takes over; so do the
            threads that they share

Every time the outside ledger must be even. Usage: kill_scenes.py BUILD_FOLDER [--scene NAME ...] [--twice | --stall [--kind KIND ...]] [--runs N]
(N: so many runs, spread over all there are)
"""

import argparse
import collections
import os
import signal
import sys

from error_sweep import judge_is_awake, spread
from kill_sweep import Tracer, thread_ids
from other_sides import FILES
from scenes import SCENES, Mail, Start
from sweeping import NEVER, Sweep

# A kill in a wait is one between two other calls; locks of the database and memory say nothing to anybody outside.
UNSEEN = NEVER | {"epoll_wait", "poll", "ppoll", "mprotect", "mmap", "brk", "fcntl"}
STALL = 2_300_000  # microseconds; scenes.LEASE is two seconds


class Three(Mail):
    """Three mails that one watcher takes at once."""

    threads = ("watch:out",)
    kinds = ("drop",)

    def before(self, rig):
        super().before(rig)
        rig.postern("adapter", "suspend", "out", "--reason", "test")
        for serial in (1, 2, 3):
            rig.send(serial)
        rig.gateway.log.clear()

    def work(self, rig):
        rig.postern("adapter", "resume", "out")
        rig.until(lambda: sum(" item.exported " in line for line in rig.gateway.log) == 3, 10)


class Again(Start):
    """The start behind a kill at some call of Three; all its threads."""

    follow = True

    def __init__(self, first):
        self.first = first

    def before(self, rig):
        three = Three()
        three.before(rig)
        tracers = [Tracer(tid, kill(self.first)) for tid in thread_ids(rig.gateway, "watch:out")]
        three.work(rig)
        rig.gateway.kill()
        for tracer in tracers:
            tracer.finish()
        rig.take()


class TakenOver(Mail):
    """More watchers than one, and mail after mail for whoever is free."""

    watchers = "watchers = 2\n"

    def work(self, rig):
        for serial in range(1, 5):
            rig.send(serial)
        rig.until(lambda: sum(" item.exported " in line for line in rig.gateway.log) >= len(rig.ledger.accepted), 12)


def kill(point):
    return ["-e", f"trace={point.call}", "-e", f"inject={point.call}:signal=KILL:when={point.ordinal}"]


def killed_at(sweep, point):
    """(problems, whether it died there)."""
    rig = sweep.ready()
    sweep.work(rig, point.thread, kill(point))
    if rig.gateway.process is None or rig.status is not None:
        died = rig.status == -signal.SIGKILL
    else:
        rig.gateway.wait_for_end(0.2)
        died = rig.gateway.process.poll() == -signal.SIGKILL
        rig.gateway.kill()
    return sweep.rest(rig), died


def stalled_at(sweep, point):
    rig = sweep.ready()
    sweep.work(rig, point.thread, ["-e", f"trace={point.call}", "-e", f"inject={point.call}:delay_enter={STALL}:when={point.ordinal}"], most=1)
    return sweep.rest(rig), any("(DELAYED)" in line for lines in rig.traces() for line in lines)


def points_of(build, name, scene, kind):
    with Sweep(build, name, scene, kind) as sweep:
        return sweep.points(UNSEEN)


def plan(options):
    """[(how, scene, kind, points)]"""
    if options.stall:
        return [(stalled_at, TakenOver(), kind, points_of(options.build, "taken over", TakenOver(), kind)) for kind in options.kind or FILES]
    if options.twice:
        firsts = points_of(options.build, "three", Three(), "drop")
        firsts = spread(firsts, min(options.firsts, len(firsts)))
        return [(killed_at, Again(first), "drop", points_of(options.build, f"behind {first.call} #{first.ordinal}", Again(first), "drop"))
                for first in firsts]
    names = options.scene or [name for name in SCENES if name != "mail"]
    return [(killed_at, SCENES[name](), kind, points_of(options.build, name, SCENES[name](), kind)) for name in names for kind in SCENES[name].kinds]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--scene", action="append", choices=list(SCENES))
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--firsts", type=int, default=1000, help="how many calls the first kill of --twice takes")
    parser.add_argument("--stall", action="store_true")
    parser.add_argument("--kind", action="append", choices=FILES, help="of the adapter, with --stall")
    parser.add_argument("--runs", type=int, default=0)
    options = parser.parse_args()
    if options.kind and not options.stall:
        parser.error("--kind is for --stall: the other scenes know their kinds")
    options.build = os.path.abspath(options.build)
    judge_is_awake(options.build)
    planned = plan(options)
    every = [point for *_, points in planned for point in points]
    chosen = set(spread(every, options.runs))
    print(f"{len(chosen)} of {len(every)} points", flush=True)
    counted = collections.Counter()
    for how, scene, kind, points in planned:
        with Sweep(options.build, "", scene, kind) as sweep:
            for point in (each for each in points if each in chosen):
                problems, met = how(sweep, point)
                counted.update(runs=1, met=met, failed=bool(problems))
                if problems:
                    print(f"FAILED {point}: {problems}", flush=True)
                if counted["runs"] % 100 == 0:
                    print(f"  {counted['runs']}/{len(chosen)}, {counted['met']} met, {counted['failed']} failures", flush=True)
    what = "stall" if options.stall else "second kill" if options.twice else "kill"
    print(f"{what} sweep of scenes: {counted['runs']} runs, {counted['met']} met it, {counted['failed']} lost, doubled or in doubt")
    if counted["met"] * 3 < counted["runs"]:
        print("too few runs met it: the sweep does not reach its points")
        return 1
    return 1 if counted["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
