#!/usr/bin/env python3
"""Rules, tables and adapters' policy on a running service, from outside.

Each function named test_* is one test. Usage: policy.py BUILD_FOLDER [TEST ...]
"""

import json
import os
import smtplib
import sys

import service_life
from service_life import Gateway, check, cli, files_in, read, submit, until

POLICY = """
[[rule]]
name = "invoices"
header = "Subject: *invoice*"
action = "hold"
text = "somebody looks at invoices first"
[[rule]]
name = "no-lottery"
header = "Subject: *lottery*"
action = "reject"
text = "no lotteries here"
[[table]]
name = "people"
file = "{folder}/people.csv"
adapter = "po"
[adapter.po]
kind = "ccmail"
folder = "{folder}/po"
"""
PEOPLE = "anna@people.example,\"Berg, Anna at PO1\"\n"


class Site:
    """A gateway with two rules and a table of one person."""

    def __init__(self):
        self.gateway = Gateway(service_life.BUILD)

    def __enter__(self):
        gateway = self.gateway
        self.people(PEOPLE)
        with open(gateway.config, "a", encoding="utf-8") as file:
            file.write(POLICY.format(folder=gateway.folder))
        gateway.start()
        return self

    def __exit__(self, *_):
        self.gateway.close()

    def people(self, text):
        with open(os.path.join(self.gateway.folder, "people.csv"), "w", encoding="utf-8") as file:
            file.write(text)

    def send(self, recipient, subject="x"):
        submit(self.gateway, [recipient], f"Subject: {subject}\r\n\r\n{subject}\r\n")

    def refused(self, recipient, subject="x"):
        """The refusal's text."""
        try:
            self.send(recipient, subject)
        except smtplib.SMTPRecipientsRefused as error:
            return str(error.recipients)
        except smtplib.SMTPDataError as error:
            return str(error)
        raise AssertionError(f"{recipient} was accepted")


def test_held_mail_goes_out_when_it_is_released():
    with Site() as site:
        gateway = site.gateway
        site.send("user@legacy.example", "your invoice 42")
        check(gateway.states() == {"held": 1}, gateway.states())
        until(lambda: any("1 item.held" in line and "invoices first" in line for line in gateway.log), 10, "the log line")
        row = json.loads(cli(gateway, "--json", "queue", "list"))
        check("somebody looks at invoices first" in json.dumps(row), row)
        cli(gateway, "queue", "release", "1", "--reason", "looked")
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 1}, gateway.states())
        check(len(files_in(gateway.out)) == 1, files_in(gateway.out))


def test_a_header_rule_refuses_the_mail_with_its_text():
    with Site() as site:
        said = site.refused("user@legacy.example", "win the LOTTERY now")
        check("550" in said and "5.7.1" in said and "no lotteries here" in said, said)
        check(site.gateway.states() == {}, site.gateway.states())


def test_a_table_is_read_again_and_a_broken_one_is_not_taken():
    with Site() as site:
        gateway = site.gateway
        site.send("anna@people.example")
        check("550" in site.refused("ben@people.example"), "ben is not there yet")
        site.people(PEOPLE + "ben@people.example,Ben at PO1\n")
        cli(gateway, "reload")
        site.send("ben@people.example", "y")
        site.people("this is no pair\n")
        done = cli(gateway, "reload", status=78)
        check("people.csv:1" in done or any("people.csv:1" in line for line in gateway.log), done)
        site.send("anna@people.example", "z")
        check(gateway.wait_until_settled(), "not settled")
        folder = os.path.join(gateway.folder, "po")
        texts = [read(os.path.join(folder, name)) for name in files_in(folder)]
        check(sorted(b"To: Ben at PO1\r\n" in text for text in texts) == [False, False, True], texts)


def test_a_suspended_adapter_waits_over_a_restart_and_goes_on():
    with Site() as site:
        gateway = site.gateway
        cli(gateway, "adapter", "suspend", "out", "--reason", "the post office moves")
        site.send("user@legacy.example")
        cli(gateway, "status", "--check", status=69)
        check(gateway.stop() == 0, "exit status")
        gateway.start()
        check("the post office moves" in cli(gateway, "queue", "list"), "no reason is shown")
        check(gateway.states() == {"ready": 1}, gateway.states())
        cli(gateway, "adapter", "resume", "out")
        until(lambda: len(files_in(gateway.out)) == 1, 30, "the mail")
        cli(gateway, "status", "--check")


def test_config_check_reads_what_the_start_would_read():
    with Site() as site:
        gateway = site.gateway
        with open(os.path.join(gateway.folder, "junk.pem"), "w", encoding="utf-8") as file:
            file.write("no certificate\n")
        with open(gateway.config, "a", encoding="utf-8") as file:
            file.write(f"""
[[listener]]
name = "tls"
protocol = "smtp"
address = "127.0.0.1:0"
tls = "starttls"
certificate = "{gateway.folder}/junk.pem"
key = "{gateway.folder}/junk.pem"
[[pickup]]
folder = "{gateway.folder}/nowhere"
""")
        said = cli(gateway, "config", "check", status=78)
        check("junk.pem" in said and "warning: there is no folder" in said, said)


def test_strangers_can_not_read_the_store():
    with Site() as site:
        for name in ("postern.db", "postern.db-wal", "store.id"):
            mode = os.stat(os.path.join(site.gateway.folder, "store", name)).st_mode
            check(mode & 0o007 == 0, f"{name}: {mode:o}")


def main():
    service_life.BUILD = sys.argv[1]
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    return service_life.run(tests, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
