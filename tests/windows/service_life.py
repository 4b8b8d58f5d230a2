#!/usr/bin/env python3
"""The life of the Windows service, under Wine: registered, started, mail through it, killed, started again, stopped, removed.

Each function named test_* is one step; they go on from one another. Usage: service_life.py BUILD_FOLDER
What Wine can not show is skipped by name with its reason; docs/WINDOWS.md lists it for a real Windows.
"""

import glob
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import wine  # noqa: E402
from wine import Program, Session, Skipped, check, until  # noqa: E402

BUILD = ""
GATEWAY = Program("C:\\Program Files\\Postern Test")
OUT = GATEWAY.data + "\\out"
CONFIG = """hostname = "gw.example.org"
store = 'C:\\ProgramData\\Postern\\data'
poll_interval = "200ms"
ballast = "0 B"
[[listener]]
name = "smtp"
protocol = "smtp"
address = "127.0.0.1:0"
[[route]]
recipient = "*@box.example"
adapter = "box"
[adapter.box]
kind = "maildir"
folder = 'C:\\ProgramData\\Postern\\out\\box'
[[route]]
recipient = "*@po.example"
adapter = "po"
legacy = "{local} at PO1"
[adapter.po]
kind = "ccmail"
folder = 'C:\\ProgramData\\Postern\\out\\po'
"""
accepted = []


def both(number):
    GATEWAY.submit(["anna@box.example", "bert@po.example"], number)
    accepted.append(number)


def all_exported():
    """Every accepted mail is there; more than once is never right."""
    for number in accepted:
        counts = GATEWAY.copies(OUT + "\\box", number), GATEWAY.copies(OUT + "\\po", number)
        check(max(counts) <= 1, f"mail {number} came {counts} times")
        if min(counts) < 1:
            return False
    return True


def test_put_onto_the_list_of_services():
    status, said = GATEWAY.postern("service", "status", status=None)
    check(status == 66, f"exit {status}: {said}")
    said = GATEWAY.postern("service", "install")
    complaints = [line for line in said.splitlines() if "can not be set" in line]
    check(all(any(lack in line for lack in wine.WINE_LACKS) for line in complaints), said)
    facts = GATEWAY.facts()
    check(facts["state"] == "stopped" and facts["account"] == "NT SERVICE\\posternd", facts)
    check(facts["config"] == GATEWAY.data + "\\postern.toml", facts)
    for folder in ("data", "log", "run", "spool", "out"):
        check(os.path.isdir(wine.host(f"{GATEWAY.data}\\{folder}")), folder)


def test_without_a_configuration_it_says_why_it_does_not_start():
    status, said = GATEWAY.postern("service", "start", status=None)
    check(status == 69 and "the configuration is wrong" in said, f"exit {status}: {said}")
    check(GATEWAY.facts()["last_exit"] == "78", GATEWAY.facts())
    check("service.failed status=78" in GATEWAY.log(), GATEWAY.log())


def test_starts_and_is_ready_when_the_command_returns():
    wine.write(GATEWAY.data + "\\postern.toml", CONFIG)
    GATEWAY.postern("config", "check")
    GATEWAY.postern("service", "start")
    facts = GATEWAY.facts()
    check(facts["state"] == "running" and int(facts["pid"]) > 0, facts)
    check("service.ready" in GATEWAY.log(), GATEWAY.log())
    GATEWAY.postern("status")


def test_mail_by_smtp_comes_out_once_as_files_of_both_kinds():
    for number in range(1, 6):
        both(number)
    until(all_exported, 60, "the first mails\n" + GATEWAY.log()[-3000:])
    GATEWAY.postern("queue", "list")


def test_reads_a_changed_configuration():
    wine.write(GATEWAY.data + "\\postern.toml", CONFIG + '[[route]]\nrecipient = "*@later.example"\nadapter = "box"\n')
    GATEWAY.postern("reload")
    GATEWAY.submit(["carl@later.example"], 1000)
    until(lambda: GATEWAY.copies(OUT + "\\box", 1000) == 1, 60, "mail by the new route")


def test_killed_with_mail_on_its_way_each_comes_out_once():
    for number in range(100, 112):
        both(number)
    killed = GATEWAY.facts()["pid"]
    wine.wine("taskkill", "/f", "/pid", killed)
    until(lambda: GATEWAY.postern("service", "start", status=None)[0] == 0, 60, "a start after the kill")
    check(GATEWAY.facts()["pid"] != killed, "the same process")
    both(112)
    until(all_exported, 60, "the mails from before the kill\n" + GATEWAY.log()[-3000:])
    check(all_exported(), "lost")


def test_stops_with_everything_given_back():
    began = time.monotonic()
    GATEWAY.postern("service", "stop", "--wait", "60s")
    took = time.monotonic() - began
    check(took < 40, f"{took:.0f} s")
    check(GATEWAY.facts()["state"] == "stopped", GATEWAY.facts())
    last = GATEWAY.log().strip().splitlines()[-1]
    check("service.stopped" in last, last)
    left = [name for name in os.listdir(wine.host(GATEWAY.data + "\\data")) if name.endswith(("-wal", "-shm"))]
    check(not left, f"the store was not closed: {left}")
    GATEWAY.postern("service", "stop")  # and again: nothing to do
    GATEWAY.postern("db", "check")


def test_nothing_came_twice_until_the_end():
    check(all_exported(), "lost")


def test_registers_as_the_library_does():
    """posternd.exe /registerService is there too, without what `postern service install` adds."""
    GATEWAY.postern("service", "remove")
    program = GATEWAY.folder + "\\posternd.exe"
    wine.wine(program, "/registerService", "/displayName=Postern", "/startup=manual")
    check(GATEWAY.facts()["start"] == "manual", GATEWAY.facts())
    GATEWAY.postern("service", "start")
    GATEWAY.postern("service", "stop")
    wine.wine(program, "/unregisterService")
    check(GATEWAY.facts() is None, "still on the list")


def test_taken_off_the_list_and_what_it_kept_stays():
    GATEWAY.postern("service", "install", "--start", "manual")
    GATEWAY.postern("service", "remove")
    check(GATEWAY.facts() is None, "still on the list")
    check(os.path.exists(wine.host(GATEWAY.data + "\\postern.toml")), "the configuration is gone")
    status, said = GATEWAY.postern("service", "start", status=None)
    check(status == 66 and "postern service install" in said, f"exit {status}: {said}")


def test_recovery_actions():
    raise Skipped("Wine 8 takes them and does nothing after a crash")


def test_events_in_the_event_log():
    raise Skipped("Wine's RegisterEventSource and ReportEvent store nothing; the numbers and texts are checked by the lint log_events")


def test_shutdown_and_session_end():
    raise Skipped("Wine kills services at its session's end without asking them")


def test_rights_of_the_service_account():
    raise Skipped("Wine runs every service as the user of the prefix and keeps no denials")


def prepare():
    for program in ("posternd", "postern", "postern-runner"):
        found = glob.glob(os.path.join(BUILD, "**", program + ".exe"), recursive=True)
        check(found, f"no {program}.exe in {BUILD}")
        wine.put(found[0], f"{GATEWAY.folder}\\{program}.exe")
    if GATEWAY.facts() is not None:  # of a run that was cut off
        GATEWAY.postern("service", "remove")
    wine.wine("cmd.exe", "/c", "rmdir", "/s", "/q", GATEWAY.data, status=None)
    check(not os.path.exists(wine.host(GATEWAY.data)), "the folder of an earlier run can not be removed")


def main():
    global BUILD
    BUILD = os.path.abspath(sys.argv[1])
    with Session():
        prepare()
        return wine.run_tests(wine.tests_of("__main__"), sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
