#!/usr/bin/env python3
"""The whole service, from outside: real sockets, real files, real signals.

Each function named test_* is one test. Usage: service_life.py BUILD_FOLDER [TEST ...]
"""

import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from gateway import Gateway, Ledger, breathe  # noqa: E402

BUILD = ""


class Skipped(Exception):
    """What this machine lacks for a test."""


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def files_in(folder):
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def until(done, limit, what):
    """Looks again until `done` or the deadline."""
    deadline = time.monotonic() + limit
    while not done():
        check(time.monotonic() < deadline, f"waited {limit} s for {what}")
        breathe()


def submit(gateway, recipients, text, port=None):
    with smtplib.SMTP("127.0.0.1", port or gateway.port, local_hostname="client.example.org", timeout=30) as client:
        return client.sendmail("sender@example.org", recipients, text)


def cli(gateway, *arguments, stdin=None, status=0):
    done = subprocess.run([gateway.postern, "--config", gateway.config, *arguments], input=stdin, capture_output=True, timeout=60)
    check(done.returncode == status, f"postern {' '.join(arguments)}: exit {done.returncode}, wanted {status}: "
                                     f"{done.stdout.decode()} {done.stderr.decode()}")
    return done.stdout.decode()


# Run as another user: asks the control socket for one thing, says how the answer ends.
ASK = """
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.sendall(sys.argv[2].encode() + b"\\n")
answer = b""
while b'{"ok":' not in answer:
    piece = client.recv(65536)
    if not piece:
        break
    answer += piece
sys.stdout.write(answer[answer.index(b'{"ok":'):].decode())
"""


class Running:
    """A started gateway that is closed at the end of a test."""

    def __init__(self, extra_config="", adapters=""):
        self.gateway = Gateway(BUILD, extra_config, adapters)

    def __enter__(self):
        self.gateway.start()
        return self.gateway

    def __exit__(self, *_):
        self.gateway.close()


TWO = """
[[route]]
recipient = "*@box.example"
adapter = "box"
[adapter.box]
kind = "maildir"
folder = "{folder}/box"
[[route]]
recipient = "*@po.example"
adapter = "po"
legacy = "{{local}} at PO1"
[adapter.po]
kind = "ccmail"
folder = "{folder}/po"
"""


def two_adapters(gateway):
    with open(gateway.config, "a", encoding="utf-8") as file:
        file.write(TWO.format(folder=gateway.folder))


def test_one_mail_over_three_adapters_arrives_once_each():
    gateway = Gateway(BUILD)
    try:
        two_adapters(gateway)
        gateway.start()
        submit(gateway, ["u@legacy.example", "u@box.example", "Anna@po.example"], "Subject: hello\r\n\r\nHello.\r\n")
        check(gateway.wait_until_settled(), "not settled")
        check(gateway.states() == {"exported": 3}, gateway.states())
        check(len(files_in(gateway.out)) == 1, files_in(gateway.out))
        new = os.path.join(gateway.folder, "box", "new")
        check(len(files_in(new)) == 1, files_in(new))
        check(b"Delivered-To: u@box.example" in read(os.path.join(new, files_in(new)[0])), "no Delivered-To")
        ccm = files_in(os.path.join(gateway.folder, "po"))
        check(len(ccm) == 1 and re.fullmatch(r"msg[0-9a-f]{4}\.ccm", ccm[0], re.I), ccm)
        text = read(os.path.join(gateway.folder, "po", ccm[0]))
        check(b"To: Anna at PO1\r\n" in text and b"Subject: hello\r\n" in text, text)
        check(gateway.stop() == 0, "exit status")
    finally:
        gateway.close()


def test_an_unrouted_recipient_is_refused_and_the_others_are_taken():
    with Running() as gateway:
        refused = submit(gateway, ["u@legacy.example", "u@nowhere.example"], "Subject: x\r\n\r\nx\r\n")
        check(list(refused) == ["u@nowhere.example"] and refused["u@nowhere.example"][0] == 550, refused)
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 1}, gateway.states())


def test_Q181797_one_recipient_named_twice_gets_one_copy():
    with Running() as gateway:
        submit(gateway, ["u@legacy.example", "U@LEGACY.example", "u@legacy.example"], "Subject: x\r\n\r\nx\r\n")
        check(gateway.wait_until_settled(), "not settled")
        files = files_in(gateway.out)
        check(len(files) == 1, files)
        check(read(os.path.join(gateway.out, files[0])).lower().count(b"x-receiver:") == 1, "named more than once")


def test_Q192594_null_sender_exports():
    with Running() as gateway:
        with smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client:
            client.sendmail("", ["u@legacy.example"], "\r\nno header at all\r\n")
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 1}, gateway.states())


def test_stop_drains_and_ends_with_zero():
    with Running() as gateway:
        ledger = Ledger()
        for serial in range(1, 60):
            ledger.send(gateway.port, serial)
        started = time.monotonic()
        check(gateway.stop() == 0, "exit status")
        check(time.monotonic() - started < 25, "took too long")
        check(not set(gateway.states()) & {"claimed", "publishing"}, gateway.states())
        gateway.start()
        check(gateway.wait_until_settled(), "not settled")
        ledger.take(gateway.out)
        check(not ledger.verdict(), ledger.verdict())


def test_a_second_service_on_the_same_store_is_refused():
    with Running() as gateway:
        done = subprocess.run([gateway.posternd, "--config", gateway.config], capture_output=True, timeout=30)
        check(done.returncode == 75, f"exit status {done.returncode}: {done.stderr.decode()}")
        check(str(gateway.process.pid) in done.stderr.decode(), done.stderr.decode())


def test_a_wrong_command_line_ends_with_64_and_help_with_0():
    gateway = Gateway(BUILD)
    try:
        for words, word in ((["--nope"], "nope"), (["--config"], "config"), (["more"], "more"), (["--help=x"], "help")):
            done = subprocess.run([gateway.posternd, *words], capture_output=True, timeout=30)
            check(done.returncode == 64 and word in done.stderr.decode(), f"{words}: {done.returncode} {done.stderr.decode()}")
        for words in (["--help"], ["-h"], ["--version"]):
            done = subprocess.run([gateway.posternd, *words], capture_output=True, timeout=30)
            check(done.returncode == 0 and done.stdout, f"{words}: {done.returncode} {done.stderr.decode()}")
        missing = os.path.join(gateway.folder, "none.toml")
        done = subprocess.run([gateway.posternd, "--config", missing], capture_output=True, timeout=30)
        text = done.stderr.decode()
        check(done.returncode == 78 and missing in text and "--config FILE" in text, f"{done.returncode}: {text}")
    finally:
        gateway.close()


def test_a_bad_configuration_names_every_place_and_ends_with_78():
    gateway = Gateway(BUILD)
    try:
        with open(gateway.config, "a", encoding="utf-8") as file:
            file.write("colour = 1\n[[route]]\nrecipient = \"*@x\"\nadapter = \"nowhere\"\n")
        done = subprocess.run([gateway.posternd, "--config", gateway.config], capture_output=True, timeout=30)
        text = done.stderr.decode()
        check(done.returncode == 78, f"exit status {done.returncode}: {text}")
        check("colour" in text and "nowhere" in text and re.search(r"postern\.toml:\d+:\d+", text), text)
        check(not os.path.exists(os.path.join(gateway.folder, "store")), "it made a store")
    finally:
        gateway.close()


def test_reload_changes_routes_without_dropping_a_session():
    with Running() as gateway:
        with smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client:
            client.ehlo("client.example.org")
            client.mail("sender@example.org")
            check(client.rcpt("u@box.example")[0] == 550, "routed before the reload")
            two_adapters(gateway)
            cli(gateway, "reload")
            check(client.rcpt("u@box.example")[0] == 250, "not routed after the reload")
            check(client.data("Subject: x\r\n\r\nx\r\n")[0] == 250, "not accepted")
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 1}, gateway.states())
        check(len(files_in(os.path.join(gateway.folder, "box", "new"))) == 1, "not in the new adapter's folder")


def test_SIGHUP_with_a_bad_configuration_keeps_the_old_one():
    with Running() as gateway:
        with open(gateway.config, "a", encoding="utf-8") as file:
            file.write("nonsense = true\n")
        gateway.process.send_signal(signal.SIGHUP)
        until(lambda: any("config.rejected" in line for line in gateway.log), 10, "the rejection in the log")
        submit(gateway, ["u@legacy.example"], "Subject: x\r\n\r\nx\r\n")
        check(len(files_in(gateway.out)) == 1 or gateway.process.poll() is None, "service ended")


def test_a_reload_says_what_waits_for_the_next_start_each_time_and_in_the_log():
    with Running() as gateway:
        with open(gateway.config, encoding="utf-8") as file:
            before = file.read()

        def reloaded(text):
            with open(gateway.config, "w", encoding="utf-8") as file:
                file.write(text)
            return cli(gateway, "reload")

        changed = 'lease = "2m"\n' + before
        for _ in range(2):
            check("lease: the change takes effect at the next start" in reloaded(changed), "the change is not told")
        gateway.process.send_signal(signal.SIGHUP)
        told = "note=\"lease: the change takes effect at the next start\""
        until(lambda: sum(told in line for line in gateway.log) == 3, 20, "three notes in the log")
        check("lease" not in reloaded(before), "told although nothing differs from what is in force")


def test_lmtp_over_a_unix_socket_answers_for_each_recipient():
    gateway = Gateway(BUILD)
    try:
        path = os.path.join(gateway.folder, "lmtp.sock")
        with open(gateway.config, "a", encoding="utf-8") as file:
            file.write(f'[[listener]]\nname = "lmtp"\nprotocol = "lmtp"\naddress = "unix:{path}"\n')
        gateway.start()
        with smtplib.LMTP(path) as client:
            client.lhlo("client.example.org") if hasattr(client, "lhlo") else client.ehlo()
            client.mail("sender@example.org")
            check(client.rcpt("a@legacy.example")[0] == 250 and client.rcpt("b@legacy.example")[0] == 250, "rcpt")
            check(client.data("Subject: x\r\n\r\nx\r\n")[0] == 250, "first answer")
            check(client.getreply()[0] == 250, "second answer")
        check(gateway.wait_until_settled() and set(gateway.states()) == {"exported"}, gateway.states())
    finally:
        gateway.close()


def hostile_mails():
    part = "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    nested = "".join(f"Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n" for i in range(5000))
    yield "no final boundary", "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part
    yield "5,000 nested parts", nested + "\r\nend\r\n"
    yield "300,000 parts", "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n\r\n" * 300_000
    yield "empty parameters", "Content-Type: ; charset=\r\nContent-Disposition:\r\n\r\nx\r\n"
    yield "unknown charset", "Content-Type: text/plain; charset=\"x-martian\"\r\n\r\n\xe9\xe8 caf\xe9\r\n"
    yield "blank charset (Q278320)", "Content-Type: text/plain; charset=\" \"\r\n\r\nx\r\n"
    yield "a header line of 200 KB in folds", "X-Long: " + " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 5000 + "\r\nx\r\n"
    yield "nested address groups", "Cc: " + "g:" * 20000 + "\r\n\r\nx\r\n"
    yield "damaged base64 (Q190556)", "Content-Transfer-Encoding: base64\r\n\r\nSGVs=bG8*\r\n"
    yield "no header, no body", "\r\n"


def test_hostile_mails_are_exported_or_failed_with_a_reason_and_the_next_mail_passes():
    gateway = Gateway(BUILD)
    try:
        two_adapters(gateway)
        gateway.start()
        sent = 0
        for name, text in hostile_mails():
            with smtplib.SMTP("127.0.0.1", gateway.port, timeout=60) as client:
                client.ehlo("client.example.org")
                client.mail("sender@example.org", ["BODY=8BITMIME"])
                for recipient in ("u@legacy.example", "u@box.example", "u@po.example"):
                    client.rcpt(recipient)
                code, reply = client.data(text.encode("latin-1"))
                check(code == 250, f"{name}: {code} {reply}")
                sent += 3
        submit(gateway, ["u@po.example"], "Subject: next\r\n\r\nnext\r\n")
        check(gateway.wait_until_settled(120), "not settled")
        states = gateway.states()
        check(set(states) <= {"exported", "failed"} and sum(states.values()) == sent + 1, states)
        failed = cli(gateway, "queue", "list", "--state", "failed", "--json")
        for line in failed.splitlines():
            check(re.search(r'"reason":\s*"[^"]', line), f"failed without a reason: {line}")
        check(gateway.process.poll() is None, "the service died")
        check(gateway.stop() == 0, "exit status")
    finally:
        gateway.close()


def test_NUL_bytes_are_refused_and_nothing_is_stored():
    with Running() as gateway:
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as link:
            stream = link.makefile("rwb")
            stream.readline()
            for command in (b"HELO x", b"MAIL FROM:<a@example.org>", b"RCPT TO:<u@legacy.example>", b"DATA"):
                stream.write(command + b"\r\n")
                stream.flush()
                stream.readline()
            stream.write(b"Subject: x\r\n\r\na\0b\r\n.\r\n")
            stream.flush()
            reply = stream.readline()
            check(reply.startswith(b"55"), reply)
        check(gateway.states() == {}, gateway.states())


def announce(gateway, size):
    """The answer to MAIL with that SIZE."""
    with smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client:
        client.ehlo("client.example.org")
        return client.mail("a@example.org", [f"SIZE={size}"])[0]


def test_a_full_store_tells_senders_to_wait_and_goes_on():
    if os.geteuid() != 0:
        raise Skipped("needs root for a small file system")
    gateway = Gateway(BUILD, extra_config='reserve = "24 MiB"')
    store = os.path.join(gateway.folder, "store")
    os.mkdir(store)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", store], capture_output=True)
    try:
        if mounted.returncode != 0:
            raise Skipped("no permission to mount a small file system")
        gateway.start()
        ledger = Ledger()
        serial = 0
        while serial < 400 and ledger.send(gateway.port, serial + 1, size=300_000):
            serial += 1
        check(0 < serial < 400, f"{serial} mails fitted into 64 MiB")
        # What was refused for the log's size alone has it folded back, and then a few more fit.
        more = iter(range(serial + 2, 900))
        until(lambda: announce(gateway, 300_000) == 452 or ledger.send(gateway.port, next(more), size=300_000) is None, 20,
              "an early refusal by size")
        until(lambda: ledger.take(gateway.out) == 0 and gateway.wait_until_settled(), 60, "the queue to drain")
        subprocess.run(["mount", "-o", "remount,size=96m", store], check=True)
        until(lambda: ledger.send(gateway.port, 1000, size=300_000), 15, "room again")
        check(gateway.wait_until_settled(), "not settled")
        ledger.take(gateway.out)
        check(not ledger.verdict(), ledger.verdict())
        check(gateway.stop() == 0, "exit status")
    finally:
        if gateway.process and gateway.process.poll() is None:
            gateway.kill()
        subprocess.run(["umount", store], capture_output=True)
        gateway.close()


def test_operator_verbs_with_the_service_up_and_down():
    gateway = Gateway(BUILD)
    try:
        two_adapters(gateway)
        os.rmdir(gateway.out)
        with open(gateway.out, "w", encoding="utf-8") as file:
            file.write("in the way: nothing is exported")
        gateway.start()
        submit(gateway, ["u@legacy.example"], "Subject: waiting\r\n\r\nx\r\n")
        cli(gateway, "queue", "hold", "1")
        check(gateway.states() == {"held": 1}, gateway.states())
        check("waiting" in cli(gateway, "queue", "show", "1"), "show has no subject")
        check("hold" in cli(gateway, "queue", "log", "1") or "held" in cli(gateway, "queue", "log", "1"), "no history")
        check(gateway.stop() == 0, "exit status")
        cli(gateway, "queue", "release", "1")
        check(gateway.states() == {"ready": 1}, gateway.states())
        cli(gateway, "submit", "--from", "a@example.org", "u@box.example", stdin=b"Subject: down\r\n\r\nx\r\n")
        os.unlink(gateway.out)
        os.mkdir(gateway.out)
        gateway.start()
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 2}, gateway.states())
        cli(gateway, "submit", "--from", "a@example.org", "u@box.example", stdin=b"Subject: up\r\n\r\nx\r\n")
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 3}, gateway.states())
        check(gateway.stop() == 0, "exit status")
    finally:
        gateway.close()


def test_who_gets_in_by_the_sockets_group_is_an_operator():
    if os.geteuid() != 0:
        print("  (not root: nobody else to be)")
        return
    with Running() as gateway:
        path = os.path.join(gateway.folder, "store", "control.sock")
        check(os.stat(path).st_mode & 0o777 == 0o660, "the socket's mode")
        for folder in (gateway.folder, os.path.dirname(path)):
            os.chmod(folder, 0o711)
        ask = ["python3", "-c", ASK, path]

        def answer(request, group):
            done = subprocess.run([*ask, request], user=65534, group=group, extra_groups=[], capture_output=True, timeout=60)
            return done.stdout.decode() + done.stderr.decode()

        check("Permission" in answer('{"verb":"status"}', 65534), "neither its owner nor of its group")
        os.chown(path, 0, 60123)
        for verb, wanted in (("status", '"ok":true'), ("queue.list", '"ok":true'), ("reload", '"code":"denied"'), ("account", '"code":"denied"')):
            said = answer('{"verb":"' + verb + '","who":"root"}', 60123)
            check(wanted in said, f"{verb}: {said}")
        held = answer('{"verb":"operate","fields":{"change":"hold","all":"true"}}', 60123)
        check('"ok":true' in held, held)
        cli(gateway, "reload")


def test_many_senders_at_once():
    with Running() as gateway:
        ledger = Ledger()
        lock = threading.Lock()
        serials = iter(range(1, 401))

        def sender():
            while True:
                with lock:
                    serial = next(serials, None)
                if serial is None:
                    return
                check(ledger.send(gateway.port, serial, size=3000), f"mail {serial} was refused")

        threads = [threading.Thread(target=sender) for _ in range(20)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            threads[0].join(0.05)
        check(gateway.wait_until_settled(), "not settled")
        ledger.take(gateway.out)
        check(len(ledger.accepted) == 400 and not ledger.verdict(), ledger.verdict())


def run(tests, wanted, all_skipped=0):
    """Runs `tests` (name to function), or those of them that are `wanted`; the exit status, which is `all_skipped` when none could run."""
    passed = failed = skipped = 0
    for name, test in tests.items():
        if wanted and name not in wanted:
            continue
        started = time.monotonic()
        try:
            test()
            passed += 1
            print(f"  ok      {name} ({time.monotonic() - started:.1f} s)", flush=True)
        except Skipped as why:
            skipped += 1
            print(f"  skipped {name}: {why}", flush=True)
        except Exception:  # a test's failure, whatever it is, must not keep the others from running
            failed += 1
            print(f"  FAILED  {name}", flush=True)
            traceback.print_exc()
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed + skipped else 0 if passed else all_skipped


def test_a_captured_copy_is_what_the_reader_got_until_its_time_is_over():
    with Running(adapters='capture = "1h"') as gateway:
        submit(gateway, ["bob@legacy.example"], "Subject: x\r\n\r\ntext\r\n")
        check(gateway.wait_until_settled(), "not settled")
        got = read(os.path.join(gateway.out, files_in(gateway.out)[0]))
        copy = os.path.join(gateway.folder, "copy")
        cli(gateway, "queue", "captured", "1", "--output", copy)
        check(read(copy) == got, "the copy differs")
        check(os.stat(copy).st_mode & 0o777 == 0o600, "others may read it")
        check(len(cli(gateway, "queue", "captured", "1", "--list").splitlines()) == 1, "no list")
        cli(gateway, "queue", "captured", "2", status=66)


def main():
    global BUILD
    BUILD = sys.argv[1]
    return run({name: test for name, test in globals().items() if name.startswith("test_")}, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
