#!/usr/bin/env python3
"""We deliver to other people's programs by SMTP and LMTP: what we said on the wire, and what they keep.

Each function named test_* is one test. Usage: relays.py BUILD_FOLDER [TEST ...]
"""

import os
import re
import smtplib
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
sys.path.insert(0, HERE)
from gateway import Gateway  # noqa: E402
from hosts import DovecotLmtp, OldExim, OldOpenSmtpd, Wire, taking_postfix  # noqa: E402
from peers import run_tests  # noqa: E402

BUILD = ""

ADAPTER = """
[[route]]
recipient = "*@old.example"
adapter = "old"
[adapter.old]
kind = "{kind}"
hosts = ["{host}"]
retry_first = "100ms"
retry_longest = "200ms"
{more}
"""

GERMAN = ("Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <g1@example.org>\r\nMIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
          "schöne grüße\r\n.\r\n..zwei\r\n").encode()


def check(condition, text):
    if not condition:
        raise AssertionError(text)


class Relay:
    """A gateway whose mail for old.example goes to one host."""

    def __init__(self, host, kind="smtp", more="", to=None):
        self.host = host
        self.wire = Wire(host.port)
        self.gateway = Gateway(BUILD, adapters=ADAPTER.format(kind=kind, host=to or f"127.0.0.1:{self.wire.port}", more=more))

    def __enter__(self):
        try:
            self.gateway.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.gateway.close()
        self.wire.close()
        self.host.close()

    def send(self, text, recipients=("bob@old.example",), sender="s@example.org", options=(), rcpt=()):
        with smtplib.SMTP("127.0.0.1", self.gateway.port, "client.example.org", timeout=30) as client:
            client.sendmail(sender, list(recipients), text, options, rcpt)
        check(self.gateway.wait_until_settled(), self.gateway.log[-12:])

    def states(self):
        return self.gateway.states()

    def body(self):
        """The text of the last DATA, as it stood on the wire."""
        return self.wire.all().rsplit(b"DATA\r\n", 1)[1].split(b"\r\n.\r\n", 1)[0] + b"\r\n"

    def clean(self):
        """What no server may ever get from us."""
        said = self.wire.all()
        check(not re.search(rb"(?<!\r)\n|\r(?!\n)", said), "a bare line end")
        check(all(len(line) <= 998 for line in said.split(b"\r\n")), "a long line")


def old_host_takes_it_seven_bit(host):
    with Relay(host) as relay:
        relay.send(GERMAN, options=["BODY=8BITMIME"])
        check(relay.states() == {"exported": 1}, (relay.states(), relay.gateway.log[-12:]))
        body = relay.body()
        check(all(byte < 128 for byte in body), body)
        check(b"sch=C3=B6ne gr=C3=BC=C3=9Fe\r\n" in body and b"Content-Transfer-Encoding: quoted-printable" in body, body)
        check(b"\r\n=2E\r\n=2E.zwei\r\n" in body, body)
        said = relay.wire.all()
        check(b"BODY=" not in said and b"SMTPUTF8" not in said, said)
        relay.clean()
        return said


def test_exim_as_an_old_host():
    said = old_host_takes_it_seven_bit(OldExim(BUILD))
    check(b"MAIL FROM:<s@example.org> SIZE=" in said, said)


def test_exim_without_size():
    with Relay(OldExim(BUILD), more='ignore = ["SIZE"]') as relay:
        relay.send(b"Subject: x\r\n\r\nx\r\n")
        check(b"MAIL FROM:<s@example.org>\r\n" in relay.wire.all(), relay.wire.all())
        check(len(relay.host.kept()) == 1, relay.host.kept())


def test_exim_size_limit_is_known_before_the_mail():
    with Relay(OldExim(BUILD)) as relay:
        relay.send(b"Subject: big\r\n\r\n" + b"0123456789abcdef\r\n" * 5000)
        # The report to the sender has no route here; the item itself failed with both numbers.
        check(relay.states().get("failed") == 1, (relay.states(), relay.gateway.log[-12:]))
        relay.gateway.stop()  # its log is whole then
        log = "\n".join(relay.gateway.log)
        check("takes mail of at most 65536 bytes, and this is of 9" in log, log[-1500:])
        check(b"MAIL FROM" not in relay.wire.all(), relay.wire.all())


def test_exim_long_lines_and_one_unknown_user():
    with Relay(OldExim(BUILD)) as relay:
        relay.send(b"Subject: long\r\n\r\n" + b"y" * 3000 + b"\r\n", ["bob@old.example", "nobody@old.example"])
        check(relay.states().get("exported") == 1, (relay.states(), relay.gateway.log[-12:]))
        relay.clean()
        shown = subprocess.run([relay.gateway.postern, "--config", relay.gateway.config, "queue", "show", "1"],
                               capture_output=True, timeout=60).stdout.decode()
        check("no such user here" in shown, shown)
        check(len(relay.host.kept()) == 1, "kept")


def test_opensmtpd_as_an_old_host():
    host = OldOpenSmtpd(BUILD)
    with Relay(host, more='ignore = ["8BITMIME", "SMTPUTF8", "DSN"]') as relay:
        relay.send(GERMAN, options=["BODY=8BITMIME"])
        check(relay.states() == {"exported": 1}, (relay.states(), relay.gateway.log[-12:]))
        check(all(byte < 128 for byte in relay.body()), relay.body())
        relay.clean()


def test_postfix_with_nothing_discarded():
    with Relay(taking_postfix(BUILD, "smtputf8_enable = yes")) as relay:
        relay.send(GERMAN, options=["BODY=8BITMIME"])
        check(relay.states() == {"exported": 1}, (relay.states(), relay.gateway.log[-12:]))
        check("schöne grüße\r\n".encode() in relay.body() and b"BODY=8BITMIME" in relay.wire.all(), relay.wire.all())
        first = relay.wire.all()
        check(first.index(b"RCPT TO") < first.index(b"DATA\r\n"), first)
        for number in range(5):
            relay.send(b"Subject: %d\r\n\r\nx\r\n" % number)
        check(relay.states() == {"exported": 6}, relay.states())
        relay.clean()


def test_postfix_made_old():
    discarded = "smtpd_discard_ehlo_keywords = 8bitmime, pipelining, size, dsn, smtputf8, starttls, chunking"
    with Relay(taking_postfix(BUILD, discarded)) as relay:
        relay.send(GERMAN, options=["BODY=8BITMIME"])
        check(relay.states() == {"exported": 1}, (relay.states(), relay.gateway.log[-12:]))
        check(b"MAIL FROM:<s@example.org>\r\n" in relay.wire.all(), relay.wire.all())
        check(all(byte < 128 for byte in relay.body()), relay.body())
        relay.clean()


def test_postfix_address_beyond_ascii():
    with Relay(taking_postfix(BUILD, "smtputf8_enable = yes")) as relay:
        relay.send("Subject: ü\r\n\r\nx\r\n".encode(), ["анна@old.example"], options=["SMTPUTF8", "BODY=8BITMIME"])
        check(relay.states() == {"exported": 1}, (relay.states(), relay.gateway.log[-12:]))
        check("RCPT TO:<анна@old.example>".encode() in relay.wire.all(), relay.wire.all())


def dovecot(relay):
    relay.send(GERMAN, ["bob@old.example", "carol@old.example"])
    check(relay.states() == {"exported": 1}, (relay.states(), relay.gateway.log[-12:]))
    for name in ("bob", "carol"):
        mails = relay.host.mails(name)
        check(len(mails) == 1 and "schöne grüße".encode() in mails[0].replace(b"=C3=B6", "ö".encode()), mails)
    relay.send(b"Subject: two\r\n\r\nx\r\n", ["bob@old.example", "dora@old.example"])
    check(len(relay.host.mails("bob")) == 2 and len(relay.host.mails("carol")) == 1, "second")
    shown = subprocess.run([relay.gateway.postern, "--config", relay.gateway.config, "queue", "show", "2"],
                           capture_output=True, timeout=60).stdout.decode()
    check("dora@old.example" in shown and "550" in shown and "failed" in shown, shown)


def test_dovecot_over_tcp():
    with Relay(DovecotLmtp(), kind="lmtp") as relay:
        dovecot(relay)
        relay.clean()


def test_dovecot_over_its_socket():
    host = DovecotLmtp()
    with Relay(host, kind="lmtp", to=f"unix:{host.socket}") as relay:
        dovecot(relay)


def main():
    global BUILD
    BUILD = os.path.abspath(sys.argv[1])
    return run_tests({name: each for name, each in globals().items() if name.startswith("test_")}, sys.argv[2:])


sys.exit(main())
