"""Windows programs under Wine, from outside: one prefix, one session, services in it.

Wine ends all services with the last ordinary program: Session keeps one. Nothing here sleeps; waits look at a state until a
deadline. Processes are ended by their number inside the prefix, never by a name.
"""

import contextlib
import os
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUN = os.path.join(ROOT, "packaging", "windows", "wine-run.sh")
HOME = os.environ.setdefault("POSTERN_WINE_HOME", f"/tmp/postern-wine-{os.getuid()}")
DRIVE = os.path.join(HOME, "prefix", "drive_c")
LIMIT = 120.0

# What Wine 8 does not know of a service's settings; each is one line that `postern service install` says.
WINE_LACKS = ("recovery after failures of its own", "the delayed start", "the service's own identifier", "the reduced privileges")


class Skipped(Exception):
    """What can not be shown here."""


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def breathe():
    """Between two looks at something that another process does."""
    threading.Event().wait(0.05)


def until(done, limit, what):
    deadline = time.monotonic() + limit
    while True:
        found = done()
        if found:
            return found
        check(time.monotonic() < deadline, f"waited {limit} s for {what}")
        breathe()


def host(path):
    """Where a path of the prefix stands here: C:\\a\\b."""
    check(path[1:3] == ":\\", path)
    return os.path.join(DRIVE, *path[3:].split("\\"))


def read(path):
    with open(host(path), "rb") as file:
        return file.read()


def files_below(path):
    """All files below a folder of the prefix, with their bytes; those that vanish meanwhile are left out."""
    found = {}
    for folder, _, names in os.walk(host(path)):
        for name in names:
            with contextlib.suppress(FileNotFoundError, PermissionError), open(os.path.join(folder, name), "rb") as file:
                found[os.path.join(folder, name)] = file.read()
    return found


def write(path, text):
    """As an administrator's editor would: the file may be ours or the prefix user's."""
    place = host(path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as file:
        file.write(text)
    give(os.path.dirname(place))
    give(place)


def give(place):
    """To the user that Wine runs as, which is not root."""
    if os.getuid() == 0:
        shutil.chown(place, "nobody", "nogroup")


def put(source, path):
    place = host(path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    shutil.copyfile(source, place)
    os.chmod(place, 0o755)
    give(os.path.dirname(place))
    give(place)


def wine(*words, status=0, limit=LIMIT):
    """Runs a program of the prefix; returns what it said. `status` None: any."""
    # Into a file: what Wine starts in the background keeps a pipe open long after the program's end.
    with tempfile.TemporaryFile() as out:
        done = subprocess.run([RUN, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, timeout=limit, check=False)
        out.seek(0)
        said = out.read().decode("utf-8", "replace").replace("\r", "")
    if status is None:
        return done.returncode, said
    check(done.returncode == status, f"{' '.join(words)}: exit {done.returncode}, wanted {status}: {said}")
    return said


class Session:
    """Keeps Wine's session alive; at the end nothing of it runs any more."""

    def __enter__(self):
        self.kept = subprocess.Popen([RUN, "cmd.exe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.kept.stdin.write(b"echo ready\r\n")
        self.kept.stdin.flush()
        for line in self.kept.stdout:
            if line.strip().endswith(b"ready") and b"echo" not in line:
                break
        # Its prompt is never long.
        return self

    def __exit__(self, *_):
        self.kept.stdin.close()
        self.kept.stdout.close()
        self.kept.wait(timeout=60)


class Program:
    """The programs of an installation, and its service."""

    def __init__(self, folder):
        self.folder = folder
        self.data = "C:\\ProgramData\\Postern"

    def postern(self, *words, status=0, limit=LIMIT):
        return wine(f"{self.folder}\\postern.exe", *words, status=status, limit=limit)

    def facts(self):
        """Of `postern service status`: a dictionary; None when it is not on the list."""
        status, said = self.postern("--json", "service", "status", status=None)
        if status == 66:
            return None
        check(status in (0, 69), said)
        found = dict(re.findall(r'"(\w+)":("(?:[^"\\]|\\.)*"|\d+|null)', said))
        return {name: value.strip('"').replace("\\\\", "\\") for name, value in found.items()}

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            return read(f"{self.data}\\log\\posternd.log").decode("utf-8")
        return ""

    def port(self):
        """Of the SMTP listener, as the newest line of the log says."""
        found = re.findall(r"listener\.opened listener=smtp .*port=(\d+)", self.log())
        check(found, "no listener in the log:\n" + self.log()[-2000:])
        return int(found[-1])

    def submit(self, recipients, number, port=None):
        text = (f"From: sender@example.org\r\nTo: {', '.join(recipients)}\r\nSubject: mail {number}\r\n"
                f"Message-ID: <{number}.life@example.org>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n\r\nserial-{number}-\r\n")
        with smtplib.SMTP("127.0.0.1", port or self.port(), local_hostname="client.example.org", timeout=30) as client:
            client.sendmail("sender@example.org", recipients, text)

    def copies(self, folder, number):
        """How many files below the folder have this mail."""
        return sum(1 for text in files_below(folder).values() if f"serial-{number}-".encode() in text)


def run_tests(found, wanted):
    """Every test_* by its order; returns the exit status. Closes with the line that count_results.py reads."""
    passed, failed, skipped = 0, 0, 0
    for name, test in found:
        if wanted and name[5:] not in wanted:
            continue
        began = time.monotonic()
        try:
            test()
        except Skipped as why:
            skipped += 1
            print(f"skipped  {name[5:]}: {why}", flush=True)
        except Exception:  # noqa: BLE001 a test may fail in any way
            failed += 1
            print(f"FAILED   {name[5:]}\n{traceback.format_exc()}", flush=True)
        else:
            passed += 1
            print(f"ok       {name[5:]} ({time.monotonic() - began:.1f} s)", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


def tests_of(module):
    return [(name, test) for name, test in vars(sys.modules[module]).items() if name.startswith("test_")]
