"""Other people's mail servers, as clients of ours: unpacked from their Debian packages, run by the test, ended by it.

Postfix, Exim and OpenSMTPD can not be installed side by side, so each package is downloaded and unpacked into the
build folder. Exim and OpenSMTPD insist on users of their own and OpenSMTPD on fixed folders: they run in a mount
namespace of their own, where /etc/passwd has those users and /var is empty. That takes root; without it their
tests are skipped by name. Nothing else is skipped, a package that can not be had least of all, unless
POSTERN_MAY_SKIP=1 asks for it.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import traceback

USERS = {"Debian-exim": 61001, "opensmtpd": 61002, "opensmtpq": 61003, "postfix": 61004}
GROUPS = {**USERS, "postdrop": 61005}


def run_tests(tests, wanted):
    """Runs `tests` (name to function), or those of them that are `wanted`; the exit status."""
    passed = failed = skipped = 0
    for name, function in sorted(tests.items()):
        if wanted and name not in wanted:
            continue
        try:
            function()
            passed += 1
            print(f"ok      {name}", flush=True)
        except Skipped as why:
            if may_skip(why):
                skipped += 1
                print(f"skipped {name}: {why}", flush=True)
            else:
                failed += 1
                print(f"FAILED  {name}: {why} (POSTERN_MAY_SKIP=1 leaves out what can not be run here)", flush=True)
        except Exception:  # noqa: BLE001 - a test that throws has failed
            failed += 1
            print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


class Skipped(Exception):
    """The test can not run here; the text says why."""


class Missing(Skipped):
    """What it needs should be here and is not."""


def may_skip(why):
    """Whether a suite that leaves this test out has passed all the same."""
    return os.environ.get("POSTERN_MAY_SKIP") == "1" or (os.geteuid() != 0 and not isinstance(why, Missing))


def unpacked(build, package):
    """The folder of the package's files, downloaded and unpacked once for a build folder."""
    folder = os.path.join(build, "peers", package)
    if os.path.isdir(folder):
        return folder
    with tempfile.TemporaryDirectory(prefix="postern-peer-") as scratch:
        done = subprocess.run(["apt-get", "-q", "download", package], cwd=scratch, capture_output=True, timeout=120)
        files = [name for name in os.listdir(scratch) if name.endswith(".deb")]
        if done.returncode != 0 or not files:
            raise Missing(f"package {package} can not be downloaded: {done.stderr.decode().strip()[-200:]}")
        os.makedirs(os.path.join(build, "peers"), exist_ok=True)
        part = tempfile.mkdtemp(dir=os.path.join(build, "peers"))
        subprocess.run(["dpkg-deb", "-x", os.path.join(scratch, files[0]), part], check=True, timeout=60)
        os.chmod(part, 0o755)
        with contextlib.suppress(OSError):  # another test was quicker
            os.rename(part, folder)
        shutil.rmtree(part, ignore_errors=True)
    return folder


def free_port():
    """A port that was free a moment ago, for servers that can not choose one themselves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end_group(process, patience=15):
    """Ends a server that a Room started, with its children: the session is the group that we made. None: nothing ran."""
    if process is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 15)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait(10)


class Room:
    """A folder and a mount namespace for one server."""

    SCRIPT = """set -e
mount --bind "$ROOM/passwd" /etc/passwd
mount --bind "$ROOM/group" /etc/group
mount -t tmpfs tmpfs /var/spool
mount -t tmpfs tmpfs /var/lib
mkdir -p /var/lib/opensmtpd/empty /var/spool/smtpd /var/lib/postfix /var/spool/postfix
chmod 711 /var/spool/smtpd
exec "$@"
"""

    def __init__(self):
        if os.geteuid() != 0:
            raise Skipped("only root can give a server its own users and folders")
        self.folder = tempfile.mkdtemp(prefix="postern-room-")
        os.chmod(self.folder, 0o755)
        for name, entries, line in (("passwd", USERS, "{0}:x:{1}:{1}::/nonexistent:/usr/sbin/nologin\n"),
                                    ("group", GROUPS, "{0}:x:{1}:\n")):
            with open(f"/etc/{name}", encoding="utf-8") as file:
                kept = [each for each in file if each.split(":")[0] not in entries]
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.writelines(kept)
                file.writelines(line.format(user, number) for user, number in entries.items())

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def command(self, arguments):
        return ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", self.SCRIPT, "room", *arguments]

    def environment(self, more=None):
        return {"PATH": os.environ["PATH"], "ROOM": self.folder, "LC_ALL": "C", **(more or {})}

    def run(self, arguments, stdin=b"", limit=60, **more):
        return subprocess.run(self.command(arguments), input=stdin, capture_output=True, timeout=limit,
                              env=self.environment(more))

    def start(self, arguments, log):
        with open(log, "wb") as out:
            return subprocess.Popen(self.command(arguments), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                    env=self.environment(), start_new_session=True)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Exim:
    """Exim as a client: it queues nothing, each call delivers at once. It sends BDAT and STARTTLS when offered."""

    CONFIG = """primary_hostname = exim.example.org
spool_directory = {folder}/spool
log_file_path = {folder}/log-%s
exim_path = {program}
trusted_users = root
keep_environment =
begin routers
out:
  driver = manualroute
  transport = smtp
  route_list = * 127.0.0.1 byname
  self = send
begin transports
smtp:
  driver = smtp
  port = {port}
  allow_localhost
  {options}
begin retry
* * F,1h,1m
"""

    def __init__(self, build, port, options=""):
        self.room = Room()
        self.program = os.path.join(unpacked(build, "exim4-daemon-light"), "usr/sbin/exim4")
        self.room.write("exim.conf", self.CONFIG.format(folder=self.room.folder, program=self.program, port=port,
                                                        options=options), 0o640)
        for name in ("exim.conf", "."):
            os.chown(self.room.path(name), 0, USERS["Debian-exim"])
        os.chmod(self.room.folder, 0o775)

    def send(self, sender, recipients, content, *options):
        """Delivers in the foreground; the main log."""
        done = self.room.run([self.program, "-C", self.room.path("exim.conf"), "-odf", "-i", "-f", sender, *options,
                              "--", *recipients], content)
        text = ""
        for name in ("log-main", "log-panic"):
            if os.path.exists(self.room.path(name)):
                with open(self.room.path(name), encoding="utf-8", errors="replace") as file:
                    text += file.read()
        return f"exit {done.returncode} {done.stderr.decode()}{text}"

    def close(self):
        self.room.close()


class OpenSmtpd:
    """OpenSMTPD as a relay in front of us: mail is given to it by SMTP."""

    CONFIG = """listen on 127.0.0.1 port {listen}
action "relay" relay host {url}
match from any for any action "relay"
"""

    def __init__(self, build, url):
        self.room = Room()
        self.port = free_port()
        program = os.path.join(unpacked(build, "opensmtpd"), "usr/sbin/smtpd")
        self.room.write("smtpd.conf", self.CONFIG.format(listen=self.port, url=url))
        self.log = self.room.path("log")
        self.process = self.room.start([program, "-d", "-f", self.room.path("smtpd.conf")], self.log)

    def wait(self, limit=20.0):
        """Until it listens."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
        with open(self.log, encoding="utf-8", errors="replace") as file:
            raise AssertionError("OpenSMTPD does not listen: " + file.read()[-500:])

    def close(self):
        end_group(self.process)
        self.room.close()


class Postfix:
    """Postfix as a relay in front of us, with its own queue and configuration folders."""

    def __init__(self, build, nexthop, settings=""):
        self.room = Room()
        base = unpacked(build, "postfix")
        self.port = free_port()
        self.folder = self.room.path("etc")
        os.mkdir(self.folder)
        queue = self.room.path("queue")
        os.mkdir(queue)
        data = self.room.path("data")
        os.mkdir(data)
        os.chown(data, USERS["postfix"], -1)
        with open(os.path.join(self.folder, "main.cf"), "w", encoding="utf-8") as file:
            file.write(f"""compatibility_level = 3.6
queue_directory = {queue}
command_directory = {base}/usr/sbin
daemon_directory = {base}/usr/lib/postfix/sbin
data_directory = {data}
meta_directory = {base}/etc/postfix
shlib_directory = {base}/usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = {nexthop}
relay_domains = *
smtpd_relay_restrictions = permit_mynetworks, reject
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
smtp_dns_support_level = disabled
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH
{settings}
""")
        shutil.copy(os.path.join(base, "usr/share/postfix/master.cf.dist"), os.path.join(self.folder, "master.cf"))
        self._tune_master()
        self.master = os.path.join(base, "usr/lib/postfix/sbin/master")
        self.process = None
        self.base = base

    def _tune_master(self):
        path = os.path.join(self.folder, "master.cf")
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file if not line.startswith(("#", "maildrop", "uucp", "ifmail", "bsmtp", "scalemail",
                                                                   "mailman"))]
        out = []
        for line in lines:
            fields = line.split()
            if line[0] not in " \t\n" and len(fields) >= 8:
                if fields[0] == "smtp" and fields[1] == "inet":
                    fields[0] = f"127.0.0.1:{self.port}"
                fields[4] = "n"  # no chroot
                line = " ".join(fields) + "\n"
            elif line[0] in " \t" and not out:
                continue
            out.append(line)
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(out)

    def start(self, limit=20.0):
        program = os.path.join(self.base, "usr/sbin/postfix")
        environment = {"LD_LIBRARY_PATH": os.path.join(self.base, "usr/lib/postfix"), "MAIL_CONFIG": self.folder}
        with open(self.room.path("out"), "wb") as out:
            self.process = subprocess.Popen(self.room.command([program, "-c", self.folder, "start-fg"]),
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env=self.room.environment(environment), start_new_session=True)
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
        raise AssertionError("Postfix does not listen: " + self.said())

    def said(self):
        with open(self.room.path("out"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        end_group(self.process)
        self.room.close()
