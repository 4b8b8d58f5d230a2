"""The gateways that the load report compares: Postern, and Postfix, Exim and OpenSMTPD out of their Debian packages.

Each is a private instance: configuration, queue and one loopback port of its own, in a folder that goes with it, ended by
its process group. The other people's servers run in a room of tests/interop/peers.py, with their users and their /var; here
/var/spool is a folder of the disk that everything else is measured on, as a queue in memory would be no queue.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "interop"))
from peers import Room, Skipped, USERS, end_group, free_port, unpacked  # noqa: E402

SESSIONS = 20
MESSAGE_BYTES = 4096
START_LIMIT = 20.0
MEMORY = "/dev/shm"


def pause(seconds=0.02):
    """Between two looks at something that another process does."""
    with socket.socket() as nobody:
        nobody.settimeout(seconds)
        nobody.bind(("127.0.0.1", 0))
        nobody.listen()
        with contextlib.suppress(TimeoutError):
            nobody.accept()


def wait_until(ready, limit, what):
    deadline = time.monotonic() + limit
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {limit:.0f} s for {what}")
        pause()


def accepts(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as link:
            return link.recv(3) == b"220"
    except OSError:
        return False


def count_files(folder):
    try:
        return sum(1 for entry in os.scandir(folder) if not entry.name.startswith("."))
    except FileNotFoundError:
        return 0


def statistics_of(pid):
    """Kilobytes and the like out of /proc/PID/status."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":", 1) for line in file)


def resident_mib(pid, key="VmRSS"):
    return int(statistics_of(pid)[key].split()[0]) / 1024


def has_room(folder):
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return os.access(folder, os.W_OK) and found.f_bavail * found.f_frsize > 1 << 30


class WorkFolder:
    """Where everything of a run is made. Nothing is removed before its end: ext4 without a journal passes over inodes that were
    freed in the last minutes, one by one, and whoever comes next would pay. For the same reason each folder in it is
    treated as one at the root (chattr +T), which ext4 places apart from its neighbours."""

    def __init__(self, quick=False):
        """In memory when quick, where there is room: nothing is measured then, and a busy disk need not be waited for."""
        self.before = tempfile.tempdir
        self.path = tempfile.mkdtemp(prefix="postern-load-", dir=MEMORY if quick and has_room(MEMORY) else None)
        os.chmod(self.path, 0o755)
        with contextlib.suppress(OSError):
            subprocess.run(["chattr", "+T", self.path], capture_output=True, check=False)
        tempfile.tempdir = self.path

    def close(self):
        tempfile.tempdir = self.before
        shutil.rmtree(self.path, ignore_errors=True)


def settle(quick=False):
    """Nothing that one run wrote is still to be written in the next. When quick, nothing is measured."""
    if not quick:
        os.sync()
        pause(3)


class DiskRoom(Room):
    """A room whose /var/spool is on the disk, and whose /run is its own: OpenSMTPD's control socket is there."""

    SCRIPT = Room.SCRIPT.replace('mount -t tmpfs tmpfs /var/spool\n', 'mount --bind "$ROOM/spool" /var/spool\nmount -t tmpfs tmpfs /run\n')

    def __init__(self, prepared=""):
        super().__init__()
        os.mkdir(self.path("spool"))
        self.SCRIPT = self.SCRIPT.replace('exec "$@"', prepared + 'exec "$@"')


class Server:
    """Somebody else's server in a room; delivers into one Maildir of the user nobody."""

    name = package = ""
    prepared = ""  # shell, in the room, before the server
    sessions = SESSIONS

    def __init__(self, build):
        self.base = unpacked(build, self.package)
        self.room = DiskRoom(self.prepared)
        self.port = free_port()
        self.process = None
        self.maildir = self.room.path("mail/user")
        os.mkdir(self.room.path("mail"))
        os.chmod(self.room.path("mail"), 0o777)
        self.configure()

    def configure(self):
        """Writes what the server reads."""

    def command(self):
        """The arguments of the server that stays in the foreground."""
        return []

    def environment(self):
        return {"BASE": self.base}

    def start(self, wrapper=()):
        with open(self.room.path("out"), "wb") as out:
            self.process = subprocess.Popen([*wrapper, *self.room.command(self.command())], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env=self.room.environment(self.environment()), start_new_session=True)
        try:
            wait_until(lambda: accepts(self.port) or self.process.poll() is not None, START_LIMIT, self.name)
        except RuntimeError as why:
            raise RuntimeError(f"{why}: {self.said()}") from None
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended at once: {self.said()}")

    def said(self):
        with open(self.room.path("out"), encoding="utf-8", errors="replace") as file:
            return file.read()[-800:]

    def exported(self):
        return count_files(os.path.join(self.maildir, "new"))

    def stop(self):
        end_group(self.process)
        self.process = None

    def close(self):
        """Ended; its folder stays with the work folder, see WorkFolder."""
        self.stop()


class Postfix(Server):
    name, package = "Postfix", "postfix"

    MAIN = """compatibility_level = 3.6
queue_directory = {room}/queue
data_directory = {room}/data
command_directory = {base}/usr/sbin
daemon_directory = {base}/usr/lib/postfix/sbin
meta_directory = {base}/etc/postfix
shlib_directory = {base}/usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = bench.example
mydestination =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = legacy.example
virtual_mailbox_base = {room}/mail
virtual_mailbox_maps = static:user/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_mailbox_limit = 0
alias_maps =
alias_database =
maillog_file = {room}/maillog
maillog_file_prefixes = {room}
smtpd_peername_lookup = no
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH
"""
    MASTER = """127.0.0.1:{port} inet n - n - 100 smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""

    def configure(self):
        for name in ("etc", "queue", "data"):
            os.mkdir(self.room.path(name))
        os.chown(self.room.path("data"), USERS["postfix"], -1)
        self.room.write("etc/main.cf", self.MAIN.format(room=self.room.folder, base=self.base))
        self.room.write("etc/master.cf", self.MASTER.format(port=self.port))

    def command(self):
        return [os.path.join(self.base, "usr/sbin/postfix"), "-c", self.room.path("etc"), "start-fg"]

    def environment(self):
        return {"LD_LIBRARY_PATH": os.path.join(self.base, "usr/lib/postfix"), "MAIL_CONFIG": self.room.path("etc")}

    def stop(self):
        """Its master makes a group of its own, and takes its children along."""
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError), open(self.room.path("queue/pid/master.pid"), encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGTERM)
        super().stop()


class Exim(Server):
    name, package = "Exim", "exim4-daemon-light"
    # Where Debian's Exim looks: told by -C, it would lose its privileges at each delivery.
    prepared = """mkdir -p /var/lib/exim4
[ ! -d /etc/exim4 ] || mount -t tmpfs tmpfs /etc/exim4
cp "$ROOM/exim.conf" /var/lib/exim4/config.autogenerated
"""

    CONFIG = """primary_hostname = bench.example
spool_directory = {room}/exim
log_file_path = {room}/log-%s
exim_path = {program}
keep_environment =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
host_lookup =
rfc1413_hosts =
tls_advertise_hosts =
split_spool_directory
message_logs = false
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
smtp_accept_reserve = 0
acl_smtp_rcpt = taken
acl_smtp_data = taken
begin acl
taken:
  accept
begin routers
all:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {room}/mail/user
  maildir_format
  user = nobody
  group = nogroup
"""

    def configure(self):
        self.program = os.path.join(self.base, "usr/sbin/exim4")
        self.room.write("exim.conf", self.CONFIG.format(room=self.room.folder, program=self.program, port=self.port), 0o644)
        os.chown(self.room.folder, 0, USERS["Debian-exim"])
        os.chmod(self.room.folder, 0o775)

    def command(self):
        return [self.program, "-bdf", "-oX", f"127.0.0.1.{self.port}", "-oP", self.room.path("pid")]


class OpenSmtpd(Server):
    name, package = "OpenSMTPD", "opensmtpd"
    sessions = 5  # its listening socket has room for five: of 20 that connect at once, most wait a second for TCP to try again
    # It looks clients up, so it gets no name server; and its programs that deliver have one fixed folder.
    prepared = """printf 'lookup file\nnameserver 127.0.0.1\n' >"$ROOM/resolv.conf"
mount --bind "$ROOM/resolv.conf" /etc/resolv.conf
mount -t tmpfs tmpfs /usr/libexec
cp -a "$BASE/usr/libexec/opensmtpd" /usr/libexec/
"""

    CONFIG = """table people {{ "user" = "65534:65534:{room}/mail" }}
listen on 127.0.0.1 port {port} hostname bench.example
action "in" maildir "{room}/mail/user" userbase <people>
match from any for domain "legacy.example" action "in"
"""

    def configure(self):
        self.room.write("smtpd.conf", self.CONFIG.format(room=self.room.folder, port=self.port))

    def command(self):
        return [os.path.join(self.base, "usr/sbin/smtpd"), "-d", "-f", self.room.path("smtpd.conf")]


class Postern:
    """posternd as it is installed: one SMTP listener and one adapter, a Maildir when not said otherwise."""

    name = "Postern"
    sessions = SESSIONS

    def __init__(self, build, adapter="", more="", top=""):
        self.folder = tempfile.mkdtemp(prefix="postern-load-")
        os.chmod(self.folder, 0o755)
        self.maildir = os.path.join(self.folder, "mail")
        self.posternd = os.path.join(build, "connector", "service", "posternd")
        self.postern = os.path.join(build, "connector", "cli", "postern")
        self.config = os.path.join(self.folder, "postern.toml")
        self.log = os.path.join(self.folder, "log")
        self.process, self.port = None, None
        self.read_until = self.exports = 0
        adapter = adapter or f'kind = "maildir"\nfolder = "{self.maildir}"'
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""hostname = "bench.example"
store = "{self.folder}/store"
{top}
[[listener]]
protocol = "smtp"
address = "127.0.0.1:0"
sessions_per_address = 200
[[route]]
recipient = "*@legacy.example"
adapter = "mail"
[adapter.mail]
{adapter}
{more}
""")

    def start(self, wrapper=()):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*wrapper, self.posternd, "--config", self.config], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)
        wait_until(lambda: self._opened() or self.process.poll() is not None, 120, "posternd")
        if self.process.poll() is not None:
            raise RuntimeError("posternd ended at once: " + self.said())

    def new(self):
        """The folder that mail is delivered to, once it is there."""
        folder = os.path.join(self.maildir, "new")
        wait_until(lambda: os.path.isdir(folder), START_LIMIT, folder)
        return folder

    def _opened(self):
        said = self.said(1 << 16)
        found = re.search(r"listener\.opened .*port=(\d+)", said)
        self.port = int(found.group(1)) if found else None
        return self.port is not None and " service.ready " in said

    def said(self, most=800):
        with open(self.log, "rb") as file:
            return file.read(most).decode("utf-8", "replace")

    def pid(self):
        return self.process.pid

    def log_exports(self):
        """How many items the log says were exported, whatever the adapter; reads what is new of it."""
        with open(self.log, "rb") as file:
            file.seek(self.read_until)
            new = file.read()
        new = new[:new.rfind(b"\n") + 1]
        self.read_until += len(new)
        self.exports += new.count(b" item.exported ")
        return self.exports

    def exported(self):
        return count_files(os.path.join(self.maildir, "new"))

    def cli(self, *arguments, limit=300):
        return subprocess.run([self.postern, "--config", self.config, *arguments], check=True, capture_output=True, timeout=limit).stdout

    def cpu(self):
        """Seconds of processor time used so far."""
        with open(f"/proc/{self.pid()}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self, key="VmRSS"):
        return resident_mib(self.pid(), key)

    def database_mib(self):
        total = 0
        for name in ("postern.db", "postern.db-wal"):
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(os.path.join(self.folder, "store", name)).st_size
        return total / (1 << 20)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.process = None

    def close(self):
        if self.process is not None:
            end_group(self.process)
            self.process = None


class Source:
    """Postfix's load generator, out of the unpacked package."""

    def __init__(self, build):
        base = unpacked(build, "postfix")
        self.program = os.path.join(base, "usr/sbin/smtp-source")
        self.environment = {**os.environ, "LD_LIBRARY_PATH": os.path.join(base, "usr/lib/postfix")}

    def send(self, port, mails, domain="legacy.example", sessions=SESSIONS, size=MESSAGE_BYTES, limit=300):
        """Seconds until the last of them was accepted."""
        begun = time.monotonic()
        subprocess.run([self.program, "-s", str(min(sessions, mails)), "-m", str(mails), "-l", str(size), "-f", "sender@example.org",
                        "-t", f"user@{domain}", f"inet:127.0.0.1:{port}"], check=True, timeout=limit, env=self.environment)
        return time.monotonic() - begun


PEERS = {"Postfix": Postfix, "Exim": Exim, "OpenSMTPD": OpenSmtpd}
