"""docs/LOAD.md and its pictures, out of the figures that are kept."""

import os

import pictures
from figures import value_at
from plot import said

HERE = os.path.dirname(os.path.abspath(__file__))


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)] + ["| " + " | ".join(map(str, row)) + " |" for row in rows] + [""]


def met(value, limit, higher=True):
    return "met" if (value >= limit) == higher else "**missed**"


class Page:
    """Sections in turn; a part that is not there says so in its place."""

    def __init__(self, kept, folder):
        self.kept, self.folder, self.out, self.targets = kept, folder, [], []

    def found(self, name):
        return self.kept["parts"].get(name, {}).get("found")

    def picture(self, name, drawn, alternative):
        with open(os.path.join(self.folder, "load", name + ".svg"), "w", encoding="utf-8") as file:
            file.write(drawn)
        self.out += [f"![{alternative}](load/{name}.svg)", ""]

    def section(self, name, title, writer):
        self.out += [f"## {title}", ""]
        part = self.kept["parts"].get(name)
        if part is None or "failed" in part:
            self.out += [f"Not measured: {part['failed'] if part else 'not asked for'}.", ""]
            return
        if part["when"] != self.kept["when"]:
            self.out += [f"Figures of {part['when']}.", ""]
        writer(self, part["found"])

    def target(self, what, value, wanted, verdict):
        self.targets.append([what, value, wanted, verdict])


def end_to_end(page, found):
    page.picture("end-to-end", pictures.end_to_end(found), "Mails a second from SMTP to a file, Postern and three others")
    order = [name for name in ("Postern", "Postfix", "OpenSMTPD", "Exim") if name in found["rates"]]
    ours = found["rates"]["Postern"]
    rows = []
    for name in order:
        rates = found["rates"][name]
        ratio = "1" if name == "Postern" else f"**{sorted(a / b for a, b in zip(ours, rates))[len(rates) // 2]:.1f}**"
        rows.append([f"{name} {found['versions'].get(name, '')}", f"{found['mails'][name]:,}", ", ".join(f"{rate:,.0f}" for rate in rates),
                     ", ".join(f"{rate:,.0f}" for rate in found["accepted"][name]), ratio])
    page.out += table(["a connection for each mail", "mails a round", "end to end, mails/s", "accepted, mails/s", "Postern is so many times as fast"], rows)
    page.out += [f"Mails of 4 KiB over 20 sessions, a connection each (`smtp-source`), into one Maildir, until the last is there; in turn, the file system "
                 f"synced in between. Kept sessions, as in the next section, carry more. Postern used {said(min(found['cpu_us']))} to {said(max(found['cpu_us']))} µs of the processor for a mail, and "
                 f"{said(max(found['peak_mib']))} MiB of memory at most. The others are Debian's packages, each with its own queue on the same disk, "
                 f"no name look-ups, no filters: "
                 "the settings are in `tests/bench/load/gateways.py`.", ""]
    for name, why in found["missing"].items():
        page.out += [f"{name} was not measured: {why}.", ""]
    if "Postfix" in found["rates"]:
        ratio = page.kept["figures"]["e2e/Postfix"]["value"]
        page.target("end to end, Postern / Postfix", f"{ratio:.1f}", "at least 5", met(ratio, 5))
        page.target("the same, what is aimed for", f"{ratio:.1f}", "8", met(ratio, 8))
    durable(page, page.found("durable"))


def durable(page, found):
    if not found:
        return
    page.out += ["Is each as durable? System calls that sync, for each mail, as `strace` counts them while mails come one after the other (under load "
                 "Postern's are shared by all that "
                 "wait at that moment):", ""]
    rows = []
    for name, calls in found.items():
        counted = ", ".join(f"{count:.1f} {call}" for call, count in calls.items()) or "none"
        rows.append([name, "not counted: " + calls["missing"] if "missing" in calls else counted])
    page.out += table(["", "syncs a mail"], rows)
    if "OpenSMTPD" in found:
        page.out += ["Of the others only the number was counted, but for OpenSMTPD (looked at by hand with `strace`, 2026-11-23): its one is that of the "
                     "delivered file, made by its `mail.maildir`; its queue is not synced, so its \"250\" says less than the others'. "
                     "It gets five sessions: its listening "
                     "socket holds five, and of 20 that connect at once most would wait a second until TCP tries again.", ""]
    page.out += ["Postern also makes each rename durable before it is visible (`synchronous_renames`), which none of the others offers.", ""]


def latency(page, found):
    page.picture("latency", pictures.latency(found), 'Milliseconds from "250" to exported at three loads')
    rows = []
    for share, load in found["loads"].items():
        for way, words in (("due_accepted", 'due to "250"'), ("accepted_exported", '"250" to exported'), ("due_exported", "due to exported")):
            points = load[way]
            rows.append([f"{share} %, {load['rate']:,.0f} mails/s" if way == "due_accepted" else "", words,
                         *(f"{max(0.0, value_at(points, each)):.1f}" for each in (50, 90, 99, 99.9)), f"{load[way + '_most']:.0f}"])
    page.out += table(["of capacity, sessions kept", "milliseconds", "p50", "p90", "p99", "p99.9", "most"], rows)
    page.out += [f"Capacity of kept sessions is {found['capacity']:,.0f} mails/s: what the same sender (`tests/bench/open_loop.cpp`) gets through from "
                 f"end to end over 20 sessions, each kept for all its mails, without a "
                 "schedule, just before. It is not the rate of the section above, where each mail has a connection of its own. Then mails are due at random moments of the given rate, whatever the service does, and one that finds all "
                 "100 sessions busy waits while "
                 "its time runs: queueing is not hidden. The sender watches the folder itself, on the same two cores.", ""]
    quiet = found["loads"].get("10")
    if quiet:
        for share, limit in ((50, 5), (99, 25)):
            value = value_at(quiet["accepted_exported"], share)
            page.target(f'"250" to exported at 10 % of capacity over kept sessions, p{share}', f"{value:.1f} ms", f"{limit} ms", met(value, limit, higher=False))


def waiting(page, found):
    page.picture("waiting-cost", pictures.waiting_cost(found), "What one mail costs the queue while others wait")
    page.picture("waiting-looks", pictures.waiting_looks(found), "What looking costs while items wait")
    page.picture("waiting-size", pictures.waiting_size(found), "Memory and database while items wait")
    rows = []
    for row in found["rows"]:
        many = f"{said(row['claim_64_us'][0])}, {said(row['settle_64_us'][0])}" if "claim_64_us" in row else ""
        milliseconds = [said(row[key] * 1000) for key in ("count_s", "page_s")]
        seconds = [said(row[key]) for key in ("list_s", "status_s", "page_cli_s", "start_s")]
        rows.append([f"{row['items']:,}", f"{said(row['claim_1_us'][0])}, {said(row['settle_1_us'][0])}", many, *milliseconds, *seconds,
                     said(row["service_mib"]), said(row["database_mib"])])
    page.out += table(["items waiting", "claim, settle one, µs", "of 64, each, µs", "count, ms", "first 100, ms", "whole list, s", "`status`, "
                        "s", "`queue list --limit 100`, s", "start, s",
                       "memory, MiB", "database, MiB"], rows)
    for size, why in found["missing"]:
        page.out += [f"{size:,} items were left out: {why}.", ""]
    page.out += ["Each claim and each settlement is a commit with its sync, which is what one costs when it is alone; 64 share it. Bodies are left "
                 "out, as the queue never reads them; "
                 "memory is the service's at most, started on that store, with a list and a status asked for.", ""]
    by_size = {row["items"]: row for row in found["rows"]}
    base = by_size.get(1000)
    for items in (1_000_000, 10_000_000):
        row = by_size.get(items)
        if row and base:
            ratio = (row["claim_64_us"][0] + row["settle_64_us"][0]) / (base["claim_64_us"][0] + base["settle_64_us"][0])
            page.target(f"a mail's cost with {items:,} waiting / with 1,000", f"{ratio:.2f}", "1.2", met(ratio, 1.2, higher=False))
            page.target(f"memory with {items:,} waiting", f"{row['service_mib']:.0f} MiB", "64 MiB", met(row["service_mib"], 64, higher=False))
            page.target(f"start with {items:,} waiting", f"{row['start_s']:.2f} s", "2 s", met(row["start_s"], 2, higher=False))


def growth(page, found):
    page.picture("growth", pictures.growth(found), "Memory and database as mail passes")
    first, last = found["rows"][0], found["rows"][-1]
    page.out += [f"{last[0]:,} mails of 4 KiB at full load: memory {said(first[1])} MiB at the start, {said(last[1])} MiB at the end, "
                 f"{said(found['peak_mib'])} MiB at most; the database with its log "
                 f"{said(last[2])} MiB, {(last[2] - first[2]) * 1024 / last[0]:.1f} KiB a mail. Mail stays in the store until `retention` is over.", ""]


def watchers(page, found):
    page.picture("watchers", pictures.watchers(found), "The way out with 1 to 64 watchers")
    page.out += table(["watchers", "files, mails/s", "a command of 50 ms, mails/s"],
                      [[count, f"{rate:,.0f}", f"{other:,.0f}"] for (count, rate), (_, other) in zip(found["maildir"], found["command"])])
    page.out += ["The way out alone: mails wait at a suspended adapter, which is then resumed. Files are bound by the disk and by the one writer of "
                 "the store; commands, which wait for "
                 "something else, by the number of watchers until the processes that they start fill the processor.", ""]


BOUNDS = {"file": "a file each", "many": "many mails in a file", "command": "a command each", "host": "an answer of the host each"}


def kinds(page, found):
    page.picture("kinds", pictures.kinds(found), "Mails a second of each kind of adapter")
    page.out += table(["", "mails/s", "each result is"], [[f"{name}", f"{rate:,.0f}", BOUNDS[bound]]
                                                          for name, rate, bound in sorted(found["rows"], key=lambda row: -row[1])])
    page.out += ["Staged and published by the adapter alone, each result on the disk; one thread and batches of 64 where nothing else is said. `smtp` "
                 "and `lmtp` go through the whole service to "
                 "Postfix's `smtp-sink`, a [webhook](adapters/webhook.md), which carries events and no mail, to a small program that says 204.", ""]
    for name, rate, bound in found["rows"]:
        if bound == "many":
            page.target(name, f"{rate:,.0f} mails/s", "20,000 mails/s", met(rate, 20000))


def profile(page, found):
    if "missing" in found:
        page.out += [f"Not profiled: {found['missing']}.", ""]
        return
    page.picture("hot-path", pictures.profile(found), "Shares of the processor's time by thread and by what it is at")
    cells = sorted(found["cells"], key=lambda cell: -cell[2])[:10]
    page.out += [f"{found['samples']:,} samples of `perf` while mail passes at full load, about {said(found['cpu_us'])} µs of the processor a mail, "
                 f"perf's own work included. The top ten, each sample counted once:", ""]
    page.out += table(["", "share", "thread", "is at"], [[number, f"{share:.1%}", f"`{thread}`", what] for number, (thread, what, share) in enumerate(cells, 1)])
    page.out += ["And our own functions, with all that they call:", ""]
    page.out += table(["share", "thread", "function"], [[f"{share:.1%}", f"`{thread}`", f"`{name}`"] for thread, name, share in found["functions"][:20]])
    with open(os.path.join(HERE, "hot_path.md"), encoding="utf-8") as file:
        page.out += file.read().rstrip("\n").split("\n") + [""]


def head(page):
    kept = page.kept
    if not kept["parts"]:
        return ["# Under load", "", "Nothing was measured yet: `tests/bench/report BUILD` makes this page. What was measured by hand is in "
                        "[MEASURED.md](MEASURED.md).", ""]
    facts = ", ".join(f"{name} {value}" for name, value in kept["machine"].items())
    yard = kept["yardstick"]
    disks = ", ".join(f"{row['files']:,.0f}" for row in yard["all"])
    out = ["# Under load", "",
           "Made by `tests/bench/report BUILD`, which also draws the pictures; the figures are kept in [figures.json](load/figures.json). "
           "Machines differ and are noisy: ratios within one run count, single rates do not. Older and smaller measurements, with what was learned "
           "from them: [MEASURED.md](MEASURED.md).", "",
           f"Last run: {kept['when']}. Machine: {facts}. "
           f"Without any gateway it wrote, synced and renamed {disks} files of 4 KiB a second, one after the other, at the beginning and at the end.", ""]
    out += ["## Targets", ""] + (table(["", "measured", "target", ""], page.targets) if page.targets else ["None of them was measured.", ""])
    if kept["failures"]:
        out += ["Not measured in this run: " + "; ".join(f"{name}: {why}" for name, why in kept["failures"].items()) + ".", ""]
    out += ["## Since the last time", ""]
    changed = [row for row in kept["compared"] if row[4] != "same"]
    if not kept["compared"]:
        out += ["No earlier run to compare with.", ""]
    elif not changed:
        out += [f"Since {kept['since']}: {len(kept['compared'])} figures compared, none beyond its noise.", ""]
    else:
        out += [f"Since {kept['since']}: {len(kept['compared'])} figures compared; beyond their noise are", ""]
        out += table(["", f"{kept['since']}", "now", "change", ""], [[text, f"{old:.3g} {unit}", f"{new:.3g} "
                        f"{unit}", f"{change:+.0%}", verdict if verdict == "better" else f"**{verdict}**"]
                                                           for text, old, new, change, verdict, unit in changed])
    return out


def written(kept, folder):
    """Writes LOAD.md and the pictures beside the figures."""
    os.makedirs(os.path.join(folder, "load"), exist_ok=True)
    page = Page(kept, folder)
    if not kept["parts"]:
        with open(os.path.join(folder, "LOAD.md"), "w", encoding="utf-8") as file:
            file.write("\n".join(head(page)))
        return
    page.section("e2e", "End to end, beside Postfix, OpenSMTPD and Exim", end_to_end)
    page.section("latency", "How long a mail takes", latency)
    page.section("waiting", "While others wait", waiting)
    page.section("growth", "Memory and disk as mail passes", growth)
    page.section("watchers", "1 to 64 watchers", watchers)
    page.section("kinds", "Each kind of adapter", kinds)
    page.section("profile", "The hot path", profile)
    with open(os.path.join(folder, "LOAD.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(head(page) + page.out).rstrip("\n") + "\n")
