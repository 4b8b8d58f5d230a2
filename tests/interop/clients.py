#!/usr/bin/env python3
"""Other people's programs deliver to us: each mail arrives once, whole, and with its envelope.

Each function named test_* is one test. Usage: clients.py BUILD_FOLDER [TEST ...]
"""

import email
import email.policy
import os
import re
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
sys.path.insert(0, HERE)
from gateway import Gateway, breathe  # noqa: E402
from peers import Exim, OpenSmtpd, Postfix, Skipped, run_tests  # noqa: E402

BUILD = ""
PASSWORD = "a pass word, 42"

LISTENERS = """
[[listener]]
name = "mx"
protocol = "smtp"
address = "127.0.0.1:0"
tls = "starttls"
certificate = "{folder}/cert.pem"
key = "{folder}/key.pem"
[[listener]]
name = "submission"
protocol = "smtp"
address = "127.0.0.1:0"
tls = "required"
auth = "required"
submission = true
certificate = "{folder}/cert.pem"
key = "{folder}/key.pem"
[[listener]]
name = "smtps"
protocol = "smtp"
address = "127.0.0.1:0"
tls = "implicit"
auth = "offered"
networks = []
certificate = "{folder}/cert.pem"
key = "{folder}/key.pem"
[[listener]]
name = "lmtp"
protocol = "lmtp"
address = "unix:{folder}/lmtp.sock"
"""


def check(condition, text):
    if not condition:
        raise AssertionError(text)


class Site:
    """A gateway with every kind of listener, a certificate made for it, and one account."""

    def __init__(self):
        self.gateway = Gateway(BUILD)
        folder = self.gateway.folder
        self.certificate = os.path.join(folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", os.path.join(folder, "key.pem"), "-out", self.certificate, "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, capture_output=True, timeout=60)
        os.chmod(folder, 0o755)  # the peers' own users read the certificate and reach the socket
        with open(self.gateway.config, "a", encoding="utf-8") as file:
            file.write(LISTENERS.format(folder=folder))

    def __enter__(self):
        try:
            self.gateway.start()
            done = subprocess.run([self.gateway.postern, "--config", self.gateway.config, "account", "add", "anna"],
                                  input=PASSWORD.encode() + b"\n", capture_output=True, timeout=60)
            check(done.returncode == 0, f"account add: {done.stderr.decode()}")
        except BaseException:
            self.gateway.close()
            raise
        return self

    def __exit__(self, *_):
        self.gateway.close()

    def port(self, name):
        return self.gateway.ports[name]

    def tls(self):
        return ssl.create_default_context(cafile=self.certificate)

    def arrived(self, count, limit=30.0):
        """The files once `count` of them are there and nothing waits any more."""
        deadline = time.monotonic() + limit
        names = []
        while time.monotonic() < deadline:
            names = sorted(name for name in os.listdir(self.gateway.out) if not name.startswith("."))
            if len(names) >= count and self.gateway.wait_until_settled():
                break
            breathe()
        check(len(names) == count, f"{len(names)} files arrived, wanted {count}: {self.gateway.log[-12:]}")
        contents = []
        for name in names:
            with open(os.path.join(self.gateway.out, name), "rb") as file:
                contents.append(file.read().replace(b"\r\n", b"\n"))
        return contents

    def one(self):
        return self.arrived(1)[0]

    def received(self, content):
        """Our own Received field, unfolded."""
        for line in email.message_from_bytes(content, policy=email.policy.compat32).get_all("Received", []):
            if "(Postern" in str(line):
                return " ".join(str(line).split())
        raise AssertionError(f"no Received line of ours: {content[:300]!r}")


def run(arguments, stdin=b"", status=0, **more):
    done = subprocess.run(arguments, input=stdin, capture_output=True, timeout=120, **more)
    check(done.returncode == status, f"{arguments[0]}: exit {done.returncode}: "
                                     f"{done.stdout.decode(errors='replace')[-1500:]}{done.stderr.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def swaks(site, listener, *options, status=0):
    return run(["swaks", "--server", "127.0.0.1", "--port", str(site.port(listener)), "--from", "s@example.org", "--to",
                "user@legacy.example", "--ehlo", "client.example.org", "--body", "a body\n.with a dot\n", *options],
               status=status)


def test_swaks_plain():
    with Site() as site:
        swaks(site, "mx", "--header", "Subject: from swaks")
        content = site.one()
        check(b"Subject: from swaks\n" in content and b"\n.with a dot\n" in content, content)
        check("with ESMTP id " in site.received(content), site.received(content))


def test_swaks_starttls():
    with Site() as site:
        said = swaks(site, "mx", "--tls")
        check("TLSv1." in said, said)
        check("with ESMTPS id " in site.received(site.one()), "protocol")


def test_swaks_logs_on_with_plain_and_login():
    with Site() as site:
        for mechanism in ("PLAIN", "LOGIN"):
            swaks(site, "submission", "--tls", "--auth", mechanism, "--auth-user", "anna", "--auth-password", PASSWORD)
        for content in site.arrived(2):
            check("with ESMTPSA id " in site.received(content), site.received(content))


def test_swaks_is_refused_with_a_wrong_password():
    with Site() as site:
        said = swaks(site, "submission", "--tls", "--auth", "PLAIN", "--auth-user", "anna", "--auth-password", "no",
                     status=28)
        check("535 5.7.8" in said, said)


def test_swaks_may_not_send_through_the_submission_port_without_logging_on():
    with Site() as site:
        said = swaks(site, "submission", "--tls", status=24)
        check("530 5.7.0" in said, said)


def test_swaks_with_tls_from_the_beginning():
    with Site() as site:
        swaks(site, "smtps", "--tls-on-connect", "--auth", "PLAIN", "--auth-user", "anna", "--auth-password", PASSWORD)
        check("with ESMTPSA id " in site.received(site.one()), "protocol")


def test_swaks_over_lmtp_on_a_unix_socket():
    with Site() as site:
        said = run(["swaks", "--socket", os.path.join(site.gateway.folder, "lmtp.sock"), "--protocol", "LMTP", "--from",
                    "s@example.org", "--to", "a@legacy.example,b@legacy.example"])
        check(said.count("250 2.0.0 Ok: queued") == 2, said)
        check("with LMTP id " in site.received(site.one()), "protocol")


def test_swaks_pipelines():
    with Site() as site:
        swaks(site, "mx", "--pipeline")
        site.one()


def test_curl_submits_over_starttls_and_smtps():
    with Site() as site:
        with tempfile.NamedTemporaryFile() as mail:
            mail.write(b"Subject: from curl\r\n\r\nline\r\n..dots\r\n")
            mail.flush()
            for url, more in ((f"smtp://localhost:{site.port('submission')}", ["--ssl-reqd"]),
                              (f"smtps://localhost:{site.port('smtps')}", [])):
                run(["curl", "--silent", "--show-error", "--url", url, "--cacert", site.certificate, "--mail-from",
                     "s@example.org", "--mail-rcpt", "user@legacy.example", "--user", f"anna:{PASSWORD}",
                     "--upload-file", mail.name, *more])
        for content in site.arrived(2):
            check(b"\n..dots\n" in content and b"Subject: from curl\n" in content, content)


def msmtp(site, listener, *settings):
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as config:
        os.chmod(config.name, 0o600)
        config.write("\n".join(["defaults", f"port {site.port(listener)}", f"tls_trust_file {site.certificate}",
                                "account a", "host localhost", "from s@example.org", "user anna",
                                f'password "{PASSWORD}"', *settings, "account default : a", ""]))
        config.flush()
        return run(["msmtp", "-C", config.name, "--", "user@legacy.example"], b"Subject: from msmtp\n\nhello\n.\nend\n")


def test_msmtp_over_starttls():
    with Site() as site:
        msmtp(site, "submission", "tls on", "auth plain")
        check(b"hello\n.\nend\n" in site.one(), "body")


def test_msmtp_over_implicit_tls_with_scram():
    with Site() as site:
        if "scram-sha-256" not in run(["msmtp", "--version"]).lower():
            raise Skipped("this msmtp was built without SCRAM")
        msmtp(site, "smtps", "tls on", "tls_starttls off", "auth scram-sha-256")
        check("with ESMTPSA id " in site.received(site.one()), "protocol")


def test_msmtp_asks_for_delivery_reports():
    with Site() as site:
        msmtp(site, "submission", "tls on", "auth on", "dsn_notify failure,delay", "dsn_return headers")
        site.one()


def test_smtplib_starttls_auth_and_many_recipients():
    with Site() as site:
        with smtplib.SMTP("localhost", site.port("submission"), "client.example.org", timeout=30) as client:
            client.starttls(context=site.tls())
            client.login("anna", PASSWORD)
            client.sendmail("s@example.org", [f"u{i}@legacy.example" for i in range(100)], "Subject: many\r\n\r\nx\r\n")
        site.one()


def test_smtplib_smtputf8():
    with Site() as site:
        with smtplib.SMTP("localhost", site.port("mx"), "client.example.org", timeout=30) as client:
            client.sendmail("пример@example.org", ["анна@legacy.example"], "Subject: привет\r\n\r\nтекст\r\n".encode(),
                            mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        content = site.one()
        check("текст".encode() in content and "with UTF8SMTP id " in site.received(content), content)


def test_smtplib_over_lmtp():
    with Site() as site:
        with smtplib.LMTP(os.path.join(site.gateway.folder, "lmtp.sock"), timeout=30) as client:
            client.sendmail("s@example.org", ["a@legacy.example"], "Subject: x\r\n\r\nx\r\n")
        check("with LMTP id " in site.received(site.one()), "protocol")


def test_a_raw_client_sends_chunks():
    body = bytes(range(256)) * 300
    with Site() as site, socket.create_connection(("127.0.0.1", site.port("mx")), timeout=30) as raw:
        file = raw.makefile("rwb")

        def say(line, payload=b""):
            file.write(line + b"\r\n" + payload)
            file.flush()
            answer = file.readline()
            while answer[3:4] == b"-":
                answer = file.readline()
            return answer

        check(file.readline().startswith(b"220"), "greeting")
        check(say(b"EHLO client.example.org").startswith(b"250"), "EHLO")
        check(say(b"MAIL FROM:<s@example.org> BODY=BINARYMIME").startswith(b"250"), "MAIL")
        check(say(b"RCPT TO:<user@legacy.example>").startswith(b"250"), "RCPT")
        header = b"Subject: binary\r\n\r\n"
        check(say(b"BDAT %d" % len(header), header).startswith(b"250"), "BDAT")
        check(say(b"BDAT %d" % len(body), body).startswith(b"250"), "BDAT")
        check(say(b"BDAT 0 LAST").startswith(b"250 2.0.0 Ok: queued"), "BDAT 0 LAST")
        check(say(b"QUIT").startswith(b"221"), "QUIT")
        site.arrived(1)
        name = next(each for each in os.listdir(site.gateway.out) if not each.startswith("."))
        with open(os.path.join(site.gateway.out, name), "rb") as stored:
            check(body in stored.read(), "the bytes changed")


class Relay:
    """A mail server between a sender and us."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        return self.server

    def __exit__(self, *_):
        self.server.close()


BIG = b"Subject: big\n\n" + b"0123456789 abcdefghijklmnopqrstuvwxyz .\n" * 30000


def test_exim_delivers_with_chunks_and_tls():
    with Site() as site, Relay(Exim(BUILD, site.port("mx"), "hosts_try_dane =\n  tls_verify_certificates = "
                                    f"{site.certificate}\n  tls_verify_cert_hostnames =")) as exim:
        log = exim.send("s@example.org", ["user@legacy.example"], b"Subject: from exim\n\n.\n..\nfrom exim\n")
        check("Completed" in log and " K " in log and "X=TLS1." in log, log)
        content = site.one()
        check(b"\n.\n..\nfrom exim\n" in content and "with ESMTPS id " in site.received(content), content)


def test_exim_delivers_a_large_mail():
    with Site() as site, Relay(Exim(BUILD, site.port("mx"), "hosts_try_dane =")) as exim:
        log = exim.send("s@example.org", ["a@legacy.example", "b@legacy.example"], BIG)
        check("Completed" in log, log)
        check(BIG.split(b"\n\n", 1)[1] in site.one(), "the text changed")


def test_exim_is_told_of_an_unknown_recipient():
    with Site() as site, Relay(Exim(BUILD, site.port("mx"), "hosts_try_dane =")) as exim:
        log = exim.send("s@example.org", ["nobody@elsewhere.example", "user@legacy.example"], b"Subject: x\n\nx\n")
        check(re.search(r"\*\* nobody@elsewhere.example .* 550 5\.1\.1", log), log)
        site.one()


def through(site, relay, sender="s@example.org", recipients=("user@legacy.example",), text=None, options=(), rcpt=()):
    with smtplib.SMTP("127.0.0.1", relay.port, "client.example.org", timeout=30) as client:
        client.sendmail(sender, list(recipients), text or b"Subject: relayed\r\n\r\n.\r\n..\r\nrelayed\r\n", options, rcpt)


def test_opensmtpd_relays_over_starttls():
    with Site() as site, Relay(OpenSmtpd(BUILD, f"smtp+notls://127.0.0.1:{site.port('mx')}")) as relay:
        relay.wait()
        through(site, relay)
        check(b"\n.\n..\nrelayed\n" in site.one(), "body")
    with Site() as site, Relay(OpenSmtpd(BUILD, f"smtp://127.0.0.1:{site.port('mx')}")) as relay:
        relay.wait()
        through(site, relay)
        content = site.one()
        check("with ESMTPS id " in site.received(content), site.received(content))


def test_postfix_relays_with_tls_utf8_and_delivery_requests():
    with Site() as site, Relay(Postfix(BUILD, f"[127.0.0.1]:{site.port('mx')}", "smtp_tls_security_level = encrypt")) as relay:
        relay.start()
        through(site, relay)
        through(site, relay, "пример@example.org", ["анна@legacy.example"], "Subject: ü\r\n\r\nтекст\r\n".encode(),
                ["SMTPUTF8", "RET=HDRS", "ENVID=abc123"], ["NOTIFY=SUCCESS,FAILURE"])
        contents = site.arrived(2)
        names = sorted(site.received(content).split(" with ")[1].split(" ")[0] for content in contents)
        check(names == ["ESMTPS", "UTF8SMTPS"], names)
        shown = run([site.gateway.postern, "--config", site.gateway.config, "--json", "queue", "list", "--state",
                     "exported"])
        check("анна@legacy.example" in shown, shown)


def test_postfix_logs_on_to_the_submission_port():
    with Site() as site:
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as passwords:
            passwords.write(f"[127.0.0.1]:{site.port('submission')} anna:{PASSWORD}\n")
            passwords.flush()
            os.chmod(passwords.name, 0o644)
            with Relay(Postfix(BUILD, f"[127.0.0.1]:{site.port('submission')}",
                               "smtp_tls_security_level = encrypt\nsmtp_sasl_auth_enable = yes\n"
                               "smtp_sasl_security_options = noanonymous\n"
                               f"smtp_sasl_password_maps = texthash:{passwords.name}")) as relay:
                relay.start()
                through(site, relay)
                check("with ESMTPSA id " in site.received(site.one()), "protocol")


def test_postfix_relays_over_lmtp():
    with Site() as site, Relay(Postfix(BUILD, "", f"relay_transport = lmtp:unix:{site.gateway.folder}/lmtp.sock\n"
                                                  f"default_transport = lmtp:unix:{site.gateway.folder}/lmtp.sock")) as relay:
        os.chmod(os.path.join(site.gateway.folder, "lmtp.sock"), 0o666)
        relay.start()
        through(site, relay, recipients=["a@legacy.example", "b@legacy.example"])
        check("with LMTP id " in site.received(site.one()), "protocol")


def main():
    global BUILD
    BUILD = os.path.abspath(sys.argv[1])
    return run_tests({name: each for name, each in globals().items() if name.startswith("test_")}, sys.argv[2:])


sys.exit(main())
