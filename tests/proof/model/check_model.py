#!/usr/bin/env python3
"""Searches the model of the claim protocol (claim.pml) with SPIN, then plants faults and must find each.

    check_model.py             all of it: some minutes of one core
    check_model.py --small     what every build asks: a smaller search and the faults that are quickly found
    check_model.py NAME...     only these runs or faults (--list has their names)

Each line has the states searched, the depth, the errors and the processor's time. Exit status 0: no error in the protocol, every planted
fault found, every change of docs/STATES.md that the model has was reached (not asked of --small and of single runs).
docs/MODEL.md says what all this means. --keep FOLDER keeps the programs and trails; `./pan -r` there replays an error."""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, "claim.pml")
SPOOL, LINK, PIPE = "KIND=1", "KIND=2", "KIND=3"
QUIET = "CONSUMER=0"  # nothing looks at the consumer's folder, so when he takes it changes nothing
MEMORY = 2 << 30

# (name, in --small too, what is allowed to happen)
SEARCHES = [
    ("crashes", False, [SPOOL, "CRASHES=3", "LAPSES=1", "DEFERS=0"]),
    ("late", False, [SPOOL, "CRASHES=1", "LAPSES=2", "DEFERS=0", QUIET]),
    ("operators", False, [SPOOL, "WORKERS=2", "CRASHES=1", "LAPSES=0", "DEFERS=1", "ACTS=3", QUIET]),
    ("folders", False, [SPOOL, "WORKERS=2", "CRASHES=1", "LAPSES=0", "DEFERS=0", "FOLDERS=2", QUIET]),
    ("backup", False, [SPOOL, "WORKERS=2", "CRASHES=1", "LAPSES=0", "DEFERS=0", "BACKUPS=1", "ACTS=2", QUIET]),
    ("returned", False, [SPOOL, "WORKERS=2", "CRASHES=2", "LAPSES=0", "DEFERS=0", "RETURNS=2", "ACTS=2", QUIET]),
    ("smtp", False, [LINK, "CRASHES=3", "LAPSES=1", "DEFERS=0", QUIET]),
    ("smtp-operators", False, [LINK, "WORKERS=2", "CRASHES=1", "LAPSES=0", "DEFERS=1", "ACTS=2", QUIET]),
    ("pipe", False, [PIPE, "WORKERS=2", "CRASHES=2", "LAPSES=1", "DEFERS=0", QUIET]),
    ("pipe-operators", False, [PIPE, "WORKERS=2", "CRASHES=1", "LAPSES=0", "DEFERS=0", "ACTS=2", QUIET]),
    ("two-items", False, [SPOOL, "ITEMS=2", "WORKERS=2", "CRASHES=1", "LAPSES=1", "DEFERS=0", QUIET]),
    ("small", True, [SPOOL, "CRASHES=1", "LAPSES=1", "DEFERS=0", "WORKERS=2", QUIET]),
]

SMALL = ["WORKERS=2", "CRASHES=1", "LAPSES=1", "DEFERS=0"]
TWO = ["WORKERS=2", "CRASHES=2", "LAPSES=1", "DEFERS=0"]
BACK = ["WORKERS=2", "CRASHES=1", "LAPSES=0", "DEFERS=0", "BACKUPS=1", "ACTS=1"]
AWAY = ["WORKERS=2", "CRASHES=1", "LAPSES=0", "DEFERS=0", "FOLDERS=2"]
DOUBLED, LOST, CALLED_FAILED = r"copies\[.*\]==0", r"copies\[.*==1", r"st\[i\].*copies\[i\]==0"
# (fault, in --small too, where, what it must be found by: in its outcome where it has one, else in its structure)
FAULTS = [
    ("CLAIM_WITHOUT_COMPARE", True, [SPOOL] + SMALL, DOUBLED),
    ("MARK_WITHOUT_EPOCH", False, [SPOOL] + SMALL, None),
    ("SETTLE_WITHOUT_EPOCH", True, [SPOOL] + SMALL, None),
    ("RENEW_WITHOUT_EPOCH", False, [SPOOL, "WORKERS=2", "CRASHES=0", "LAPSES=2", "DEFERS=0"], "holder"),
    ("PUBLISH_WITHOUT_MARK", True, [SPOOL] + SMALL, DOUBLED),
    ("TAKES_OVER_WITHOUT_ASKING", True, [SPOOL] + SMALL, DOUBLED),
    ("LOOK_WITHOUT_WITHDRAWING", False, [SPOOL] + SMALL, DOUBLED),
    ("ASKS_THE_CONSUMERS_FOLDER", False, [SPOOL] + SMALL, DOUBLED),
    ("COPY_INSTEAD_OF_RENAME", False, [SPOOL] + SMALL, DOUBLED),
    ("RECORD_BEFORE_PUBLISHING", False, [SPOOL] + SMALL, LOST),
    ("UNSTAGE_AFTER_FAILED_COMMIT", False, [SPOOL] + SMALL, LOST),
    ("STAGED_EPOCH_RISES", False, [SPOOL] + SMALL, LOST),
    ("SWEEP_BY_EPOCH", False, [SPOOL] + TWO, LOST),
    ("NO_FOLDER_CHECK", False, [SPOOL] + AWAY, LOST),
    ("STAGE_MADE_ANEW_BELIEVED", False, [SPOOL] + AWAY, LOST),
    ("BACKUP_BELIEVED", False, [SPOOL] + BACK, LOST),
    ("BACKUP_TRIED_AGAIN", False, [SPOOL] + BACK, DOUBLED),
    ("RESTORED_AND_SENT", False, [SPOOL] + BACK, DOUBLED),
    ("ANSWER_TAKEN_EARLY", False, [SPOOL, "WORKERS=2", "CRASHES=0", "LAPSES=0", "DEFERS=0", "RETURNS=1"], LOST),
    ("ANSWER_NAMES_NO_ATTEMPT", False, [SPOOL, "WORKERS=2", "CRASHES=2", "LAPSES=0", "DEFERS=0", "RETURNS=1", "ACTS=1"], CALLED_FAILED),
    ("LOOK_WITHOUT_WITHDRAWING", False, [LINK] + SMALL, DOUBLED),
    ("DOUBT_TAKEN_FOR_NO", False, [LINK] + SMALL, DOUBLED),
    ("LOOK_WITHOUT_WITHDRAWING", False, [PIPE] + SMALL, DOUBLED),
    ("DOUBT_TAKEN_FOR_NO", False, [PIPE] + SMALL, DOUBLED),
]


NICE = 10


def bounded():
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def run(command, folder, seconds):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          timeout=seconds, preexec_fn=bounded, check=False)
    return done.returncode, done.stdout


def built(folder, defines, quickly):
    os.makedirs(folder)
    shutil.copy(MODEL, folder)
    for command in (["spin", "-a"] + ["-D" + each for each in defines] + ["claim.pml"],
                    # Every state is kept whole, only folded. No end states of single processes: the onlooker asks.
                    ["gcc", "-O0" if quickly else "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=2048", "-o", "pan", "pan.c"]):
        status, said = run(command, folder, 600)
        if status != 0:
            raise RuntimeError(f"{' '.join(command)}: {said[-2000:]}")


class Searched:
    def __init__(self, said, took):
        self.took = took
        self.states = number(r"([\d.e+]+) states, stored", said)
        self.depth = number(r"depth reached (\d+)", said)
        self.errors = number(r"errors: (\d+)", said)
        self.found = (re.findall(r"pan:\d+: (.*) \(at depth", said) or [""])[0]
        self.cut = "max search depth too small" in said or "out of memory" in said or self.states is None
        self.reached = {int(line) for line in re.findall(r"^reached (\d+)$", said, re.M)}
        self.tail = said[-1500:]

    def line(self):
        return f"{self.states or 0:>10.0f} states  depth {self.depth or 0:>5.0f}  errors {self.errors or 0:.0f}  {self.took:6.1f} s"


def number(pattern, text):
    found = re.findall(pattern, text)
    return float(found[-1]) if found else None


def search(folder, defines, quickly, limit):
    built(folder, defines, quickly)
    before = os.times()
    _, said = run(["./pan", "-E", "-m200000"], folder, limit)
    after = os.times()
    return Searched(said, after.children_user + after.children_system - before.children_user - before.children_system)


def changes():
    """Lines of the model that are changes of state, by name."""
    with open(MODEL, encoding="utf-8") as file:
        lines = list(enumerate(file, 1))
    found = {}
    for place, line in lines:
        for change in re.findall(r"\bCHANGE\(i, (\w+), (\w+), (\w+)\)", line):
            if change != ("from", "to", "who"):
                found[place] = change
    return found


def main():
    global NICE
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("names", nargs="*")
    asked.add_argument("--small", action="store_true")
    asked.add_argument("--list", action="store_true")
    asked.add_argument("--keep", metavar="FOLDER")
    asked.add_argument("--limit", type=float, default=900, help="seconds for one search")
    asked.add_argument("--nice", type=int, default=NICE, help="how far others go first")
    options = asked.parse_args()
    NICE = options.nice
    chosen = [(name, small, defines, None, False) for name, small, defines in SEARCHES]
    chosen += [(f"{fault}/{dict(zip((SPOOL, LINK, PIPE), ('spool', 'smtp', 'pipe')))[where[0]]}", small, where, by, True)
               for fault, small, where, by in FAULTS]
    if options.list:
        print("\n".join(each[0] for each in chosen))
        return 0
    if options.names:
        chosen = [each for each in chosen if each[0] in options.names or each[0].split("/")[0] in options.names]
    elif options.small:
        chosen = [each for each in chosen if each[1]]
    if not chosen:
        print("there is no such run; --list has their names")
        return 64
    work = options.keep or tempfile.mkdtemp(prefix="postern-model-")
    wrong, reached, total, began = [], set(), 0, time.monotonic()
    try:
        for at, (name, _, defines, by, fault) in enumerate(chosen, 1):
            more = []
            if fault:
                more = ["BUG_" + name.split("/")[0]] + (["OUTCOMES"] if by != "holder" else [])
            try:
                result = search(os.path.join(work, name.replace("/", "-")), defines + more, fault or options.small, options.limit)
            except subprocess.TimeoutExpired:
                wrong.append(name)
                print(f"[{at}/{len(chosen)}] {name}: not ended after {options.limit:.0f} s", flush=True)
                continue
            if fault:
                good = not result.cut and result.errors and (by is None or re.search(by, result.found))
                verdict = f"found: {result.found}" if good else f"NOT FOUND as expected: {result.found or result.tail}"
            else:
                good = not result.cut and result.errors == 0
                verdict = "clean" if good else f"WRONG: {result.found or result.tail}"
                reached |= result.reached
                total += result.states or 0
            print(f"[{at}/{len(chosen)}] {name:<34} {result.line()}  {verdict}", flush=True)
            if not good:
                wrong.append(name)
    finally:
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    if not options.names and not options.small:
        for place, (start, end, who) in sorted(changes().items()):
            if place not in reached:
                wrong.append(f"line {place}")
                print(f"claim.pml:{place}: {start} -> {end} ({who}) was never reached: the model is too narrow")
    faults = sum(1 for each in chosen if each[4])
    print(f"{total:.0f} states in {len(chosen) - faults} searches, {faults} planted faults, "
          f"{len(wrong)} wrong, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
