#!/usr/bin/env python3
"""Random kill -9 of posternd under load, with restart, while senders send and a consumer takes and deletes.

Every mail that got its 250 must arrive exactly once; a mail without 250 at most once per submission.

Usage: kill_storm.py BUILD_FOLDER [--kills N] [--seed S]
"""

import argparse
import random
import sys
import threading
import time

from gateway import Gateway, Ledger


class Senders:
    """Threads that send numbered mails as fast as they are taken."""

    def __init__(self, gateway, ledger, count):
        self.gateway, self.ledger = gateway, ledger
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.serial = 0
        self.threads = [threading.Thread(target=self._run) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _next(self):
        with self.lock:
            self.serial += 1
            return self.serial

    def _run(self):
        while not self.stopping.is_set():
            port = self.gateway.port
            if port is None or not self.ledger.send(port, self._next(), size=2000):
                self.stopping.wait(0.01)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def storm(gateway, ledger, kills, chance):
    for _ in range(kills):
        gateway.start()
        deadline = time.monotonic() + chance.uniform(0.005, 0.25)
        while time.monotonic() < deadline:
            ledger.take(gateway.out)
        gateway.port = None
        gateway.kill()
        ledger.take(gateway.out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.kills} kills", flush=True)
    gateway, ledger = Gateway(options.build, extra_config="hold_after_deaths = 1000"), Ledger()
    try:
        senders = Senders(gateway, ledger, 6)
        try:
            storm(gateway, ledger, options.kills, random.Random(options.seed))
        finally:
            senders.stop()
        gateway.start()
        settled = gateway.wait_until_settled(120)
        ledger.take(gateway.out)
        states = gateway.states()
        status = gateway.stop()
        ledger.take(gateway.out)
    finally:
        gateway.close()
    problems = ledger.verdict()
    lost = sum(serial not in ledger.arrived for serial in ledger.accepted)
    doubled = sum(times > 1 for times in ledger.arrived.values())
    print(f"kill storm: {options.kills} kills, {len(ledger.attempted)} sent, {len(ledger.accepted)} got 250, "
          f"{sum(ledger.arrived.values())} mails: {lost} lost, {doubled} doubled")
    if not settled or set(states) - {"exported"} or status != 0:
        problems.append(f"settled {settled}, states {states}, exit status {status}")
    if len(ledger.accepted) < options.kills:
        problems.append("too little load for the storm to mean anything")
    for problem in problems[:20]:
        print("FAILED:", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
