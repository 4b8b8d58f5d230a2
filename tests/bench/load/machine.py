"""The machine's facts, for the head of the report."""

import os
import platform
import re
import sqlite3
import subprocess
import tempfile


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except OSError:
        return "unknown"
    return done.stdout.decode(errors="replace").split("\n")[0].strip() or "unknown"


def value_in(path, pattern, otherwise="unknown"):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = re.search(pattern, file.read(), re.M)
    except OSError:
        return otherwise
    return found.group(1).strip() if found else otherwise


def file_system():
    """Where the work folder is: its type, and for ext4 whether it has a journal."""
    source, kind = (first_line("findmnt", "-n", "-o", "SOURCE,FSTYPE", "-T", tempfile.gettempdir()).split() + ["unknown"] * 2)[:2]
    if kind != "ext4":
        return kind
    device = os.path.basename(source)
    journal = any(name.startswith(device + "-") for name in os.listdir("/proc/fs/jbd2")) if os.path.isdir("/proc/fs/jbd2") else False
    return "ext4 with a journal" if journal else "ext4 without a journal"


def facts(build):
    memory = int(value_in("/proc/meminfo", r"^MemTotal:\s+(\d+)", "0")) / (1 << 20)
    return {
        "cores": os.cpu_count(),
        "processor": value_in("/proc/cpuinfo", r"^model name\s*:\s*(.*)$"),
        "memory": f"{memory:.0f} GiB",
        "file system": file_system(),
        "system": value_in("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "kernel": platform.release().split("-")[0],
        "SQLite": sqlite3.sqlite_version,
        "Postern": first_line(os.path.join(build, "connector", "service", "posternd"), "--version"),
        "build": value_in(os.path.join(build, "CMakeCache.txt"), r"^CMAKE_BUILD_TYPE:\w+=(.*)$") or "none",
        "load before": f"{os.getloadavg()[0]:.1f}",
    }
