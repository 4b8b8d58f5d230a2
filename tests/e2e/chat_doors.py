#!/usr/bin/env python3
"""The chat's doors, from outside: TLS and its certificates, reloads, accounts that nobody has, the end.

Each function named test_* is one test. Usage: chat_doors.py BUILD_FOLDER [TEST ...]
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
import chat  # noqa: E402  (a service with accounts)
from chat import PASSWORD, House, TlsHouse, check, make_paper, postern, submit  # noqa: E402
from gateway import Gateway, breathe  # noqa: E402
from irc_client import IrcClient  # noqa: E402


def test_reload_opens_it_anew_and_mail_does_not_wait_for_it():
    with House(settings="") as house:
        house.configure("[[listener]]", '[chat]\naddress = "127.0.0.1:0"\n[[listener]]')
        house.reload()
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD).join()
            house.configure('address = "127.0.0.1:0"\n[[listener]]', 'address = "127.0.0.1:0"\nchannel = "#mail"\n[[listener]]')
            house.reload()
            vera.until("ERROR", "settings were changed, come again")
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD).join("#mail")
        paper = make_paper(house)
        house.configure('channel = "#mail"', f'tls_address = "127.0.0.1:0"\ntls_role = "viewer"\ncertificate = "{paper}"\nkey = "{paper}.key"')
        house.reload("chat-tls")
        with IrcClient(house.gateway.ports["chat-tls"], tls=True) as olaf:
            olaf.log_on("olaf", PASSWORD).join()
            olaf.ask("hold 1", "needs the role operator")
            house.configure(f'certificate = "{paper}"', 'certificate = "/nowhere/c.pem"')
            said = postern(house.gateway, "reload", ok=range(1, 128))
            check("/nowhere/c.pem" in said and "stays as it was" in said, said)
            olaf.ask("status", "state running")
        check("chat" in postern(house.gateway, "status", ok=range(128)), "status says nothing of the chat")
        submit(house.gateway, 1)
        check(house.gateway.wait_until_settled() and house.gateway.states() == {"exported": 1}, house.gateway.states())


def test_a_certificate_that_is_not_there_closes_its_address_alone():
    tls = 'tls_address = "127.0.0.1:0"\ncertificate = "{0}"\nkey = "{0}.key"\n'
    with House('address = "127.0.0.1:0"\n' + tls.format("/nowhere/c.pem")) as house:
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD).join()
            check("chat-tls" not in house.gateway.ports, house.gateway.ports)
            check(any("tls.unavailable" in line and "listener=chat-tls" in line for line in house.gateway.log), "the log says nothing")
            said = postern(house.gateway, "status", ok=range(128))
            check("tls_address 127.0.0.1:0 is closed" in said, said)
            said = postern(house.gateway, "config", "check", ok=(78,))
            check("/nowhere/c.pem" in said, said)
            said = postern(house.gateway, "reload", ok=range(1, 128))
            check("/nowhere/c.pem" in said, said)
            vera.ask("status", "state running")
            paper = make_paper(house)
            for key in ("certificate", "key"):
                house.configure(f'{key} = "/nowhere', f'{key} = "{house.gateway.folder}')
            house.reload("chat-tls")
            vera.until("ERROR", "settings were changed, come again")
        with IrcClient(house.gateway.ports["chat-tls"], tls=True) as olaf:
            olaf.log_on("olaf", PASSWORD).join()
        check("is closed" not in postern(house.gateway, "status", ok=range(128)), "status still complains")
        postern(house.gateway, "config", "check")
        check(os.path.exists(paper), paper)


def test_a_certificate_is_renewed_without_a_goodbye():
    with TlsHouse() as house, house.connect() as olaf:
        olaf.log_on("olaf", PASSWORD).join()
        first = olaf.socket.getpeercert(binary_form=True)
        make_paper(house)
        postern(house.gateway, "reload")
        deadline = time.monotonic() + 30
        while True:
            with house.connect() as vera:
                if vera.socket.getpeercert(binary_form=True) != first:
                    break
            check(time.monotonic() < deadline, "the old certificate is shown")
            breathe()
        olaf.ask("status", "state running")


def test_openssl_is_answered():
    with TlsHouse() as house:
        port = house.gateway.ports["chat-tls"]
        words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", house.paper, "-verify_return_error", "-verify_hostname", "localhost"]
        for version in ("-tls1_2", "-tls1_3"):
            done = subprocess.run([*words, "-quiet", version], input=b"CAP LS 302\r\nNICK olaf\r\nQUIT :bye\r\n", capture_output=True, timeout=60)
            check(b"sasl=PLAIN,SCRAM-SHA-256" in done.stdout and b"ERROR :Closing Link" in done.stdout, done)
        old = subprocess.run([*words, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], input=b"", capture_output=True, timeout=60)
        check(old.returncode != 0, old)
        renegotiated = subprocess.run([*words, "-tls1_2"], input=b"R\nQUIT :bye\r\n", capture_output=True, timeout=60)
        check(b"no renegotiation" in renegotiated.stderr or b"handshake failure" in renegotiated.stderr, renegotiated)
        with house.connect() as olaf:
            olaf.log_on("olaf", PASSWORD)


def test_who_speaks_no_tls_or_never_ends_its_handshake_is_turned_away():
    with TlsHouse('registration = "2s"') as house:
        port = house.gateway.ports["chat-tls"]
        for bytes_ in (b"NICK clear\r\nUSER u 0 * :u\r\n", b"", b"\x16\x03\x01\x02\x00\x01"):
            with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as clear:
                clear.sendall(bytes_)
                got = b""
                with contextlib.suppress(ConnectionError):
                    while piece := clear.recv(4096):  # until it is closed
                        got += piece
                check(not re.search(rb"[A-Z]{4}", got), f"said in the clear: {got}")
        with house.connect() as olaf:
            olaf.log_on("olaf", PASSWORD)


def test_single_bytes_in_records_of_their_own_are_lines():
    with TlsHouse() as house, house.connect() as olaf:
        olaf.log_on("olaf", PASSWORD)
        olaf.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"PING one-by-one\r\n":
            olaf.socket.sendall(bytes([byte]))
        olaf.until("PONG", "one-by-one")
        olaf.socket.unwrap()  # a goodbye of TLS: nobody is left behind
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD)
            deadline = time.monotonic() + 30
            vera.say("ISON olaf")
            while not vera.until(" 303 ").endswith(":"):
                check(time.monotonic() < deadline, "olaf is still there")
                vera.say("ISON olaf")


def test_a_chat_that_nobody_can_enter_is_said():
    with contextlib.closing(Gateway(chat.BUILD, '[chat]\naddress = "127.0.0.1:0"\n')) as gateway:
        gateway.start()
        wanted = "nobody can enter #queue: there is no account"
        check(any("config.warning" in line and wanted in line for line in gateway.log), "the start says nothing")
        check(wanted in postern(gateway, "config", "check"), "config check says nothing")
        check(wanted in postern(gateway, "reload"), "the reload says nothing")
        postern(gateway, "account", "add", "prn", "--role", "send", given=PASSWORD.encode() + b"\n")
        check("no account has the role viewer" in postern(gateway, "reload"), "an account that may send is enough")
        postern(gateway, "account", "add", "vera", "--role", "viewer", given=PASSWORD.encode() + b"\n")
        check("nobody can enter" not in postern(gateway, "reload"), "it complains all the same")


def test_a_restart_is_marked_in_the_channel():
    with House() as house:
        submit(house.gateway, 1)
        check(house.gateway.wait_until_settled(), house.gateway.states())
        house.gateway.stop()
        house.gateway.start()
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD).join()
            vera.until("PRIVMSG #queue", "the service is ready; what was before its start is in the log")
            check(not any("exported" in line for line in vera.heard), vera.heard)


def test_a_stop_says_goodbye():
    with House() as house, house.connect() as vera:
        vera.log_on("vera", PASSWORD).join()
        check(house.gateway.stop() == 0, "exit status")
        vera.until("ERROR", "shutting down")


if __name__ == "__main__":
    sys.exit(chat.main({name: test for name, test in list(globals().items()) if name.startswith("test_")}))
