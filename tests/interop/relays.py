#!/usr/bin/env python3
"""We deliver to other people's programs by SMTP and LMTP: what we said on the wire, and what they keep.

Each function named test_* is one test. Usage: relays.py BUILD_FOLDER [TEST ...]
"""

import json
import os
import re
import smtplib
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
sys.path.insert(0, HERE)
from gateway import Gateway, breathe  # noqa: E402
from hosts import DovecotLmtp, GuardedExim, OldExim, OldOpenSmtpd, Wire, taking_postfix  # noqa: E402
from peers import run_tests  # noqa: E402

BUILD = ""

ADAPTER = """
[[route]]
recipient = "*@old.example"
adapter = "old"
[adapter.old]
kind = "{kind}"
hosts = {hosts}
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

    def __init__(self, host, kind="smtp", more="", to=None, first=None, ends_host=True):
        self.host = host
        self.ends_host = ends_host
        self.wire = Wire(host.port)
        hosts = [first] if first else []
        hosts.append(to or f"127.0.0.1:{self.wire.port}")
        self.gateway = Gateway(BUILD, adapters=ADAPTER.format(kind=kind, hosts=json.dumps(hosts), more=more))

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
        if self.ends_host:
            self.host.close()

    def send(self, text, recipients=("bob@old.example",), sender="s@example.org", options=(), rcpt=()):
        with smtplib.SMTP("127.0.0.1", self.gateway.port, "client.example.org", timeout=30) as client:
            client.sendmail(sender, list(recipients), text, options, rcpt)
        check(self.gateway.wait_until_settled(), self.gateway.log[-12:])

    def states(self):
        return self.gateway.states()

    def says(self, words, limit=20.0):
        """Waits for a line of the service's log; whether it came."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if any(words in line for line in list(self.gateway.log)):
                return True
            breathe()
        return False

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
    with Relay(taking_postfix(BUILD, "smtputf8_enable = yes"), more='keep_connection = "60s"') as relay:
        relay.send(GERMAN, options=["BODY=8BITMIME"])
        check(relay.states() == {"exported": 1}, (relay.states(), relay.gateway.log[-12:]))
        check("schöne grüße\r\n".encode() in relay.body() and b"BODY=8BITMIME" in relay.wire.all(), relay.wire.all())
        check(any(b"MAIL FROM" in piece and b"RCPT TO" in piece and piece.endswith(b"DATA\r\n") for piece in relay.wire.pieces),
              ("not pipelined", relay.wire.pieces))
        for number in range(5):
            relay.send(b"Subject: %d\r\n\r\nx\r\n" % number)
        check(relay.states() == {"exported": 6}, relay.states())
        used = relay.wire.with_mail()
        check([each.count(b"MAIL FROM") for each in used] == [6], ("one connection for all", used))
        relay.clean()


def test_postfix_made_old():
    discarded = "smtpd_discard_ehlo_keywords = 8bitmime, pipelining, size, dsn, smtputf8, starttls, chunking"
    with Relay(taking_postfix(BUILD, discarded)) as relay:
        relay.send(GERMAN, options=["BODY=8BITMIME"])
        check(relay.states() == {"exported": 1}, (relay.states(), relay.gateway.log[-12:]))
        check(b"MAIL FROM:<s@example.org>\r\n" in relay.wire.pieces, ("one command at a time", relay.wire.pieces))
        check(all(byte < 128 for byte in relay.body()), relay.body())
        relay.clean()


def test_postfix_address_beyond_ascii():
    with Relay(taking_postfix(BUILD, "smtputf8_enable = yes")) as relay:
        relay.send("Subject: ü\r\n\r\nx\r\n".encode(), ["анна@old.example"], options=["SMTPUTF8", "BODY=8BITMIME"])
        check(relay.states() == {"exported": 1}, (relay.states(), relay.gateway.log[-12:]))
        check("RCPT TO:<анна@old.example>".encode() in relay.wire.all(), relay.wire.all())


GUARDED = """tls = "{tls}"
username = "gateway"
password_file = "{folder}/password"
server_name = "old.example"
keep_connection = "0s"
{trust}"""


def guarded(host, tls, trust):
    folder = host.room.folder
    with open(os.path.join(folder, "password"), "w", encoding="ascii") as file:
        file.write("secret\n")
    os.chmod(file.name, 0o600)
    return Relay(host, more=GUARDED.format(tls=tls, folder=folder, trust=trust), ends_host=False)


def test_exim_with_tls_and_a_password():
    host = GuardedExim(BUILD)
    try:
        ways = [("required", f'ca_file = "{host.certificate}"'), ("required", f'fingerprint = ["sha256:{host.fingerprint}"]'),
                ("opportunistic", "auth_without_tls = true")]
        for number, (tls, trust) in enumerate(ways, 1):
            with guarded(host, tls, trust) as relay:
                relay.send(b"Subject: secret\r\n\r\nhidden text\r\n")
                check(relay.states() == {"exported": 1}, (tls, trust, relay.states(), relay.gateway.log[-12:]))
                said = relay.wire.all()
                check(b"STARTTLS\r\n" in said, said)
                check(not any(word in said for word in (b"AUTH", b"MAIL FROM", b"hidden text")), said)
                check(len(host.kept()) == number, host.kept())
        check(host.log().count("A=plain:gateway") == len(ways) and host.log().count("X=TLS1") == len(ways), host.log())
    finally:
        host.close()


def test_exim_with_a_certificate_that_is_not_trusted():
    """Nothing is said to it but STARTTLS, and the adapter says why it does not go on."""
    host = GuardedExim(BUILD)
    try:
        for trust in (f'fingerprint = ["sha256:{"0" * 64}"]', ""):
            with guarded(host, "required", trust) as relay:
                with smtplib.SMTP("127.0.0.1", relay.gateway.port, "client.example.org", timeout=30) as client:
                    client.sendmail("s@example.org", ["bob@old.example"], b"Subject: x\r\n\r\nx\r\n")
                check(relay.says("adapter.suspended"), relay.gateway.log[-12:])
                check(relay.states() == {"ready": 1}, relay.states())
                check(any(host.fingerprint in line for line in relay.gateway.log), relay.gateway.log[-12:])
                said = relay.wire.all()
                check(b"STARTTLS\r\n" in said and b"AUTH" not in said and b"MAIL" not in said, said)
        check("A=plain" not in host.log() and host.kept() == [], host.log())
    finally:
        host.close()


def test_a_password_for_whoever_answers_is_refused_by_the_configuration_check():
    with tempfile.NamedTemporaryFile() as password:
        gateway = Gateway(BUILD, adapters=ADAPTER.format(
            kind="smtp", hosts='["127.0.0.1:25"]', more=f'username = "gateway"\npassword_file = "{password.name}"'))
        try:
            checked = subprocess.run([gateway.postern, "--config", gateway.config, "config", "check"],
                                     capture_output=True, timeout=60)
            said = (checked.stdout + checked.stderr).decode()
            check(checked.returncode != 0 and "opportunistic verifies nobody" in said, said)
        finally:
            gateway.close()


def test_exim_and_postfix_as_a_pair():
    """The second host has what the first one can not take, and everything while the first one is away."""
    exim = OldExim(BUILD)
    try:
        postfix = taking_postfix(BUILD, "")
        pair = Relay(postfix, first=f"127.0.0.1:{exim.port}", more='host_pause = "0s"\nkeep_connection = "0s"')
    except BaseException:
        exim.close()
        raise
    try:
        with pair as relay:
            small = b"Subject: small\r\n\r\nx\r\n"
            large = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 5000
            for text, first, second in ((small, 1, 0), (large, 1, 1), (small, 2, 1)):
                relay.send(text)
                check((len(exim.kept()), len(relay.wire.with_mail())) == (first, second), (first, relay.gateway.log[-12:]))
            exim.end()
            relay.send(small)
            check(len(relay.wire.with_mail()) == 2, relay.gateway.log[-12:])
            check(relay.says("adapter.host_down"), relay.gateway.log[-12:])
            exim.begin()
            relay.send(small)
            check((len(exim.kept()), len(relay.wire.with_mail())) == (3, 2), relay.gateway.log[-12:])
            check(relay.says("adapter.host_up"), relay.gateway.log[-12:])
            check(relay.states() == {"exported": 5}, relay.states())
    finally:
        exim.close()


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
