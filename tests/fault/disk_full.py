#!/usr/bin/env python3
"""Volumes that really fill up: the store's, its inodes, an adapter's. Small tmpfs volumes, so root is needed.

Each function named test_* is one test. Usage: disk_full.py BUILD_FOLDER [TEST ...]
"""

import contextlib
import json
import os
import smtplib
import subprocess
import sys
import threading

FAULT = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [FAULT, os.path.join(FAULT, "..", "e2e")]
import service_life  # noqa: E402
from gateway import Gateway, Ledger  # noqa: E402
from service_life import Skipped, announce, check, cli, submit, until  # noqa: E402

BUILD = ""
QUIET = 'poll_interval = "2s"\n'  # watchers that look seldom leave the writer the idle second in which it empties its log
LARGE = 100_000  # bytes: such a body stands in a file of its own


@contextlib.contextmanager
def volume(folder, options):
    if os.geteuid() != 0:
        raise Skipped("needs root for a small file system")
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True)
    if done.returncode != 0:
        raise Skipped("no permission to mount a small file system: " + done.stderr.decode().strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], capture_output=True)


@contextlib.contextmanager
def gateway_on(options, config, more=""):
    """A gateway whose store is a volume of its own; not started."""
    made = Gateway(BUILD, extra_config=config)
    with open(made.config, "a", encoding="utf-8") as file:
        file.write(more.format(folder=made.folder))
    try:
        with volume(os.path.join(made.folder, "store"), options):
            try:
                yield made
            finally:
                if made.process and made.process.poll() is None:
                    made.kill()
    finally:
        made.close()


def path_of(gateway, name):
    return os.path.join(gateway.folder, "store", name)


def fill(path):
    """Takes every byte that is left."""
    with open(path, "ab", buffering=0) as file:
        for piece in (1 << 20, 4096):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * piece)


def free(gateway):
    stat = os.statvfs(path_of(gateway, "."))
    return stat.f_bavail * stat.f_frsize


def said(gateway, event):
    return sum(f" {event} " in line for line in gateway.log)


def service_row(gateway):
    rows = [json.loads(line) for line in cli(gateway, "status", "--json").splitlines()]
    return next(row for row in rows if row["type"] == "service"), [row for row in rows if row["type"] == "trouble"]


def sendmail(gateway):
    program = os.path.join(BUILD, "connector", "cli", "postern-sendmail")
    done = subprocess.run([program, "-C", gateway.config, "-f", "a@example.org", "u@legacy.example"],
                          input=b"X-Serial: 9001\nSubject: x\n\nbody 9001\n", capture_output=True, timeout=60)
    return done.returncode, done.stderr.decode()


def drained(gateway, ledger):
    ledger.take(gateway.out)
    return ledger.accepted <= set(ledger.arrived) and gateway.wait_until_settled()


def flow_until_refused(gateway, ledger, filler):
    """Four senders, and a stranger who takes the volume's space under them."""
    lock = threading.Lock()
    serials = iter(range(1, 100_000))
    refused = threading.Event()

    def send():
        while not refused.is_set():
            with lock:
                serial = next(serials)
            mine = Ledger()
            if not mine.send(gateway.port, serial, size=(LARGE if serial % 7 == 0 else 3000)) and announce(gateway, 3000) == 452:
                refused.set()
            with lock:
                ledger.accepted |= mine.accepted
                ledger.attempted |= mine.attempted

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    with open(filler, "ab", buffering=0) as file:
        while not refused.is_set():
            if free(gateway) > 6 << 20:  # below the reserve, above nothing
                file.write(b"x" * (1 << 18))
    for sender in senders:
        sender.join(60)


def test_a_disk_that_fills_under_mail_loses_none_and_the_ballast_lets_the_queue_drain():
    pickup = '[[pickup]]\nname = "in"\nfolder = "{folder}/in"\nsettle = "0s"\ninterval = "200ms"\n'
    with gateway_on("size=96m,mode=700", QUIET + 'reserve = "8 MiB"\nballast = "24 MiB"\nwarn_below = "12%"', pickup) as gateway:
        os.mkdir(os.path.join(gateway.folder, "in"))
        gateway.start()
        until(lambda: said(gateway, "store.ballast_in") == 1, 20, "the ballast")
        check(os.stat(path_of(gateway, "ballast")).st_blocks * 512 >= 24 << 20, "the ballast is sparse")
        service, troubles = service_row(gateway)
        check(service["ballast"] == 24 << 20 and service["free_bytes"] > 40 << 20 and not troubles, (service, troubles))
        check(service["full_in"] == "not known yet" and service["full_in_s"] is None, service)

        cli(gateway, "adapter", "suspend", "out", "--reason", "test")
        ledger = Ledger()
        filler = path_of(gateway, "filler")
        flow_until_refused(gateway, ledger, filler)
        check(len(ledger.accepted) > 5, "hardly any mail was taken")
        until(lambda: said(gateway, "store.full") and said(gateway, "disk.low") == 1, 20, "that it is said")

        # With nothing left, and the log folded back: every commit from here on needs space that is not there.
        until(lambda: os.path.getsize(path_of(gateway, "postern.db-wal")) == 0, 20, "the log's end")
        fill(filler)
        check(free(gateway) == 0, free(gateway))
        with open(os.path.join(gateway.folder, "in", "later.eml"), "w", encoding="utf-8") as file:
            file.write("X-Serial: 9000\nTo: u@legacy.example\nFrom: a@example.org\nSubject: x\n\nbody 9000\n")
        ledger.attempted |= {9000, 9001}
        check(announce(gateway, 0) == 452, "mail is taken on a full disk")
        code, text = sendmail(gateway)
        check(code == 75 and "short of room" in text, f"sendmail: {code} {text}")

        # The first change meets the full disk; with the ballast given away the same change works.
        done = subprocess.run([gateway.postern, "--config", gateway.config, "adapter", "resume", "out"], capture_output=True, timeout=60)
        until(lambda: said(gateway, "store.ballast_out") == 1, 20, "the ballast to be given away")
        check(os.path.getsize(path_of(gateway, "ballast")) == 0, "it still holds its space")
        if done.returncode != 0:
            cli(gateway, "adapter", "resume", "out")
        fill_left = free(gateway)
        check(fill_left > 8 << 20, f"{fill_left} bytes came free")
        check(announce(gateway, 0) == 452, "new mail takes the space that the queue needs")
        until(lambda: service_row(gateway)[0]["ballast"] == 0 and any("given away" in each["text"] for each in service_row(gateway)[1]),
              20, "status to show that the ballast is gone")
        cli(gateway, "status", "--check", status=69)

        # A crash in the middle of it: the next start knows, and goes on.
        gateway.kill()
        gateway.log.clear()
        gateway.start()
        check(announce(gateway, 0) == 452, "the restart forgot that the ballast is gone")
        until(lambda: drained(gateway, ledger), 60, "the queue to drain")
        check(ledger.accepted <= set(ledger.arrived), ledger.verdict())
        check(os.path.exists(os.path.join(gateway.folder, "in", "later.eml")), "pickup took a file that it could not store")

        os.unlink(filler)
        until(lambda: announce(gateway, 3000) == 250, 30, "room again")
        until(lambda: os.path.getsize(path_of(gateway, "ballast")) == 24 << 20, 30, "the ballast to come back")
        until(lambda: said(gateway, "store.ballast_in") == 1 and said(gateway, "store.room") == 1, 20, "that it is said")
        check(ledger.send(gateway.port, 9002), "a mail with room again")
        ledger.accepted.add(9000)
        code, text = sendmail(gateway)
        check(code == 0, f"sendmail: {code} {text}")
        ledger.accepted.add(9001)
        until(lambda: drained(gateway, ledger), 30, "the last mails")
        check(not ledger.verdict(), ledger.verdict())
        until(lambda: not service_row(gateway)[1], 30, "no trouble any more")
        check(cli(gateway, "db", "check") == "", "the store is not whole")
        check(gateway.stop() == 0, "exit status")


def test_a_full_disk_keeps_nobody_from_starting():
    with gateway_on("size=64m,mode=700", 'reserve = "4 MiB"\nballast = "16 MiB"') as gateway:
        gateway.start()
        until(lambda: said(gateway, "store.ballast_in") == 1, 20, "the ballast")
        cli(gateway, "adapter", "suspend", "out", "--reason", "test")
        ledger = Ledger()
        check(all(ledger.send(gateway.port, serial) for serial in range(1, 20)), "a mail was refused")
        check(gateway.stop() == 0, "exit status")
        fill(path_of(gateway, "filler"))
        gateway.log.clear()
        gateway.start()
        check(said(gateway, "store.ballast_out") == 1, gateway.log)
        cli(gateway, "adapter", "resume", "out")
        until(lambda: drained(gateway, ledger), 60, "the queue to drain")
        check(not ledger.verdict(), ledger.verdict())
        check(gateway.stop() == 0, "exit status")


def test_without_a_ballast_it_heals_all_the_same():
    with gateway_on("size=48m,mode=700", QUIET + 'reserve = "4 MiB"\nballast = "0 B"') as gateway:
        gateway.start()
        ledger = Ledger()
        cli(gateway, "adapter", "suspend", "out", "--reason", "test")
        check(all(ledger.send(gateway.port, serial) for serial in range(1, 20)), "a mail was refused")
        until(lambda: os.path.getsize(path_of(gateway, "postern.db-wal")) == 0, 20, "the log's end")
        fill(path_of(gateway, "filler"))
        cli(gateway, "adapter", "resume", "out", status=75)
        check(announce(gateway, 0) == 452, "mail is taken")
        os.unlink(path_of(gateway, "filler"))
        cli(gateway, "adapter", "resume", "out")
        until(lambda: drained(gateway, ledger), 60, "the queue to drain")
        check(not ledger.verdict(), ledger.verdict())
        check(gateway.stop() == 0, "exit status")


def test_a_volume_without_inodes_refuses_mail_and_goes_on():
    with gateway_on("size=128m,nr_inodes=160,mode=700", 'reserve = "4 MiB"\nwarn_below = "1%"') as gateway:
        gateway.start()
        cli(gateway, "adapter", "suspend", "out", "--reason", "test")
        ledger = Ledger()
        serial = 0
        while serial < 200 and ledger.send(gateway.port, serial + 1, size=LARGE):
            serial += 1
        check(20 < serial < 160, f"{serial} mails fitted into 160 inodes")
        until(lambda: announce(gateway, 1000) == 452, 10, "mail to be refused for want of inodes")
        service, troubles = service_row(gateway)
        check(service["free_files"] > 0 and service["free_bytes"] > 40 << 20, service)
        until(lambda: any("inodes" in each["text"] for each in service_row(gateway)[1]), 20, "a trouble that names inodes")
        index = 0
        with contextlib.suppress(OSError):
            while True:
                os.close(os.open(path_of(gateway, f"filler-{index}"), os.O_CREAT | os.O_WRONLY))
                index += 1
        check(index > 0, "no inode was kept")
        cli(gateway, "adapter", "resume", "out")
        until(lambda: drained(gateway, ledger), 60, "the queue to drain")
        check(not ledger.verdict(), ledger.verdict())
        for each in range(index):
            os.unlink(path_of(gateway, f"filler-{each}"))
        subprocess.run(["mount", "-o", "remount,nr_inodes=400", path_of(gateway, ".")], check=True)
        until(lambda: ledger.send(gateway.port, 1000, size=LARGE), 20, "room again")
        check(gateway.wait_until_settled(), "not settled")
        ledger.take(gateway.out)
        check(not ledger.verdict(), ledger.verdict())
        check(cli(gateway, "db", "check") == "", "the store is not whole")
        check(gateway.stop() == 0, "exit status")


def test_an_adapters_full_volume_stops_that_adapter_alone():
    box = '[[route]]\nrecipient = "*@box.example"\nadapter = "box"\n[adapter.box]\nkind = "drop"\nfolder = "{folder}/box"\n'
    gateway = Gateway(BUILD)
    with open(gateway.config, "a", encoding="utf-8") as file:
        file.write(box.format(folder=gateway.folder))
    try:
        with volume(os.path.join(gateway.folder, "box"), "size=1m") as small:
            try:
                gateway.start()
                fill(os.path.join(small, ".filler"))
                submit(gateway, ["u@box.example"], "X-Serial: 1\r\nSubject: x\r\n\r\nbody 1\r\n" + "x\r\n" * 10_000)
                until(lambda: "adapter box" in {each["about"] for each in service_row(gateway)[1]}, 30, "a trouble")
                ledger = Ledger()
                check(all(ledger.send(gateway.port, serial) for serial in range(2, 12)), "a mail was refused")
                until(lambda: ledger.take(gateway.out) == 0 and len(ledger.arrived) == 10, 30, "the other adapter's mail")
                check(gateway.states() == {"ready": 1, "exported": 10}, gateway.states())
                until(lambda: '"state":"unhealthy"' in cli(gateway, "status", "--json"), 20, "box to be unhealthy")
                os.unlink(os.path.join(small, ".filler"))
                until(lambda: gateway.states() == {"exported": 11}, 90, "box to go on")
                check(gateway.stop() == 0, "exit status")
            finally:
                if gateway.process and gateway.process.poll() is None:
                    gateway.kill()
    finally:
        gateway.close()


def test_many_announced_sizes_count_together():
    with gateway_on("size=64m,mode=700", 'reserve = "4 MiB"\nballast = "0 B"') as gateway:
        gateway.start()
        sessions = []
        try:
            codes = []
            for _ in range(4):
                session = smtplib.SMTP("127.0.0.1", gateway.port, local_hostname="client.example.org", timeout=20)
                sessions.append(session)
                session.ehlo()
                code = session.mail("a@example.org", ["SIZE=15000000"])[0]
                codes.append(session.rcpt("u@legacy.example")[0] if code == 250 else code)
            check(codes == [250, 250, 452, 452], codes)
            sessions[0].rset()
            check(sessions[2].mail("a@example.org", ["SIZE=15000000"])[0] == 250, "room that was given back")
            check(sessions[3].mail("a@example.org", ["SIZE=100000"])[0] == 250, "a small one")
        finally:
            for session in sessions:
                session.close()
        check(gateway.stop() == 0, "exit status")


def main():
    global BUILD
    BUILD = sys.argv[1]
    service_life.BUILD = BUILD
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    return service_life.run(tests, sys.argv[2:], all_skipped=77)


if __name__ == "__main__":
    sys.exit(main())
