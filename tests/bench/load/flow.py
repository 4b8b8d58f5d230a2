"""Parts of the load report that look at mail on its whole way: end to end beside other gateways, what each syncs, how long mail
takes at three loads, what grows with it, watchers, the hot path. Each returns what the page and the comparison are made of."""

import contextlib
import os
import re
import statistics
import subprocess
import tempfile
import time

import hot_path
from gateways import PEERS, SESSIONS, MESSAGE_BYTES, Postern, Skipped, Source, pause, settle, wait_until

CALLS = ("fsync", "fdatasync", "sync_file_range", "syncfs", "sync")


class Context:
    """What every part gets: the build, the size, a voice, and the moment at which the report has to be done."""

    def __init__(self, build, quick, say, deadline):
        self.build, self.quick, self.say, self.deadline = build, quick, say, deadline

    def size(self, whole, quick):
        return quick if self.quick else whole

    def left(self):
        return self.deadline - time.monotonic()

    def program(self, name):
        return os.path.join(self.build, "tests", "bench", name)


def fresh(context, name, **more):
    return Postern(context.build, **more) if name == "Postern" else PEERS[name](context.build)


def version_of(name, gateway):
    """As its package or program says it."""
    if name == "Postern":
        return subprocess.run([gateway.posternd, "--version"], capture_output=True, check=False, timeout=20).stdout.decode().split("\n")[0].split()[-1]
    with contextlib.suppress(OSError):
        for path in os.listdir(os.path.join(gateway.base, "usr/share/doc")):
            log = os.path.join(gateway.base, "usr/share/doc", path, "changelog.Debian.gz")
            if os.path.exists(log):
                first = subprocess.run(["zcat", log], capture_output=True, check=False, timeout=20).stdout.decode(errors="replace").split("\n")[0]
                return re.search(r"\((.*?)\)", first).group(1)
    return "unknown"


def through(gateway, source, mails):
    """Mails a second: until the last was exported, and until the last was accepted."""
    before, begun = gateway.exported(), time.monotonic()
    accepted = source.send(gateway.port, mails, sessions=gateway.sessions)
    wait_until(lambda: gateway.exported() >= before + mails, 300, f"{gateway.name} to export {mails} mails")
    return mails / (time.monotonic() - begun), mails / accepted


def end_to_end(context):
    """All four, in turn; a slow one gets fewer mails, so that each works for about as long."""
    sizes = {"Postern": 10000, "Postfix": 10000, "OpenSMTPD": 2500, "Exim": 1500}
    found = {"mails": {}, "rates": {}, "accepted": {}, "missing": {}, "versions": {}, "cpu_us": [], "peak_mib": []}
    source = Source(context.build)
    for number in range(context.size(3, 1)):
        for name in ("Postfix", "Postern", "OpenSMTPD", "Exim"):
            if name in found["missing"]:
                continue
            mails = context.size(sizes[name], 20)
            try:
                gateway = fresh(context, name)
            except Skipped as why:
                found["missing"][name] = str(why)
                continue
            try:
                gateway.start()
                settle(context.quick)
                rate, accepted = through(gateway, source, mails)
                found["mails"][name] = mails
                found["versions"][name] = version_of(name, gateway)
                found["rates"].setdefault(name, []).append(rate)
                found["accepted"].setdefault(name, []).append(accepted)
                if name == "Postern":
                    found["cpu_us"].append(gateway.cpu() / mails * 1e6)
                    found["peak_mib"].append(gateway.resident("VmHWM"))
                context.say(f"round {number + 1}: {name} {rate:.0f} mails/s")
            except RuntimeError as why:
                found["missing"][name] = str(why)
                context.say(f"{name}: {why}")
            finally:
                gateway.close()
    if "Postern" not in found["rates"]:
        raise RuntimeError(f"nothing came through Postern: {found['missing'].get('Postern')}")
    return found


def durable(context):
    """System calls that sync, for each mail, as strace counts them: mails one after the other, so none can share."""
    source, mails, found = Source(context.build), context.size(50, 5), {}
    for name in context.size(("Postern", "Postfix", "OpenSMTPD", "Exim"), ("Postern",)):
        try:
            gateway = fresh(context, name, top='ballast = "0 B"')  # whose filling is synced too
        except Skipped as why:
            found[name] = {"missing": str(why)}
            continue
        record = os.path.join(os.path.dirname(gateway.maildir), "strace.out")
        try:
            gateway.start(["strace", "-f", "-q", "-e", "trace=" + ",".join(CALLS), "-e", "signal=none", "-o", record])

            def counted():
                with open(record, encoding="utf-8", errors="replace") as file:
                    text = file.read()
                return {call: len(re.findall(rf"^\d+ +{call}\(", text, re.M)) for call in CALLS}

            before = counted()
            source.send(gateway.port, mails, sessions=1)
            wait_until(lambda: gateway.exported() >= mails, 60, name)
            pause(0.3)
            after = counted()
            found[name] = {call: (after[call] - before[call]) / mails for call in CALLS if after[call] > before[call]}
            context.say(f"{name}: {sum(found[name].values()):.1f} syncs a mail")
        except (RuntimeError, FileNotFoundError) as why:
            found[name] = {"missing": str(why)}
        finally:
            gateway.close()
    return found


def scheduled(context, gateway, rate, mails, sessions):
    """open_loop's lines: (due, accepted, exported) in microseconds."""
    done = subprocess.run([context.program("open_loop"), str(gateway.port), str(rate), str(mails), str(sessions), str(MESSAGE_BYTES),
                           gateway.new()], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]


def points_of(values, count=100):
    """Shares from 0 to 99.9 hundredths, closer together at the end: milliseconds at each."""
    ordered = sorted(values)
    shares = [n for n in range(1, 99)] + [99 + n / 10 for n in range(0, 10)]
    return [[share, ordered[min(len(ordered) - 1, int(share / 100 * len(ordered)))] / 1000] for share in shares]


def at_share(points, share):
    return next(value for place, value in points if place >= share)


def latency(context):
    """Capacity first, by the same sender without a schedule; then three shares of it, each into a new store."""
    rates = []
    for _ in range(context.size(3, 1)):
        gateway = fresh(context, "Postern")
        try:
            gateway.start()
            settle(context.quick)
            rows = scheduled(context, gateway, 0, context.size(8000, 400), SESSIONS)
            rates.append(len(rows) / (max(row[2] for row in rows) / 1e6))
        finally:
            gateway.close()
    capacity = statistics.median(rates)
    context.say(f"capacity {capacity:.0f} mails/s")
    found = {"capacity": capacity, "capacities": rates, "loads": {}}
    for share in (10, 50, 90):
        gateway = fresh(context, "Postern")
        try:
            gateway.start()
            settle(context.quick)
            rate = capacity * share / 100
            rows = scheduled(context, gateway, rate, int(rate * context.size(12, 1)) + 10, 100)
            rows = rows[len(rows) // 10:]  # the first tenth warms up
            ways = {"due_accepted": [b - a for a, b, _ in rows], "accepted_exported": [c - b for _, b, c in rows],
                    "due_exported": [c - a for a, _, c in rows]}
            found["loads"][str(share)] = {"rate": rate, "mails": len(rows), **{way: points_of(values) for way, values in ways.items()},
                                          **{way + "_most": max(values) / 1000 for way, values in ways.items()}}
            points = found["loads"][str(share)]["accepted_exported"]
            context.say(f'{share} % of capacity: "250" to exported {at_share(points, 50):.1f} ms, 99 of 100 in {at_share(points, 99):.1f} ms')
        finally:
            gateway.close()
    return found


def growth(context):
    """Memory and the database as mail passes, at full load."""
    source, step, rows = Source(context.build), context.size(2000, 100), []
    gateway = fresh(context, "Postern")
    try:
        gateway.start()
        rows.append([0, gateway.resident(), gateway.database_mib()])
        for number in range(1, context.size(10, 3) + 1):
            through(gateway, source, step)
            rows.append([number * step, gateway.resident(), gateway.database_mib()])
        context.say(f"{rows[-1][0]} mails: {rows[-1][1]:.0f} MiB resident, database {rows[-1][2]:.0f} MiB")
        return {"rows": rows, "peak_mib": gateway.resident("VmHWM")}
    finally:
        gateway.close()


def drained(context, source, adapter, mails):
    """Mails a second on the way out alone: they wait at a suspended adapter, which is then resumed."""
    gateway = fresh(context, "Postern", adapter=adapter)
    try:
        gateway.start()
        gateway.cli("adapter", "suspend", "mail", "--reason", "the queue is filled")
        source.send(gateway.port, mails)
        settle(context.quick)
        begun = time.monotonic()
        gateway.cli("adapter", "resume", "mail")
        wait_until(lambda: gateway.log_exports() >= mails, 120, f"{mails} mails to be exported")
        return mails / (time.monotonic() - begun)
    finally:
        gateway.close()


def watchers(context):
    """The way out with 1 to 64 watchers: files, which gain little, and a command that takes 50 ms, which waits by itself."""
    source, found = Source(context.build), {"maildir": [], "command": []}
    for count in context.size((1, 2, 4, 8, 16, 32, 64), (1, 8)):
        ways = {"maildir": ('kind = "maildir"\nfolder = "{folder}"', context.size(4000, 100)),
                "command": ('kind = "pipe"\nfolder = "{folder}"\ncommand = ["/bin/sh", "-c", "cat >/dev/null; sleep 0.05"]',
                            context.size(min(600, 60 * count), 8))}
        for way, (adapter, mails) in ways.items():
            folder = os.path.join(tempfile.mkdtemp(prefix=f"{way}-"), "out")
            rate = drained(context, source, adapter.format(folder=folder) + f"\nwatchers = {count}", mails)
            found[way].append([count, rate])
        context.say(f"{count} watchers: {found['maildir'][-1][1]:.0f} mails/s into files, {found['command'][-1][1]:.0f} commands a second")
    return found


def profile(context):
    """Where the processor's time goes while mail passes at full load."""
    source, mails = Source(context.build), context.size(12000, 400)
    gateway = fresh(context, "Postern")
    try:
        gateway.start()
        through(gateway, source, mails // 10)
        settle(context.quick)
        try:
            recording = hot_path.Recording(gateway.pid(), gateway.folder)
        except hot_path.Absent as why:
            return {"missing": str(why)}
        pause(0.5)
        before = gateway.cpu()
        through(gateway, source, mails)
        used = (gateway.cpu() - before) / mails * 1e6
        try:
            found = hot_path.summary(recording.parsed())
        except hot_path.Absent as why:
            return {"missing": str(why)}
        found["cpu_us"] = used
        context.say(f"{found['samples']} samples, {used:.0f} µs a mail")
        return found
    finally:
        gateway.close()

