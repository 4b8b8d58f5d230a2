#!/usr/bin/env python3
"""Delivery reports from outside: mail in by SMTP, one recipient refused by the adapter, the report in a Maildir.

Usage: reports.py BUILD_FOLDER
"""

import email
import email.policy
import os
import re
import smtplib
import sys

import service_life
from service_life import Gateway, check, cli, files_in, read, until

WAYS = """
[reports]
delay_after = "0s"
[[route]]
recipient = "*@box.example"
adapter = "box"
[adapter.box]
kind = "maildir"
folder = "{folder}/box"
[[route]]
recipient = "*@po.example"
adapter = "po"
legacy = "{{local}}{{local}}{{local}}{padding}"
[adapter.po]
kind = "ccmail"
folder = "{folder}/po"
create = false
retry_first = "1s"
post_office = "PO1"
"""
LONG = "l" * 64
PADDING = "p" * (256 - 3 * 64 - len(" at PO1"))  # the longest name that cc:Mail takes


def send(gateway, recipients):
    with smtplib.SMTP("127.0.0.1", gateway.port, local_hostname="client.example.org", timeout=30) as client:
        return client.sendmail("anna@box.example", recipients, "Subject: figures\r\n\r\nthe text\r\n")


def reports_in(gateway):
    folder = os.path.join(gateway.folder, "box", "new")
    names = files_in(folder) if os.path.isdir(folder) else []
    return [email.message_from_bytes(read(os.path.join(folder, name)), policy=email.policy.default) for name in names]


def recipients_of(report):
    status = list(report.iter_parts())[1].get_payload()
    return [block["Final-Recipient"].split(";")[1].strip() for block in status[1:]]


def test_one_of_two_recipients_refused():
    gateway = Gateway(service_life.BUILD)
    try:
        with open(gateway.config, "a", encoding="utf-8") as file:
            file.write(WAYS.format(folder=gateway.folder, padding=PADDING))
        gateway.start()
        send(gateway, ["bob@po.example", f"{LONG}@po.example"])
        check(gateway.stop() == 0, "exit status")
        # Another post office, with a longer name, so that one of the two can not be addressed any more.
        with open(gateway.config, encoding="utf-8") as file:
            text = file.read()
        with open(gateway.config, "w", encoding="utf-8") as file:
            file.write(text.replace('post_office = "PO1"', 'post_office = "PO12345"'))
        os.mkdir(os.path.join(gateway.folder, "po"))
        gateway.start()
        until(lambda: len(reports_in(gateway)) == 1, 60, "the report")
        check(gateway.wait_until_settled(150), "not settled")
        report = reports_in(gateway)[0]
        check(recipients_of(report) == [f"{LONG}@po.example"], recipients_of(report))
        check(report["Return-Path"] == "<>" and report["Auto-Submitted"] == "auto-replied", report.as_string())
        check(not report.defects, report.defects)
        check("the text" in report.as_string(), "the original is missing")
        check(len(files_in(os.path.join(gateway.folder, "po"))) == 1, "the other one was not exported")
        check(gateway.stop() == 0, "exit status")
        gateway.start()
        check(gateway.wait_until_settled() and len(reports_in(gateway)) == 1, "told twice")
    finally:
        gateway.close()


def test_bounce_with_the_service_up_and_down():
    gateway = Gateway(service_life.BUILD)
    try:
        with open(gateway.config, "a", encoding="utf-8") as file:
            file.write(WAYS.format(folder=gateway.folder, padding=PADDING))
        gateway.start()
        for _ in range(2):
            send(gateway, ["bob@po.example"])
        cli(gateway, "queue", "bounce", "1", "--reason", "PO1 is closed")
        until(lambda: len(reports_in(gateway)) == 1, 30, "the report")
        check("PO1 is closed" in reports_in(gateway)[0].as_string(), "the reason is missing")
        check(gateway.stop() == 0, "exit status")
        cli(gateway, "queue", "bounce", "2")
        gateway.start()
        until(lambda: len(reports_in(gateway)) == 2, 30, "the second report")
        check(re.search("reported", cli(gateway, "queue", "log", "2")), "no history")
        check(gateway.stop() == 0, "exit status")
    finally:
        gateway.close()


def main():
    service_life.BUILD = sys.argv[1]
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    return service_life.run(tests, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
