#!/usr/bin/env python3
"""kill -9 while a command takes a mail: of the service and of its runner, at each step of both; the ledger is the command's.

The service may die at any moment: nothing is lost, nothing runs twice, nothing is in doubt. The runner may die too; then
the mail is in doubt at most while its command had begun and no result was there, and is never lost or run twice.
Usage: kill_command.py BUILD_FOLDER [--every K]
"""

import argparse
import collections
import contextlib
import os
import re
import shutil
import smtplib
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gateway import Gateway, breathe  # noqa: E402
from kill_sweep import IDLE_CALLS, Tracer, thread_ids, watched  # noqa: E402

ADAPTER = """
[[route]]
recipient = "*@old.example"
adapter = "old"
[adapter.old]
kind = "pipe"
folder = "{folder}"
command = ["{script}", "{{sender}}", "--", "{{recipient}}"]
watchers = 1
on_doubt = "{on_doubt}"
retry_first = "50ms"
retry_longest = "100ms"
"""

# Whoever is asked about too early is asked again when this is over.
LEASE = 'lease = "5s"'

# One line in the ledger for each run. With a file "gate" it waits until somebody removes it. It ends as `ending` says.
SCRIPT = """#!/bin/sh
cat >"{folder}/text.$$" || exit 75
echo begun >>"{folder}/begun"
while [ -e "{folder}/gate" ]; do /bin/sleep 0.02; done
mv "{folder}/text.$$" "{folder}/taken.$$"
{ending}
"""

# How a command ends: its last line, the state that its item comes to, and how often it ran until then.
TAKES = ("exit 0", "exported", 1)
REFUSES = ("echo '5.1.1 nobody of that name'; exit 1", "failed", 1)
REFUSES_BY_CODE = ("exit 67", "failed", 1)
NOT_AT_FIRST = ("mkdir '{folder}/once' 2>/dev/null && exit 75; exit 0", "exported", 2)


class Site:
    """A gateway with a pipe adapter; `runner` stands for postern-runner."""

    def __init__(self, build, on_doubt="hold", runner="", ending=TAKES):
        self.folder = tempfile.mkdtemp(prefix="postern-command-")
        script = os.path.join(self.folder, "command")
        self.ending, self.end_state, self.runs = ending
        self.spill("command", SCRIPT.format(folder=self.folder, ending=self.ending.format(folder=self.folder)))
        os.chmod(script, 0o700)
        programs = os.path.join(build, "connector", "service")
        self.gateway = Gateway(build, extra_config=LEASE, adapters=ADAPTER.format(folder=os.path.join(self.folder, "work"), script=script,
                                                              on_doubt=on_doubt))
        if runner:  # posternd looks for the runner beside itself
            place = os.path.join(self.folder, "bin")
            os.mkdir(place)
            # A hard link or a copy, never a symbolic link: the service asks the system where its program is.
            for name in ("posternd",):
                try:
                    os.link(os.path.join(programs, name), os.path.join(place, name))
                except OSError:
                    shutil.copy2(os.path.join(programs, name), place)
            self.gateway.posternd = os.path.join(place, "posternd")
            self.spill("bin/postern-runner", runner.replace("RUNNER", os.path.join(programs, "postern-runner")))
            os.chmod(os.path.join(place, "postern-runner"), 0o700)

    def spill(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def __enter__(self):
        self.gateway.start()
        return self

    def __exit__(self, *_):
        self.open_gate()
        self.gateway.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def shut_gate(self):
        self.spill("gate", "")

    def open_gate(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, "gate"))

    def send(self, serial=1):
        with smtplib.SMTP("127.0.0.1", self.gateway.port, "client.example.org", timeout=20) as client:
            client.sendmail("sender@example.org", ["user@old.example"],
                            f"X-Serial: {serial}\r\nSubject: serial {serial}\r\n\r\nbody {serial}\r\n")

    def taken(self):
        """Serial to how often it was taken; a torn text has no body."""
        found = collections.Counter()
        for name in os.listdir(self.folder):
            if name.startswith("taken."):
                with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                    text = file.read()
                serial = int(re.search(r"X-Serial: (\d+)", text).group(1))
                check(f"body {serial}\n" in text, f"torn: {text!r}")
                found[serial] += 1
        return found

    def wait_for(self, what, look, limit=20.0):
        deadline = time.monotonic() + limit
        while not look():
            check(time.monotonic() < deadline, f"{what} never came: {self.gateway.states()}\n" +
                  "\n".join(self.gateway.log[-8:]))
            breathe()

    def begun(self):
        return os.path.exists(os.path.join(self.folder, "begun"))

    def is_right(self, states, taken):
        return states == {self.end_state: 1} and taken == {1: self.runs}

    def settle(self):
        check(self.gateway.wait_until_settled(), f"not settled: {self.gateway.states()}\n" +
              "\n".join(self.gateway.log[-12:]))
        return self.gateway.states()


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def children(pid):
    """The processes that `pid` started, and those that they started."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8") as file:
                if int(file.read().rsplit(")", 1)[1].split()[1]) == pid:
                    found += [int(name), *children(int(name))]
    return found


def service_dies_in_the_command(build, ending):
    """The command is at work when the service dies, and ends later: what it said stands, and it ran no more for it."""
    with Site(build, ending=ending) as site:
        site.shut_gate()
        site.send()
        site.wait_for("the command", site.begun)
        site.gateway.kill()
        site.gateway.start()
        check(site.gateway.states() == {"publishing": 1}, f"while it still runs: {site.gateway.states()}")
        site.open_gate()
        states = site.settle()
        check(site.is_right(states, dict(site.taken())), f"{ending}: {states}, {site.taken()}")
    print(f"ok      the service died while the command ran, which ended with: {ending[0]}", flush=True)


def all_die_in_the_command(build, on_doubt):
    """Nobody is left who could know: in doubt, or run again as configured."""
    with Site(build, on_doubt) as site:
        site.shut_gate()
        site.send()
        site.wait_for("the command", site.begun)
        family = children(site.gateway.process.pid)
        check(len(family) >= 2, f"a runner and its command: {family}")
        for pid in family:  # the runner first: it must not see its command die
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        site.gateway.kill()
        site.open_gate()
        site.gateway.start()
        states = site.settle()
        wanted = {"hold": ({"in_doubt": 1}, {}), "resend": ({"exported": 1}, {1: 1})}[on_doubt]
        check((states, dict(site.taken())) == wanted, f"{on_doubt}: {states}, {site.taken()}")
    print(f"ok      service, runner and command died together, on_doubt = {on_doubt}: {states}", flush=True)


def record_service(build, ending):
    """The calls of the watcher for one mail: [(name, ordinal of that name)]."""
    with Site(build, ending=ending) as site:
        return watched(site.gateway, "watch:old", lambda: (site.send(), site.settle()))


def kill_service_at(build, ending, call, ordinal):
    with Site(build, ending=ending) as site:
        tracers = [Tracer(tid, ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={ordinal}"])
                   for tid in thread_ids(site.gateway, "watch:old")]
        try:
            site.send()
            accepted = True
        except (OSError, smtplib.SMTPException):
            accepted = False  # it died while it waited for mail, and may have taken this one or not
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and site.gateway.process.poll() is None:
            if set(site.gateway.states()) == {site.end_state}:
                break
            breathe()
        died = site.gateway.wait_for_end(0.2) is not None
        for tracer in tracers:
            tracer.finish()
        if died:
            site.gateway.start()
        states, taken = site.settle(), dict(site.taken())
        whole = site.is_right(states, taken)
        check(whole or (not accepted and not states and not taken),
              f"service killed at {call} #{ordinal}, the command ended with {ending[0]}: {states}, {taken}")
        return died


# In place of the runner: it under strace, once; from then on the runner itself.
TRACED = """#!/bin/sh
if mkdir "{folder}/traced" 2>/dev/null; then
    exec strace -f -qq -o "{folder}/trace" {options} RUNNER "$@"
fi
exec RUNNER "$@"
"""


def traced_site(build, options):
    site = Site(build, runner="#!/bin/sh\nexec RUNNER \"$@\"\n")
    programs = os.path.join(build, "connector", "service", "postern-runner")
    site.spill("bin/postern-runner", TRACED.format(folder=site.folder, options=options).replace("RUNNER", programs))
    os.chmod(os.path.join(site.folder, "bin", "postern-runner"), 0o700)
    return site


def record_runner(build):
    with traced_site(build, "") as site:
        site.send()
        check(site.settle() == {"exported": 1}, site.gateway.states())
        with open(os.path.join(site.folder, "trace"), encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    runner = lines[0].split()[0]
    points, seen = [], collections.Counter()
    for line in lines:
        found = re.match(r"(\d+) +([a-z0-9_]+)\(", line)
        if found and found.group(1) == runner and found.group(2) not in IDLE_CALLS | {"execve", "exit_group"}:
            seen[found.group(2)] += 1
            points.append((found.group(2), seen[found.group(2)]))
    return points


def kill_runner_at(build, call, ordinal):
    """Only the runner dies. Its end may leave a doubt, and then the command ran once at most."""
    with traced_site(build, f"-e trace={call} -e inject={call}:signal=KILL:when={ordinal}") as site:
        site.send()
        states = site.settle()
        taken = dict(site.taken())
        what = f"runner killed at {call} #{ordinal}: {states}, {taken}"
        check(states in ({"exported": 1}, {"in_doubt": 1}), what)
        if states == {"exported": 1}:
            check(taken == {1: 1}, what)
        else:  # its command goes on without it
            check(set(taken.values()) <= {1}, what)
        return "in_doubt" in states


def sweep(what, points, kill):
    counted = 0
    for call, ordinal in points:
        counted += kill(call, ordinal)
    print(f"ok      {what}: {len(points)} points", flush=True)
    return counted


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    for ending in (TAKES, REFUSES, REFUSES_BY_CODE, NOT_AT_FIRST):
        service_dies_in_the_command(build, ending)
    for on_doubt in ("hold", "resend"):
        all_die_in_the_command(build, on_doubt)
    counted = 0
    for name, ending in (("took", TAKES), ("refused", REFUSES), ("was not ready at first", NOT_AT_FIRST)):
        points = record_service(build, ending)[::options.every]
        died = sweep(f"service killed while a command {name}: nothing lost, doubled or in doubt", points,
                     lambda *at, how=ending: kill_service_at(build, how, *at))
        check(died >= len(points) // 2, f"only {died} of {len(points)} were killed")
        counted += len(points)
    points = record_runner(build)[::options.every]
    doubts = sweep("runner killed, nothing lost or doubled", points, lambda *at: kill_runner_at(build, *at))
    check(doubts < len(points) // 2, "more doubts than a runner's work leaves")
    print(f"kill command: {counted} points of the service and {len(points)} points of the runner, 0 lost, 0 doubled, {doubts} in doubt", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
