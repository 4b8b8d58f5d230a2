#!/usr/bin/env python3
"""Folders and adapters that go away under a running service: mail waits, nobody's empty folder gets it, and no mail is a prisoner.

Each function named test_* is one test. Usage: lost_folders.py BUILD_FOLDER [TEST ...]
"""

import os
import socket
import subprocess
import sys
import threading

import service_life
from service_life import Ledger, Running, Skipped, check, cli, until


def test_Q202178_a_folder_replaced_by_a_file_suspends_and_heals():
    with Running() as gateway:
        ledger = Ledger()
        ledger.send(gateway.port, 1)
        until(lambda: ledger.take(gateway.out) == 1, 10, "the first mail")
        os.rename(gateway.out, gateway.out + ".away")
        with open(gateway.out, "w", encoding="utf-8") as file:
            file.write("in the way")
        ledger.send(gateway.port, 2)
        until(lambda: any("adapter.suspended" in line for line in gateway.log), 15, "the alarm")
        os.unlink(gateway.out)
        os.rename(gateway.out + ".away", gateway.out)
        until(lambda: ledger.take(gateway.out) == 1, 30, "the second mail after the folder came back")
        check(not ledger.verdict(), ledger.verdict())


def test_a_folder_replaced_by_an_empty_one_is_not_written_to():
    """As an unmounted share leaves its mount point: mail waits until it is back, or until a restart says that this one is meant."""
    with Running() as gateway:
        ledger = Ledger()
        ledger.send(gateway.port, 1)
        until(lambda: ledger.take(gateway.out) == 1, 10, "the first mail")
        away = gateway.out + ".away"
        for serial in (2, 3):
            os.rename(gateway.out, away)
            os.mkdir(gateway.out)
            ledger.send(gateway.port, serial)
            until(lambda: "is not the folder that was in use" in cli(gateway, "status"), 15, "the reason in status")
            check("is not the folder that was in use" in cli(gateway, "adapter", "test", status=69), "adapter test")
            check(os.listdir(gateway.out) == [] and gateway.states()["ready"] == 1, gateway.states())
            if serial == 2:
                os.rmdir(gateway.out)
                os.rename(away, gateway.out)
            else:
                check(gateway.stop() == 0, "exit status")
                gateway.start()
            until(lambda: ledger.take(gateway.out) == 1, 30, f"mail {serial}")
        check(not ledger.verdict(), ledger.verdict())


def greet_once(host):
    """The service's look at the host goes well; whoever comes behind it waits for a greeting."""
    client, _ = host.accept()
    with client, client.makefile("rb") as said:
        client.sendall(b"220 old.example.org\r\n")
        for line in said:
            client.sendall(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 old.example.org\r\n")
            if line.upper().startswith(b"QUIT"):
                return


def test_what_a_kill_left_claimed_waits_for_no_adapter_that_is_gone():
    """Nobody asks about it any more, and it needs no asking: a person can end it, and so does its age."""
    with socket.create_server(("127.0.0.1", 0)) as host:
        threading.Thread(target=greet_once, args=(host,), daemon=True).start()
        with Running(adapters=f"""
[[route]]
recipient = "*@gone.example"
adapter = "gone"
[adapter.gone]
kind = "smtp"
hosts = ["127.0.0.1:{host.getsockname()[1]}"]
""") as gateway:
            until(lambda: any("adapter.ready adapter=gone" in line for line in gateway.log), 20, "the host's greeting")
            service_life.submit(gateway, ["u@gone.example"], "Subject: x\r\n\r\nx\r\n")
            until(lambda: gateway.states() == {"claimed": 1}, 20, "the mail's turn")
            gateway.kill()
            host.close()
            gateway.start()
            until(lambda: "unhealthy" in cli(gateway, "status"), 40, "the adapter that can not be used")
            check(gateway.states() == {"claimed": 1}, gateway.states())
            cli(gateway, "reload")  # the housekeeper looks at once
            until(lambda: gateway.states() == {"ready": 1}, 20, "the mail to be let go")
            cli(gateway, "queue", "bounce", "1")
            check(gateway.states() == {"failed": 1}, gateway.states())


def unmount(path):
    """As a share whose server is gone: the service still holds the folder open."""
    subprocess.run(["umount", "-l", path], check=True)


def test_a_share_that_is_unmounted_keeps_its_mail_from_the_mount_point():
    if os.geteuid() != 0:
        raise Skipped("needs root to mount")
    with Running() as gateway:
        away = gateway.out + ".share"
        os.mkdir(away)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", away], capture_output=True).returncode != 0:
            raise Skipped("no permission to mount")
        try:
            check(subprocess.run(["mount", "--bind", away, gateway.out]).returncode == 0, "bind")
            gateway.stop()
            gateway.start()
            ledger = Ledger()
            ledger.send(gateway.port, 1)
            until(lambda: ledger.take(gateway.out) == 1, 10, "the first mail")
            below = os.listdir(gateway.out)
            unmount(gateway.out)
            before = os.listdir(gateway.out)  # the service began in the mount point: it has a mark too
            ledger.send(gateway.port, 2)
            until(lambda: "is that of another folder" in cli(gateway, "status"), 15, "the reason in status")
            check(os.listdir(gateway.out) == before and gateway.states()["ready"] == 1, gateway.states())
            check(subprocess.run(["mount", "--bind", away, gateway.out]).returncode == 0, "bind again")
            until(lambda: ledger.take(gateway.out) == 1, 30, "the second mail, in the share")
            check(os.listdir(gateway.out) == below and not ledger.verdict(), ledger.verdict())
        finally:
            for path in (gateway.out, away):
                subprocess.run(["umount", "-l", path], capture_output=True)


if __name__ == "__main__":
    service_life.BUILD = sys.argv[1]
    sys.exit(service_life.run({name: each for name, each in globals().items() if name.startswith("test_")}, sys.argv[2:]))
