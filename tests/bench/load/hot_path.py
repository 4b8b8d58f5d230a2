"""Where the processor's time of the service goes while mail passes: perf's samples of posternd, put into words.

The samples are taken by the clock (`cpu-clock`), so a machine without counters will do, with stacks unwound from debugging
information. Each sample is counted once in each table: by its thread; by what it is at (a system call, or the library or
function the processor was in); and, in the table of our own functions, in each of them that is on its stack.
"""

import os
import re
import shutil
import signal
import subprocess
from collections import Counter

FREQUENCY = 997
FRAME = re.compile(r"^\s+[0-9a-f]+ (.+?) \((\S+)\)$")
# The loops that everything runs in, and wrappers that say nothing: they stand above all the others.
LOOPS = re.compile(r"::run$|^std::|::operator\(\)|_FUN$|^main$|^start_thread|^clone|::invoke|Loop::(onReadable|readSome)|Runnable|jthread|"
                   r"::work(Command)?$|::received$|Writer::(loop|runAll|runGroup|runWorks?)$|Statement::(next|Impl::step)$|Runner::watch$|::exportBatch$")


class Absent(Exception):
    """perf is not here or may not look."""


class Recording:
    """perf at a process, from start() to parsed()."""

    def __init__(self, pid, folder):
        if shutil.which("perf") is None:
            raise Absent("perf is not installed (Debian: linux-perf)")
        self.data = os.path.join(folder, "perf.data")
        self.process = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY), "--call-graph", "dwarf,16384",
                                         "-o", self.data, "-p", str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def parsed(self):
        self.process.send_signal(signal.SIGINT)
        _, wrong = self.process.communicate(timeout=60)
        if not os.path.exists(self.data):
            raise Absent("perf took nothing: " + wrong.decode(errors="replace").strip()[-200:])
        done = subprocess.run(["perf", "script", "-i", self.data, "--no-inline", "-F", "comm,ip,sym,dso"], capture_output=True, timeout=300)
        return parse(done.stdout.decode("utf-8", "replace"))


def parse(text):
    """The samples: (thread, frames from the innermost, each (function, file))."""
    samples = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line.strip()]
        frames = [found.groups() for found in map(FRAME.match, lines[1:]) if found]
        if lines and frames:
            samples.append((lines[0].strip(), frames))
    return samples


def thread_of(comm):
    return re.sub(r"^watch:.*", "watcher", comm)


def short(function):
    """A function's name without namespaces that all have, and without arguments of templates."""
    name = re.sub(r"\(anonymous namespace\)::", "", function)
    name = re.sub(r"^postern::", "", name)
    while re.search(r"<[^<>]*>", name):
        name = re.sub(r"<[^<>]*>", "", name)
    return name.split("(")[0].strip()


def at(frames):
    """What the processor was at, in a word: a system call, or a library's or our own code."""
    for function, _ in frames:
        found = re.match(r"__(?:x64|arm64|se)_sys_(\w+)", function)
        if found:
            return found.group(1) + "()"
    function, file = frames[0]
    if "kernel" in file:
        return "kernel, no call"
    library = os.path.basename(file).split(".so")[0]
    if library == "posternd":
        return "Postern's own code"
    if library == "libc" and re.search(r"malloc|free|calloc|realloc|unlink_chunk", function):
        return "malloc and free"
    return {"libsqlite3": "SQLite", "libcrypto": "OpenSSL's digests", "libc": "the rest of libc", "libgmime-3": "GMime",
            "libstdc++": "libstdc++"}.get(library, library)


def ours(frames):
    return [short(function) for function, file in frames if os.path.basename(file) == "posternd"]


def summary(samples, top=10):
    """Shares of all samples, for the tables and the figure."""
    total = len(samples) or 1
    threads, ats, functions, pairs = Counter(), Counter(), Counter(), Counter()
    for comm, frames in samples:
        thread, what = thread_of(comm), at(frames)
        threads[thread] += 1
        ats[what] += 1
        pairs[thread, what] += 1
        functions.update({(thread, name) for name in ours(frames) if not LOOPS.search(name)})
    return {
        "samples": len(samples),
        "threads": [[name, count / total] for name, count in threads.most_common()],
        "at": [[name, count / total] for name, count in ats.most_common(top)],
        "cells": [[thread, what, count / total] for (thread, what), count in pairs.most_common(60)],
        "functions": [[thread, name, count / total] for (thread, name), count in functions.most_common(40)],
    }


def top_ten(found, count=10):
    """What costs most: (share, thread, what it is at), from the cells."""
    return sorted(((share, thread, what) for thread, what, share in found["cells"]), reverse=True)[:count]
