"""Parts of the load report that look at one piece: each adapter kind's rate, what a mail costs the queue while others wait, and
yardsticks of the machine, by which rates of two runs can be compared at all."""

import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time

from flow import drained
from gateways import Postern, Source, free_port, unpacked, wait_until

SINKED = 'kind = "{kind}"\nhosts = ["127.0.0.1:{port}"]\n{more}watchers = 4'


def yardsticks(context):
    """What the machine does without any gateway: files synced and renamed, and a loop of plain work; again at the end."""
    seconds = context.size(1.5, 0.2)
    folder = tempfile.mkdtemp(prefix="yardstick-")
    content, begun, files = b"x" * 4096, time.monotonic(), 0
    while time.monotonic() < begun + seconds:
        path = os.path.join(folder, f"{files}.part")
        with open(path, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(path, os.path.join(folder, str(files)))
        files += 1
    disk = files / (time.monotonic() - begun)
    begun, loops = time.process_time(), 0
    while time.process_time() < begun + seconds:
        sum(range(1000))
        loops += 1
    work = loops / (time.process_time() - begun)
    context.say(f"{disk:.0f} files synced and renamed a second, {work:.0f} rounds of work")
    return {"files": disk, "work": work}


def run(context, name, *arguments):
    done = subprocess.run([context.program(name), *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
    if not done.stdout.strip():
        raise RuntimeError(f"{name}: {done.stderr.strip()[-300:]}")
    return done.stdout


def own_folder(kind):
    return tempfile.mkdtemp(prefix=f"kind-{kind}-")


class Sink:
    """Postfix's smtp-sink, which takes everything at once and keeps nothing."""

    def __init__(self, build, lmtp):
        base = unpacked(build, "postfix")
        self.port = free_port()
        self.process = subprocess.Popen([os.path.join(base, "usr/sbin/smtp-sink"), *(["-L"] if lmtp else []), *(["-u", "nobody"] if os.geteuid() == 0 else []),
                                         f"127.0.0.1:{self.port}", "200"],
                                        env={**os.environ, "LD_LIBRARY_PATH": os.path.join(base, "usr/lib/postfix")},
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        self.process.wait(10)


class Listener:
    """Takes what is posted, counts it, and says 204."""

    def __init__(self):
        self.taken = 0
        self.ear = socket.create_server(("127.0.0.1", 0))
        self.port = self.ear.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._answer, args=(self.ear.accept()[0],), daemon=True).start()

    def _answer(self, link):
        with contextlib.suppress(OSError, ValueError), link, link.makefile("rb") as stream:
            while stream.readline():
                length = 0
                while (line := stream.readline()).strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                stream.read(length)
                self.taken += 1
                link.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def close(self):
        self.ear.shutdown(socket.SHUT_RDWR)
        self.ear.close()


HOOKED = """[adapter.hook]
kind = "webhook"
url = "http://127.0.0.1:{port}/"
secret_file = "{secret}"
events = ["item.exported"]
watchers = 4
"""


def webhook_rate(context, mails):
    """Events a second, told after all of them were noted."""
    listener = Listener()
    secret = tempfile.NamedTemporaryFile("w", prefix="secret-", delete=False)
    with secret:
        secret.write("for the bench alone, nobody else hears it\n")
    gateway = Postern(context.build, more=HOOKED.format(port=listener.port, secret=secret.name))
    try:
        gateway.start()
        gateway.cli("adapter", "suspend", "hook", "--reason", "the queue is filled")
        Source(context.build).send(gateway.port, mails)

        def noted():
            rows = [json.loads(line) for line in gateway.cli("--json", "queue", "list", "--adapter", "hook").splitlines()]
            return len(rows) >= mails

        wait_until(noted, 60, "events to be noted")
        begun = time.monotonic()
        gateway.cli("adapter", "resume", "hook")
        wait_until(lambda: listener.taken >= mails, 120, f"{mails} events to be told")
        return mails / (time.monotonic() - begun)
    finally:
        gateway.close()
        listener.close()


def kinds(context):
    """(way, mails/s, what bounds it), each by one thread but for hosts, commands of four."""
    found = []

    def note(name, rate, bound):
        found.append([name, rate, bound])
        context.say(f"{name}: {rate:.0f} mails/s")

    for kind in ("b2f", "ccmail", "chat", "drop", "gwapi", "maildir", "mbox", "mh", "mhs", "mmff", "pickup"):
        said = run(context, "kinds", own_folder(kind), context.size(4096, 64), kind)
        matched = re.search(r"(\d+) mails/s", said)
        if not matched:
            raise RuntimeError(f"{kind}: {said.strip()}")
        note(kind, float(matched.group(1)), "file")
    for bundle, rate in re.findall(r"ftn, (\d+) mails a packet: (\d+) mails/s", run(context, "ftn", own_folder("ftn"), context.size(16000, 512))):
        if bundle in ("1", "512"):
            note(f"ftn, {bundle} in a packet", float(rate), "file" if bundle == "1" else "many")
    said = run(context, "batch", own_folder("fbb"), context.size(60, 2))
    note("fbb, 512 in a batch", float(re.search(r" s, (\d+) a second;", said).group(1)), "many")
    said = run(context, "commands", context.size(200, 8))
    for kind, count, rate in re.findall(r"(\w+) +(\d) watchers: +(\d+) mails/s", said):
        if count == "1" and kind == "bsmtp":
            note("bsmtp", float(rate), "file")
        elif count == "4" and kind != "bsmtp":
            note(f"{kind}, 4 watchers", float(rate), "command")
    for kind, more in (("smtp", 'tls = "none"\n'), ("lmtp", 'tls = "none"\n')):
        sink = Sink(context.build, kind == "lmtp")
        try:
            mails = context.size(1500, 40)
            note(f"{kind}, 4 watchers", drained(context, Source(context.build), SINKED.format(kind=kind, port=sink.port, more=more), mails), "host")
        finally:
            sink.close()
    note("webhook, 4 watchers", webhook_rate(context, context.size(1000, 40)), "host")
    return {"rows": found}


def waiting(context):
    """One store that grows: what a mail costs the queue at each size, and what the service and its commands need then."""
    sizes = context.size((1, 1000, 100_000, 1_000_000, 10_000_000), (1, 1000, 5000))
    store = os.path.join(tempfile.mkdtemp(prefix="waiting-"), "store")
    os.mkdir(store)
    rows, missing = [], []
    for size in sizes:
        if rows and size > 100_000 and context.left() < seconds_for(size, rows[-1]):
            missing.append([size, f"the time was up: {context.left():.0f} s were left"])
            context.say(f"{size} items: left out, the time is up")
            break
        filled = json.loads(run_long(context, "fill", store, size))
        row = json.loads(run_long(context, "look", store, context.size(2.0, 0.2)))
        row["fill_s"] = filled["seconds"]
        row["database_mib"] = sum(os.path.getsize(os.path.join(store, name)) for name in os.listdir(store) if name.startswith("postern.db")) / (1 << 20)
        row.update(beside_service(context, store))
        rows.append(row)
        context.say(f"{size} items: claimed and settled alone {row['claim_1_us'][0] + row['settle_1_us'][0]:.0f} µs, status {row['status_s']:.2f} s, "
                    f"{row['service_mib']:.0f} MiB, database {row['database_mib']:.0f} MiB")
    return {"rows": rows, "missing": missing}


def seconds_for(size, row):
    """What that many will take, judged by fewer: filling gets dearer as the trees get deeper."""
    return size / row["items"] * (1.4 * row["fill_s"] + row["list_s"] + 5 * row["status_s"]) + 30


def run_long(context, verb, *arguments):
    done = subprocess.run([context.program("waiting"), verb, *map(str, arguments)], capture_output=True, text=True,
                          timeout=max(30, context.left() + 120), check=False)
    if done.returncode != 0:
        raise RuntimeError(f"waiting {verb}: {done.stderr.strip()[-300:]}")
    return done.stdout


def timed(function, times):
    """The median of so many."""
    taken = []
    for _ in range(times):
        begun = time.monotonic()
        function()
        taken.append(time.monotonic() - begun)
    return sorted(taken)[len(taken) // 2]


def beside_service(context, store):
    """The service on that store, its adapter in trouble so that everything waits: start, memory, status, a page of the list."""
    gateway = Postern(context.build)
    with open(gateway.config, encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(gateway.folder, "wall"), "w", encoding="utf-8"):
        pass  # a file where the adapter's folder should be
    text = text.replace(f"{gateway.folder}/store", store).replace("adapter.mail", "adapter.maildir").replace('adapter = "mail"', 'adapter = "maildir"')
    text = text.replace(f'folder = "{gateway.maildir}"', f'folder = "{gateway.folder}/wall"')
    with open(gateway.config, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        begun = time.monotonic()
        gateway.start()
        started = time.monotonic() - begun

        def status():
            subprocess.run([gateway.postern, "--config", gateway.config, "status"], capture_output=True, timeout=120, check=False)

        found = {"start_s": started, "status_s": timed(status, 3),
                 "page_cli_s": timed(lambda: gateway.cli("queue", "list", "--limit", "100"), 3), "service_mib": gateway.resident("VmHWM")}
        gateway.stop()
        return found
    finally:
        gateway.close()

