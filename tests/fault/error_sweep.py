#!/usr/bin/env python3
"""Errors of the system at every system call, once and for good: while a mail goes in and out, at the start, at recovery, while a store
is made or migrated, when its log is emptied, at a stop, with a report, with a backup, at a purge.

While the error stands the service goes on, puts senders off with a 4xx, or ends with an error that it names; it never hangs or spins.
When it is gone, and the service started again if it had ended, the outside ledger must be even: nothing lost, nothing doubled, nothing
in doubt. Before the sweep its judge is tried: with a file that is taken away and one that is there twice it must say so.

Usage: error_sweep.py BUILD_FOLDER [--scene NAME ...] [--error NAME ...] [--runs N]   (N: so many runs, spread over all there are)
"""

import argparse
import collections
import os
import shutil
import sys

from scenes import SCENES
from sweeping import BY_THE_WAY, NEVER, Point, Sweep, goes_on_or_ends, spins

ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EMFILE", "ENOMEM", "EINTR")
# strace makes a call fail without making it: a close that fails has closed all the same on Linux, and this one would not have. And brk
# tells a failure by what it returns, not by an error.
UNFIT = NEVER | {"close", "brk"}
# An interrupted call that is interrupted for ever is no system's: ten times is more than any has been.
MODES = ("once", "for good")
TEN_TIMES = 9


DEAF = {"accept", "epoll_wait"}  # while these fail no client is heard, and so none is answered
NO_ANSWER = "a client got no answer"
MUTE = {"write", "writev"}  # while these fail in all threads nothing can be said


def when(ordinal, error, mode):
    if mode == "once":
        return str(ordinal)
    return f"{ordinal}..{ordinal + TEN_TIMES}" if error == "EINTR" else f"{ordinal}+"


def one_run(sweep, point, error, mode):
    rig = sweep.ready()
    options = ["-e", f"trace={point.call}", "-e", f"inject={point.call}:error={error}:when={when(point.ordinal, error, mode)}"]

    def beside(rig):
        if mode == "for good" and point.call not in BY_THE_WAY and spins(rig):
            rig.problems.append("it spins")

    sweep.work(rig, point.thread, options, beside)
    if point.call in DEAF and NO_ANSWER in rig.problems:
        rig.problems.remove(NO_ANSWER)
    met = rig.errors_met() > 0
    if rig.gateway.process and point.scene != "backup":
        rig.let_go()
        goes_on_or_ends(rig, sweep.scene.asked_to_stop)
    if point.call in MUTE and sweep.scene.follow:
        rig.problems = [each for each in rig.problems if not each.endswith("without a word")]
    ended = not rig.alive()
    return sweep.rest(rig), met, ended


def faults_of(point):
    """[(error, mode)] that are worth a run at that point."""
    if point.call == "epoll_wait":  # epoll_wait(2): it fails by a signal, or by a mistake of the caller
        return [("EINTR", "once")]
    if point.call == "accept":  # accept(2) knows no error of a disk
        return [(error, mode) for error in ("EMFILE", "ENOMEM", "EINTR") for mode in MODES]
    if point.call == "fcntl":  # to SQLite one refused lock is like another; for good, or in all threads, would keep locks from being let go
        return [] if SCENES[point.scene].follow else [("EIO", "once"), ("EINTR", "once")]
    return [(error, mode) for error in ERRORS for mode in MODES]


def judge_is_awake(build):
    """A file that a thief took, and one that came twice: both have to be seen."""
    for what, deed in (("is lost", os.unlink), ("arrived 2 times", lambda path: shutil.copy2(path, path + ".again"))):
        with Sweep(build, "mail", SCENES["mail"](), "drop") as sweep:
            rig = sweep.ready()
            sweep.work(rig, "intake", ["-e", "trace=none"])
            rig.gateway.wait_until_settled()
            name = next(each for each in os.listdir(rig.gateway.out) if not each.startswith("."))
            deed(os.path.join(rig.gateway.out, name))
            problems = sweep.rest(rig)
            if not any(each.endswith(what) for each in problems):
                raise RuntimeError(f"the ledger does not see that a mail {what}: {problems}")


# What the sweep once found, at the first call and for good: threads that can not be made, a thread without memory, a wake-up that can not be
# taken back, waits that fail at once.
FOUND = (("start", "", "clone3", 1, "EAGAIN", "for good"), ("mail", "intake", "mmap,mprotect", 1, "ENOMEM", "for good"),
         ("mail", "intake", "read", 1, "EMFILE", "for good"), ("mail", "intake", "epoll_wait", 1, "EIO", "for good"),
         ("recovery", "", "write", 3, "EINTR", "once"))  # of the log's line that says where it listens


def what_was_found_stays_mended(build):
    for name, thread, call, ordinal, error, mode in FOUND:
        with Sweep(build, name, SCENES[name](), "drop") as sweep:
            problems, met, _ = one_run(sweep, Point(name, "drop", thread, call, ordinal), error, mode)
            if not met or problems:
                raise RuntimeError(f"{name}, {thread} {call} #{ordinal} {error} {mode}: met {met}, {problems}")


def spread(all_of_them, count):
    if not count or count >= len(all_of_them):
        return all_of_them
    return [all_of_them[index * len(all_of_them) // count] for index in range(count)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--scene", action="append", choices=list(SCENES))
    parser.add_argument("--kind", action="append", help="of the adapter, where the scene knows several")
    parser.add_argument("--error", action="append", choices=ERRORS)
    parser.add_argument("--runs", type=int, default=0)
    options = parser.parse_args()
    judge_is_awake(options.build)
    what_was_found_stays_mended(options.build)
    sweeps = [(name, kind) for name in options.scene or SCENES for kind in SCENES[name].kinds if not options.kind or kind in options.kind]
    planned = {}
    for name, kind in sweeps:
        with Sweep(options.build, name, SCENES[name](), kind) as sweep:
            planned[name, kind] = [(point, *fault) for point in sweep.points(UNFIT) for fault in faults_of(point)
                                   if fault[0] in (options.error or ERRORS)]
    every = [each for some in planned.values() for each in some]
    chosen = set(spread(every, options.runs))
    print(f"{len(chosen)} of {len(every)} runs: " + ", ".join(f"{name} ({kind}) {len(some)}" for (name, kind), some in planned.items()), flush=True)
    counted = collections.Counter()
    for (name, kind), some in planned.items():
        with Sweep(options.build, name, SCENES[name](), kind) as sweep:
            for point, error, mode in (each for each in some if each in chosen):
                problems, met, ended = one_run(sweep, point, error, mode)
                counted.update(runs=1, met=met, ended=ended, doubts=len(sweep.rig.doubts), failed=bool(problems))
                if problems:
                    print(f"FAILED {point}, {error} {mode}: {problems}", flush=True)
                if counted["runs"] % 100 == 0:
                    print(f"  {counted['runs']}/{len(chosen)}, {counted['failed']} failures", flush=True)
    print(f"error sweep: {counted['runs']} runs, {counted['met']} met their error, {counted['ended']} ended by it, "
          f"{counted['doubts']} mails in doubt, {counted['failed']} lost, doubled or hung")
    if counted["met"] < counted["runs"] // 2:
        print("too few runs met their error: the sweep does not reach its points")
        return 1
    return 1 if counted["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
