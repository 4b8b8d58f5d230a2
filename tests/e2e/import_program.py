#!/usr/bin/env python3
"""cc:Mail with an import program, from outside: mail in by SMTP, the program run on it, what it gives back told to the sender.

Usage: import_program.py BUILD_FOLDER
"""

import email
import email.policy
import os
import smtplib
import sys

import service_life
from service_life import Gateway, check, cli, files_in, read, two_adapters, until

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fake_import.py")
IMPORT = """import_program = ["{python}", "{program}", "{folder}/ledger"]
import_interval = "{interval}"
import_deadline = "{deadline}"
import_attempts = {attempts}
{more}
"""


class Office:
    def __init__(self, deadline="1m", interval="100ms", attempts=2, more=""):
        self.gateway = Gateway(service_life.BUILD)
        two_adapters(self.gateway)
        with open(self.gateway.config, "a", encoding="utf-8") as file:
            file.write(IMPORT.format(folder=self.gateway.folder, python=sys.executable, program=PROGRAM, deadline=deadline,
                                     interval=interval, attempts=attempts, more=more))

    def __enter__(self):
        self.gateway.start()
        return self

    def __exit__(self, *_):
        self.gateway.close()

    def send(self, subject, recipients, sender="anna@box.example"):
        with smtplib.SMTP("127.0.0.1", self.gateway.port, local_hostname="client.example.org", timeout=30) as client:
            client.sendmail(sender, recipients, f"Subject: {subject}\r\n\r\nthe text\r\n")

    def set_code(self, code):
        """What the program ends with from now on without reading anything; None: it works."""
        path = os.path.join(self.gateway.folder, "ledger.code")
        if code is None:
            os.unlink(path)
            return
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(str(code))
        os.rename(path + ".new", path)

    def said(self, event):
        return [line for line in self.gateway.log if f" {event} " in line and "adapter=po " in line]

    def imported(self):
        path = os.path.join(self.gateway.folder, "ledger")
        return read(path).decode().split("\n")[:-1] if os.path.exists(path) else []

    def within(self, name):
        folder = os.path.join(self.gateway.folder, "po", name)
        return files_in(folder) if os.path.isdir(folder) else []

    def reports(self):
        folder = os.path.join(self.gateway.folder, "box", "new")
        names = files_in(folder) if os.path.isdir(folder) else []
        return [email.message_from_bytes(read(os.path.join(folder, name)), policy=email.policy.default) for name in names]


def failed_in(report):
    status = list(report.iter_parts())[1].get_payload()
    return [(block["Final-Recipient"].split(";")[1].strip(), block["Status"]) for block in status[1:]]


def test_what_is_given_back_is_told_to_the_sender_once():
    with Office() as office:
        office.send("figures", ["bob@po.example", "gone@po.example"])
        until(lambda: office.reports(), 60, "the report")
        check(failed_in(office.reports()[0]) == [("gone@po.example", "5.1.1")], failed_in(office.reports()[0]))
        check("User not found" in office.reports()[0].as_string(), "the reason is missing")
        check("the text" in office.reports()[0].as_string(), "the original is missing")
        check(office.imported() == ["figures"], office.imported())
        check("returned" in cli(office.gateway, "queue", "log", "1"), "no history")
        check(office.gateway.stop() == 0, "exit status")
        office.gateway.start()
        office.send("more", ["bob@po.example"])
        until(lambda: office.imported() == ["figures", "more"], 60, "the second mail")
        check(office.gateway.wait_until_settled() and len(office.reports()) == 1, "told twice")
        check(office.within("Import") == [] and office.within("Submit") == [], "not clean")


def test_a_report_that_is_given_back_makes_no_report():
    with Office() as office:
        office.send("a bounce", ["gone@po.example"], sender="")
        until(lambda: office.gateway.states().get("failed") == 1, 60, "the end")
        check(office.gateway.states() == {"failed": 1}, office.gateway.states())
        check(office.gateway.stop() == 0, "exit status")


def test_a_file_that_stays_is_refused_after_its_attempts_and_the_others_go_on():
    with Office() as office:
        office.send("poison", ["stuck@po.example"])
        office.send("fine", ["bob@po.example"])
        until(lambda: office.reports(), 60, "the report")
        check(failed_in(office.reports()[0])[0][0] == "stuck@po.example", failed_in(office.reports()[0]))
        until(lambda: office.imported() == ["fine"], 60, "the other mail")
        check(len(office.within("Bad")) == 2, office.within("Bad"))


def test_a_program_that_hangs_or_dies_leaves_a_doubt_for_a_person():
    with Office(deadline="1s") as office:
        for serial, name in enumerate(["hang", "crash"], 1):
            office.send(name, [f"{name}@po.example"])
            until(lambda: office.gateway.states().get("in_doubt") == 1, 60, "the doubt")
            cli(office.gateway, "queue", "resolve", str(2 * serial - 1), "--failed")
            until(lambda: len(office.reports()) == serial, 60, "the report")
        check(office.imported() == [], "imported all the same")


def test_Q168670_Q179072_without_a_post_office_the_adapter_is_suspended_and_heals():
    with Office() as office:
        for serial, (code, why) in enumerate([(3, "no post office"), (4, "locked")], 1):
            office.set_code(code)
            office.send(f"mail {serial}", ["bob@po.example"])
            until(lambda: len(office.said("adapter.suspended")) == serial, 60, "the suspension")
            check(why in office.said("adapter.suspended")[-1], office.said("adapter.suspended"))
            check("adapter po is unhealthy" in cli(office.gateway, "status"), cli(office.gateway, "status"))
            office.send(f"more {serial}", ["bob@po.example"])
            check(office.gateway.states().get("ready") == 1, office.gateway.states())
            office.set_code(None)
            until(lambda: len(office.imported()) == 2 * serial, 60, "both mails")
            check(len(office.said("adapter.resumed")) == serial, office.said("adapter.resumed"))
        check(sorted(office.imported()) == ["mail 1", "mail 2", "more 1", "more 2"], office.imported())
        check(office.gateway.wait_until_settled() and office.gateway.states() == {"exported": 4}, office.gateway.states())
        check(office.reports() == [] and office.within("Bad") == [], "nothing was counted")


def test_a_program_that_fails_for_ever_fills_no_disk_and_loses_nothing():
    with Office(more='waiting_limit = 3\nretry_first = "100ms"\nretry_longest = "200ms"', attempts=20, interval="1h") as office:
        office.set_code(1)
        for serial in range(1, 7):
            office.send(f"mail {serial}", ["bob@po.example"])
            if serial <= 3:
                until(lambda: office.gateway.states().get("exported") == serial, 60, "its export")
        until(lambda: len(office.said("item.deferred")) >= 3, 60, "the others are put off")
        check("3 files" in office.said("item.deferred")[0], office.said("item.deferred")[0])
        check(office.gateway.states() == {"exported": 3, "ready": 3}, office.gateway.states())
        check(sum("nobody imports" in line for line in office.said("import.failed")) == 1, office.said("import.failed"))


def main():
    service_life.BUILD = sys.argv[1]
    return service_life.run({name: test for name, test in globals().items() if name.startswith("test_")}, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
