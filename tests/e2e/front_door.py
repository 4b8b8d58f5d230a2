#!/usr/bin/env python3
"""The front door, from outside: TLS, reload under live sessions, socket files, and clients that only take up room.

Each function named test_* is one test. Usage: front_door.py BUILD_FOLDER [TEST ...]
"""

import os
import resource
import smtplib
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
import service_life  # noqa: E402
from gateway import Gateway  # noqa: E402
from service_life import Skipped, check, until  # noqa: E402

BUILD = ""
MAIL = "Subject: x\r\n\r\nx\r\n"
CROWD = 2000


def cli(gateway, *arguments, status=0):
    done = subprocess.run([gateway.postern, "--config", gateway.config, *arguments], capture_output=True, timeout=60)
    check(done.returncode == status, f"postern {' '.join(arguments)}: exit {done.returncode}, wanted {status}: "
                                     f"{done.stdout.decode()} {done.stderr.decode()}")
    return done.stdout.decode() + done.stderr.decode()


def make_certificate(folder, name="server"):
    """A new key and self-signed certificate in NAME.key and NAME.pem, as one step for whoever looks."""
    aside = os.path.join(folder, "new")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", aside + ".key", "-out", aside + ".pem"], check=True, capture_output=True, timeout=60)
    for kind in ("key", "pem"):
        os.replace(f"{aside}.{kind}", os.path.join(folder, f"{name}.{kind}"))


def trusting(folder, name="server"):
    return ssl.create_default_context(cafile=os.path.join(folder, name + ".pem"))


class Door:
    """A gateway whose one listener has the settings given; {folder} stands for its folder."""

    def __init__(self, listener, top="", more=""):
        self.gateway = Gateway(BUILD, top)
        make_certificate(self.gateway.folder)
        with open(self.gateway.config, encoding="utf-8") as file:
            text = file.read()
        mark = 'address = "127.0.0.1:0"\n'
        check(mark in text, "the listener is not where it was")
        extra = (listener + more).format(folder=self.gateway.folder)
        with open(self.gateway.config, "w", encoding="utf-8") as file:
            file.write(text.replace(mark, mark + extra))

    def __enter__(self):
        try:
            self.gateway.start()
        except Exception:
            self.gateway.close()
            raise
        return self.gateway

    def __exit__(self, *_):
        self.gateway.close()


KEYS = 'certificate = "{folder}/server.pem"\nkey = "{folder}/server.key"\n'


def peer_certificate(client):
    return client.sock.getpeercert(binary_form=True)


def connect(gateway):
    return smtplib.SMTP("127.0.0.1", gateway.port, local_hostname="client.example.org", timeout=60)


def start_tls(gateway, name="server"):
    client = connect(gateway)
    check(client.starttls(context=trusting(gateway.folder, name))[0] == 220, "STARTTLS")
    return client


def test_starttls_takes_mail_of_any_size():
    with Door('tls = "required"\n' + KEYS) as gateway:
        with connect(gateway) as client:
            client.ehlo()
            check(client.has_extn("starttls"), client.esmtp_features)
            check(client.mail("a@example.org")[0] == 530, "mail in the clear")
        with start_tls(gateway) as client:
            client.ehlo()
            check(not client.has_extn("starttls"), "offered again")
            client.sendmail("a@example.org", ["u@legacy.example"], MAIL)
            client.sendmail("a@example.org", ["v@legacy.example"], "Subject: big\r\n\r\n" + ("x" * 70 + "\r\n") * 100_000)
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 2}, gateway.states())
        texts = []
        for name in [each for each in os.listdir(gateway.out) if not each.startswith(".")]:
            with open(os.path.join(gateway.out, name), "rb") as file:
                texts.append(file.read())
        check(all(b"with ESMTPS" in text for text in texts), "not with ESMTPS")
        check(sorted(len(text) > 7_200_000 for text in texts) == [False, True], [len(text) for text in texts])


def test_implicit_tls():
    with Door('tls = "implicit"\n' + KEYS) as gateway:
        with smtplib.SMTP_SSL("localhost", gateway.port, context=trusting(gateway.folder), timeout=60) as client:
            client.sendmail("a@example.org", ["u@legacy.example"], MAIL)
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 1}, gateway.states())


def test_what_was_put_behind_STARTTLS_is_never_a_command():
    with Door('tls = "starttls"\n' + KEYS) as gateway:
        with connect(gateway) as client:
            client.ehlo()
            client.sock.sendall(b"STARTTLS\r\nMAIL FROM:<thief@example.org>\r\nRCPT TO:<u@legacy.example>\r\n")
            check(client.getreply()[0] == 220, "STARTTLS")
            client.sock = trusting(gateway.folder).wrap_socket(client.sock, server_hostname="127.0.0.1")
            client.file = None
            check(client.docmd("RCPT", "TO:<u@legacy.example>")[0] == 503, "a transaction was begun in the clear")
            check(client.ehlo()[0] == 250, "EHLO")


def test_a_client_that_speaks_no_tls_is_let_go_and_logged():
    with Door('tls = "implicit"\n' + KEYS) as gateway:
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as client:
            client.sendall(b"EHLO client.example.org\r\n")
            while client.recv(1000):
                pass
        until(lambda: any("tls.failed" in line for line in gateway.log), 30, "tls.failed in the log")


def test_a_reload_changes_the_certificate_and_keeps_the_sessions():
    with Door('tls = "starttls"\n' + KEYS) as gateway:
        with start_tls(gateway) as old:
            before = peer_certificate(old)
            make_certificate(gateway.folder)
            cli(gateway, "reload")
            with start_tls(gateway) as new:
                check(peer_certificate(new) != before, "still the old certificate")
            old.sendmail("a@example.org", ["u@legacy.example"], MAIL + "one\r\n")

            make_certificate(gateway.folder, "other")
            os.replace(os.path.join(gateway.folder, "other.key"), os.path.join(gateway.folder, "server.key"))
            text = cli(gateway, "reload", status=78)
            check("server.key" in text and "does not belong" in text, text)
            with start_tls(gateway) as new:
                new.sendmail("a@example.org", ["u@legacy.example"], MAIL + "two\r\n")
            old.sendmail("a@example.org", ["u@legacy.example"], MAIL + "three\r\n")
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 3}, gateway.states())


def test_limits_change_by_a_reload():
    with Door('message_size = "1 MiB"\n') as gateway:
        with connect(gateway) as old:
            old.ehlo()
            with open(gateway.config, encoding="utf-8") as file:
                text = file.read()
            with open(gateway.config, "w", encoding="utf-8") as file:
                file.write(text.replace('"1 MiB"', '"2 MiB"'))
            text = cli(gateway, "reload")
            check("next start" not in text, text)
            with connect(gateway) as new:
                new.ehlo()
                check(new.esmtp_features["size"] == str(2 << 20), new.esmtp_features)
            old.ehlo()
            check(old.esmtp_features["size"] == str(1 << 20), "a running session keeps what it began with")


def test_without_a_certificate_mail_still_comes_in_the_clear():
    door = Door('tls = "starttls"\n' + KEYS)
    os.unlink(os.path.join(door.gateway.folder, "server.key"))
    with door as gateway:
        check(any("tls.unavailable" in line and "server.key" in line for line in gateway.log), gateway.log)
        with connect(gateway) as client:
            client.ehlo()
            check(client.docmd("STARTTLS")[0] == 454, "STARTTLS")
            client.sendmail("a@example.org", ["u@legacy.example"], MAIL)
            make_certificate(gateway.folder)
            cli(gateway, "reload")
        with start_tls(gateway) as client:
            client.sendmail("a@example.org", ["u@legacy.example"], MAIL)


def test_a_unix_socket_has_its_mode():
    second = '[[listener]]\nprotocol = "lmtp"\naddress = "unix:{folder}/lmtp.sock"\nsocket_mode = "0600"\n'
    with Door("", more=second) as gateway:
        path = os.path.join(gateway.folder, "lmtp.sock")
        mode = stat.S_IMODE(os.stat(path).st_mode)
        check(mode == 0o600, oct(mode))
        with smtplib.LMTP(path, timeout=60) as client:
            client.sendmail("a@example.org", ["u@legacy.example"], MAIL)
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 1}, gateway.states())


def raise_handle_limit(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard) if hard > 0 else wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= wanted


def resident(gateway):
    """Kilobytes of the service's memory."""
    with open(f"/proc/{gateway.process.pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


class Crowd:
    """Clients that take up room: mute ones, ones in a mail, ones in a handshake; some say a byte now and then."""

    BEGINNINGS = (b"", b"EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<u@legacy.example>\r\n",
                  b"EHLO c\r\nSTARTTLS\r\n", b"EH")
    DRIPS = (b"", b"x", b"\x16", b"L")

    def __init__(self, port, count):
        self.clients = []
        for serial in range(count):
            client = socket.create_connection(("127.0.0.1", port), timeout=60)
            self.clients.append((serial % len(self.BEGINNINGS), client))
            client.recv(1000)
            client.sendall(self.BEGINNINGS[self.clients[-1][0]])
        for kind, client in self.clients:
            if kind == 1:
                self.until(client, b"250 2.1.5")
                client.sendall(b"DATA\r\n")
                self.until(client, b"354 ")
                client.sendall(b"Subject: never")
            elif kind == 2:
                self.until(client, b"220 2.0.0")
            client.setblocking(False)
        self.ended = threading.Event()
        self.dripper = threading.Thread(target=self._drip)
        self.dripper.start()

    @staticmethod
    def until(client, wanted):
        got = b""
        while wanted not in got:
            piece = client.recv(1000)
            check(piece, f"closed before {wanted}: {got}")
            got += piece

    def _drip(self):
        while not self.ended.is_set():
            for serial, (kind, client) in enumerate(self.clients):
                if self.DRIPS[kind] and serial % 8 >= 4:
                    try:
                        client.send(self.DRIPS[kind])
                    except OSError:
                        pass  # it was let go, or is full: both are fine
            self.ended.wait(0.5)

    def stop(self):
        self.ended.set()
        self.dripper.join()

    def close(self):
        self.stop()
        for _, client in self.clients:
            client.close()


def open_sessions(gateway):
    lines = cli(gateway, "status").splitlines()
    found = [line for line in lines if "sessions" in line]
    check(found, lines)
    digits = "".join(c if c.isdigit() else " " for c in found[0]).split()
    return int(digits[0])


LIMITS = 'first_command = "20s"\nidle = "20s"\ntotal = "25s"\nsessions = 3000\nsessions_per_address = 3000\n'


def test_two_thousand_idle_and_slow_clients_do_not_stand_in_the_way():
    if not raise_handle_limit(CROWD + 200):
        raise Skipped("too few file handles")
    with Door('tls = "starttls"\n' + KEYS + LIMITS, top="sessions = 3000\n") as gateway:
        with connect(gateway) as client:
            client.sendmail("a@example.org", ["u@legacy.example"], MAIL)
        start = resident(gateway)
        begun = time.monotonic()
        crowd = Crowd(gateway.port, CROWD)
        try:
            together = open_sessions(gateway)
            # On a very busy machine the first of them are let go, as they should, before the last have come.
            slow = time.monotonic() - begun > 15
            check(together >= CROWD * 3 // 4 or slow, f"{together} open")
            with connect(gateway) as client:
                for _ in range(200):
                    client.sendmail("a@example.org", ["u@legacy.example"], MAIL)
            full = resident(gateway)
            until(lambda: open_sessions(gateway) == 0, 120, "the end of the crowd's sessions")
        finally:
            crowd.close()
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 201}, gateway.states())
        after = resident(gateway)
        print(f"  resident: {start} kB before, {full} kB with the crowd, {after} kB after")
        check(after < start + 15_000, f"{start} kB before, {full} kB with the crowd, {after} kB after")


def test_too_many_sessions_are_answered_with_421_and_the_service_stays_up():
    with Door("", top="sessions = 3\n") as gateway:
        held = [connect(gateway) for _ in range(3)]
        try:
            with connect(gateway):
                check(False, "a fourth session was taken")
        except smtplib.SMTPConnectError as refused:
            check(refused.smtp_code == 421, refused)
        held.pop().quit()
        until(lambda: open_sessions(gateway) == 2, 30, "the end of a session")
        with connect(gateway) as client:
            client.sendmail("a@example.org", ["u@legacy.example"], MAIL)
        for client in held:
            client.quit()


def main():
    global BUILD
    BUILD = sys.argv[1]
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    return service_life.run(tests, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
