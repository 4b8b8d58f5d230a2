#!/usr/bin/env python3
"""What the service needs: start and memory with a million items waiting, and memory while ten 50 MB mails arrive at once.

Usage: memory.py BUILD_FOLDER [--items N]
"""

import argparse
import contextlib
import os
import socket
import sqlite3
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
from gateway import Gateway  # noqa: E402

FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :items)
INSERT INTO message (received_ms, sender, source, client, helo, protocol, header_id, subject, size, eight_bit)
SELECT :now, 'sender@example.org', 'smtp', '192.0.2.1:25', 'client', 'ESMTP', '<' || i || '@example.org>', 'Mail ' || i, 100, 0 FROM n;
INSERT INTO body (message_id, bytes) SELECT id, zeroblob(100) FROM message;
INSERT INTO item (message_id, adapter, grp, due_ms, expires_ms) SELECT id, 'out', '1', :now, :now + 432000000 FROM message;
INSERT INTO recipient (item_id, ordinal, address, legacy) SELECT id, 1, 'user@legacy.example', '' FROM item;
INSERT INTO history (item_id, n, at_ms, who, what) SELECT id, 1, :now, 'postern', 'queued' FROM item;
"""


def megabytes(gateway, key):
    with open(f"/proc/{gateway.process.pid}/status", encoding="utf-8") as file:
        values = dict(line.split(":", 1) for line in file)
    return int(values[key].split()[0]) / 1024


def block(gateway):
    """A file where the adapter's folder should be: everything waits."""
    os.rmdir(gateway.out)
    with open(gateway.out, "w", encoding="utf-8") as file:
        file.write("in the way")


def fill(gateway, items):
    path = os.path.join(gateway.folder, "store", "postern.db")
    values = {"items": items, "now": int(time.time() * 1000)}
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("BEGIN IMMEDIATE")
        for statement in FILL.split(";"):
            if statement.strip():
                database.execute(statement, {key: value for key, value in values.items() if ":" + key in statement})
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def waiting_items(build, items):
    gateway = Gateway(build)
    try:
        block(gateway)
        gateway.start()
        gateway.stop()
        fill(gateway, items)
        started = time.monotonic()
        gateway.start()
        ready = time.monotonic() - started
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as link:
            link.recv(100)
        answering = time.monotonic() - started
        resident = megabytes(gateway, "VmHWM")
        gateway.stop()
        return ready, answering, resident
    finally:
        gateway.close()


def send_large(port, size):
    line = b"x" * 998 + b"\r\n"
    chunk = line * 64
    with socket.create_connection(("127.0.0.1", port), timeout=300) as link:
        stream = link.makefile("rwb")
        stream.readline()
        for command in (b"HELO client", b"MAIL FROM:<a@example.org>", b"RCPT TO:<user@legacy.example>", b"DATA"):
            stream.write(command + b"\r\n")
            stream.flush()
            stream.readline()
        stream.write(b"X-Serial: 1\r\nSubject: large\r\n\r\n")
        for _ in range(size // len(chunk)):
            stream.write(chunk)
        stream.write(b".\r\n")
        stream.flush()
        if not stream.readline().startswith(b"250"):
            raise RuntimeError("a large mail was refused")


def large_mails(build, count, size):
    gateway = Gateway(build)
    try:
        gateway.start()
        threads = [threading.Thread(target=send_large, args=(gateway.port, size)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if not gateway.wait_until_settled(120) or gateway.states() != {"exported": count}:
            raise RuntimeError(f"states {gateway.states()}")
        peak = megabytes(gateway, "VmHWM")
        gateway.stop()
        return peak
    finally:
        gateway.close()


def line(label, value, target, met):
    print(f"  {label:<52} {value:>12}   target {target:<12} {'met' if met else 'MISSED'}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--items", type=int, default=1_000_000)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores; {options.items} items waiting")
    ready, answering, resident = waiting_items(options.build, options.items)
    line("start to ready", f"{ready:.2f} s", "< 2 s", ready < 2)
    line("start to the SMTP greeting", f"{answering:.2f} s", "< 2 s", answering < 2)
    line("resident at most, everything waiting", f"{resident:.0f} MiB", "< 64 MiB", resident < 64)
    peak = large_mails(options.build, 10, 50 * 1000 * 1000)
    line("resident at most, ten mails of 50 MB at once", f"{peak:.0f} MiB", "< 96 MiB", peak < 96)
    return 0


if __name__ == "__main__":
    sys.exit(main())
