#!/usr/bin/env python3
"""How fast the smtp adapter hands mail to a sink (Postfix's smtp-sink), with kept connections and pipelining and
without, in turn. The queue is filled first, with the adapter suspended, so that only the way out is measured.

Usage: wire.py BUILD_FOLDER [--mails N] [--rounds N]
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "fault"), os.path.join(HERE, "..", "interop")]
from gateway import Gateway, breathe  # noqa: E402
from peers import free_port, unpacked  # noqa: E402

ADAPTER = """
[[route]]
recipient = "*@old.example"
adapter = "old"
[adapter.old]
kind = "smtp"
hosts = ["127.0.0.1:{port}"]
tls = "none"
watchers = {watchers}
{more}
"""

WAYS = [
    ("kept, pipelined, 2 watchers", 2, ""),
    ("neither, 2 watchers", 2, 'keep_connection = "0s"\nignore = ["PIPELINING"]'),
    ("kept, pipelined, 8 watchers", 8, ""),
    ("neither, 8 watchers", 8, 'keep_connection = "0s"\nignore = ["PIPELINING"]'),
]


class Sink:
    """smtp-sink and smtp-source, of an unpacked Postfix."""

    def __init__(self, build):
        self.base = unpacked(build, "postfix")
        self.environment = {**os.environ, "LD_LIBRARY_PATH": os.path.join(self.base, "usr/lib/postfix")}
        self.port = free_port()
        self.process = subprocess.Popen([os.path.join(self.base, "usr/sbin/smtp-sink"), "-u", "nobody", f"127.0.0.1:{self.port}", "200"],
                                        env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fill(self, port, mails):
        subprocess.run([os.path.join(self.base, "usr/sbin/smtp-source"), "-s", "20", "-l", "4096", "-m", str(mails), "-f",
                        "s@example.org", "-t", "user@old.example", f"127.0.0.1:{port}"], env=self.environment, check=True,
                       timeout=300)

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def rate(build, sink, mails, watchers, more):
    gateway = Gateway(build, adapters=ADAPTER.format(port=sink.port, watchers=watchers, more=more))
    try:
        gateway.start()

        def postern(*words):
            subprocess.run([gateway.postern, "--config", gateway.config, *words], check=True, capture_output=True, timeout=60)

        postern("adapter", "suspend", "old", "--reason", "the queue is filled")
        sink.fill(gateway.port, mails)
        begun = time.monotonic()
        postern("adapter", "resume", "old")
        while gateway.states().get("exported", 0) < mails:
            if time.monotonic() > begun + 300:
                raise RuntimeError(f"not exported: {gateway.states()}")
            breathe()
        return mails / (time.monotonic() - begun)
    finally:
        gateway.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    sink = Sink(build)
    found = {name: [] for name, _, _ in WAYS}
    try:
        for _ in range(options.rounds):
            for name, watchers, more in WAYS:
                found[name].append(rate(build, sink, options.mails, watchers, more))
                print(f"{name}: {found[name][-1]:.0f} mails/s", flush=True)
    finally:
        sink.close()
    for with_both, neither in ((0, 1), (2, 3)):
        ratios = [a / b for a, b in zip(found[WAYS[with_both][0]], found[WAYS[neither][0]])]
        print(f"{WAYS[with_both][0]} / {WAYS[neither][0]}: {statistics.median(ratios):.2f}")
    return 0


sys.exit(main())
