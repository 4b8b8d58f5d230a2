#!/usr/bin/env python3
"""Netmail as FidoNet's own programs take it: tossed by crashmail (MSG, JAM) and by iftoss, carried by binkd between
two nodes, and held against the packet that ifmail makes of the same mail.

The packages are unpacked, not installed: ifgate wants a mail and a news server.
Each function named test_* is one test. Usage: fido.py BUILD_FOLDER [TEST ...]
"""

import contextlib
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
sys.path.insert(0, HERE)
from gateway import Gateway  # noqa: E402
from packets import check, jam_mails, read_msg, read_packet  # noqa: E402
from peers import free_port, run_tests, unpacked  # noqa: E402

BUILD = ""
NODES = 'address = "2:999/1"\nlink = "2:999/2"\n'
MAIL = """From: Alice Example <alice@example.org>
To: Bob.Sysop@legacy.example
Subject: Grüße from the gateway
Date: Tue, 14 Nov 2023 22:13:20 +0000
Message-ID: <abc@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Hello from the gateway.
Latin text: café, naïve über.
From the body.
--- a tear line
SEEN-BY: 1/1
""".replace("\n", "\r\n").encode()
TEXT = [b"Hello from the gateway.", "Latin text: café, naïve über.".encode("cp437"), b"From the body.",
        b"-+- a tear line", b"SEEN+BY: 1/1"]
SUBJECT = "Grüße from the gateway".encode("cp437")


@contextlib.contextmanager
def exported(more="", mails=None, recipients=("Bob.Sysop@legacy.example",), nodes=NODES):
    """A gateway that has exported the mails; its folder is `out`."""
    gateway = Gateway(BUILD, kind="ftn", adapters=nodes + more,
                      extra_config='[[route]]\nrecipient = "*@*.fidonet.org"\nadapter = "out"\n')
    try:
        gateway.start()
        with smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client:
            for mail in mails or [MAIL]:
                client.sendmail("alice@example.org", list(recipients), mail)
        check(gateway.wait_until_settled() and set(gateway.states()) == {"exported"},
              (gateway.states(), gateway.log[-8:]))
        yield gateway
        check(gateway.stop() == 0, gateway.log[-8:])
    finally:
        gateway.close()


@contextlib.contextmanager
def room():
    folder = tempfile.mkdtemp(prefix="postern-fido-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command, data=None, fine=(0,), cwd=None):
    done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False, cwd=cwd,
                          env={**os.environ, "TZ": "UTC"})
    check(done.returncode in fine, (command, done.returncode, done.stdout[-500:], done.stderr[-500:]))
    return done.stdout + done.stderr


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def packets(folder):
    return sorted(name for name in os.listdir(folder) if name.endswith(".pkt"))


def crashmail(folder, inbound, base, more=""):
    """Tosses what is in the inbound; its log."""
    for name in ("outbound", "temp", "create", "packets", "bad"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    prefs = write(os.path.join(folder, "crash.prefs"), f"""SYSOP "Bob Sysop"
LOGFILE "{folder}/log"
LOGLEVEL 5
DUPEFILE "{folder}/dupes" 200
STATSFILE "{folder}/stats"
DEFAULTZONE 2
INBOUND "{inbound}"
OUTBOUND "{folder}/outbound"
TEMPDIR "{folder}/temp"
CREATEPKTDIR "{folder}/create"
PACKETDIR "{folder}/packets"
PACKER "ZIP" "zip -j %a %f" "unzip -j %a" "PK"
AKA 2:999/2
DOMAIN "FidoNet"
NODE 2:999/1.0 "ZIP" "" PACKNETMAIL
ROUTE "*:*/*.*" "2:999/1.0" 2:999/2
NETMAIL "NETMAIL" 2:999/2 {base}
AREA "BAD" 2:999/2 MSG "{folder}/bad"
{more}""")
    run([os.path.join(unpacked(BUILD, "crashmail"), "usr/bin/crashmail"), "SETTINGS", prefs, "TOSS"])
    return read(os.path.join(folder, "log")).decode("latin-1")


def expect_netmail(mail):
    check(mail.to == b"Bob Sysop" and mail.sender == b"Alice Example", (mail.to, mail.sender))
    check(mail.subject == SUBJECT and mail.date == b"14 Nov 23  22:13:20", (mail.subject, mail.date))
    check([line for line in mail.lines if line][:5] == TEXT, mail.lines)
    check(mail.control("MSGID") == "2:999/1 2bdf4368", mail.controls)
    check(mail.control("REPLYADDR") == "alice@example.org", mail.controls)


def test_crashmail_tosses_into_msg():
    with exported(mails=[MAIL, MAIL.replace(b"abc@", b"def@")]) as gateway, room() as folder:
        base = os.path.join(folder, "netmail")
        os.mkdir(base)
        log = crashmail(folder, gateway.out, f'MSG "{base}"')
        found = [read_msg(read(os.path.join(base, name))) for name in sorted(os.listdir(base)) if name != "1.msg"]
        check(len(found) == 2, (os.listdir(base), log))
        expect_netmail(found[0])
        check(found[0].nodes == ("999/1", "999/2"), found[0].nodes)
        check(not packets(gateway.out), os.listdir(gateway.out))


def test_crashmail_tosses_into_jam():
    with exported() as gateway, room() as folder:
        log = crashmail(folder, gateway.out, f'JAM "{folder}/netmail"')
        mails = jam_mails(os.path.join(folder, "netmail"))
        check(len(mails) == 1, log)
        fields, text = mails[0]
        # Subfields of JAM: 0 and 1 addresses, 2 sender, 3 receiver, 4 MSGID, 6 subject.
        check(fields[2] == [b"Alice Example"] and fields[3] == [b"Bob Sysop"], fields)
        check(fields[4] == [b"2:999/1 2bdf4368"] and fields[6] == [SUBJECT], fields)
        check(text.split(b"\r")[:5] == TEXT, text)


def test_crashmail_knows_zones_and_points():
    """From a point, to a point and into another zone: each in the area of the address that it is for."""
    places = {"2:999/2": "f2.n999.z2", "2:999/2.7": "p7.f2.n999.z2", "3:5/6": "f6.n5.z3"}
    recipients = [f"Bob.Sysop@{labels}.fidonet.org" for labels in places.values()]
    nodes = 'address = "2:999/1.5"\nlink = "2:999/2"\n'
    with exported(recipients=recipients, nodes=nodes) as gateway, room() as folder:
        areas, more = {}, 'NODE 2:999/1.5 "ZIP" "" PACKNETMAIL\n'
        for number, place in enumerate(places):
            areas[place] = os.path.join(folder, f"netmail{number}")
            os.mkdir(areas[place])
            if number > 0:
                more += f'AKA {place}\nDOMAIN "FidoNet"\nNETMAIL "NETMAIL{number}" {place} MSG "{areas[place]}"\n'
        log = crashmail(folder, gateway.out, f'MSG "{areas["2:999/2"]}"', more)
        for place, area in areas.items():
            found = [read_msg(read(os.path.join(area, name))) for name in os.listdir(area) if name != "1.msg"]
            check(len(found) == 1, (place, os.listdir(area), log))
            zoned, _, point = place.partition(".")
            check(found[0].to == b"Bob Sysop" and found[0].control("FMPT") == "5", found[0].controls)
            check(found[0].control("INTL") == f"{zoned} 2:999/1", found[0].controls)
            check(found[0].control("TOPT") == (point or None), found[0].controls)
            check(found[0].control("MSGID").startswith("2:999/1.5 "), found[0].controls)


def test_crashmail_tosses_a_bundle_and_a_split_mail():
    long = MAIL + b"".join(b"Line %d of a long text, which goes on and on and on.\r\n" % n for n in range(1000))
    mails = [MAIL.replace(b"abc@", b"n%d@" % number) for number in range(20)] + [long.replace(b"abc@", b"long@")]
    with exported('bundle = 64\nwatchers = 1\n', mails=mails) as gateway, room() as folder:
        base = os.path.join(folder, "netmail")
        os.mkdir(base)
        log = crashmail(folder, gateway.out, f'MSG "{base}"')
        found = [read_msg(read(os.path.join(base, name))) for name in os.listdir(base) if name != "1.msg"]
        whole = [mail for mail in found if not mail.subject.startswith(b"[part ")]
        parts = sorted((mail for mail in found if mail.subject.startswith(b"[part ")), key=lambda mail: mail.subject)
        check(len(whole) == 20 and len(parts) == 4, (len(whole), len(parts), log))
        check(len({mail.control("MSGID") for mail in found}) == 24, "an id occurs twice")
        joined = b"\r".join(b"\r".join(mail.lines) for mail in parts)
        check(all(b"Line %d of" % n in joined for n in range(1000)), "a line is lost")


def ifgate(folder):
    """A configuration for ifmail and iftoss, and their folder of programs."""
    programs = os.path.join(unpacked(BUILD, "ifgate"), "usr/lib/ifmail")
    for name in ("in", "outb", "caught"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    catcher = write(os.path.join(folder, "sendmail"),
                    f'#!/bin/sh\nprintf "%s\\n" "$*" >"{folder}/caught/arguments"\nexec cat >"{folder}/caught/mail"\n')
    os.chmod(catcher, 0o755)
    areas = write(os.path.join(folder, "Areas"), "")
    config = write(os.path.join(folder, "config"), f"""logfile {folder}/iflog
debugfile {folder}/ifdebug
verbose 0
address 2:999/2
myfqdn gate.example
magicname UUCP
inbound {folder}/in
listinbound {folder}/in
protinbound {folder}/in
outbound {folder}/outb
public {folder}
nodelist {folder}/nodelist
sequencer {folder}/seq
database {folder}/ifdbm
msgidbm {folder}/ids
areas {areas}
maptabdir {programs}/maptabs
defaultftnchar cp437
defaultrfcchar iso-8859-1
sendmail {catcher} -oi -f $F $T
rnews /bin/true
maxmsize 123000
""")
    return programs, config


def copied(program, folder):
    """A copy without the bits that would change the user."""
    path = os.path.join(folder, os.path.basename(program))
    shutil.copyfile(program, path)
    os.chmod(path, 0o755)
    return path


def test_iftoss_makes_it_a_mail_again():
    with exported() as gateway, room() as folder:
        programs, config = ifgate(folder)
        packet = read(os.path.join(gateway.out, packets(gateway.out)[0]))
        said = run([copied(os.path.join(programs, "iftoss"), folder), "-I", config], packet)
        mail = read(os.path.join(folder, "caught", "mail")).decode("iso-8859-1").replace("\r\n", "\n")
        check("alice@example.org" in mail.split("\nFrom: ")[1].split("\n")[0], (mail, said))
        check("café, naive über." in mail or "café, naïve über." in mail, mail)
        check("\nHello from the gateway.\n" in mail and "\n-+- a tear line\n" in mail, mail)
        check("Bob" in read(os.path.join(folder, "caught", "arguments")).decode(), mail)


def test_ifmail_makes_the_same_of_it():
    """Field by field; what differs is ifmail's own and listed."""
    with exported() as gateway, room() as folder:
        ours_head, (ours,) = read_packet(read(os.path.join(gateway.out, packets(gateway.out)[0])))
        programs, config = ifgate(folder)
        text = read(config).decode().replace("address 2:999/2", "address 2:999/1")
        write(config, text)
        latin = MAIL.decode().replace("utf-8", "iso-8859-1").replace("\r\n", "\n").replace(
            "Grüße", "=?iso-8859-1?Q?Gr=FC=DFe?=").encode("iso-8859-1")
        run([copied(os.path.join(programs, "ifmail"), folder), "-I", config, "-r", "f2.n999.z2.fidonet.org",
             "Bob.Sysop@f2.n999.z2.fidonet.org"], b"From alice@example.org Tue Nov 14 22:13:20 2023\n" + latin)
        theirs_head, (theirs,) = read_packet(read(os.path.join(folder, "outb", "03e70002.out")))
        for field in ("from", "to", "password", "capability"):
            check(ours_head[field] == theirs_head[field], (field, ours_head, theirs_head))
        # Ours was made when the mail came, theirs just now; both in UTC.
        age = (theirs_head["time"] - ours_head["time"]).total_seconds()
        check(0 <= age < 300, (ours_head, theirs_head))
        for field in ("to", "sender", "date", "nodes"):
            check(getattr(ours, field) == getattr(theirs, field), (field, getattr(ours, field), getattr(theirs, field)))
        # ifmail decodes no encoded words of the subject.
        check(theirs.subject.endswith(b"from the gateway") and ours.subject == SUBJECT, theirs.subject)
        check(ours.attributes == 0x0001 and theirs.attributes & 0x0001, theirs.attributes)
        # Where to answer stands in control lines of ours; ifmail writes "From:" and "To:" into the text.
        check(ours.control("REPLYADDR") == "alice@example.org" and theirs.control("REPLYADDR") is None, theirs.controls)
        # Both have an id; the one of ifmail is of 64 bits, which no other program makes.
        # And its origin is the Message-ID's domain, which FTS-0009 allows; ours is our FidoNet address.
        ids = [mail.control("MSGID").split() for mail in (ours, theirs)]
        check(ids[0][0] == "2:999/1" and len(ids[0][1]) == 8, ids)
        check(ids[1][0] == "example.org" and len(ids[1][1]) == 16, ids)
        check("INTL" in ours.controls[0] and theirs.control("INTL") is None, (ours.controls, theirs.controls))
        # The text, each in its own charset; it leaves a tear line as it is.
        charsets = {"CP437 2": "cp437", "LATIN-1 2": "latin-1"}
        text = [[line.decode(charsets[mail.control("CHRS")]) for line in mail.lines if line] for mail in (ours, theirs)]
        theirs_text = [line for line in text[1] if not line.startswith(("From: ", "To: "))]
        check(text[0][:3] == theirs_text[:3], text)
        check(text[0][3] == "-+- a tear line" and theirs_text[3].endswith("--- a tear line"), text)


class Node:
    """A binkd with a folder of its own."""

    def __init__(self, folder, name, address, outbound, other, port):
        self.inbound = os.path.join(folder, name)
        for kind in ("", "-open", "-temp"):
            os.makedirs(self.inbound + kind, exist_ok=True)
        self.program = os.path.join(unpacked(BUILD, "binkd"), "usr/sbin/binkd")
        self.log = os.path.join(folder, f"{name}.log")
        peer, host = other
        self.config = write(os.path.join(folder, f"{name}.cfg"), f"""log {self.log}
loglevel 5
conlog 1
domain fidonet {outbound} 2
address {address}@fidonet
sysname "{name}"
location "here"
sysop "sysop"
nodeinfo 115200,TCP,BINKP
iport {port}
listen 127.0.0.1
inbound {self.inbound}
inbound-nonsecure {self.inbound}-open
temp-inbound {self.inbound}-temp
node {peer}@fidonet {host} -
""")

    def listen(self, port):
        self.process = subprocess.Popen([self.program, "-C", "-s", self.config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            if self.process.poll() is not None:
                raise AssertionError(f"binkd ended with {self.process.returncode}: {self.log}")
            threading.Event().wait(0.05)
        raise AssertionError(f"binkd does not listen on port {port}")

    def call(self, peer):
        return run([self.program, "-p", "-c", "-P", f"{peer}@fidonet", self.config], fine=(0, 1))

    def received(self):
        return [read(os.path.join(base, name)) for base in (self.inbound, self.inbound + "-open")
                for name in sorted(os.listdir(base)) if name.lower().endswith(".pkt")]

    def close(self):
        if getattr(self, "process", None) is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 15)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait(10)


def test_binkd_carries_packets_between_two_nodes():
    with exported('mode = "bso"\n', mails=[MAIL, MAIL.replace(b"abc@", b"def@")]) as gateway, room() as folder:
        outbound = os.path.join(gateway.out, "outbound")
        held = os.path.join(gateway.out, "postern-packets")
        sent = [read(os.path.join(held, name)) for name in packets(held)]
        check(len(sent) == 2, os.listdir(held))
        port = free_port()
        theirs = Node(folder, "b", "2:999/2", os.path.join(folder, "outb"), ("2:999/1", "*"), port)
        ours = Node(folder, "a", "2:999/1", outbound, ("2:999/2", f"127.0.0.1:{port}"), 0)
        try:
            theirs.listen(port)
            busy = os.path.join(outbound, "03e70002.bsy")
            write(busy, "1\n")
            ours.call("2:999/2")
            check(not theirs.received() and len(packets(held)) == 2, "sent although the link is busy")
            os.unlink(busy)
            ours.call("2:999/2")
            check(sorted(theirs.received()) == sorted(sent), (read(ours.log)[-900:], os.listdir(held)))
            check(not packets(held) and not os.path.exists(os.path.join(outbound, "03e70002.flo")),
                  (os.listdir(held), os.listdir(outbound)))
        finally:
            theirs.close()
            ours.close()


def test_the_gateway_waits_for_a_busy_link():
    gateway = Gateway(BUILD, kind="ftn", adapters=NODES + 'mode = "bso"\nlock_wait = "0s"\nretry_first = "1s"\n')
    try:
        outbound = os.path.join(gateway.out, "outbound")
        os.mkdir(outbound)
        busy = write(os.path.join(outbound, "03e70002.bsy"), "1\n")
        gateway.start()
        with smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client:
            client.sendmail("alice@example.org", ["Bob.Sysop@legacy.example"], MAIL)
        deadline = time.monotonic() + 15
        while not any(" item.deferred" in line for line in gateway.log) and time.monotonic() < deadline:
            threading.Event().wait(0.02)
        check(any("class=busy" in line for line in gateway.log), gateway.log[-8:])
        check(not packets(os.path.join(gateway.out, "postern-packets")), "published to a busy link")
        os.unlink(busy)
        check(gateway.wait_until_settled() and set(gateway.states()) == {"exported"}, gateway.log[-8:])
        line = read(os.path.join(outbound, "03e70002.flo")).decode()
        check(line.startswith("^") and os.path.exists(line[1:].strip()), line)
        check(gateway.stop() == 0, gateway.log[-8:])
    finally:
        gateway.close()


def main():
    global BUILD
    BUILD = os.path.abspath(sys.argv[1])
    return run_tests({name: each for name, each in globals().items() if name.startswith("test_")}, sys.argv[2:])


sys.exit(main())
