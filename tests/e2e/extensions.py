#!/usr/bin/env python3
"""Adapters from outside the tree, as docs/ADAPTERS.md leads there: its commands are run, and the service uses what they make.

Each function named test_* is one test. Usage: extensions.py BUILD_FOLDER [TEST ...]
"""

import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import service_life  # noqa: E402
from service_life import check, cli, files_in, read, submit, until  # noqa: E402
from gateway import Gateway  # noqa: E402

SOURCE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
MADE = tempfile.mkdtemp(prefix="postern-extension-")


def library(name):
    """One that the unit tests build, in one of the ways to be wrong."""
    return os.path.join(service_life.BUILD, "tests", "unit", "extension", "libraries", name)


def commands_of_step(number):
    """The first block of shell commands in a step of the page."""
    with open(os.path.join(SOURCE, "docs", "ADAPTERS.md"), encoding="utf-8") as file:
        step = re.search(rf"^## {number}\. .*?^```\n(.*?)^```", file.read(), re.M | re.S)
    return step.group(1).splitlines()


def built_slip():
    """The sample, built alone by the commands of step 3."""
    made = os.path.join(MADE, "slip", "slip.so")
    if not os.path.exists(made):
        for command in commands_of_step(3)[:2]:
            command = command.replace("build/slip", os.path.join(MADE, "slip")).replace("$PWD", SOURCE)
            done = subprocess.run(command, shell=True, cwd=SOURCE, capture_output=True, timeout=300, check=False)
            check(done.returncode == 0, f"{command}: {done.stdout.decode()} {done.stderr.decode()}")
    return made


class Site:
    """A gateway with an adapter folder of its own, and an adapter of the kind `kind` beside the drop folder."""

    def __init__(self, kind="slip", extra=""):
        self.gateway = Gateway(service_life.BUILD)
        self.folder = self.gateway.folder
        self.libraries = os.path.join(self.folder, "libraries")
        self.slips = os.path.join(self.folder, "slips")
        os.mkdir(self.libraries, 0o755)
        os.mkdir(self.slips)
        with open(self.gateway.config, encoding="utf-8") as file:
            config = file.read()
        with open(self.gateway.config, "w", encoding="utf-8") as file:
            file.write(f'adapter_folder = "{self.libraries}"\n{config}\n[[route]]\nrecipient = "*@paper.example"\n'
                       f'adapter = "printer"\n[adapter.printer]\nkind = "{kind}"\nfolder = "{self.slips}"\n{extra}\n')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gateway.close()

    def install(self, path, mode="644"):
        """As step 3 has it."""
        command = commands_of_step(3)[2]
        check(command.startswith("install -m 644 "), f"the page says: {command}")
        subprocess.run(["install", "-m", mode, path, self.libraries], check=True, timeout=60)

    def send(self, recipient, serial=1):
        submit(self.gateway, [recipient], f"Subject: serial {serial}\r\n\r\nbody {serial}\r\n")

    def slip_counts(self):
        """How often each serial stands on a slip; half a slip has no form feed."""
        found = collections.Counter()
        for name in files_in(self.slips):
            text = read(os.path.join(self.slips, name))
            serial = int(re.search(rb"Re: +serial (\d+)\r\n", text).group(1))
            check(b"body %d\r\n" % serial in text and text.endswith(b"\f"), f"torn: {text}")
            found[serial] += 1
        return dict(found)


def test_the_page_leads_to_an_adapter_that_works():
    with Site(extra='title = "MEMO"') as site:
        site.install(built_slip())
        listed = cli(site.gateway, "adapter", "kinds")
        check(re.search(r"^slip\b", listed, re.M), listed)
        cli(site.gateway, "config", "check")
        mail = os.path.join(site.folder, "mail.eml")
        with open(mail, "w", encoding="utf-8") as file:
            file.write("From: a@example.org\r\nTo: bob@paper.example\r\nSubject: looks\r\n\r\nHello.\r\n")
        shown = cli(site.gateway, "convert", mail, "--adapter", "printer")
        check("Re:     looks" in shown and "MEMO-" in shown, shown)
        site.gateway.start()
        site.send("bob@paper.example")
        site.send("user@legacy.example")
        check(site.gateway.wait_until_settled() and site.gateway.states() == {"exported": 2}, f"{site.gateway.states()}")
        check(site.slip_counts() == {1: 1} and len(files_in(site.gateway.out)) == 1, f"{site.slip_counts()}")
        check(site.gateway.stop() == 0, "exit status")


def test_the_page_leads_to_a_suite_that_passes():
    environment = dict(os.environ, POSTERN_CONFORMANCE_FOLDER=os.path.dirname(built_slip()), POSTERN_CONFORMANCE_KIND="slip",
                       POSTERN_CONFORMANCE_SETTINGS="title=MEMO;wrap=72")
    program = os.path.join(service_life.BUILD, "tests", "conformance", "adapter_conformance_tests")
    done = subprocess.run([program, "--gtest_filter=*A1*:*A2*:*A3*"], env=environment, capture_output=True, timeout=300, check=False)
    ran = re.search(rb"\[  PASSED  \] (\d+) tests", done.stdout)
    check(done.returncode == 0 and ran and int(ran.group(1)) > 5, done.stdout.decode()[-2000:])


def test_a_refused_library_stops_its_adapters_only():
    with Site(kind="outdated", extra='colour = "a setting of its own"') as site:
        site.install(library("outdated.so"))
        site.install(built_slip())
        warned = cli(site.gateway, "config", "check")
        check("was built for" in warned and "its mail waits" in warned, warned)
        site.gateway.start()
        site.send("bob@paper.example")
        site.send("user@legacy.example")
        until(lambda: site.gateway.states() == {"ready": 1, "exported": 1}, 20, f"one of two: {site.gateway.states()}")
        listed = cli(site.gateway, "adapter", "list")
        check(re.search(r"printer.*unhealthy.*outdated", listed, re.S), listed)
        check(any("adapter.suspended" in line and "was built for" in line for line in site.gateway.log),
              "\n".join(site.gateway.log))
        check(site.gateway.stop() == 0, "exit status")
        site.gateway.start()
        check(site.gateway.states() == {"ready": 1, "exported": 1}, f"after a restart: {site.gateway.states()}")


def test_a_library_that_is_mended_takes_what_waited():
    with Site() as site:
        site.install(built_slip(), mode="666")
        site.gateway.start()
        site.send("bob@paper.example", 7)
        check(any("can be written by others" in line for line in site.gateway.log), "\n".join(site.gateway.log))
        check(site.gateway.states() == {"ready": 1} and not files_in(site.slips), f"{site.gateway.states()}")
        os.chmod(os.path.join(site.libraries, "slip.so"), 0o644)
        site.gateway.process.send_signal(signal.SIGHUP)
        check(site.gateway.wait_until_settled() and site.slip_counts() == {7: 1}, f"{site.gateway.states()}")


def test_kill_9_in_the_middle_makes_each_slip_once():
    rounds, mails = 8, 6
    with Site() as site:
        site.install(built_slip())
        for turn in range(rounds):
            site.gateway.start()
            first = turn * mails
            for serial in range(first, first + mails):
                site.send("bob@paper.example", serial)
            # Each time later in their work: at once, after the first slip, after the second...
            until(lambda wanted=first + turn % mails: len(site.slip_counts()) >= wanted, 20, "slips")
            site.gateway.kill()
        site.gateway.start()
        check(site.gateway.wait_until_settled(), f"not settled: {site.gateway.states()}")
        check(site.gateway.states() == {"exported": rounds * mails}, f"{site.gateway.states()}")
        check(site.slip_counts() == dict.fromkeys(range(rounds * mails), 1), f"{site.slip_counts()}")


def main():
    service_life.BUILD = sys.argv[1]
    try:
        return service_life.run({name: test for name, test in globals().items() if name.startswith("test_")}, sys.argv[2:])
    finally:
        shutil.rmtree(MADE, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
