#!/usr/bin/env python3
"""End to end, against Postfix: N mails of 4 KiB over 20 SMTP sessions, until the last one is a synced file in a Maildir.

Both gateways run in one go on one machine, in turn, with the same load generator (Postfix's smtp-source), both durable:
each accepted mail is synced before its 250 and each exported file is synced. What counts is the ratio; the machine may
be slow or noisy. Also measured for Postern: the time from "250" to exported when idle, and the memory.

Usage: e2e.py BUILD_FOLDER [--mails N] [--rounds R] [--skip-postfix]
"""

import argparse
import grp
import os
import pwd
import shutil
import signal
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SESSIONS = 20
MESSAGE_BYTES = 4096


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(ready, limit, what):
    deadline = time.monotonic() + limit
    pause = socket.socketpair()[0]
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {limit} s for {what}")
        pause.settimeout(0.02)
        try:
            pause.recv(1)
        except TimeoutError:
            pass


def accepts(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def count_files(folder):
    try:
        return sum(1 for _ in os.scandir(folder))
    except FileNotFoundError:
        return 0


class Postfix:
    """A private instance: own configuration, queue and data, one SMTP port on loopback, delivery to one Maildir."""

    name = "Postfix"

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.conf = os.path.join(folder, "conf")
        self.maildir = os.path.join(folder, "mail", "user")
        os.makedirs(self.conf)
        user, group = pwd.getpwnam("nobody"), grp.getgrnam("nogroup")
        for name in ("queue", "data", "mail"):
            os.makedirs(os.path.join(folder, name))
        shutil.chown(os.path.join(folder, "data"), "postfix", "postfix")
        shutil.chown(os.path.join(folder, "mail"), "nobody", "nogroup")
        self._write("main.cf", f"""compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
multi_instance_enable = yes
multi_instance_name = postfix-bench
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = bench.example
mydestination =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = legacy.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:user/
virtual_uid_maps = static:{user.pw_uid}
virtual_gid_maps = static:{group.gr_gid}
virtual_mailbox_limit = 0
alias_maps =
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
smtpd_peername_lookup = no
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
""")
        self._write("master.cf", f"""127.0.0.1:{self.port} inet n - n - 100 smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
""")
        self.process = None

    def _write(self, name, text):
        with open(os.path.join(self.conf, name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        subprocess.run(["postfix", "-c", self.conf, "start"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: accepts(self.port), 20, "Postfix")

    def exported(self):
        return count_files(os.path.join(self.maildir, "new"))

    def stop(self):
        subprocess.run(["postfix", "-c", self.conf, "stop"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Postern:
    """posternd as it is installed: one SMTP listener, one Maildir."""

    name = "Postern"

    def __init__(self, folder, build):
        self.folder, self.port = folder, free_port()
        self.maildir = os.path.join(folder, "mail")
        self.posternd = os.path.join(build, "connector", "service", "posternd")
        self.config = os.path.join(folder, "postern.toml")
        self.process = None
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""hostname = "bench.example"
store = "{folder}/store"
[[listener]]
protocol = "smtp"
address = "127.0.0.1:{self.port}"
[[route]]
recipient = "*@legacy.example"
adapter = "mail"
[adapter.mail]
kind = "maildir"
folder = "{self.maildir}"
""")

    def start(self):
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen([self.posternd, "--config", self.config], stdin=subprocess.DEVNULL, stderr=log)
        wait_until(lambda: accepts(self.port), 20, "posternd")

    def exported(self):
        return count_files(os.path.join(self.maildir, "new"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def resident(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            values = dict(line.split(":", 1) for line in file)
        return int(values["VmRSS"].split()[0]) / 1024, int(values["VmHWM"].split()[0]) / 1024


    def cpu(self):
        """Seconds of processor time used so far: steadier than the rate on a machine with other work."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settle():
    """Nothing of one run may be left for the next: dirty pages, and the seconds in which ext4 avoids fresh inodes."""
    os.sync()
    time.sleep(6)


def run_load(gateway, mails):
    """Mails per second from the first byte to the last exported file."""
    before = gateway.exported()
    started = time.monotonic()
    subprocess.run(["smtp-source", "-s", str(SESSIONS), "-m", str(mails), "-l", str(MESSAGE_BYTES), "-f", "sender@example.org",
                    "-t", "user@legacy.example", f"inet:127.0.0.1:{gateway.port}"], check=True)
    accepted = time.monotonic() - started
    wait_until(lambda: gateway.exported() >= before + mails, 300, f"{gateway.name} to export {mails} mails")
    elapsed = time.monotonic() - started
    return mails / elapsed, mails / accepted


def latencies(gateway, count):
    """Milliseconds from "250" to the file in the Maildir, one mail at a time on an idle service."""
    found = []
    new = os.path.join(gateway.maildir, "new")
    with smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client:
        for _ in range(count):
            before = count_files(new)
            client.sendmail("a@example.org", ["user@legacy.example"], "Subject: one\r\n\r\none\r\n")
            answered = time.monotonic()
            while count_files(new) == before:
                pass
            found.append((time.monotonic() - answered) * 1000)
            for entry in os.scandir(new):
                os.unlink(entry.path)
    return found


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def line(label, value, target, met):
    print(f"  {label:<44} {value:>16}   target {target:<14} {'met' if met else 'MISSED'}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--mails", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-postfix", action="store_true")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="postern-bench-")
    os.chmod(folder, 0o755)
    print(f"{os.cpu_count()} cores; {options.mails} mails of {MESSAGE_BYTES} bytes over {SESSIONS} sessions, {options.rounds} rounds")
    rates = {"Postfix": [], "Postern": []}
    try:
        for number in range(options.rounds):
            for kind in ("Postfix", "Postern"):
                if kind == "Postfix" and options.skip_postfix:
                    continue
                settle()
                place = os.path.join(folder, f"{kind}-{number}")
                os.makedirs(place)
                gateway = Postfix(place) if kind == "Postfix" else Postern(place, options.build)
                gateway.start()
                try:
                    end_to_end, accepted = run_load(gateway, options.mails)
                    rates[kind].append(end_to_end)
                    more = ""
                    if kind == "Postern":
                        more = (f", {gateway.cpu() / options.mails * 1e6:.0f} µs of CPU a mail, "
                                f"{gateway.resident()[1]:.0f} MiB at most")
                    print(f"  round {number + 1}: {kind:<8} {end_to_end:8.0f} mails/s end to end ({accepted:.0f} accepted/s{more})",
                          flush=True)
                finally:
                    gateway.stop()
        settle()
        place = os.path.join(folder, "latency")
        os.makedirs(place)
        gateway = Postern(place, options.build)
        gateway.start()
        try:
            times = latencies(gateway, 300)
        finally:
            gateway.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("measured")
    if rates["Postfix"]:
        ratio = statistics.median(a / b for a, b in zip(rates["Postern"], rates["Postfix"]))
        line("end to end, Postern / Postfix", f"{ratio:.1f} x", ">= 5 x", ratio >= 5)
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    line('"250" to exported, idle, p50', f"{p50:.1f} ms", "< 5 ms", p50 < 5)
    line('"250" to exported, idle, p99', f"{p99:.1f} ms", "< 25 ms", p99 < 25)
    return 0


if __name__ == "__main__":
    sys.exit(main())
