#!/usr/bin/env python3
"""Other people's readers read what the mailbox adapters wrote: the same number of mails, each with its lines.

Each function named test_* is one test. Usage: mailboxes.py BUILD_FOLDER [TEST ...]
"""

import contextlib
import mailbox
import os
import pty
import select
import shutil
import smtplib
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
from gateway import Gateway  # noqa: E402

BUILD = ""
NMH = "/usr/bin/mh"

# Lines that split or change mail in careless mailbox files, and a mail without a last line end.
LINES = ["From the top", ">From quoted once", ">>From quoted twice", "",
         "From bob@example.org Tue Nov 14 22:13:20 2023", "Subject: not a header", "last line"]
MAILS = {"lines": "\r\n".join(LINES) + "\r\n", "short": "no line end"}


def quoted(line):
    return ">" + line if line.lstrip(">").startswith("From ") else line


@contextlib.contextmanager
def delivered(kind, mails=None):
    """A folder of that kind with the mails in it."""
    gateway = Gateway(BUILD, kind=kind)
    try:
        gateway.start()
        for subject, body in (mails or MAILS).items():
            send(gateway, subject, body)
        assert gateway.wait_until_settled(), gateway.states()
        assert set(gateway.states()) == {"exported"}, gateway.states()
        yield gateway
        assert gateway.stop() == 0
    finally:
        gateway.close()


def send(gateway, subject, body, sender="alice@example.org"):
    with smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client:
        client.ehlo()
        mail = f"From: {sender}\r\nTo: bob@legacy.example\r\nSubject: {subject}\r\n\r\n{body}"
        client.sendmail(sender, ["bob@legacy.example"], mail.encode("utf-8"),
                        mail_options=[] if sender.isascii() else ["SMTPUTF8", "BODY=8BITMIME"])


def run(command, data=None, env=None):
    done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False,
                          env={**os.environ, **(env or {})})
    assert done.returncode == 0, (command, done.returncode, done.stderr[-500:], done.stdout[-500:])
    return done.stdout.decode("utf-8", "replace").replace("\r\n", "\n")


def expect_text(text, mark=lambda line: line):
    """Every line of the mails stands in the text."""
    lines = text.split("\n")
    for line in LINES:
        assert mark(line) in lines, (line, text)
    assert MAILS["short"] in text, text


def dovecot(kind, path):
    """What doveadm reads in a copy of it, with a configuration of its own. It reads no mail as root."""
    with tempfile.TemporaryDirectory(prefix="postern-dovecot-") as folder:
        copy = os.path.join(folder, "mail")
        if os.path.isdir(path):
            shutil.copytree(path, copy, ignore=shutil.ignore_patterns(".postern-*"))
        else:
            os.mkdir(copy)
            shutil.copy(path, os.path.join(copy, "inbox"))
        user = os.geteuid() or 65534
        if os.geteuid() == 0:
            run(["chown", "-R", f"{user}:{user}", folder])
        place = f"mbox:{copy}:INBOX={copy}/inbox" if kind == "mbox" else f"maildir:{copy}"
        config = os.path.join(folder, "dovecot.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"base_dir = {folder}/run\nlog_path = /dev/stderr\nssl = no\nfirst_valid_uid = 1\n"
                       f"mail_uid = {user}\nmail_gid = {user}\nmail_home = {folder}\nmail_location = {place}\n")
        return run(["doveadm", "-c", config, "fetch", "hdr.subject body", "mailbox", "INBOX"],
                   env={"HOME": folder, "USER": "reader"})


def test_mbox_is_read_alike_by_python_formail_nmh_and_dovecot():
    with delivered("mbox") as gateway:
        box = os.path.join(gateway.out, "inbox")
        read = mailbox.mbox(box, create=False)
        assert len(read) == 2, len(read)
        expect_text("\n".join(each.get_payload() for each in read), quoted)
        with open(box, "rb") as file:
            content = file.read()
        split = run(["formail", "-s", "sh", "-c", "cat; echo END-OF-MAIL"], data=content)
        assert split.count("END-OF-MAIL") == 2, split
        expect_text(split, quoted)
        text = dovecot("mbox", box)
        assert text.count("hdr.subject:") == 2, text
        expect_text(text, quoted)
        with nmh() as env:
            run([f"{NMH}/inc", "-file", box, "-notruncate", "-silent"], env=env)
            assert len(run([f"{NMH}/scan"], env=env).splitlines()) == 2
            expect_text(run([f"{NMH}/show", "-noshowproc", "-nocheckmime", "all"], env=env), quoted)


def test_mbox_of_a_sender_beyond_ascii_is_read_by_python():
    with delivered("mbox") as gateway:
        send(gateway, "third", "from afar", sender="zoë@example.org")
        assert gateway.wait_until_settled(), gateway.states()
        read = mailbox.mbox(os.path.join(gateway.out, "inbox"), create=False)
        assert len(read) == 3, len(read)
        assert read[2].get_from().startswith("zo\\x{EB}@example.org "), read[2].get_from()


MUTT_RC = """set copy=no
set confirmcreate=no
set confirmappend=no
set delete=no
set quit=yes
set record=""
set move=no
set sleep_time=0
set mbox_type=Maildir
"""


def on_a_terminal(command, home, keys, ready):
    """Runs a program that talks to a terminal and types `keys` once it has shown `ready`."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    shown = b""
    try:
        with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                              env={**os.environ, "HOME": home, "TERM": "vt100"}) as process:
            os.close(slave)
            deadline = time.monotonic() + 30
            while process.poll() is None and time.monotonic() < deadline:
                if not select.select([master], [], [], 0.1)[0]:
                    continue
                with contextlib.suppress(OSError):  # it has ended
                    shown += os.read(master, 65536)
                if keys and ready in shown:
                    os.write(master, keys)
                    keys = b""
            if process.poll() is None:
                process.kill()
        assert process.returncode == 0, (command, process.returncode, shown[-500:])
    finally:
        os.close(master)


def mutt(path):
    """What mutt shows of a mailbox: it tags all mails and copies them to a Maildir of its own. It wants a terminal."""
    with tempfile.TemporaryDirectory(prefix="postern-mutt-") as home:
        rc, out = os.path.join(home, "rc"), os.path.join(home, "out")
        with open(rc, "w", encoding="utf-8") as file:
            file.write(MUTT_RC)
        os.mkdir(os.path.join(home, "Mail"))  # or it asks first
        on_a_terminal(["mutt", "-F", rc, "-R", "-f", path], home, b"T.\r;C" + out.encode() + b"\rq", b"Msgs:")
        return [each.get_payload() for each in mailbox.Maildir(out, create=False)]


def test_mutt_reads_mbox_maildir_and_mh():
    for kind, mark in (("mbox", quoted), ("maildir", str), ("mh", str)):
        with delivered(kind) as gateway:
            read = mutt(os.path.join(gateway.out, "inbox") if kind == "mbox" else gateway.out)
            assert len(read) == 2, (kind, read)
            expect_text("\n".join(read), mark)


@contextlib.contextmanager
def nmh(inbox=None):
    """An nmh of its own: a home with a Mail folder, whose inbox may be one of ours."""
    with tempfile.TemporaryDirectory(prefix="postern-nmh-") as home:
        os.mkdir(os.path.join(home, "Mail"))
        target = os.path.join(home, "Mail", "inbox")
        if inbox:
            os.symlink(inbox, target)
        else:
            os.mkdir(target)
        with open(os.path.join(home, ".mh_profile"), "w", encoding="utf-8") as file:
            file.write("Path: Mail\nUnseen-Sequence: unseen\n")
        yield {"HOME": home, "MH": os.path.join(home, ".mh_profile")}


def test_maildir_is_read_alike_by_python_mblaze_and_dovecot():
    with delivered("maildir") as gateway:
        read = mailbox.Maildir(gateway.out, create=False)
        assert len(read) == 2, len(read)
        expect_text("\n".join(each.get_payload() for each in read))
        names = run(["mlist", gateway.out]).split()
        assert len(names) == 2, names
        expect_text(run(["mshow", "-n", *names]))
        text = dovecot("maildir", gateway.out)
        assert text.count("hdr.subject:") == 2, text
        expect_text(text)


def test_mh_is_read_alike_by_nmh_and_python():
    with delivered("mh") as gateway:
        read = mailbox.MH(gateway.out, create=False)
        assert len(read) == 2 and read.get_sequences() == {}, read.get_sequences()
        expect_text("\n".join(each.get_payload() for each in read))
        with nmh(gateway.out) as env:
            assert len(run([f"{NMH}/scan"], env=env).splitlines()) == 2
            expect_text(run([f"{NMH}/show", "-noshowproc", "-nocheckmime", "all"], env=env))


def test_nmh_empties_the_mailbox_while_mail_comes_in_and_gets_each_once():
    count = 60
    with delivered("mbox", {"first": "body"}) as gateway, nmh() as env:
        box = os.path.join(gateway.out, "inbox")
        deadline = time.monotonic() + 90
        for number in range(count):
            send(gateway, f"mail {number}.", MAILS["lines"])
            if number % 3 == 0 and os.path.exists(box) and os.path.getsize(box) > 0:
                inc(box, env)
        while time.monotonic() < deadline and not gateway.wait_until_settled(1):
            inc(box, env)
        inc(box, env)
        shown = run([f"{NMH}/scan", "-format", "%{subject}"], env=env).splitlines()
        assert sorted(shown) == sorted(["first"] + [f"mail {number}." for number in range(count)]), shown


TAKE = """lockfile -1 -r 30 "$1.lock" || exit 1
trap 'rm -f "$1.lock"' EXIT
formail -s sh -c 'cat; echo END-OF-MAIL' < "$1" && : > "$1"
"""


def test_formail_takes_mail_under_a_dot_lock_while_it_comes_in():
    """As a script of procmail's tools does; what it takes is whole each time, and in the end each mail was taken once."""
    count = 60
    with delivered("mbox", {"first": MAILS["lines"]}) as gateway:
        box = os.path.join(gateway.out, "inbox")
        took = threading.Semaphore(0)

        def send_them():  # in thirds, so that some are taken before the last come
            for number in range(count):
                if number in (count // 3, 2 * count // 3):
                    took.acquire(timeout=60)
                send(gateway, f"mail {number}.", MAILS["lines"])

        sender = threading.Thread(target=send_them)
        sender.start()
        taken, rounds = [], 0
        while sender.is_alive() or not gateway.wait_until_settled(0.01):
            if os.path.getsize(box) > 0:
                taken += run(["sh", "-c", TAKE, "sh", box]).split("END-OF-MAIL\n")[:-1]
                rounds += 1
                took.release()
        sender.join()
        taken += run(["sh", "-c", TAKE, "sh", box]).split("END-OF-MAIL\n")[:-1]
        for mail in taken:
            for line in LINES:
                assert quoted(line) in mail.split("\n"), mail
        subjects = sorted(line[9:] for mail in taken for line in mail.split("\n\n")[0].split("\n")
                          if line.startswith("Subject: "))
        assert subjects == sorted(["first"] + [f"mail {number}." for number in range(count)]), subjects
        assert rounds > 1, "nothing was taken while mail came in"


def inc(box, env):
    """Takes all mail out of the mailbox, as people do; it may be empty or locked."""
    subprocess.run([f"{NMH}/inc", "-file", box, "-truncate", "-silent"], capture_output=True, timeout=60, check=False,
                   env={**os.environ, **env})


def main():
    global BUILD
    BUILD = os.path.abspath(sys.argv[1])
    wanted = sys.argv[2:]
    tests = [(name, each) for name, each in globals().items() if name.startswith("test_")]
    passed = failed = 0
    for name, each in tests:
        if wanted and name not in wanted:
            continue
        try:
            for tool in ("doveadm", "formail", "lockfile", "mlist", f"{NMH}/inc"):
                assert shutil.which(tool), f"{tool} is not installed (packaging/debian-check-packages.txt)"
            each()
            passed += 1
            print(f"ok {name}", flush=True)
        except Exception:  # noqa: BLE001
            failed += 1
            print(f"FAILED {name}", flush=True)
            traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
