"""From what was measured to what two runs can be compared by: ratios and sizes, each with its noise.

Rates of two days say little: machines are shared and disks age. So a rate is divided by what the same machine did in the same
run without us (a yardstick), or by another gateway's; only memory and database are taken as they are.
"""

import statistics

LEAST_NOISE = 0.10


def spread(values):
    """Half of the range, as a share of the median."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / 2 / middle if len(values) > 1 and middle else 0.0


def value_at(points, share):
    return next(value for place, value in points if place >= share)


class Figures(dict):
    """Name to value, noise, which way is better, and words."""

    def note(self, name, text, value, better, noise=0.0, unit="×"):
        self[name] = {"text": text, "value": value, "better": better, "noise": max(noise, LEAST_NOISE), "unit": unit}


def of_end_to_end(found, figures, _):
    ours = found["rates"]["Postern"]
    for name, rates in found["rates"].items():
        if name != "Postern":
            ratios = [a / b for a, b in zip(ours, rates)]
            figures.note(f"e2e/{name}", f"mails a second, Postern / {name}", statistics.median(ratios), "higher", spread(ratios))
    figures.note("e2e/peak", "memory at most, end to end", max(found["peak_mib"]), "lower", 0.1, "MiB")


def of_latency(found, figures, yard):
    figures.note("latency/capacity", "capacity, mails for each plain synced file", found["capacity"] / yard["files"], "higher",
                 spread(found["capacities"]) + 0.1)
    for share, load in found["loads"].items():
        for point in (50, 99):
            value = value_at(load["accepted_exported"], point) / 1000 * yard["files"]
            figures.note(f"latency/{share}/{point}", f'"250" to exported at {share} % of capacity, p{point}, in plain synced files', value, "lower", 0.35)


def of_growth(found, figures, _):
    mails, _, database = found["rows"][-1]
    figures.note("growth/peak", "memory at most, while mail passes", found["peak_mib"], "lower", 0.1, "MiB")
    figures.note("growth/database", "database for each mail of 4 KiB", (database - found["rows"][0][2]) * 1024 / mails, "lower", 0.1, "KiB")


def of_watchers(found, figures, _):
    for way, words in (("maildir", "files"), ("command", "commands")):
        first, last = found[way][0][1], max(rate for _, rate in found[way])
        figures.note(f"watchers/{way}", f"{words}: the best number of watchers / one", last / first, "higher", 0.3)


def of_kinds(found, figures, yard):
    for name, rate, _ in found["rows"]:
        figures.note(f"kinds/{name}", f"{name}, mails for each plain synced file", rate / yard["files"], "higher", 0.3)


def of_waiting(found, figures, _):
    rows = {row["items"]: row for row in found["rows"]}
    base = rows.get(1000)
    for items, row in rows.items():
        if base and items > 1000:
            for way in ("1", "64"):
                cost = [each[f"claim_{way}_us"][0] + each[f"settle_{way}_us"][0] for each in (row, base)]
                figures.note(f"waiting/{items}/{way}", f"a mail's cost, {way} at a time, {items:,} waiting / 1,000 waiting", cost[0] / cost[1], "lower", 0.2)
        if items >= 100_000:
            figures.note(f"waiting/{items}/database", f"database for each item, {items:,} waiting", row["database_mib"] * (1 << 20) / items, "lower", 0.02, "bytes")
        if items >= 1000:
            figures.note(f"waiting/{items}/memory", f"memory of the service, {items:,} waiting", row["service_mib"], "lower", 0.15, "MiB")


def of_profile(found, figures, yard):
    if "cpu_us" in found:
        figures.note("profile/cpu", "processor time a mail, in rounds of plain work", found["cpu_us"] / 1e6 * yard["work"], "lower", 0.15)


MAKERS = {"e2e": of_end_to_end, "latency": of_latency, "growth": of_growth, "watchers": of_watchers, "kinds": of_kinds,
          "waiting": of_waiting, "profile": of_profile}


def figures_of(parts, yard):
    figures = Figures()
    for name, maker in MAKERS.items():
        if name in parts:
            maker(parts[name], figures, yard)
    return dict(figures)


def compared(before, now):
    """(text, old, new, change, verdict) for every figure that both have; what changed most first."""
    rows = []
    for name, figure in now.items():
        old = before.get(name)
        if not old or not old["value"] or not figure["value"]:
            continue
        change = figure["value"] / old["value"] - 1
        if abs(change) <= figure["noise"] + old["noise"]:
            verdict = "same"
        else:
            verdict = "better" if (change > 0) == (figure["better"] == "higher") else "worse"
        rows.append([figure["text"], old["value"], figure["value"], change, verdict, figure["unit"]])
    return sorted(rows, key=lambda row: -abs(row[3]))
