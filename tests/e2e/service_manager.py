#!/usr/bin/env python3
"""posternd under a service manager: what it says to it, and what it takes from it.

The test does what systemd does (sd_notify(3), sd_listen_fds(3)); systemd's own tools take part where they are installed.
Each function named test_* is one test. Usage: service_manager.py BUILD_FOLDER [TEST ...]
"""

import grp
import json
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import service_life  # noqa: E402
from service_life import Skipped, check, until  # noqa: E402
from gateway import Gateway  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = ""


class Manager:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)

    def hears(self):
        return self.socket.recv(1000).decode()

    def hears_until(self, word):
        """Everything up to the first that contains the word."""
        heard = []
        while not heard or word not in heard[-1]:
            heard.append(self.hears())
        return heard

    def close(self):
        self.socket.close()


def needs(tool):
    if shutil.which(tool) is None:
        raise Skipped(f"{tool} is not installed")


def started_with(environment):
    """A command that sets variables for the service; its process id is the one that it is told of."""
    words = " ".join(f'export {name}="{value}";' for name, value in environment.items())
    return ["sh", "-c", f'{words} exec "$@"', "sh"]


def test_ready_watchdog_reload_and_stop_are_said():
    gateway = Gateway(BUILD)
    manager = Manager(gateway.folder)
    try:
        gateway.start(started_with({"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": 2_000_000, "WATCHDOG_PID": "$$"}))
        check("READY=1" in manager.hears(), "it did not say that it is ready first")
        for _ in range(3):
            check(manager.hears() == "WATCHDOG=1", "the watchdog was not fed")
        gateway.process.send_signal(signal.SIGHUP)
        manager.hears_until("RELOADING=1")
        manager.hears_until("READY=1")
        gateway.process.send_signal(signal.SIGTERM)
        manager.hears_until("STOPPING=1")
        check(gateway.wait_for_end(30) == 0, "it did not stop well")
    finally:
        manager.close()
        gateway.close()


def start_with(gateway, listening, passing):
    """Starts it with the open socket, which no other process would inherit."""
    opened = subprocess.Popen

    class Passing(opened):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, pass_fds=[listening.fileno()], **options)

    subprocess.Popen = Passing
    try:
        gateway.start(passing)
    finally:
        subprocess.Popen = opened


def test_lines_are_for_the_journal_only_where_they_go_there():
    gateway = Gateway(BUILD)
    try:
        gateway.start(started_with({"JOURNAL_STREAM": "$(stat -L -c %d:%i /dev/stderr)"}))
        check(gateway.stop() == 0, "it did not stop well")
        lines = gateway.log
        check(lines and all(re.match(r"<[3-7]>(-|\d+) ", line) for line in lines), f"not for the journal: {lines}")
        gateway.log = []
        # What a unit with StandardError=append: has: the variable of the standard output, and an error that goes elsewhere.
        gateway.start(started_with({"JOURNAL_STREAM": "$(stat -L -c %d:%i /dev/stdout)"}))
        check(gateway.stop() == 0, "it did not stop well")
        lines = gateway.log
        check(lines and all(re.match(r"\d{4}-\d\d-\d\dT\S+Z [a-z]+ (-|\d+) ", line) for line in lines), f"without times: {lines}")
    finally:
        gateway.close()


def test_logrotate_turns_the_file_while_the_service_writes_it():
    needs("logrotate")
    gateway = Gateway(BUILD)
    path = os.path.join(gateway.folder, "postern.log")
    rules, state = os.path.join(gateway.folder, "rules"), os.path.join(gateway.folder, "rotation")
    with open(os.path.join(ROOT, "packaging/systemd/postern.logrotate"), encoding="utf-8") as file:
        text = file.read()
    check("/var/log/postern/*.log {" in text and "su postern postern" in text, text)
    with open(rules, "w", encoding="utf-8") as file:
        user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
        file.write(text.replace("/var/log/postern", gateway.folder).replace("su postern postern", f"su {user} {group}"))
    os.chmod(rules, 0o644)

    def logged():
        with open(path, encoding="utf-8") as file:
            return file.read()

    with open(path, "ab") as log:  # as StandardError=append: opens it
        process = subprocess.Popen([gateway.posternd, "--config", gateway.config], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=log)
    try:
        until(lambda: " service.ready " in logged(), 20, "the start")
        before = logged()
        said = subprocess.run(["logrotate", "--debug", "--state", state, rules], capture_output=True, text=True, timeout=60, check=False)
        check(said.returncode == 0 and "error" not in said.stderr, said.stderr)
        said = subprocess.run(["logrotate", "--force", "--state", state, rules], capture_output=True, text=True, timeout=60, check=False)
        check(said.returncode == 0, said.stderr)
        with open(path + ".1", encoding="utf-8") as file:
            check(file.read().startswith(before), "the old lines are not in the older file")
        process.send_signal(signal.SIGHUP)
        until(lambda: "reload" in logged(), 20, "lines after the turn")
        check(re.match(r"\d{4}-", logged()), f"the file does not begin anew: {logged()[:80]!r}")
    finally:
        process.terminate()
        process.wait(30)
        gateway.close()


def test_a_socket_that_the_manager_opened_is_used_and_keeps_its_callers():
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    gateway = Gateway(BUILD)
    with open(gateway.config, encoding="utf-8") as file:
        text = file.read()
    with open(gateway.config, "w", encoding="utf-8") as file:
        file.write(text.replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"', 1))
    os.set_inheritable(listening.fileno(), True)
    passing = ["sh", "-c", f'exec 3<&{listening.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', "sh"]

    try:
        start_with(gateway, listening, passing)
        check(gateway.port == port, f"it listens on {gateway.port}, not on {port}")
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.sendmail("a@example.org", ["b@legacy.example"], "Subject: one\r\n\r\n.\r\n")
        check(gateway.stop() == 0, "it did not stop well")
        # Nobody is turned away while it restarts: the caller waits in the kernel.
        caller = socket.create_connection(("127.0.0.1", port), timeout=30)
        start_with(gateway, listening, passing)
        check(caller.recv(3) == b"220", "who called meanwhile was not greeted")
        caller.close()
        check(gateway.wait_until_settled(), "mail still waits")
        check(len([name for name in os.listdir(gateway.out) if not name.startswith(".")]) == 1, "not one file")
        check(not any("listener.strange" in line for line in gateway.log), "it did not know its socket")
    finally:
        gateway.close()
        listening.close()


def test_a_socket_that_no_listener_wants_is_said():
    listening = socket.create_server(("127.0.0.1", 0))
    os.set_inheritable(listening.fileno(), True)
    gateway = Gateway(BUILD)
    passing = ["sh", "-c", f'exec 3<&{listening.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', "sh"]
    place = f"127.0.0.1:{listening.getsockname()[1]}"
    try:
        start_with(gateway, listening, passing)
        until(lambda: any("listener.strange" in line and place in line for line in gateway.log), 20, "the strange socket to be named")
    finally:
        gateway.close()
        listening.close()


def test_systemd_socket_activate_starts_it_for_an_lmtp_caller():
    tool = shutil.which("systemd-socket-activate")
    if tool is None:
        raise Skipped("systemd-socket-activate is not installed")
    gateway = Gateway(BUILD)
    path = os.path.join(gateway.folder, "lmtp.sock")
    with open(gateway.config, "a", encoding="utf-8") as file:
        file.write(f'[[listener]]\nname = "lmtp"\nprotocol = "lmtp"\naddress = "unix:{path}"\n')
    process = subprocess.Popen([tool, "-l", path, gateway.posternd, "--config", gateway.config],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: os.path.exists(path), 20, "the socket")
        caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        caller.settimeout(30)
        caller.connect(path)
        check(caller.recv(3) == b"220", "no greeting")
        caller.close()
        process.terminate()
        check(process.wait(30) == 0, "it did not stop well")
        check(os.path.exists(path), "the manager's socket was removed")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
        process.stderr.close()
        gateway.close()


def test_the_units_are_read_by_systemd_and_give_few_rights():
    tool = shutil.which("systemd-analyze")
    if tool is None:
        raise Skipped("systemd-analyze is not installed")
    source = os.path.join(ROOT, "packaging", "systemd")
    examples = os.path.join(source, "examples")
    with tempfile.TemporaryDirectory(prefix="postern-units-") as folder:
        for unit in ("postern.service", "postern.socket"):
            with open(os.path.join(source, unit), encoding="utf-8") as file:
                text = file.read()
            # The programs where they are now; the manual pages are not installed here.
            text = text.replace("/usr/sbin/posternd", os.path.join(BUILD, "connector", "service", "posternd"))
            lines = [line for line in text.splitlines() if not line.startswith("Documentation=")]
            with open(os.path.join(folder, unit), "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
        service = os.path.join(folder, "postern.service")
        done = subprocess.run([tool, "security", "--offline=yes", "--threshold=15", service], capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, "its exposure is over 1.5:\n" + done.stdout + done.stderr)
        for drop_in in [None, *sorted(os.listdir(examples))]:
            places = os.path.join(folder, "postern.service.d")
            shutil.rmtree(places, ignore_errors=True)
            if drop_in:
                os.mkdir(places)
                shutil.copy(os.path.join(examples, drop_in), places)
            done = subprocess.run([tool, "verify", "--man=no", service, os.path.join(folder, "postern.socket")],
                                  capture_output=True, text=True, timeout=60)
            trouble = [line for line in (done.stdout + done.stderr).splitlines() if "postern" in line]
            check(done.returncode == 0 and not trouble, f"{drop_in or 'the units'}: " + done.stdout + done.stderr)
            if drop_in == "setuid-commands.conf":
                check_that_users_can_be_changed(tool, service)


def check_that_users_can_be_changed(tool, service):
    """A program that is setuid root needs the capabilities that it has then, and no others."""
    done = subprocess.run([tool, "security", "--offline=yes", "--json=short", service], capture_output=True, text=True, timeout=60)
    forbidden = {each["json_field"]: each["set"] for each in json.loads(done.stdout) if each["json_field"]}
    for field, wanted in (("CapabilityBoundingSet_CAP_SET_UID_GID_PCAP", False), ("NoNewPrivileges", False),
                          ("SystemCallFilter_privileged", False), ("CapabilityBoundingSet_CAP_SYS_ADMIN", True),
                          ("CapabilityBoundingSet_CAP_SYS_PTRACE", True), ("CapabilityBoundingSet_CAP_SYS_MODULE", True)):
        check(forbidden.get(field) == wanted, f"{field}: {forbidden.get(field)}, not {wanted}")


def main():
    global BUILD
    BUILD = service_life.BUILD = os.path.abspath(sys.argv[1])
    return service_life.run({name: test for name, test in globals().items() if name.startswith("test_")}, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
