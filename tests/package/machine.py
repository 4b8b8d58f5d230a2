"""A machine of its own to install packages on: a bare Debian in a folder, made by debootstrap from where this machine has its packages.

What runs in it has a private view of mounts, which ends with it: nothing of it can be left mounted here. It has this machine's network.
"""

import contextlib
import datetime
import glob
import hashlib
import os
import re
import shutil
import subprocess

from making import Skipped, check, needs, run

SUITE = "bookworm"
# /proc is what a program finds itself by. The archive of packages is kept outside, for the next time.
ENTER = """root=$1 archives=$2; shift 2
mount -t proc proc "$root/proc"
mount --bind "$archives" "$root/var/cache/apt/archives"
exec chroot "$@"
"""


def sources():
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]:
        with contextlib.suppress(OSError), open(path, encoding="utf-8") as file:
            yield path, file.read()


def mirror():
    """Where this machine has Debian's packages from."""
    for path, text in sources():
        if path.endswith(".sources"):
            for block in re.split(r"\n\s*\n", text):
                fields = dict(re.findall(r"^([A-Za-z-]+):\s*(.*)$", block, re.MULTILINE))
                if SUITE in fields.get("Suites", "").split() and "main" in fields.get("Components", "").split():
                    return fields["URIs"].split()[0]
        found = re.search(rf"^deb\s+(?:\[.*?\]\s+)?(\S+)\s+{SUITE}\s+main\b", text, re.MULTILINE)
        if found:
            return found.group(1)
    raise Skipped(f"/etc/apt names no place with {SUITE}")


class Machine:
    def __init__(self, cache, folder):
        if os.geteuid() != 0:
            raise Skipped("this needs root")
        needs("debootstrap", "unshare", "chroot")
        self.root = os.path.join(cache, f"bare-{os.getpid()}")
        self.archives = os.path.join(cache, "archives")
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        self.environment.update({name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")})
        os.makedirs(self.archives, exist_ok=True)
        bare = self.bare(cache)
        self.root = os.path.join(folder, "root")
        os.mkdir(self.root)
        run("tar", "-xpf", bare, "-C", self.root, "--numeric-owner")
        with contextlib.suppress(FileNotFoundError):
            shutil.copy("/etc/resolv.conf", os.path.join(self.root, "etc/resolv.conf"))

    def bare(self, cache):
        """The bare system as an archive; one of today is used again."""
        place = mirror()
        key = hashlib.sha256(place.encode()).hexdigest()[:8]
        path = os.path.join(cache, f"bare-{SUITE}-{datetime.date.today()}-{key}.tar")
        if os.path.exists(path):
            return path
        for old in glob.glob(os.path.join(cache, "bare-*")):
            if old.endswith(".tar"):
                os.unlink(old)
            else:
                shutil.rmtree(old)
        try:
            done = subprocess.run(["debootstrap", "--variant=minbase", SUITE, self.root, place], capture_output=True, text=True,
                                  timeout=600, check=False)
            if done.returncode != 0:
                raise Skipped(f"debootstrap could not make it: {done.stdout[-300:]} {done.stderr[-300:]}")
            for package in glob.glob(self.path("/var/cache/apt/archives/*.deb")):
                os.unlink(package)
            self.apt("update")
            run("tar", "-cf", path + ".new", "-C", self.root, "--numeric-owner", ".")
            os.rename(path + ".new", path)
            return path
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    def command(self, *words, user=None):
        """What runs the words inside; the process is the program's own."""
        who = [f"--userspec={user}:{user}"] if user else []
        return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", ENTER, "sh", self.root, self.archives,
                *who, self.root, *words]

    def run(self, *words, user=None, status=0):
        done = subprocess.run(self.command(*words, user=user), env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=600, check=False)
        said = done.stdout + done.stderr
        check(done.returncode == status, f"{' '.join(words)}: {done.returncode}, not {status}\n{said}")
        return said

    def apt(self, *words):
        return self.run("apt-get", "--quiet", "--yes", "--no-install-recommends", "-o", "Acquire::Retries=2",
                        "-o", "Dpkg::Use-Pty=0", "-o", "APT::Keep-Downloaded-Packages=true", *words)

    def path(self, *names):
        return os.path.join(self.root, *(name.lstrip("/") for name in names))

    def stat(self, *names):
        """Each as "owner:group mode"."""
        return self.run("stat", "-c", "%U:%G %a", *names).splitlines()

    def uid(self, user):
        return int(self.run("id", "-u", user)), int(self.run("id", "-g", user))

    def named(self, part):
        """Every path that has `part` in its name, without what is inside of such a folder."""
        found = []
        for folder, folders, files in os.walk(self.root):
            here = os.path.relpath(folder, self.root)
            found += [os.path.normpath(os.path.join(here, name)) for name in folders + files if part in name]
            folders[:] = [name for name in folders if part not in name]
        return sorted(found)

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)
