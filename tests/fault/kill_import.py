#!/usr/bin/env python3
"""kill -9 of posternd at system calls of the watcher that runs cc:Mail's import program, in turn.

The program outlives the service and writes its own ledger. Started again, each mail must have been imported exactly
once, or be said to be in doubt; what was given back must be told exactly once.

Usage: kill_import.py BUILD_FOLDER [--every K]
"""

import argparse
import os
import sys
import time

from gateway import Gateway, Ledger, breathe
from kill_sweep import killed_at, watched

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fake_import.py")
ROLE = "watch:out"


def open_gateway(build, name):
    gateway = Gateway(build, adapters="watchers = 1", kind="ccmail", route=f'legacy = "{name} at PO1"')
    with open(gateway.config, "a", encoding="utf-8") as file:
        file.write(f'import_program = ["{sys.executable}", "{PROGRAM}", "{gateway.folder}/ledger"]\nimport_interval = "50ms"\n')
    return gateway


def ledger_of(gateway):
    path = os.path.join(gateway.folder, "ledger")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().split("\n")[:-1]


def wait_for(gateway, words, limit=20.0):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and gateway.process.poll() is None:
        if any(f" {word} " in line for line in gateway.log for word in words):
            return True
        breathe()
    return False


def points_of(build, name, word):
    """The calls that the watcher makes for one mail up to the log's `word`."""
    gateway, ledger = open_gateway(build, name), Ledger()

    def work():
        ledger.send(gateway.port, 1)
        if not wait_for(gateway, [word]):
            raise RuntimeError("no run: " + "\n".join(gateway.log[-20:]))

    try:
        gateway.start()
        gateway.log.clear()
        points = watched(gateway, ROLE, work)
        gateway.stop()
    finally:
        gateway.close()
    return points


def problems_of(gateway, ledger, name):
    problems, imported, states = [], ledger_of(gateway), gateway.states()
    for serial in sorted(ledger.accepted):
        times = imported.count(f"serial {serial}")
        if times > 1:
            problems.append(f"mail {serial} was imported {times} times")
        if times == 0 and not states.get("in_doubt"):
            problems.append(f"mail {serial} is lost")
    if set(states) - {"exported", "in_doubt", "failed"}:
        problems.append(f"states: {states}")
    told = sum(" item.returned " in line or " item.in_doubt " in line for line in gateway.log)
    given_back = states.get("failed", 0) + states.get("in_doubt", 0)  # one more than accepted: killed before its 250
    if name == "gone" and (states.get("exported") or not len(ledger.accepted) <= given_back <= len(ledger.attempted)):
        problems.append(f"given back, but {states}; told {told}")
    left = [each for folder in ("Submit", "Import") for each in os.listdir(os.path.join(gateway.out, folder))]
    if left:
        problems.append(f"left over: {left}")
    return problems


def kill_at(build, name, word, call, ordinal):
    """One run. Returns (problems, whether the kill happened)."""
    gateway, ledger = open_gateway(build, name), Ledger()
    try:
        gateway.start()
        gateway.log.clear()
        killed = killed_at(gateway, ROLE, call, ordinal, lambda: (ledger.send(gateway.port, 1), wait_for(gateway, [word])))
        gateway.start()
        ledger.send(gateway.port, 2)  # the adapter goes on
        deadline = time.monotonic() + 20
        problems = ["never looked"]
        while problems and time.monotonic() < deadline:
            breathe()
            problems = problems_of(gateway, ledger, name)
        if gateway.stop() != 0:
            problems.append("exit status")
        return problems or problems_of(gateway, ledger, name), killed
    finally:
        gateway.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    failed = killed = runs = 0
    for name, word in (("bob", "import.done"), ("gone", "item.returned")):
        points = points_of(options.build, name, word)
        print(f"{name}: {len(points)} points, each {options.every}th", flush=True)
        for call, ordinal in points[::options.every]:
            problems, died = kill_at(options.build, name, word, call, ordinal)
            runs += 1
            killed += died
            if problems:
                failed += 1
                print(f"FAILED for {name} at {call} #{ordinal}: {problems}", flush=True)
    print(f"kill import: {runs} runs, {killed} killed, {failed} lost, doubled or unsaid")
    if killed < runs // 2:
        print("too few runs were killed: the sweep does not reach its points")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
