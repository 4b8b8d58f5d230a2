#!/usr/bin/env python3
"""What looking costs the mail: the same flow alone and beside four who list the queue at full speed, in turn.

The flow is that of e2e.py: mails of 4 KiB over 20 SMTP sessions into a Maildir, until the last one is exported. 20,000 items more
wait at a suspended adapter, and the listers read all of them, again and again: as `postern queue list`, which reads the store
itself, or over the control socket, where the service reads. Ratios within a pair count, single rates do not.

Usage: listers.py BUILD_FOLDER [--mails N] [--pairs R] [--waiting N] [--way cli|socket|both]
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from e2e import MESSAGE_BYTES, Postern, line, run_load, settle  # noqa: E402

LISTERS = 4


class Gateway(Postern):
    """With a second adapter, where mail waits."""

    def __init__(self, folder, build):
        super().__init__(folder, build)
        self.cleared = 0
        self.postern = os.path.join(build, "connector", "cli", "postern")
        with open(self.config, "a", encoding="utf-8") as file:
            file.write(f"""
[[route]]
recipient = "*@waits.example"
adapter = "waits"
[adapter.waits]
kind = "maildir"
folder = "{folder}/waits"
""")

    def cli(self, *arguments):
        subprocess.run([self.postern, "--config", self.config, *arguments], check=True, stdout=subprocess.DEVNULL)

    def fill(self, count):
        self.cli("adapter", "suspend", "waits", "--reason", "the bench")
        subprocess.run(["smtp-source", "-s", "20", "-m", str(count), "-l", "1024", "-f", "sender@example.org", "-t",
                        "user@waits.example", f"inet:127.0.0.1:{self.port}"], check=True)

    def clear(self):
        """Nothing is deleted before the end: file systems without a journal pass over inodes that were freed just now, one by one."""
        new = os.path.join(self.maildir, "new")
        self.cleared += 1
        os.rename(new, os.path.join(self.folder, f"cleared-{self.cleared}"))
        os.mkdir(new)


class ByProgram:
    """`postern queue list`, its output thrown away."""

    name = "postern queue list"

    def __init__(self, gateway):
        self.gateway, self.items, self.ended = gateway, 0, False
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.ended:
            done = subprocess.run([self.gateway.postern, "--config", self.gateway.config, "--json", "queue", "list", "--adapter", "waits"],
                                  check=True, stdout=subprocess.DEVNULL)
            self.items += done.returncode == 0

    def end(self):
        self.ended = True
        self.thread.join()


class BySocket:
    """Pages of a thousand rows over the control socket, the next as soon as one has come."""

    name = "control socket"

    def __init__(self, gateway):
        self.path, self.items, self.ended = os.path.join(gateway.folder, "store", "control.sock"), 0, False
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.path)
            after = ""
            while not self.ended:
                client.sendall(json.dumps({"verb": "queue.list", "fields": {"adapter": "waits", "limit": "1000", "after": after}}).encode() + b"\n")
                answer = b""
                while b'\n{"ok":' not in answer[-400:] and not answer.startswith(b'{"ok":'):
                    piece = client.recv(1 << 20)
                    if not piece:
                        raise RuntimeError("the service ended the connection")
                    answer += piece
                rows = answer.split(b"\n")[:-2]
                self.items += len(rows)
                after = str(json.loads(rows[-1])["row"]["id"]) if rows else ""

    def end(self):
        self.ended = True
        self.thread.join()


def flow(gateway, options, kind):
    settle()
    gateway.clear()
    listers = [kind(gateway) for _ in range(LISTERS)] if kind else []
    try:
        rate = run_load(gateway, options.mails)[0]
    finally:
        for lister in listers:
            lister.end()
    return rate, sum(lister.items for lister in listers)


def compare(gateway, options, kind):
    ratios = []
    flow(gateway, options, None)  # the first one meets a fresh file system
    for number in range(options.pairs):
        order = (None, kind) if number % 2 == 0 else (kind, None)
        rates = {each: flow(gateway, options, each) for each in order}
        alone, beside = rates[None][0], rates[kind][0]
        ratios.append(beside / alone)
        print(f"  pair {number + 1}: {alone:7.0f} mails/s alone, {beside:7.0f} beside {LISTERS} listers ({kind.name}, {rates[kind][1]} read): "
              f"{ratios[-1]:.2f}", flush=True)
    ratio = statistics.median(ratios)
    line(f"beside {LISTERS} listers ({kind.name}) / alone", f"{ratio:.2f}", ">= 0.9", ratio >= 0.9)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--mails", type=int, default=10000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--waiting", type=int, default=20000)
    parser.add_argument("--way", choices=["cli", "socket", "both"], default="both")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="postern-bench-")
    print(f"{os.cpu_count()} cores; {options.mails} mails of {MESSAGE_BYTES} bytes, {options.waiting} items that wait, {LISTERS} listers")
    try:
        gateway = Gateway(folder, os.path.abspath(options.build))
        gateway.start()
        try:
            gateway.fill(options.waiting)
            for way, kind in (("cli", ByProgram), ("socket", BySocket)):
                if options.way in (way, "both"):
                    compare(gateway, options, kind)
        finally:
            gateway.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
