#!/usr/bin/env python3
"""Runs the proof: the rows R1 to R22, each a suite with its figure, and writes one report.

    run.py --list            the rows, what they ask and what they lack
    run.py --all             every row in its whole size: hours
    run.py --sampled         every row in the size that ./check --full runs: minutes
    run.py R15 R22           these rows, whole; with --sampled the smaller size

State is kept in build/proof. A row that was finished for these very sources (git's commit and what was changed since) is not run
again, so that a run that was interrupted goes on where it was; --again runs it all the same. The report is build/proof/report.md, the
whole output of a row is in build/proof/NAME.log.

Exit status 0: every row passed and lacks nothing. 1: a row failed. 3: nothing failed, but rows are not built yet, pass in part only, or
lack something of this machine. None of these counts as passed."""

import argparse
import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time

from rows import CONTROLS, ROWS

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SANITIZED = os.path.join(ROOT, "build", "fuzz")
PASSED, PART, FAILED, NOT_BUILT, NOT_HERE = "passed", "passed in part", "FAILED", "not built", "can not run here"
SKIPPED = 77  # what a suite ends with that lacks something of the machine: root, FUSE
PROGRAMS = ["posternd", "postern", "postern-runner", "postern-sendmail"]
LEFT_OUT = re.compile(r"\*\*\*Skipped|\[  SKIPPED \]|, [1-9]\d* skipped$", re.M)  # as ctest, GoogleTest and our own suites say it
TELL_EVERY = 15.0
FOUND = {"lost": r"(\d+) lost\b", "doubled": r"(\d+) doubled\b", "in_doubt": r"(\d+) (?:mails )?in doubt\b"}
TOGETHER = re.compile(r"(\d+) lost(?: or|, doubled or) \w+")  # of one number
SIZES = re.compile(r"(\d[\d,]*) (runs|jumps|tests|states|connections|mails|points|searches|planted faults|images|disks|steps|inputs|minutes|kills|stops)\b(?! a second)")


def git(*arguments):
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, check=True).stdout


def sources():
    """The commit, and what stands beside it."""
    commit = git("rev-parse", "--short=12", "HEAD").decode().strip()
    changed = git("diff", "HEAD")
    for name in git("ls-files", "-z", "--others", "--exclude-standard").decode().split("\0")[:-1]:
        with open(os.path.join(ROOT, name), "rb") as file:
            changed += name.encode() + hashlib.sha256(file.read()).digest()
    return commit + ("+" + hashlib.sha256(changed).hexdigest()[:8] if changed else "")


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def save(path, text):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def say(text):
    print(text, flush=True)


def run_step(command, log, limit, name):
    """The exit status, or None at the time limit; what it started ends with it."""
    start = log.tell()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT, start_new_session=True) as process:
        begun = told = time.monotonic()
        try:
            while True:
                try:
                    return process.wait(1)
                except subprocess.TimeoutExpired:
                    now = time.monotonic()
                if now - begun > limit:
                    return None
                if now - told > TELL_EVERY:
                    told = now
                    say(f"    {name}: {now - begun:.0f} s  {last_line(log.name, start)[:100]}")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def text_from(path, start=0):
    with open(path, "rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", "replace")


def last_line(path, start=0):
    lines = [line.strip() for line in text_from(path, start).splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def nothing_ran(path):
    """A filter that no case has any more must not pass."""
    return "no test has such a name" if re.search(r"\[==========\] 0 tests from ", text_from(path)) else ""


class Figures:
    """What the suites of a row say of themselves, added up: a script's last line, and what GoogleTest and ctest count."""

    def __init__(self):
        self.sizes, self.found = {}, {}

    def add(self, said, last):
        tests = [int(number) for number in re.findall(r"\[==========\] (\d+) tests? from .* ran", said)]
        tests += [int(number) for number in re.findall(r"tests passed, \d+ tests failed out of (\d+)", said)]
        for number, what in SIZES.findall(said if tests else last):
            if not tests or what != "tests":
                self.sizes[what] = self.sizes.get(what, 0) + int(number.replace(",", ""))
        if tests:
            self.sizes["tests"] = self.sizes.get("tests", 0) + sum(tests)
        told = TOGETHER.sub(r"\1 lost, \1 doubled", said if tests else last)
        for name, pattern in FOUND.items():
            for number in re.findall(pattern, told):
                self.found[name] = self.found.get(name, 0) + int(number)

    def told(self):
        return {"size": ", ".join(f"{number:,} {what}" for what, number in self.sizes.items()),
                **{name: str(self.found.get(name, "")) for name in FOUND}}


def run_row(row, options):
    whole = not options.sampled
    log_path = os.path.join(options.folder, row.name + ".log")
    before, begun, verdict = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), PART if row.lacks else PASSED
    figures = Figures()
    with open(log_path, "wb") as log:
        for step in row.steps(whole):
            command = [part.replace("{build}", options.build).replace("{sanitized}", SANITIZED).replace("{tests}", os.path.join(ROOT, "tests"))
                       for part in step]
            left, start = row.seconds * options.patience - (time.monotonic() - begun), log.tell()
            status = run_step(command, log, max(left, 1), row.name)
            said = text_from(log_path, start)
            if status == SKIPPED or LEFT_OUT.search(said):
                verdict = NOT_HERE
            if status == SKIPPED:
                continue
            what = "not ended in time" if status is None else f"exit status {status}" if status else nothing_ran(log_path)
            if what:
                verdict = FAILED
                say(f"    {row.name}: {what}; {' '.join(command)}")
                break
            if not CONTROLS & set(step):
                figures.add(said, last_line(log_path, start))
    after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begun
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"verdict": verdict, "seconds": round(took, 1), "cores": round(used / took, 2), "said": last_line(log_path),
            "build": options.build, "sources": options.sources, "when": time.strftime("%Y-%m-%d"), **figures.told()}


def report(state, chosen, options):
    head = "| row | what it asks | size | lost | doubled | in doubt | seconds | cores | verdict |\n" + "| --- " * 9 + "|\n"
    lines = []
    for row in chosen:
        done = state.get(key(row, options), {"verdict": NOT_BUILT if not row.full else "not run"})
        lines.append(f"| {row.name} | {row.asks} | " + " | ".join(
            str(done.get(each, "")) for each in ("size", "lost", "doubled", "in_doubt", "seconds", "cores", "verdict")) + " |\n")
    lacks = [f"- {row.name}: {row.lacks}\n" for row in chosen if row.lacks]
    text = (f"# The proof, {'sampled' if options.sampled else 'in its whole size'}\n\n"
            f"Sources {options.sources}, build `{os.path.relpath(options.build, ROOT)}`, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}.\n"
            f"A blank field is a figure that the suite does not have.\n\n{head}{''.join(lines)}")
    if lacks:
        text += "\n## What rows lack\n\n" + "".join(lacks)
    save(os.path.join(options.folder, "report.md"), text)


def key(row, options):
    return row.name + ("/sampled" if options.sampled else "/whole")


def build(chosen, options):
    names = sorted({target for row in chosen for target in row.targets})
    commands = [["ninja", "-C", options.build, *PROGRAMS, *names]]
    if any("{sanitized}" in step for row in chosen for step in row.steps(not options.sampled)):
        commands += [["cmake", "--preset", "fuzz"], ["ninja", "-C", SANITIZED, *PROGRAMS, "fuzzers", "test_programs"]]
    with open(os.path.join(options.folder, "build.log"), "wb") as log:
        for command in commands:
            say(" ".join(command) + " ...")
            if subprocess.run(command, stdout=log, stderr=log, cwd=ROOT, check=False).returncode != 0:
                say("the build failed: build/proof/build.log")
                sys.exit(1)


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("rows", nargs="*", metavar="ROW")
    asked.add_argument("--list", action="store_true")
    asked.add_argument("--all", action="store_true")
    asked.add_argument("--sampled", action="store_true")
    asked.add_argument("--again", action="store_true", help="also what is finished for these sources")
    asked.add_argument("--build", default=os.path.join(ROOT, "build", "dev"), help="the build's folder, configured before")
    asked.add_argument("--patience", type=float, default=2.0, help="times the budget, for slow machines")
    options = asked.parse_args()
    options.build = os.path.abspath(options.build)
    if options.list:
        for row in ROWS:
            say(f"{row.name:<4} {row.asks}{'' if row.full else '  NOT BUILT'}{f'  (lacks: {row.lacks})' if row.lacks else ''}")
        return 0
    names = {row.name for row in ROWS}
    if set(options.rows) - names or not (options.rows or options.all or options.sampled):
        asked.error("which rows? " + ", ".join(row.name for row in ROWS))
    chosen = [row for row in ROWS if not options.rows or row.name in options.rows]
    options.folder = os.path.join(ROOT, "build", "proof")
    os.makedirs(options.folder, exist_ok=True)
    options.sources = sources()
    path = os.path.join(options.folder, "state.json")
    state = load(path)
    build([row for row in chosen if row.full], options)
    for at, row in enumerate(chosen, 1):
        where = f"[{at}/{len(chosen)}] {row.name}"
        if not row.full:
            state[key(row, options)] = {"verdict": NOT_BUILT}
            say(f"{where}: {NOT_BUILT}: {row.asks}")
        else:
            done = state.get(key(row, options), {})
            same = (done.get("sources"), done.get("build")) == (options.sources, options.build)
            if same and done["verdict"] in (PASSED, PART) and not options.again:
                say(f"{where}: {done['verdict']}, was done before")
                continue
            say(f"{where}: {row.asks} ...")
            state[key(row, options)] = done = run_row(row, options)
            say(f"{where}: {done['verdict']} in {done['seconds']:.0f} s: {done['said']}")
        save(path, json.dumps(state, indent=1))
        report(state, chosen, options)
    report(state, chosen, options)
    verdicts = [state[key(row, options)]["verdict"] for row in chosen]
    say(", ".join(f"{verdicts.count(each)} {each}" for each in (PASSED, PART, FAILED, NOT_BUILT, NOT_HERE)) + "; build/proof/report.md")
    return 1 if FAILED in verdicts else 0 if set(verdicts) == {PASSED} else 3


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
