#!/usr/bin/env python3
"""R17: each fuzz target searches for so many minutes of a processor, from the seeds, the findings and what earlier searches kept.

Wall time says little where others work too, so it is the time of the processor that counts. The corpora stay in the build's folder, and so does
what is found: finding-TARGET-KIND-HASH. Once mended, it belongs into tests/fuzz/findings/TARGET.

Usage: search.py BUILD_FOLDER [--minutes N] [--jobs N] [--target NAME ...]   (a build of the preset "fuzz", with the target `fuzzers`)
"""

import argparse
import glob
import os
import queue
import re
import shutil
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
STRETCH = 300  # seconds of wall time between two looks at the processor's
LEAST = 10  # inputs a second of the processor; less is no search


class Search:
    """One target: its program, its corpus, and what came of it."""

    def __init__(self, build, name, seconds):
        self.build, self.name, self.seconds = build, name, seconds
        self.used, self.inputs, self.problem = 0.0, 0, ""

    def command(self, seconds):
        corpus = os.path.join(self.build, "corpora", self.name)
        os.makedirs(corpus, exist_ok=True)
        more = [os.path.join(self.build, "fuzz-seeds", self.name), os.path.join(HERE, "findings", self.name)]
        return [os.path.join(self.build, "tests", "fuzz", self.name + "_fuzz"), f"-max_total_time={seconds}", "-max_len=8000", "-verbosity=0",
                "-print_final_stats=1", f"-artifact_prefix={self.build}/finding-{self.name}-", corpus, *filter(os.path.isdir, more)]

    def run(self):
        while self.used < self.seconds and not self.problem:
            path = os.path.join(self.build, f"search-{self.name}.log")
            with open(path, "wb") as log:
                process = subprocess.Popen(self.command(min(STRETCH, max(1, int(self.seconds - self.used)))), stdout=log, stderr=log)
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            self.used += usage.ru_utime + usage.ru_stime
            with open(path, encoding="utf-8", errors="replace") as log:
                self.inputs += sum(map(int, re.findall(r"number_of_executed_units:\s*(\d+)", log.read())))
            if status != 0:
                self.problem = f"ended with {process.returncode}: {path}"
        if not self.problem and self.inputs < LEAST * self.used:
            self.problem = f"{self.inputs} inputs only"
        print(f"{self.name}: {self.used / 60:.0f} minutes of a processor, {self.inputs} inputs"
              + (f"; FAILED: {self.problem}" if self.problem else ""), flush=True)


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("build", type=os.path.abspath)
    asked.add_argument("--target", action="append")
    asked.add_argument("--minutes", type=float, default=30)
    asked.add_argument("--jobs", type=int, default=os.cpu_count())
    options = asked.parse_args()
    there = sorted(os.path.basename(path)[: -len("_fuzz")] for path in glob.glob(os.path.join(options.build, "tests", "fuzz", "*_fuzz")))
    if not there or set(options.target or []) - set(there):
        asked.error(f"no such target in {options.build}: there are {', '.join(there) or 'none'}; configure the preset fuzz and build fuzzers")
    seeds = os.path.join(options.build, "fuzz-seeds")
    shutil.rmtree(seeds, ignore_errors=True)
    subprocess.run([sys.executable, os.path.join(HERE, "seeds.py"), os.path.dirname(HERE), seeds], check=True)
    searches = [Search(options.build, name, options.minutes * 60) for name in options.target or there]
    waiting = queue.SimpleQueue()
    for each in searches:
        waiting.put(each)

    def work():
        while True:
            try:
                search = waiting.get_nowait()
            except queue.Empty:
                return
            search.run()

    threads = [threading.Thread(target=work) for _ in range(options.jobs)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    wrong = sum(bool(each.problem) for each in searches)
    print(f"fuzzing: {len(searches)} targets, {sum(each.used for each in searches) / 60:.0f} minutes of a processor, "
          f"{sum(each.inputs for each in searches)} inputs, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
