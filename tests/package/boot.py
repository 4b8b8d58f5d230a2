"""The package under systemd itself: the machine of life.py, empty again, is started with systemd as its first process.

Here the package's scripts start, restart and stop the service for real, and the unit's sandbox, readiness and watchdog are at work.
"""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

import life
import making
from gateway import breathe
from life import live, machine, put_inside, stage
from making import Skipped, check, needs
from service_life import files_in, read, until

OUT = "/var/spool/postern/out"
# A network of its own goes with it, so the first configuration's port is free; what sends runs outside and in that network.
SEND = """
import smtplib, sys
for serial in sys.argv[2:]:
    with smtplib.SMTP("127.0.0.1", 2525, timeout=20) as client:
        client.sendmail("a@example.org", [sys.argv[1]], f"X-Serial: {serial}\\r\\nSubject: x\\r\\n\\r\\nbody {serial}\\r\\n")
"""


# Setuid root, it gives itself another user; that needs a capability.
CHANGING = """
[adapter.changing]
kind = "pipe"
folder = "/var/spool/postern/changing"
command = ["/usr/local/bin/changing", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--", "/usr/bin/tee",
           "/var/spool/postern/changed/file"]
[[route]]
recipient = "*@changing.example"
adapter = "changing"
"""
RELAY = """
[adapter.relay]
kind = "smtp"
hosts = ["127.0.0.1"]
tls = "required"
username = "postern"
password_file = "{secret}"
[[route]]
recipient = "*@relay.example"
adapter = "relay"
"""


class Booted:
    """A running systemd. Nothing of it outlives its container, which ends with this."""

    def __init__(self, root):
        self.log = os.path.join(making.state["work"], "boot.log")
        self.name = f"postern-test-{os.getpid()}"
        with open(self.log, "wb") as log:
            # It ends with this process, however that ends.
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "systemd-nspawn", "--quiet", f"--directory={root}", "--boot", "--register=no", "--keep-unit",
                                             "--private-network", f"--machine={self.name}", "--console=pipe"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            until(self.is_up, 60, "systemd")
        except AssertionError:
            said = self.end()
            raise Skipped(f"systemd does not start in a container here: {said[-300:]}") from None

    def children(self, pid):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
            return file.read().split()

    def enter(self, *words, namespaces=("--all",)):
        first = self.children(self.process.pid)
        check(len(first) == 1, "the container has ended")
        return subprocess.run(["nsenter", "--target", first[0], *namespaces, *words], env=machine().environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)

    def is_up(self):
        check(self.process.poll() is None, "it ended")
        try:
            return self.enter("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")
        except AssertionError:
            return False

    def run(self, *words, **options):
        done = self.enter(*words, **options)
        check(done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def apt(self, *words):
        return self.run("apt-get", "--quiet", "--yes", "--no-install-recommends", "--allow-downgrades", "-o", "Dpkg::Use-Pty=0", *words)

    def about(self, unit="postern.service"):
        """The properties of a unit."""
        return dict(line.split("=", 1) for line in self.run("systemctl", "show", unit).splitlines() if "=" in line)

    def send(self, *serials, to="b@legacy.example"):
        self.run(sys.executable, "-c", SEND, to, *map(str, serials), namespaces=("--net",))

    def end(self):
        for _ in range(2):  # the first asks it to power off, the second ends it
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                try:
                    self.process.wait(20)
                except subprocess.TimeoutExpired:
                    continue
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(20)
        place = f"/run/systemd/nspawn/propagate/{self.name}"
        if os.path.isdir(place):
            os.rmdir(place)
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()


def end():
    if "booted" in live:
        live["booted"].end()


@stage
def booted():
    needs("systemd-nspawn", "nsenter")
    life.emptied()
    live["booted"] = Booted(machine().root)
    return live["booted"]


@stage
def started():
    """The older package, installed while systemd runs, and an administrator's first adapter."""
    said = booted().apt("install", put_inside(life.old_package()))
    live["first start"] = booted().about()
    with open(machine().path(life.CONFIG), "a", encoding="utf-8") as file:
        file.write(life.ADDED)
    for name in ("out", "command"):
        booted().run("install", "-d", "-o", "postern", "-g", "postern", f"/var/spool/postern/{name}")
    booted().run("systemctl", "reload", "postern")
    until(lambda: "out" in booted().run("postern", "adapter", "list"), 20, "the reload")
    return said


def arrived():
    """Serial number to how often it is there."""
    found = {}
    for name in files_in(machine().path(OUT)):
        with open(machine().path(OUT, name), "rb") as file:
            serial = int(re.search(rb"X-Serial: (\d+)", file.read()).group(1))
        found[serial] = found.get(serial, 0) + 1
    return found


def test_systemd_starts_the_service_at_its_installation_and_hears_that_it_is_ready():
    said = started()
    about = live["first start"]
    check(about["ActiveState"] == "active" and about["SubState"] == "running", said + str(about))
    check(about["StatusText"] == "Accepting and exporting mail", about["StatusText"])
    check(about["UnitFileState"] == "enabled" and about["Type"] == "notify" and about["NRestarts"] == "0", f"{about}")
    check(booted().about("postern.socket")["ActiveState"] == "inactive", "it opened ports unasked")


def test_inside_of_its_sandbox_it_takes_and_exports_mail():
    started()
    booted().send(1, 2, 3)
    until(lambda: len(arrived()) == 3, 30, "three mails")
    pid = booted().about()["MainPID"]
    with open(machine().path("/etc/passwd"), encoding="utf-8") as file:
        user = re.search(r"^postern:x:(\d+):", file.read(), re.MULTILINE).group(1)
    status = booted().run("cat", f"/proc/{pid}/status")
    for line in (rf"^Uid:\s+{user}\s", r"^NoNewPrivs:\s+1$", r"^Seccomp:\s+2$", r"^CapBnd:\s+0+$"):
        check(re.search(line, status, re.MULTILINE), f"not {line}: {status}")
    journal = booted().run("journalctl", "--unit=postern", "--no-pager")
    check("service.ready" in journal, journal)


def restart():
    booted().run("systemctl", "daemon-reload")
    done = booted().enter("systemctl", "restart", "postern")
    check(done.returncode == 0, done.stderr + booted().run("journalctl", "--unit=postern", "--no-pager", "--lines=20"))


@contextlib.contextmanager
def drop_in(name, text=None):
    """The service with a drop-in: an example of the package, as its first lines say, or `text`."""
    place = "/etc/systemd/system/postern.service.d"
    booted().run("mkdir", "-p", place)
    if text is None:
        example = f"/usr/share/doc/postern/examples/systemd/{name}"
        booted().run("cp", example, place)
        for command in re.findall(r"^#   (install .+)$", read(machine().path(example)).decode(), re.MULTILINE):
            booted().run(*command.split())
    else:
        with open(machine().path(place, name), "w", encoding="utf-8") as file:
            file.write(text)
    try:
        restart()
        yield
    finally:
        booted().run("rm", "-r", place)
        restart()


def test_with_the_drop_in_of_the_examples_it_runs_commands():
    started()
    with drop_in("commands.conf"):
        booted().send(5, to="b@command.example")
        until(lambda: os.path.exists(machine().path("/var/spool/postern/piped")), 30, "what the command writes")


def test_a_service_that_stands_still_is_started_again_by_the_watchdog():
    started()
    place = machine().path("/etc/systemd/system/postern.service.d")
    os.makedirs(place)
    with open(os.path.join(place, "quick.conf"), "w", encoding="utf-8") as file:
        file.write("[Service]\nWatchdogSec=10s\nRestartSec=100ms\n")
    booted().run("systemctl", "daemon-reload")
    booted().run("systemctl", "restart", "postern")
    before = booted().about()
    check(before["NRestarts"] == "0" and before["ActiveState"] == "active", f"{before}")
    deadline = time.monotonic() + 12  # it is fed: longer than the watchdog would wait
    while time.monotonic() < deadline:
        breathe()
    check(booted().about()["MainPID"] == before["MainPID"], "it was restarted although it works")
    booted().run("kill", "-STOP", before["MainPID"])
    until(lambda: int(booted().about()["NRestarts"]) >= 1 and booted().about()["ActiveState"] == "active", 60, "the restart")
    os.unlink(os.path.join(place, "quick.conf"))
    os.rmdir(place)
    booted().run("systemctl", "daemon-reload")
    booted().run("systemctl", "restart", "postern")
    booted().send(4)
    until(lambda: 4 in arrived(), 30, "the next mail")


@stage
def upgraded():
    started()
    booted().run("postern", "adapter", "suspend", "out", "--reason", "an upgrade")
    live["before"] = set(arrived())
    booted().send(*range(11, 16))
    live["pid"] = booted().about()["MainPID"]
    return booted().apt("install", put_inside(making.package()))


def test_an_upgrade_restarts_it_and_what_waited_goes_out_once():
    said = upgraded()
    about = booted().about()
    check(about["ActiveState"] == "active" and about["MainPID"] != live["pid"], said + str(about))
    check(set(arrived()) == live["before"], "it went out although the adapter is suspended")
    booted().run("postern", "adapter", "resume", "out")
    until(lambda: set(arrived()) == live["before"] | set(range(11, 16)), 30, "what waited")
    check(set(arrived().values()) == {1}, f"{arrived()}")


def test_an_upgrade_over_a_wrong_configuration_leaves_the_old_service_running():
    upgraded()
    pid = booted().about()["MainPID"]
    with open(machine().path(life.CONFIG), "a", encoding="utf-8") as file:
        file.write('\n[adapter.wrong]\nkind = "no such kind"\n')
    said = booted().apt("install", "--reinstall", put_inside(making.package()))
    check("was not restarted" in said and "no such kind" in said, said)
    check(booted().about()["MainPID"] == pid, "it was stopped")
    with open(machine().path(life.CONFIG), "r+", encoding="utf-8") as file:
        text = file.read()
        file.seek(0)
        file.write(text[:text.index("\n[adapter.wrong]")])
        file.truncate()
    booted().send(21)
    until(lambda: 21 in arrived(), 30, "mail after it")


def reinstalled():
    return booted().apt("install", "--reinstall", put_inside(making.package()))


def test_an_upgrade_leaves_a_service_alone_that_somebody_stopped():
    upgraded()
    for words, again in (("stop", "start"), ("disable", "enable"), ("mask", "unmask")):
        booted().run("systemctl", words, *(["--now"] if words != "stop" else []), "postern")
        before = booted().about()
        said = reinstalled()
        about = booted().about()
        check(about["ActiveState"] == "inactive", f"{words}: it was started: {said}")
        check(about["UnitFileState"] == before["UnitFileState"], f"{words}: {about['UnitFileState']}, was {before['UnitFileState']}")
        booted().run("systemctl", again, "postern")
        booted().run("systemctl", "start", "postern")
        check(booted().about()["ActiveState"] == "active", f"{again}: it did not come back")
    said = reinstalled()
    check(booted().about()["ActiveState"] == "active", f"the stop of before is remembered: {said}")


def test_a_package_that_is_too_old_for_the_store_leaves_the_running_service_running():
    upgraded()
    pid = booted().about()["MainPID"]
    with contextlib.closing(sqlite3.connect(life.store("postern.db"), timeout=20)) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute("PRAGMA user_version=99")
        said = reinstalled()
        database.execute(f"PRAGMA user_version={version}")
    check("has version 99" in said and "was not restarted" in said, said)
    check(booted().about()["MainPID"] == pid, "it was restarted, and will not come up")
    booted().send(22)
    until(lambda: 22 in arrived(), 30, "mail after it")


def commands_of(document, heading):
    """The indented lines below a heading; what a person reads beside them, behind three blanks, is left out."""
    text = read(os.path.join(making.ROOT, "docs", document)).decode()
    part = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [line.strip().split("   ")[0] for line in part.splitlines() if line.startswith("    ")]


def test_the_steps_of_an_upgrade_and_back_are_as_the_document_says():
    upgraded()
    booted().enter("postern", "adapter", "resume", "out")  # it may be resumed already
    booted().send(24)
    until(lambda: 24 in arrived(), 30, "a mail before the backup")
    before = booted().run("postern", "--json", "queue", "list", "--state", "exported").splitlines()
    package = put_inside(making.package())
    there, back = commands_of("UPGRADING.md", "The steps"), commands_of("UPGRADING.md", "Going back")
    check(len(there) == 7 and len(back) == 5, f"{there} {back}")
    for line in there + back:
        line = line.replace("./postern_NEW_amd64.deb", "--reinstall " + package).replace("./postern_OLD_amd64.deb", "--reinstall " + package)
        booted().run("sh", "-c", line.replace("apt-get install", "apt-get install --yes -o Dpkg::Use-Pty=0"))
    check(booted().about()["ActiveState"] == "active", "it does not run afterwards")
    listed = booted().run("postern", "--json", "queue", "list", "--state", "exported").splitlines()
    check(before and len(listed) == len(before), f"the store is another one: {before} before, {listed} now")


def test_starts_that_were_used_up_are_no_reason_not_to_restart_it():
    upgraded()
    with drop_in("few.conf", "[Unit]\nStartLimitBurst=2\n"):
        said = "".join(reinstalled() for _ in range(3))
        check(booted().about()["ActiveState"] == "active" and "did not" not in said, said)


def test_with_its_drop_in_the_log_stands_in_a_file_with_times():
    upgraded()
    log = "/var/log/postern/postern.log"
    with drop_in("log-file.conf"):
        booted().run("systemctl", "reload", "postern")
        until(lambda: "reload" in read(machine().path(log)).decode(), 20, "lines in the file")
        lines = read(machine().path(log)).decode().splitlines()
        check(all(re.match(r"\d{4}-\d\d-\d\dT\S+Z [a-z]+ ", line) for line in lines), f"{lines}")
        check(machine().stat(log) == ["postern:postern 640"], f"logrotate may not write it: {machine().stat(log)}")
    at = booted().run("journalctl", "--unit=postern", "--no-pager", "--output=json", "--output-fields=PRIORITY,MESSAGE")
    ready = [line for line in at.splitlines() if "service.ready" in line]
    check(ready and all('"PRIORITY":"5"' in line or '"PRIORITY":"6"' in line for line in ready), f"severities: {ready[-1:]}")
    check(not any("<6>" in line or "Z info" in line for line in ready), f"{ready[-1:]}")


def test_with_its_drop_in_programs_change_their_user():
    upgraded()
    spool = machine().path("/var/spool/postern")
    booted().run("install", "-m", "4755", "/usr/bin/setpriv", "/usr/local/bin/changing")
    booted().run("install", "-d", "-o", "postern", "-g", "postern", "/var/spool/postern/changing")
    booted().run("install", "-d", "-o", "nobody", "-g", "nogroup", "/var/spool/postern/changed")
    booted().run("chmod", "0755", "/var/spool/postern")
    path = machine().path(life.CONFIG)
    before = read(path)
    with open(path, "a", encoding="utf-8") as file:
        file.write(CHANGING)
    with drop_in("setuid-commands.conf"):
        booted().send(23, to="b@changing.example")
        until(lambda: os.path.exists(os.path.join(spool, "changed/file")), 30, "what the other user writes")
        check(machine().stat("/var/spool/postern/changed/file")[0].startswith("nobody:nogroup"), "another user wrote it")
    with open(path, "wb") as file:
        file.write(before)
    reinstalled()
    check(machine().stat("/var/spool/postern") == ["postern:postern 755"], "the administrator's rights are gone")


def test_installed_again_it_is_started_with_what_only_a_running_service_sees():
    upgraded()
    secret = "/run/credentials/postern.service/relay-password"
    with open(machine().path(life.CONFIG), "a", encoding="utf-8") as file:
        file.write(RELAY.format(secret=secret))
    with open(machine().path("/etc/postern/relay-password"), "w", encoding="utf-8") as file:
        file.write("secret\n")
    place = "/etc/systemd/system/postern.service.d"
    booted().run("mkdir", "-p", place)
    with open(machine().path(place, "credentials.conf"), "w", encoding="utf-8") as file:
        file.write("[Service]\nLoadCredential=relay-password:/etc/postern/relay-password\n")
    restart()
    pid = booted().about()["MainPID"]
    said = reinstalled()
    about = booted().about()
    check(about["ActiveState"] == "active" and about["MainPID"] != pid, f"while it runs: {said}")
    booted().apt("remove", "postern")
    check(not os.path.exists(machine().path(secret)), "the credential stays, so this tests nothing")
    said = booted().apt("install", put_inside(making.package()))
    check(booted().about()["ActiveState"] == "active", f"after a removal: {said}")
    booted().run("rm", "-r", place)


def test_removal_stops_it():
    upgraded()
    booted().apt("remove", "postern")
    check(booted().enter("pgrep", "-x", "posternd").stdout == "", "it still runs")
    check(booted().about()["LoadState"] == "not-found", "systemd still knows it")
    booted().apt("purge", "postern")
    check(not os.path.exists(machine().path("/etc/postern")), "its configuration")
