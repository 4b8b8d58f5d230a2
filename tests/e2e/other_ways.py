#!/usr/bin/env python3
"""The ways in beside the listeners, from outside: postern-sendmail as scripts call it, batches, pickup folders.

Each function named test_* is one test; kill_9_... runs when it is named. Usage: other_ways.py BUILD_FOLDER [TEST ...]
"""

import os
import random
import signal
import smtplib
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import service_life  # noqa: E402
from service_life import check, files_in, read, until  # noqa: E402
from gateway import Gateway, Ledger  # noqa: E402

KILLS = 12


def gateway_with_pickup(settle="0s"):
    gateway = Gateway(service_life.BUILD)
    gateway.sendmail = os.path.join(os.path.abspath(service_life.BUILD), "connector", "cli", "postern-sendmail")
    gateway.drop = os.path.join(gateway.folder, "pickup")
    os.mkdir(gateway.drop)
    with open(gateway.config, "a", encoding="utf-8") as file:
        file.write(f'[[pickup]]\nfolder = "{gateway.drop}"\ninterval = "100ms"\nsettle = "{settle}"\n')
    return gateway


class Running:
    """A started gateway with a pickup folder, closed at the end of a test."""

    def __init__(self, started=True):
        self.gateway = gateway_with_pickup()
        self.started = started

    def __enter__(self):
        if self.started:
            self.gateway.start()
        return self.gateway

    def __exit__(self, *_):
        self.gateway.close()


def sendmail(gateway, arguments, text, status=0, shell=None):
    environment = dict(os.environ, POSTERN_CONFIG=gateway.config)
    command = shell if shell else [gateway.sendmail, *arguments]
    done = subprocess.run(command, input=text, capture_output=True, timeout=60, env=environment, shell=bool(shell), check=False)
    check(done.returncode == status, f"{command}: exit {done.returncode}, wanted {status}: {done.stderr.decode()}")
    return done


def serial_mail(serial, header=""):
    return f"{header}X-Serial: {serial}\nFrom: a@example.org\nTo: user@legacy.example\n\nbody {serial}\n"


def put(gateway, name, text):
    """As careful programs do: written aside, renamed in."""
    aside = os.path.join(gateway.drop, name + ".tmp")
    with open(aside, "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(aside, os.path.join(gateway.drop, name))


def mails_in(gateway):
    return [name for name in os.listdir(gateway.drop) if name.endswith(".eml")]


def test_scripts_send_with_the_service_up_and_down():
    with Running(started=False) as gateway:
        sendmail(gateway, ["-t"], b"x", status=75)  # there is no store yet
        gateway.start()
        sendmail(gateway, ["-i", "-FCronDaemon", "-B8BITMIME", "-oem", "user@legacy.example"],
                 serial_mail(1).encode())
        check(gateway.stop() == 0, "exit status")
        sendmail(gateway, ["-oi", "-t"], serial_mail(2).encode())
        sendmail(gateway, None, b"", shell=f"printf 'X-Serial: 3\\n\\nbody 3\\n' | {gateway.sendmail} user@legacy.example")
        gateway.start()
        sendmail(gateway, ["-t", "nobody@nowhere.example"], serial_mail(4).encode(), status=67)
        check(gateway.wait_until_settled(), "not settled")
        ledger = Ledger()
        ledger.accepted = ledger.attempted = {1, 2, 3}
        ledger.take(gateway.out)
        check(not ledger.verdict(), ledger.verdict())


def test_a_killed_service_does_not_keep_scripts_from_sending():
    with Running() as gateway:
        ledger = Ledger()
        for serial in range(1, 9):
            if serial % 3 == 0:
                gateway.kill()
            sendmail(gateway, ["-t"], serial_mail(serial).encode())
            ledger.attempted.add(serial)
            ledger.accepted.add(serial)
            if serial % 3 == 0:
                gateway.start()
        check(gateway.wait_until_settled(), "not settled")
        ledger.take(gateway.out)
        check(not ledger.verdict(), ledger.verdict())


def test_called_as_mailq_and_newaliases():
    with Running() as gateway:
        for name, said in (("mailq", b"Mail queue is empty"), ("newaliases", b"no alias database")):
            link = os.path.join(gateway.folder, name)
            os.symlink(gateway.sendmail, link)
            done = subprocess.run([link], capture_output=True, timeout=20, check=False,
                                  env=dict(os.environ, POSTERN_CONFIG=gateway.config))
            check(done.returncode == 0 and said in done.stdout, f"{name}: {done}")


def test_python_speaks_smtp_over_the_standard_streams():
    with Running() as gateway:
        ours, theirs = socket.socketpair()
        program = subprocess.Popen([gateway.sendmail, "-bs"], stdin=theirs, stdout=theirs,
                                   env=dict(os.environ, POSTERN_CONFIG=gateway.config))
        theirs.close()

        class Pipe(smtplib.SMTP):
            def _get_socket(self, *_):
                return ours

        with Pipe("localhost", 25, local_hostname="here", timeout=30) as client:
            for serial in (1, 2):
                client.sendmail("a@example.org", ["user@legacy.example"], serial_mail(serial).replace("\n", "\r\n"))
            check(client.rcpt("x@nowhere.example")[0] >= 500, "no MAIL, yet a recipient")
        check(program.wait(20) == 0, "exit status")
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 2}, gateway.states())


def test_a_batch_from_a_file():
    with Running() as gateway:
        path = os.path.join(gateway.folder, "batch")
        with open(path, "w", encoding="utf-8", newline="") as file:
            for serial in (1, 2):
                file.write("MAIL FROM:<a@example.org>\r\nRCPT TO:<user@legacy.example>\r\nDATA\r\n"
                           + serial_mail(serial).replace("\n", "\r\n") + ".\r\n")
            file.write("MAIL FROM:<a@example.org>\r\nRCPT TO:<user@legacy.example>\r\nDATA\r\nX-Serial: 3\r\n\r\nbod")
        out = service_life.cli(gateway, "submit", "--bsmtp", path, status=65).splitlines()
        check([line.split("\t")[2] for line in out] == ["true", "true", "false"], out)
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 2}, gateway.states())


def test_a_pickup_folder_takes_sets_aside_and_is_reloaded():
    with Running() as gateway:
        put(gateway, "one.eml", serial_mail(1))
        put(gateway, "two.EML", serial_mail(2, "X-Sender: <>\nX-Receiver: user@legacy.example\n").replace("\n", "\r\n"))
        put(gateway, "bad.eml", "From: a@example.org\nTo: x@nowhere.example\n\nx\n")
        bad = os.path.join(gateway.drop, "bad")
        until(lambda: files_in(gateway.drop) == ["bad"], 20, "the folder to be empty")
        until(lambda: files_in(bad) == ["bad.eml", "bad.eml.reason.txt"], 20, "the bad file and its reason")
        check(b"x@nowhere.example" in read(os.path.join(bad, "bad.eml.reason.txt")), "the reason names nobody")
        until(lambda: gateway.states() == {"exported": 2}, 20, "the two good mails")
        other = os.path.join(gateway.folder, "other")
        os.mkdir(other)
        with open(gateway.config, "a", encoding="utf-8") as file:
            file.write(f'[[pickup]]\nfolder = "{other}"\ninterval = "100ms"\nsettle = "0s"\n')
        service_life.cli(gateway, "reload")
        with open(os.path.join(other, "x.eml"), "w", encoding="utf-8") as file:
            file.write(serial_mail(3))
        until(lambda: files_in(other) == ["bad"], 20, "the new folder to be looked at")
        check(gateway.stop() == 0, "exit status")


def kill_9_while_files_come_in_takes_each_exactly_once():
    gateway = gateway_with_pickup()
    try:
        gateway.start()
        ledger = Ledger()
        done = threading.Event()

        def producer():
            serial = 0
            while not done.is_set():
                serial += 1
                put(gateway, f"{serial}.eml", serial_mail(serial))
                ledger.attempted.add(serial)
                ledger.accepted.add(serial)
                done.wait(0.002)

        thread = threading.Thread(target=producer)
        thread.start()
        for _ in range(KILLS):
            threading.Event().wait(random.uniform(0.05, 0.6))  # a random moment is what is tested here
            gateway.process.send_signal(signal.SIGKILL)
            gateway.wait_for_end(10)
            ledger.take(gateway.out)
            gateway.start()
        done.set()
        thread.join()
        until(lambda: not mails_in(gateway), 60, "the pickup folder to be empty")
        check(gateway.wait_until_settled(60), "not settled")
        ledger.take(gateway.out)
        check(len(ledger.accepted) > 100 and not ledger.verdict(), (len(ledger.accepted), ledger.verdict()))
    finally:
        gateway.close()


if __name__ == "__main__":
    service_life.BUILD = sys.argv[1]
    wanted = sys.argv[2:]
    every = {name: thing for name, thing in globals().items() if name.startswith("test_") or name in wanted}
    sys.exit(service_life.run(every, wanted))
