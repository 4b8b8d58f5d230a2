#!/usr/bin/env python3
"""The chat's doors, from outside: TLS and its certificates, reloads, accounts that nobody has, the end.

Each function named test_* is one test. Usage: chat_doors.py BUILD_FOLDER [TEST ...]
"""

import base64
import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
import chat  # noqa: E402  (a service with accounts)
from chat import PASSWORD, Board, House, TlsHouse, check, make_paper, postern, submit  # noqa: E402
from gateway import Gateway, breathe  # noqa: E402
from irc_client import IrcClient  # noqa: E402


class TlsBoard(Board):
    def __init__(self):
        super().__init__(more="keep = 1000")
        paper = make_paper(self)
        self.configure('address = "127.0.0.1:0"\n', f'tls_address = "127.0.0.1:0"\ncertificate = "{paper}"\nkey = "{paper}.key"\n')

    def connect(self, name="chat-tls"):
        return IrcClient(self.gateway.ports[name], tls=True)


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
            for key in ("certificate", "key"):
                house.configure(f'{key} = "/nowhere', f'{key} = "{house.gateway.folder}')
            house.configure("[chat]\n", '[chat]\nchannel = "#mail"\n')  # other settings need not wait for it
            said = house.reload(ok=range(1, 128))
            check("c.pem" in said, said)
            vera.until("ERROR", "settings were changed, come again")
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD).join("#mail")
            paper = make_paper(house)
            house.reload("chat-tls")
            vera.until("ERROR", "is opened anew, come again")
        with IrcClient(house.gateway.ports["chat-tls"], tls=True) as olaf:
            olaf.log_on("olaf", PASSWORD).join("#mail")
        check("is closed" not in postern(house.gateway, "status", ok=range(128)), "status still complains")
        postern(house.gateway, "config", "check")
        check(os.path.exists(paper), paper)


def taken_port():
    return contextlib.closing(socket.create_server(("127.0.0.1", 0)))


def test_a_port_that_is_taken_closes_its_address_alone_and_turns_nobody_out():
    with taken_port() as taken, House(settings="") as house:
        paper = make_paper(house)
        house.configure("[[listener]]", f'[chat]\naddress = "127.0.0.1:0"\ntls_address = "127.0.0.1:{taken.getsockname()[1]}"\ncertificate = "{paper}"\nkey = "{paper}.key"\n[[listener]]')
        said = house.reload(ok=range(1, 128))
        check("chat-tls" in said and "not there" not in said, said)
        check("chat-tls" in postern(house.gateway, "status", ok=range(128)), "status says nothing of it")
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD).join()
            said = postern(house.gateway, "reload", ok=range(1, 128))
            check("chat-tls" in said, said)
            vera.until("PRIVMSG #queue", "configuration reloaded", "chat-tls")
            vera.ask("status", "state running")
            house.configure("[chat]\n", '[chat]\nchannel = "#mail"\n')  # other settings need not wait for it
            house.reload(ok=range(1, 128))
            vera.until("ERROR", "settings were changed, come again")
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD).join("#mail")
            taken.close()
            house.reload("chat-tls")
            vera.until("ERROR", "is opened anew, come again")
        with IrcClient(house.gateway.ports["chat-tls"], tls=True) as olaf:
            olaf.log_on("olaf", PASSWORD).join("#mail")
        check("another process" not in postern(house.gateway, "status", ok=range(128)), "status still complains")


def test_a_reload_that_can_not_open_what_it_wants_leaves_the_chat_as_it_was():
    with taken_port() as taken, House() as house, house.connect() as vera:
        vera.log_on("vera", PASSWORD).join()
        plain = house.gateway.ports["chat"]
        house.configure('[chat]\naddress = "127.0.0.1:0"', f'[chat]\nchannel = "#mail"\naddress = "127.0.0.1:{taken.getsockname()[1]}"')
        for _ in range(2):
            said = postern(house.gateway, "reload", ok=range(1, 128))
            check("[chat] stays as it was" in said and "another process" in said, said)
            vera.until("PRIVMSG #queue", "configuration reloaded", "stays as it was")
        vera.ask("status", "state running")
        said = postern(house.gateway, "status", ok=range(128))
        check(len(re.findall("stays as it was", said)) == 1, said)
        taken.close()
        house.reload()
        vera.until("ERROR", "settings were changed, come again")
        check(house.gateway.ports["chat"] != plain, "it listens where it did")
        with house.connect() as again:
            again.log_on("vera", PASSWORD).join("#mail")
        check("stays as it was" not in postern(house.gateway, "status", ok=range(128)), "status still complains")


def test_who_goes_back_to_what_is_open_is_not_told_of_trouble_any_more():
    with taken_port() as taken, House() as house, house.connect() as vera:
        vera.log_on("vera", PASSWORD).join()
        wanted = f'address = "127.0.0.1:{taken.getsockname()[1]}"'
        house.configure('[chat]\naddress = "127.0.0.1:0"', "[chat]\n" + wanted)
        postern(house.gateway, "reload", ok=range(1, 128))
        house.configure(wanted, f'address = "127.0.0.1:{house.gateway.ports["chat"]}"')  # our own is not in our way
        house.reload()
        vera.until("ERROR", "settings were changed, come again")
        with house.connect() as again:
            again.log_on("vera", PASSWORD).join()
        said = postern(house.gateway, "status", ok=range(128))
        check("trouble" not in said, said)


def test_a_change_of_settings_lifts_no_bar():
    with House() as house:
        for _ in range(10):
            with house.connect() as guesser:
                guesser.say("CAP REQ :sasl")
                guesser.say("AUTHENTICATE PLAIN")
                guesser.until("AUTHENTICATE +")
                guesser.say("AUTHENTICATE " + base64.b64encode(b"\0vera\0wrong").decode())
                guesser.until(" 904 ")
        house.configure("[chat]\n", '[chat]\nchannel = "#mail"\n')
        house.reload()
        with house.connect() as vera:
            vera.say("CAP REQ :sasl")
            vera.say("AUTHENTICATE PLAIN")
            vera.until("AUTHENTICATE +")
            vera.say("AUTHENTICATE " + base64.b64encode(b"\0vera\0" + PASSWORD.encode()).decode())
            vera.until(" 904 ", "Too many wrong tries")


def test_a_chat_that_is_turned_off_says_so_and_is_no_trouble():
    with House() as house, house.connect() as vera:
        vera.log_on("vera", PASSWORD).join()
        house.configure('[chat]\naddress = "127.0.0.1:0"\n', "")
        postern(house.gateway, "reload")
        vera.until("ERROR", "The chat was turned off")
        said = postern(house.gateway, "status", ok=range(128))
        check("chat" not in said, said)


def test_an_order_about_what_is_not_there_says_so():
    with House() as house, house.connect() as olaf:
        submit(house.gateway, 1)
        check(house.gateway.wait_until_settled(), house.gateway.states())
        olaf.log_on("olaf", PASSWORD)
        olaf.ask("ack 99", "there is no item 99")
        olaf.ask("ack 1", "1 is exported: nothing is left to look after")
        olaf.ask("filter adapter=nope", 'there is no adapter "nope"')


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
    # Long enough for the log-on at the end on a busy machine.
    with TlsHouse('registration = "8s"') as house:
        port = house.gateway.ports["chat-tls"]
        for bytes_ in (b"NICK clear\r\nUSER u 0 * :u\r\n", b"", b"\x16\x03\x01\x02\x00\x01"):
            with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as clear:
                clear.sendall(bytes_)
                got = b""
                with contextlib.suppress(ConnectionError):
                    while piece := clear.recv(4096):  # until it is closed
                        got += piece
                check(not re.search(rb"[A-Z]{4}", got), f"said in the clear: {got}")
        counted = re.search(r'"tls_failed": ?(\d+)', postern(house.gateway, "status", "--json", ok=range(128)))
        check(counted and int(counted.group(1)) > 0, "handshakes that failed are not counted")
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


def hello_cut_off(port):
    """A connection in the middle of its handshake."""
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    client.sendall(b"\x16\x03\x01\x02\x00\x01")
    return client


def test_a_stop_ends_those_in_the_middle_of_their_handshake():
    with TlsHouse() as house, contextlib.ExitStack() as stack:
        port = house.gateway.ports["chat-tls"]
        half = [stack.enter_context(contextlib.closing(hello_cut_off(port))) for _ in range(30)]
        whole = [stack.enter_context(house.connect()).log_on("olaf", PASSWORD, nick=f"n{i}") for i in range(20)]
        check(house.gateway.stop() == 0, "exit status")
        for client in whole:
            client.until("ERROR", "shutting down")
        for client in half:
            with contextlib.suppress(ConnectionError):
                check(not re.search(rb"[A-Z]{4}", client.recv(4096)), "said in the clear")


def test_reloads_in_a_storm_of_log_ons_leave_a_chat_that_works():
    with TlsHouse() as house:
        ended, logged_on = threading.Event(), []

        def storm(number):
            while not ended.is_set():
                with contextlib.suppress(OSError, AssertionError), house.connect() as client:
                    client.log_on("olaf", PASSWORD, nick=f"n{number}")
                    logged_on.append(number)

        threads = [threading.Thread(target=storm, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        try:
            for number in range(4):  # each opens it anew, on another port: it was told to take any
                house.configure(f"idle = \"{number + 3}m\"" if number else "[chat]\n", f"idle = \"{number + 4}m\"" if number else '[chat]\nidle = "4m"\n')
                house.reload("chat-tls")
                before = len(logged_on)
                deadline = time.monotonic() + 60
                while len(logged_on) < before + 6:
                    check(time.monotonic() < deadline, "nobody gets in any more")
                    breathe()
        finally:
            ended.set()
            for thread in threads:
                thread.join(60)
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD).join()
        check("begun anew" not in postern(house.gateway, "status", ok=range(128)), "it died")


def test_a_slow_reader_over_tls_gets_a_long_replay_whole():
    with TlsBoard() as house:
        for serial in range(60):
            house.mail("alerts@board.example", f"serial {serial}.", "".join(f"{line} {'x' * 300}\r\n" for line in range(9)))
        check(house.gateway.wait_until_settled() and house.gateway.states() == {"exported": 60}, house.gateway.states())
        with house.connect() as olaf, house.connect() as vera:
            vera.log_on("vera", PASSWORD).join("#alerts")
            vera.until("PRIVMSG #alerts", "serial 59.")  # all of it can be told again
            olaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            olaf.log_on("olaf", PASSWORD, caps="sasl server-time batch")
            olaf.say("JOIN #alerts")
            olaf.say("PING behind")
            vera.ask("status", "state running")  # who does not read holds up nobody
            olaf.until("PONG", "behind")
            told = [line for line in olaf.heard if "PRIVMSG #alerts" in line]
            firsts = [int(re.search(r": serial (\d+)\.", line).group(1)) for line in told[::10]]
            check(len(told) == 600 and sorted(firsts) == list(range(60)), f"{len(told)} lines, {firsts}")


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
