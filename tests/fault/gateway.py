"""A posternd under test: its configuration, its process, a client that keeps a ledger, and a consumer.

The ledger is outside of the product: what was sent and what was answered, against what the consumer found.
Nothing here sleeps; waits look at a pipe, a socket or a folder until a deadline.
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import smtplib
import sqlite3
import subprocess
import tempfile
import threading
import time

START_LIMIT = 20.0


def breathe():
    """Between two looks at something that another process does."""
    threading.Event().wait(0.01)


class Gateway:
    """One store, one SMTP listener on a free loopback port, one drop folder. Restartable."""

    def __init__(self, build, extra_config="", adapters="", kind="drop", route="", has_folder=True):
        self.posternd = os.path.join(build, "connector", "service", "posternd")
        self.postern = os.path.join(build, "connector", "cli", "postern")
        self.folder = tempfile.mkdtemp(prefix="postern-fault-")
        self.out = os.path.join(self.folder, "out")
        self.config = os.path.join(self.folder, "postern.toml")
        os.mkdir(self.out)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""hostname = "gw.example.org"
store = "{self.folder}/store"
{"" if "poll_interval" in extra_config else 'poll_interval = "200ms"'}
{"" if "ballast" in extra_config else 'ballast = "0 B"'}
{extra_config}
[[listener]]
name = "smtp"
protocol = "smtp"
address = "127.0.0.1:0"
[[route]]
recipient = "*@legacy.example"
adapter = "out"
{route}
[adapter.out]
kind = "{kind}"
{f'folder = "{self.out}"' if has_folder else ""}
{adapters.replace("{out}", self.out)}
""")
        self.process = None
        self.port = None
        self.ports = {}  # of every listener, by its name
        self.log = []

    def start(self, wrapper=(), preload="", begun=None):
        """Starts the service and returns once it says that it is ready. `begun` is told its process id."""
        self.port, self.came_up = None, False
        ready = threading.Event()
        self.process = subprocess.Popen([*wrapper, self.posternd, "--config", self.config],
                                        env={**os.environ, **({"LD_PRELOAD": preload} if preload else {})}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self._read_log, args=(self.process.stderr, ready), daemon=True)
        self.reader.start()
        if begun:
            begun(self.process.pid)
        if not ready.wait(START_LIMIT) or not self.came_up or self.process.poll() is not None:
            raise RuntimeError("posternd did not become ready:\n" + "\n".join(self.log[-30:]))

    def _read_log(self, stream, ready):
        """Takes the log as it comes, so that its pipe never fills; ends with the process."""
        for raw in stream:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            self.log.append(line)
            found = re.search(r"listener\.opened listener=(\S+) .*port=(\d+)", line)
            if found:
                self.ports[found.group(1)] = int(found.group(2))
                self.port = self.ports.get("smtp")
            if " service.ready " in line:
                self.came_up = True
                ready.set()
        stream.close()
        ready.set()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.wait_for_end(10)

    def stop(self):
        """Stops as a service manager does; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait_for_end(30)

    def wait_for_end(self, limit):
        """Waits for the process to end; its exit status, or None at the deadline."""
        if self.process is None:
            return None
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        self.reader.join(10)
        return self.process.returncode

    def threads(self):
        """Thread names to ids."""
        found = {}
        base = f"/proc/{self.process.pid}/task"
        for tid in os.listdir(base):
            with open(f"{base}/{tid}/comm", encoding="utf-8") as file:
                found.setdefault(file.read().strip(), []).append(int(tid))
        return found

    def states(self):
        """How many items of each state, read from the database without the product's help."""
        path = os.path.join(self.folder, "store", "postern.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            return dict(database.execute("SELECT state, count(*) FROM item GROUP BY state"))

    def wait_until_settled(self, limit=30.0):
        """Until every item is in a state that only a person changes, or final."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if not set(self.states()) & {"ready", "claimed", "publishing"}:
                return True
            breathe()
        return False

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


READERS_LOCK = b"a reader's\n"


@contextlib.contextmanager
def readers_lock(path):
    """A consumer's lock, which says whose it is; FileExistsError when somebody has it, FileNotFoundError without its folder."""
    if os.path.lexists(path):
        raise FileExistsError(path)
    own = f"{path}.{threading.get_ident()}"
    with open(own, "wb") as file:
        file.write(READERS_LOCK)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(own, path)
    finally:
        os.unlink(own)
    try:
        yield
    finally:
        try:
            os.unlink(path)
        except FileNotFoundError as error:
            raise AssertionError(f"somebody took the reader's lock away: {path}") from error


def break_readers_lock(path):
    """As a consumer does at his start with what he left."""
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        if file.read() == READERS_LOCK:
            os.unlink(path)


def mail_text(serial, word="", size=0, attachment=False):
    """Mail number `serial`, with the word and so many bytes more in its text, which says where it ends; so does the file."""
    head = f"X-Serial: {serial}\r\nSubject: serial {serial}\r\n"
    text = f"body {serial} begins {word}\r\n" + ("x" * 70 + "\r\n") * (size // 72) + f"body {serial} ends\r\n"
    if not attachment:
        return f"{head}\r\n{text}"
    return (f"{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n\r\n{text}--cut\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=data.bin\r\n\r\nbody {serial} begins\r\nbody {serial} ends\r\n--cut--\r\n")


class Ledger:
    """What was sent, what was answered, and what arrived."""

    def __init__(self, kind="drop"):
        self.kind = kind
        self.accepted = set()
        self.attempted = set()
        self.arrived = {}

    def send(self, port, serial, size=0, to="user@legacy.example", word="", attachment=False):
        """Sends mail number `serial`; True when the answer was 250."""
        self.attempted.add(serial)
        try:
            with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example.org", timeout=20) as client:
                client.sendmail("sender@example.org", [to], mail_text(serial, word, size, attachment))
        except (OSError, smtplib.SMTPException):
            return False
        self.accepted.add(serial)
        return True

    def take_one(self, content, name):
        told = rb" sender@[a-z.]+: serial (\d+)\n" if self.kind == "chat" else rb"X-Serial: (\d+)"
        found = re.search(told, content)
        if not found:
            raise AssertionError(f"torn: {name}")
        self.count(int(found.group(1)), content, name)

    def count(self, serial, content, name):
        begun, ended = (len(re.findall(rb"\bbody %d %b\b" % (serial, word), content)) for word in (b"begins", b"ends"))
        cut = begun != ended and self.kind != "chat"  # which shows the first lines of a mail
        if cut or not re.search(rb"\bbody %d\b" % serial, content):
            raise AssertionError(f"torn: {name}")
        self.arrived[serial] = self.arrived.get(serial, 0) + 1

    def take_mailbox(self, path):
        """A reader of mailbox files, which honours both locks: empties it. A mailbox that it may read is whole."""
        try:
            with readers_lock(path + ".lock"), open(path, "r+b") as file:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                content = file.read()
                if content and not content.endswith(b"\n\n"):
                    raise AssertionError("torn: the mailbox does not end with an empty line")
                mails = re.split(rb"(?:^|\n\n)From (?=\S+ \w{3} \w{3} )", content)[1:]
                for mail in mails:
                    self.take_one(mail, path)
                file.truncate(0)
                return len(mails)
        except (FileExistsError, FileNotFoundError, BlockingIOError):
            return 0

    def take(self, folder):
        """The consumer: reads and deletes every file, as a legacy system does."""
        if self.kind == "mbox":
            return self.take_mailbox(os.path.join(folder, "inbox"))
        if self.kind == "chat":
            folder = os.path.join(folder, "%23log")
            if not os.path.isdir(folder):
                return 0
        taken = 0
        for name in os.listdir(folder):
            if name.startswith("."):
                continue
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                content = file.read()
            os.unlink(path)
            self.take_one(content, name)
            taken += 1
        return taken

    def verdict(self):
        """Empty when the promise held; otherwise what went wrong."""
        problems = []
        for serial in sorted(self.accepted):
            if serial not in self.arrived:
                problems.append(f"mail {serial} got its 250 and is lost")
        for serial, times in sorted(self.arrived.items()):
            if times > 1:
                problems.append(f"mail {serial} arrived {times} times")
            if serial not in self.attempted:
                problems.append(f"mail {serial} was never sent")
        return problems
