#!/usr/bin/env python3
"""Operators by chat, from outside: events, commands, roles, mail. Its doors are chat_doors.py.

Each function named test_* is one test. Usage: chat.py BUILD_FOLDER [TEST ...]
"""

import contextlib
import http.client
import os
import re
import smtplib
import subprocess
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
from gateway import Gateway, breathe  # noqa: E402
from irc_client import IrcClient  # noqa: E402

BUILD = ""
PASSWORD = "long enough 1"


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def postern(gateway, *words, given=b"", ok=(0,)):
    done = subprocess.run([gateway.postern, "--config", gateway.config, *words], input=given, capture_output=True, timeout=60)
    check(done.returncode in ok, f"{words}: {done.returncode} {done.stderr.decode()}")
    return done.stdout.decode() + done.stderr.decode()


def submit(gateway, serial):
    with smtplib.SMTP("127.0.0.1", gateway.port, local_hostname="client.example.org", timeout=30) as client:
        client.sendmail("sender@example.org", ["user@legacy.example"], f"Subject: serial {serial}\r\n\r\nbody {serial}\r\n")


def make_paper(house):
    """A certificate for localhost, its key beside it; its path."""
    paper = os.path.join(house.gateway.folder, "c.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", paper + ".key", "-out", paper, "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "30"], check=True, capture_output=True, timeout=120)
    return paper


class House:
    """A started gateway with a chat and accounts of every role."""

    def __init__(self, settings='address = "127.0.0.1:0"', more=""):
        self.gateway = Gateway(BUILD, (f"[chat]\n{settings}\n" if settings else "") + more)

    def __enter__(self):
        self.gateway.start()
        for name, role in (("vera", "viewer"), ("olaf", "operator"), ("prn", "send")):
            postern(self.gateway, "account", "add", name, "--role", role, given=PASSWORD.encode() + b"\n")
        return self

    def __exit__(self, *_):
        self.gateway.close()

    def connect(self, name="chat"):
        return IrcClient(self.gateway.ports[name])

    def reload(self, name="chat", ok=(0,)):
        """Reloads, and waits until the log has said where the chat listens now. Result: what was answered."""
        opened = lambda: sum(f"listener.opened listener={name} " in line for line in self.gateway.log)  # noqa: E731
        before = opened()
        said = postern(self.gateway, "reload", ok=ok)
        deadline = time.monotonic() + 30
        while opened() == before:
            check(time.monotonic() < deadline, "the chat was not opened")
            breathe()
        return said

    def configure(self, old, new):
        with open(self.gateway.config, encoding="utf-8") as file:
            text = file.read()
        check(old in text, f"{old} is not in the configuration")
        with open(self.gateway.config, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))


class TlsHouse(House):
    """One that is reached over TLS alone, as chat-tls."""

    def __init__(self, more=""):
        super().__init__()
        self.paper = make_paper(self)
        self.configure('address = "127.0.0.1:0"\n', f'tls_address = "127.0.0.1:0"\ncertificate = "{self.paper}"\nkey = "{self.paper}.key"\n{more}\n')

    def connect(self, name="chat-tls"):
        return IrcClient(self.gateway.ports[name], tls=True)


class Board(House):
    """One with an adapter that tells mail in #alerts, and to people."""

    def __init__(self, settings='address = "127.0.0.1:0"', more=""):
        super().__init__(settings)
        self.log = os.path.join(self.gateway.folder, "log")
        self.more = more
        self.set_up()

    def set_up(self):
        with open(self.gateway.config, "a", encoding="utf-8") as file:
            file.write(f"""[adapter.board]
kind = "chat"
folder = "{self.log}"
channels = ["#alerts"]
{self.more}
[[route]]
recipient = "alerts@board.example"
adapter = "board"
legacy = "#alerts"
[[route]]
recipient = "*@people.example"
adapter = "board"
legacy = "{{local}}"
""")

    def mail(self, recipient, subject, body="body\r\n"):
        with smtplib.SMTP("127.0.0.1", self.gateway.port, local_hostname="client.example.org", timeout=30) as client:
            client.sendmail("ann@example.org", [recipient], f"From: Ann <ann@example.org>\r\nSubject: {subject}\r\n\r\n{body}")

    def told(self, channel="#alerts"):
        """The entries of the log, the oldest first."""
        folder = os.path.join(self.log, channel.replace("#", "%23"))
        entries = []
        for name in sorted(os.listdir(folder), key=int):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                entries.append(file.read())
        return entries


def test_mail_is_told_in_a_channel_and_again_to_who_comes_later():
    with Board() as house, house.connect() as vera, house.connect() as olaf:
        vera.log_on("vera", PASSWORD).join("#alerts")
        house.mail("alerts@board.example", "=?utf-8?Q?roof=0D=0AKILL_vera_=01VERSION=01?=", "one\r\n" * 30)
        heard = vera.until("PRIVMSG #alerts", "Ann <ann@example.org>: roof")
        check("KILL vera VERSION" in heard.replace("  ", " "), heard)
        vera.until("PRIVMSG #alerts", "| ... 22 more: postern queue export ")
        vera.say("PING still")
        vera.until("PONG")
        check(house.gateway.wait_until_settled() and house.gateway.states() == {"exported": 1}, house.gateway.states())
        check(len(house.told()) == 1, house.told())
        olaf.log_on("olaf", PASSWORD, caps="sasl server-time batch").join("#alerts")
        opened = olaf.until("BATCH +", "chathistory #alerts")
        again = olaf.until("PRIVMSG #alerts", "roof")
        check("time=" in again and "batch=" + re.search(r"BATCH \+(\w+)", opened).group(1) in again, again)
        olaf.until("BATCH -")
        check(not any("roof" in line for line in vera.heard[-3:]), "told twice to who was there")


def test_mail_for_a_person_waits_until_he_is_there():
    with Board() as house, house.connect() as olaf:
        house.mail("olaf@people.example", "call home")
        deadline = time.monotonic() + 30
        while "olaf is not in the chat now" not in postern(house.gateway, "queue", "show", "1"):
            check(time.monotonic() < deadline, "it was not put off")
            breathe()
        check(house.gateway.states() == {"ready": 1}, house.gateway.states())
        olaf.log_on("olaf", PASSWORD, nick="phone").join()
        olaf.until("PRIVMSG phone", "Ann <ann@example.org>: call home")
        check(house.gateway.wait_until_settled() and house.gateway.states() == {"exported": 1}, house.gateway.states())
        history = postern(house.gateway, "queue", "log", "1")
        check(re.search(r"postern\s+retry\s+olaf is in the chat", history), history)
        olaf.say("PART #queue")
        olaf.join()
        olaf.say("PING still")
        olaf.until("PONG")
        told = [line for line in olaf.heard if "1 deferred: adapter=board" in line]
        check(len(set(told)) == 1, told)
        check(not any("1 changed" in line for line in olaf.heard), "#queue is told of our own retry")
        with house.connect() as again:
            again.log_on("olaf", PASSWORD)
            again.until("PRIVMSG olaf", "call home")


def test_mail_for_a_person_while_the_chat_is_off_says_so():
    with Board(more='retry_rules = ["connection 1h 1h 1d"]') as house:
        house.mail("olaf@people.example", "call home")
        deadline = time.monotonic() + 30
        while "olaf is not in the chat now" not in postern(house.gateway, "queue", "show", "1"):
            check(time.monotonic() < deadline, "it was not put off")
            breathe()
        check("[chat] is off" not in postern(house.gateway, "queue", "show", "1"), "it is on")
        house.configure('[chat]\naddress = "127.0.0.1:0"\n', "")
        postern(house.gateway, "reload", ok=range(128))
        said = postern(house.gateway, "queue", "show", "1")
        check("olaf is not in the chat now, and [chat] is off" in said, said)


def test_mail_for_one_who_only_looks_like_him_goes_on_waiting():
    with Board(more='retry_rules = ["connection 1h 1h 1d"]') as house, house.connect() as olaf:
        for name in ("olaf", "bolaf"):
            house.mail(f"{name}@people.example", f"for {name}")
        deadline = time.monotonic() + 30
        while postern(house.gateway, "queue", "list", "--error", "is not in the chat now").count("for ") < 2:
            check(time.monotonic() < deadline, "they were not put off")
            breathe()
        olaf.log_on("olaf", PASSWORD)
        olaf.until("PRIVMSG olaf", "for olaf")
        deadline = time.monotonic() + 30
        while house.gateway.states() != {"exported": 1, "ready": 1}:
            check(time.monotonic() < deadline, house.gateway.states())
            breathe()
        history = postern(house.gateway, "queue", "log", "--json", "2")
        check('"retry"' not in history, history)


def test_kill_9_while_mail_comes_tells_each_exactly_once():
    with Board(more="keep = 1000") as house:
        accepted, serial = set(), 0
        for _ in range(6):
            ended = threading.Event()

            def send():
                nonlocal serial
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    while not ended.is_set():
                        serial += 1
                        house.mail("alerts@board.example", f"serial {serial}.")
                        accepted.add(serial)

            sender = threading.Thread(target=send)
            before = len(accepted)
            sender.start()
            deadline = time.monotonic() + 30
            while len(accepted) < before + 12 and time.monotonic() < deadline:
                breathe()
            house.gateway.kill()
            ended.set()
            sender.join(60)
            house.gateway.start()
        check(house.gateway.wait_until_settled() and set(house.gateway.states()) == {"exported"}, house.gateway.states())
        check(len(accepted) >= 60, f"only {len(accepted)} were accepted")
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD, caps="sasl server-time batch").join("#alerts")
            vera.say("PING done")
            vera.until("PONG")
            heard = [int(found.group(1)) for line in vera.heard for found in [re.search(r"Ann <ann@example.org>: serial (\d+)\.", line)] if found]
        stored = [int(re.search(r": serial (\d+)\.", entry).group(1)) for entry in house.told()]
        check(heard == stored, f"heard {heard}, stored {stored}")
        check(len(set(stored)) == len(stored) and accepted <= set(stored), f"accepted {sorted(accepted)}, stored {stored}")


def test_a_storm_of_mail_is_a_few_and_a_count():
    with Board(more="keep = 20\nat_once = 2") as house, house.connect() as vera, house.connect() as olaf:
        vera.log_on("vera", PASSWORD).join("#alerts")
        with smtplib.SMTP("127.0.0.1", house.gateway.port, local_hostname="client.example.org", timeout=30) as client:
            for serial in range(150):
                client.sendmail("ann@example.org", ["alerts@board.example"], f"Subject: serial {serial}.\r\n\r\n")
        check(house.gateway.wait_until_settled() and house.gateway.states() == {"exported": 150}, house.gateway.states())
        told, counted = 0, 0
        while told + counted < 150:
            line = vera.until("PRIVMSG #alerts")
            summary = re.search(r"\.\.\. and (\d+) more mails? in 5s", line)
            told, counted = (told, counted + int(summary.group(1))) if summary else (told + 1, counted)
        check(told + counted == 150 and told < 40, f"{told} told, {counted} counted")
        olaf.log_on("olaf", PASSWORD, caps="sasl server-time batch").join("#alerts")
        olaf.until("BATCH +", "chathistory #alerts")
        again = []
        while "BATCH -" not in (line := olaf.until("")):
            again.append(line)
        check(len(again) == 20, f"twenty are told again, not {len(again)}")
        vera.ask("list adapter=board state=exported", "exported board")


class LateBoard(Board):
    """One whose adapter comes by a reload."""

    def set_up(self):
        pass


def test_a_reload_brings_mail_into_the_chat_and_takes_it_out():
    with LateBoard() as house:
        with open(house.gateway.config, encoding="utf-8") as file:
            before = file.read()
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD).join()
            Board.set_up(house)
            house.reload()
            vera.until("ERROR")
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD).join("#alerts")
            house.mail("alerts@board.example", "first")
            vera.until("PRIVMSG #alerts", "first")
            with open(house.gateway.config, "w", encoding="utf-8") as file:
                file.write(before)
            house.reload()
            vera.until("ERROR")
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD)
            vera.say("JOIN #alerts")
            vera.until(" 403 ")


def test_a_chat_adapter_without_a_chat_is_said_and_keeps_its_log():
    with Board(settings="") as house:
        check("[chat] is off" in postern(house.gateway, "config", "check"), "config check says nothing")
        house.mail("alerts@board.example", "nobody hears it")
        check(house.gateway.wait_until_settled() and house.gateway.states() == {"exported": 1}, house.gateway.states())
        house.configure("[[listener]]", '[chat]\naddress = "127.0.0.1:0"\n[[listener]]')
        house.reload()
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD).join("#alerts")
            vera.until("PRIVMSG #alerts", "nobody hears it")


def test_mail_is_told_held_and_released_by_chat():
    with House() as house, house.connect() as olaf, house.connect() as vera:
        olaf.log_on("olaf", PASSWORD).join()
        vera.log_on("vera", PASSWORD).join()
        olaf.ask("suspend out for 1h the fax is being moved", "suspended")
        vera.until("PRIVMSG #queue", "adapter suspended by a person")
        submit(house.gateway, 1)
        item = re.search(r":(\d+) ready out: sender@example.org to user@legacy.example", olaf.ask("list", "ready out")).group(1)
        olaf.ask(f"hold {item} wrong number", f"{item}:")
        vera.until("PRIVMSG #queue", f"{item} changed", "who=olaf", 'reason="wrong number"')
        check(house.gateway.states() == {"held": 1}, house.gateway.states())
        olaf.ask(f"log {item}", "olaf", "wrong number")
        olaf.ask(f"release {item}", f"{item}:")
        olaf.ask("resume out", "out")
        vera.until("PRIVMSG #queue", f"{item} exported")
        check(house.gateway.wait_until_settled() and house.gateway.states() == {"exported": 1}, house.gateway.states())


def test_who_may_look_may_not_change():
    with House() as house, house.connect() as vera, house.connect() as prn:
        vera.log_on("vera", PASSWORD)
        submit(house.gateway, 1)
        check(house.gateway.wait_until_settled(), house.gateway.states())
        vera.ask("hold 1", "operate needs the role operator")
        vera.ask("delete adapter=out", "needs the role operator")
        prn.log_on("prn", PASSWORD)
        prn.say("JOIN #queue")
        prn.until(" 473 ")


def test_the_address_limits_the_role():
    with House('address = "127.0.0.1:0"\nrole = "viewer"') as house, house.connect() as olaf:
        olaf.log_on("olaf", PASSWORD)
        olaf.ask("suspend out", "needs the role operator")


def test_delete_asks_first():
    with House() as house, house.connect() as olaf:
        olaf.log_on("olaf", PASSWORD)
        olaf.ask("suspend out", "suspended")
        for serial in range(3):
            submit(house.gateway, serial)
        asked = olaf.ask("delete adapter=out", "would change 3 items")
        check(house.gateway.states() == {"ready": 3}, house.gateway.states())
        submit(house.gateway, 3)  # came after the question: it stays
        olaf.ask("confirm " + re.search(r"confirm (\w+)", asked).group(1), "3:")
        check(house.gateway.states() == {"ready": 1, "deleted": 3}, house.gateway.states())


def test_an_account_that_is_gone_does_nothing_more():
    with House() as house, house.connect() as olaf:
        olaf.log_on("olaf", PASSWORD)
        olaf.ask("status", "running")
        postern(house.gateway, "account", "remove", "olaf")
        olaf.until("ERROR", "account was changed")
        check("suspended" not in postern(house.gateway, "status"), "it was suspended all the same")


def test_two_hundred_want_one_nick_and_each_is_answered():
    with House() as house:
        outcomes = []

        def want(count):
            for _ in range(count):
                with contextlib.suppress(OSError), house.connect() as client:
                    client.say("CAP REQ :sasl")
                    client.say("NICK same")
                    client.say("USER u 0 * :u")
                    client.until(" CAP ")
                    client.say("PING still")
                    outcomes.append((client.until("PONG"), client.heard))

        threads = [threading.Thread(target=want, args=(10,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        check(len(outcomes) == 200, f"{len(outcomes)} of 200 were answered")
        check(any(" 433 " in line for _, lines in outcomes for line in lines), "nobody was refused the nick")
        with house.connect() as vera:
            vera.log_on("vera", PASSWORD)


def test_metrics_count_and_no_command_is_left():
    with House(more='[http]\naddress = "127.0.0.1:0"\nanonymous = "look"\n') as house, house.connect() as vera:
        vera.log_on("vera", PASSWORD)
        for _ in range(20):
            vera.ask("status", "state running")
            vera.ask("show 999", "999")
        address = next(re.search(r"listener=http address=(\S+)", line).group(1) for line in house.gateway.log if "listener=http" in line)
        connection = http.client.HTTPConnection(*address.rsplit(":", 1), timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        check("\npostern_chat_commands 0\n" in text, "a command is left")
        check("\npostern_chat_clients 1\n" in text, "clients")
        check('\npostern_chat_connections_total{result="logged_on"} 1\n' in text, "log-ons")


def main(tests):
    global BUILD
    BUILD = os.path.abspath(sys.argv[1])
    chosen = sys.argv[2:]
    passed = failed = 0
    for name, test in tests.items():
        if chosen and name[5:] not in chosen:
            continue
        try:
            test()
            print(f"passed  {name[5:]}", flush=True)
            passed += 1
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()
            print(f"FAILED  {name[5:]}", flush=True)
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main({name: test for name, test in list(globals().items()) if name.startswith("test_")}))
