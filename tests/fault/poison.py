#!/usr/bin/env python3
"""A mail that kills its worker, among others that do not.

The killer is outside: each read of that mail's body file ends the process, as a crash in a parser would. After
five deaths the mail stands as held, with its bytes; everything else has arrived once.

With --converting the adapter is one that makes a plain text of each mail (mbox, format = "plain"), so that the
death is one of the conversion.

Usage: poison.py BUILD_FOLDER [--converting]
"""

import argparse
import contextlib
import os
import re
import sqlite3
import subprocess
import sys
import time

from gateway import Gateway, Ledger

OTHERS = 40
POISON = 1000
DEATHS = 5


class PlainLedger(Ledger):
    """Of mails that were converted: a header of the sender's own is left behind."""

    def take_one(self, content, name):
        if b"X-Serial" in content:
            raise AssertionError(f"not converted: {name}")
        serial = re.search(rb"Subject: serial (\d+)", content).group(1)
        super().take_one(b"X-Serial: " + serial + b"\n" + content, name)


def command(gateway, *words):
    done = subprocess.run([gateway.postern, "--config", gateway.config, *words], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"postern {' '.join(words)}: {done.stderr}")
    return done.stdout


def body_files(gateway):
    found = []
    for folder, _, names in os.walk(os.path.join(gateway.folder, "store", "bodies")):
        found += [os.path.join(folder, name) for name in names if name.endswith(".eml")]
    return found


def fill(gateway, ledger):
    """The poison stands in the middle; only its body is large enough for a file of its own."""
    gateway.start()
    command(gateway, "adapter", "suspend", "out", "--reason", "filling the queue")
    for serial in range(OTHERS):
        if serial == OTHERS // 2 and not ledger.send(gateway.port, POISON, size=200_000):
            raise AssertionError("the poison was not taken")
        if not ledger.send(gateway.port, serial):
            raise AssertionError("a mail was not taken")
    gateway.stop()
    command(gateway, "adapter", "resume", "out")


def lives_on(gateway):
    """Until everything is settled (true) or the process is dead."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and gateway.wait_for_end(0.01) is None:
        if gateway.wait_until_settled(0.01):
            return True
    return False


def poison_row(gateway):
    path = os.path.join(gateway.folder, "store", "postern.db")
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
        return database.execute("SELECT id, state, deaths, attempts, reason FROM item "
                                "ORDER BY deaths DESC, id LIMIT 1").fetchone()


def run(gateway, ledger, problems):
    fill(gateway, ledger)
    (body,) = body_files(gateway)
    killer = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-P", body, "-e", "inject=pread64:signal=KILL"]
    lives = 0
    for lives in range(1, 3 * DEATHS):
        with contextlib.suppress(RuntimeError):  # it may die before it says that it is ready
            gateway.start(killer)
        if lives_on(gateway):
            break
    ledger.take(gateway.out)
    item, state, deaths, attempts, reason = poison_row(gateway)
    print(f"poison: {lives - 1} deaths; item {item} is {state} after {attempts} attempts: {reason}; "
          f"{sum(ledger.arrived.values())} others arrived")
    if (state, deaths) != ("held", DEATHS) or f"died {DEATHS} times" not in reason:
        problems.append(f"the poison is {state} with {deaths} deaths: {reason}")
    if lives != DEATHS + 1:
        problems.append(f"the process died {lives - 1} times, wanted {DEATHS}")
    if gateway.states() != {"held": 1, "exported": OTHERS}:
        problems.append(f"states {gateway.states()}")
    if "x" * 70 not in open(body, encoding="utf-8").read():
        problems.append("the poison's bytes are gone")
    # Once the fault is mended, a person lets it go.
    gateway.stop()
    gateway.start()
    command(gateway, "queue", "release", str(item))
    if not gateway.wait_until_settled(20):
        problems.append(f"after the release: {gateway.states()}")
    ledger.take(gateway.out)
    gateway.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--converting", action="store_true")
    options = parser.parse_args()
    problems = []
    if options.converting:
        gateway, ledger = Gateway(options.build, adapters='format = "plain"', kind="mbox"), PlainLedger("mbox")
    else:
        gateway, ledger = Gateway(options.build), Ledger()
    try:
        run(gateway, ledger, problems)
    finally:
        gateway.close()
    problems += ledger.verdict()
    for problem in problems[:20]:
        print("FAILED:", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
