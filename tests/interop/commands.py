#!/usr/bin/env python3
"""Programs that take mail from us by their command line: UUCP, NNCP, Exim's batch reader, HylaFAX's faxmail.

Each stands in a folder of its own: unpacked from its Debian package, with a private configuration, on no network.
Each function named test_* is one test. Usage: commands.py BUILD_FOLDER [TEST ...]
"""

import contextlib
import glob
import json
import os
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
sys.path.insert(0, HERE)
from gateway import Gateway, breathe  # noqa: E402
from peers import Skipped, run_tests, unpacked  # noqa: E402

BUILD = ""

BODY = "Hello over there.\r\n.\r\n..two dots\r\nFrom the top\r\nno line end"


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


class Site:
    """A gateway with an adapter "old" for *@old.example, and a folder for the other side."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="postern-commands-")
        self.gateway = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.gateway:
            self.gateway.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def program(self, package, inside):
        """A copy of a package's program that has no rights but ours."""
        place = self.path(os.path.basename(inside))
        shutil.copy(os.path.join(unpacked(BUILD, package), inside), place)
        os.chmod(place, 0o755)
        return place

    def start(self, settings):
        self.gateway = Gateway(BUILD, adapters="[[route]]\nrecipient = \"*@old.example\"\nadapter = \"old\"\n"
                               f"[adapter.old]\nretry_first = \"1h\"\nretry_longest = \"1h\"\n{settings}\n")
        self.gateway.start()

    def send(self, sender="alice@example.org", recipients=("bob@old.example", "carol@old.example")):
        with smtplib.SMTP("127.0.0.1", self.gateway.port, timeout=20) as client:
            client.sendmail(sender, list(recipients),
                            "From: alice@example.org\r\nTo: bob@old.example\r\nSubject: over there\r\n"
                            f"Message-ID: <1@example.org>\r\n\r\n{BODY}\r\n")

    def settle(self, wanted="exported"):
        check(self.gateway.wait_until_settled(), self.gateway.states())
        check(set(self.gateway.states()) == {wanted}, (self.gateway.states(), self.gateway.log[-5:]))


def run(command, data=None, env=None, status=0):
    done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False, env=env,
                          stdin=None if data else subprocess.DEVNULL)
    check(done.returncode == status, (command, done.returncode, done.stderr[-800:], done.stdout[-800:]))
    return done.stdout.decode("utf-8", "replace")


def same_text(text):
    """What was sent is there, with LF line ends, behind the fields that were added on its way."""
    wanted = "To: bob@old.example\nSubject: over there\nMessage-ID: <1@example.org>\n\n" + BODY.replace("\r\n", "\n") + "\n"
    check(text.endswith(wanted), repr(text))


# Keeps each text that it gets, with its arguments before it. uuxqt gives its programs no PATH.
TAKES = """#!/bin/sh
{{ echo "ARGS $*"; echo "FROM $NNCP_SENDER"; /bin/cat; }} >"{folder}/received.$$"
"""


def received(site):
    return [read(path) for path in sorted(glob.glob(site.path("received.*")))]


# ---- UUCP ----


@contextlib.contextmanager
def uucp_pair(more=""):
    """Two systems, a (ours) and b, one calling the other through a pipe."""
    with Site() as site:
        uux = site.program("uucp", "usr/bin/uux")
        uucico = site.program("uucp", "usr/sbin/uucico")
        site.uuxqt = site.program("uucp", "usr/sbin/uuxqt" if os.path.exists(
            os.path.join(unpacked(BUILD, "uucp"), "usr/sbin/uuxqt")) else "usr/lib/uucp/uuxqt")
        for name in ("a", "b"):
            for folder in ("spool", "pub", "bin"):
                os.makedirs(site.path(f"{name}/{folder}"))
            site.write(f"{name}/config", "".join(f"{key} {site.path(name)}/{key}\n" for key in
                       ("spool", "logfile", "statfile", "debugfile", "sysfile", "portfile", "passwdfile")) +
                       f"nodename {name}\npubdir {site.path(name)}/pub\n")
        site.write("a/sysfile", "system b\ntime any\ncall-login gate\ncall-password secret\n"
                                "chat \"\" \\r\\c ogin: \\L word: \\P\nport pipe\nprotocol i\n")
        site.write("a/portfile", f"port pipe\ntype pipe\ncommand {uucico} -l -I {site.path('b/config')}\n")
        site.write("b/sysfile", f"system a\ncalled-login gate\nprotocol i\ncommands rmail rsmtp\n"
                                f"command-path {site.path('b/bin')}\n")
        site.write("b/passwdfile", "gate secret\n")
        site.write("b/portfile", "")
        for name in ("rmail", "rsmtp"):
            site.write(f"b/bin/{name}", TAKES.format(folder=site.folder), 0o755)
        site.call = lambda: (run([uucico, "-I", site.path("a/config"), "-S", "b"]),
                             run([site.uuxqt, "-I", site.path("b/config")]))
        # Started by root, these programs become the user uucp.
        for folder, _, _ in os.walk(site.folder):
            os.chmod(folder, 0o777)
        site.start(f"kind = \"uucp\"\nfolder = \"{site.path('work')}\"\nsystem = \"b\"\nnode_name = \"a\"\n"
                   f"program = \"{uux}\"\nconfig = \"{site.path('a/config')}\"\nspool = \"{site.path('a/spool')}\"\n{more}")
        yield site


def test_uucp_carries_mail_to_rmail():
    with uucp_pair() as site:
        site.send()
        site.settle()
        jobs = glob.glob(site.path("a/spool/b/C./C.*"))
        check(len(jobs) == 1, jobs)
        check("alice@example.org 0 rmail bob@old.example carol@old.example" in read(jobs[0]), read(jobs[0]))
        site.call()
        texts = received(site)
        check(len(texts) == 1, (texts, read(site.path("b/logfile"))))
        check(texts[0].startswith("ARGS bob@old.example carol@old.example\n"), texts[0])
        check(re.search(r"\nFrom alice@example\.org \w{3} \w{3} [ \d]\d [\d:]{8} \d{4} remote from a\n"
                        r"X-Postern-Item: 1\.1\.", texts[0]), texts[0])
        same_text(texts[0])


def test_uucp_carries_mail_without_a_sender_to_old_systems():
    with uucp_pair("sender_form = \"bang\"\nmost_recipients = 1") as site:
        site.send("")
        site.send("dave@example.net", ["bob@old.example"])
        site.settle()
        site.call()
        texts = sorted(received(site))
        check([text.split("\n")[0] for text in texts] ==
              ["ARGS bob@old.example", "ARGS bob@old.example", "ARGS carol@old.example"], texts)
        check(sum("\nFrom MAILER-DAEMON " in text for text in texts) == 2, texts)
        check(sum("\nFrom example.net!dave " in text for text in texts) == 1, texts)


def test_uucp_carries_batches_to_rsmtp():
    with uucp_pair("remote_command = \"rsmtp\"") as site:
        site.send()
        site.settle()
        site.call()
        texts = received(site)
        check(len(texts) == 1 and texts[0].startswith("ARGS \n"), texts)
        check("MAIL FROM:<alice@example.org>\nRCPT TO:<bob@old.example>\nRCPT TO:<carol@old.example>\nDATA\n" in texts[0], texts[0])
        check(texts[0].endswith("\n..\n...two dots\nFrom the top\nno line end\n.\nQUIT\n"), texts[0])


# uux, ended at one of its calls before anybody sees how it ends.
CUT_UUX = """#!/bin/sh
if mkdir "{folder}/cut" 2>/dev/null; then
    strace -f -qq -o /dev/null -e trace={call} -e inject={call}:signal=KILL:when={when} "{uux}" "$@"
    kill -KILL $$
fi
exec "{uux}" "$@"
"""


def test_uucp_spool_tells_what_became_of_a_uux_that_was_killed():
    """At its last calls the job is queued and must not be queued again; before its link it must be."""
    ends = []
    with uucp_pair() as site:
        uux = site.path("uux")
        trace = site.path("trace")
        run(["strace", "-qq", "-o", trace, uux, "-I", site.path("a/config"), "-r", "-", "b!rmail", "(bob)"], data=b"x\n")
        calls = re.findall(r"^([a-z0-9_]+)\(", read(trace), re.M)
        check("link" in calls, calls)
    for call, when in (("link", 1), ("unlink", calls.count("unlink")), ("exit_group", 1)):
        with uucp_pair() as site:
            uux = site.path("uux")
            os.rename(uux, site.path("uux.real"))
            site.write("uux", CUT_UUX.format(folder=site.folder, call=call, when=when, uux=site.path("uux.real")), 0o755)
            config = read(site.gateway.config).replace('retry_first = "1h"\nretry_longest = "1h"', 'retry_first = "50ms"')
            with open(site.gateway.config, "w", encoding="utf-8") as file:
                file.write(config)
            site.gateway.stop()
            site.gateway.start()
            site.send()
            site.settle()
            site.call()
            ends.append((call, len(received(site))))
    check([count for _, count in ends] == [1, 1, 1], ends)


# ---- NNCP ----


def nncp_keys(program):
    text = run([program("nncp-cfgnew"), "-nocomments"])
    block = text[text.index("self: {"):]
    return dict(re.findall(r"(\w+): ([A-Z2-7]{40,})", block[:block.index("}")]))


def test_nncp_carries_mail_through_a_folder():
    with Site() as site:
        def program(name):
            place = site.path(name)
            return place if os.path.exists(place) else site.program("nncp", f"usr/bin/{name}")
        keys = {name: nncp_keys(program) for name in ("a", "b")}
        site.write("sendmail", TAKES.format(folder=site.folder), 0o755)
        for own, other in (("a", "b"), ("b", "a")):
            neighbour = {key: keys[other][key] for key in ("id", "exchpub", "signpub", "noisepub")}
            if own == "b":
                neighbour["exec"] = {"sendmail": [site.path("sendmail")]}
            os.makedirs(site.path(f"{own}/spool"))
            site.write(f"{own}/nncp.hjson", json.dumps({
                "spool": site.path(f"{own}/spool"), "log": site.path(f"{own}/log"), "self": keys[own],
                "neigh": {"self": {key: keys[own][key] for key in ("id", "exchpub", "signpub", "noisepub")}, other: neighbour}}))
        site.start(f"kind = \"nncp\"\nfolder = \"{site.path('work')}\"\nnode = \"b\"\nprogram = \"{program('nncp-exec')}\"\n"
                   f"config = \"{site.path('a/nncp.hjson')}\"\nspool = \"{site.path('a/spool')}\"")
        site.send()
        site.send("", ["bob@old.example"])
        site.settle()
        os.mkdir(site.path("stick"))
        run([program("nncp-xfer"), "-quiet", "-cfg", site.path("a/nncp.hjson"), "-tx", "-mkdir", "-node", "b", site.path("stick")])
        run([program("nncp-xfer"), "-quiet", "-cfg", site.path("b/nncp.hjson"), "-rx", site.path("stick")])
        run([program("nncp-toss"), "-quiet", "-cfg", site.path("b/nncp.hjson")])
        texts = sorted(received(site))
        check([text.split("\n")[0] for text in texts] ==
              ["ARGS -f <> -- bob@old.example", "ARGS -f alice@example.org -- bob@old.example carol@old.example"], texts)
        for text in texts:
            check(f"\nFROM {keys['a']['id']}\n" in text, text)
            same_text(text)


# ---- Exim's batch reader ----

EXIM = """primary_hostname = exim.old.example
spool_directory = {folder}/spool
log_file_path = {folder}/log-%s
keep_environment =
queue_only
acl_not_smtp = acl_all
begin acl
acl_all:
  accept
"""


@contextlib.contextmanager
def exim():
    """Exim as a user of the system that it is built for, and what it keeps in its queue."""
    if os.geteuid() != 0:
        raise Skipped("Exim changes users, which takes root")
    with Site() as site:
        passwd = site.path("passwd")
        shutil.copy("/etc/passwd", passwd)
        if "Debian-exim:" not in read(passwd):
            with open(passwd, "a", encoding="utf-8") as file:
                file.write("Debian-exim:x:61001:61001::/:/bin/false\n")
        shutil.copy("/etc/group", site.path("group"))
        if "Debian-exim:" not in read(site.path("group")):
            with open(site.path("group"), "a", encoding="utf-8") as file:
                file.write("Debian-exim:x:61001:\n")
        site.write("exim.conf", EXIM.format(folder=site.folder), 0o640)
        os.chmod(site.folder, 0o777)
        program = os.path.join(unpacked(BUILD, "exim4-daemon-light"), "usr/sbin/exim4")
        # In a mount namespace of its own, where the user that it is built for exists.
        site.write("exim", "#!/bin/sh\nexec unshare -m sh -c 'mount --bind \"$1/passwd\" /etc/passwd && "
                           "mount --bind \"$1/group\" /etc/group && shift && exec \"$@\"' sh "
                           f"{site.folder} {program} -C {site.path('exim.conf')} -odq \"$@\"\n", 0o755)
        yield site


def kept(site):
    """Envelope and text of what Exim holds: [(sender, recipients, text)]."""
    mails = []
    for head in sorted(glob.glob(site.path("spool/input/*-H")) + glob.glob(site.path("spool/input/*/*-H"))):
        lines = read(head).split("\n")
        count = next(i for i, line in enumerate(lines) if line.isdigit())
        text = read(head[:-1] + "D").split("\n", 1)[1]
        mails.append((lines[2], sorted(lines[count + 1:count + 1 + int(lines[count])]), text))
    return mails


BOTH = ["bob@old.example", "carol@old.example"]


def check_kept(site):
    mails = kept(site)
    check(len(mails) == 1, (mails, glob.glob(site.path("*"))))
    check(mails[0][:2] == ("<alice@example.org>", BOTH), mails)
    check(mails[0][2] == BODY.replace("\r\n", "\n") + "\n", mails)


def test_exim_reads_our_batch_files():
    with exim() as site:
        for ends in ("lf", "crlf"):
            site.start(f"kind = \"bsmtp\"\nfolder = \"{site.path('batches')}\"\nline_ends = \"{ends}\"")
            site.send()
            site.settle()
            files = glob.glob(site.path("batches/*.bsmtp"))
            check(len(files) == 1, files)
            with open(files[0], "rb") as file:
                batch = file.read()
            run([site.path("exim"), "-bS"], data=batch)
            check_kept(site)
            site.gateway.close()
            for name in ("spool", "batches"):
                shutil.rmtree(site.path(name))


def test_exim_takes_our_batches_from_a_pipe():
    with exim() as site:
        site.start(f"kind = \"pipe\"\nfolder = \"{site.path('work')}\"\ncommand = [\"{site.path('exim')}\", \"-bS\"]\n"
                   "most_recipients = 10\nenvelope = \"bsmtp\"\nenvironment = [\"PATH=/usr/sbin:/usr/bin:/sbin:/bin\"]")
        site.send()
        site.settle()
        check_kept(site)


def test_exim_takes_our_mail_as_sendmail():
    with exim() as site:
        site.start(f"kind = \"pipe\"\nfolder = \"{site.path('work')}\"\nmost_recipients = 10\n"
                   f"command = [\"{site.path('exim')}\", \"-bm\", \"-oi\", \"-f\", \"{{sender}}\", \"--\", \"{{recipients...}}\"]\n"
                   "environment = [\"PATH=/usr/sbin:/usr/bin:/sbin:/bin\"]")
        site.send()
        site.settle()
        check_kept(site)


# ---- HylaFAX ----


def test_faxmail_without_its_server_is_tried_again():
    """faxmail reads the mail and its arguments, and finds no hfaxd: its words are in the reason, and the mail waits."""
    with Site() as site:
        base = unpacked(BUILD, "hylafax-client")
        libraries = os.path.join(base, "usr/lib/hylafax")
        needed = subprocess.run(["ldd", os.path.join(base, "usr/bin/faxmail")], capture_output=True, check=False,
                                env={"LD_LIBRARY_PATH": libraries}, timeout=60).stdout.decode()
        if "not found" in needed:
            raise Skipped("libraries of faxmail are missing: " + needed)
        site.start(f"kind = \"pipe\"\nfolder = \"{site.path('work')}\"\n"
                   f"command = [\"{base}/usr/bin/faxmail\", \"-d\", \"-n\", \"{{local_part}}\", \"{{sender}}\"]\n"
                   f"environment = [\"LD_LIBRARY_PATH={libraries}\", \"PATH=/usr/bin:/bin\", \"FAXSERVER=127.0.0.1\"]")
        site.send(recipients=["5551234@old.example"])
        for _ in range(2000):
            lines = [line for line in site.gateway.log if "item.deferred" in line]
            if lines:
                break
            breathe()
        check(lines and "faxmail ended with exit code" in lines[0], site.gateway.log[-5:])
        check(site.gateway.states() == {"ready": 1}, site.gateway.states())
        results = glob.glob(site.path("work/run/*.result"))
        check(len(results) == 1 and "Can not reach service" in read(results[0]), [read(each) for each in results])


def main():
    global BUILD  # noqa: PLW0603 - one program, one build
    BUILD = os.path.abspath(sys.argv[1])
    tests = {name: each for name, each in globals().items() if name.startswith("test_")}
    return run_tests(tests, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
