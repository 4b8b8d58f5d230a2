"""The pictures of the load report, each out of what its part found."""

import statistics

from plot import bars, lines

BOUNDS = {"file": 0, "many": 2, "command": 1, "host": 3}


def end_to_end(found):
    rows = []
    for name in ("Postern", "Postfix", "OpenSMTPD", "Exim"):
        rates = found["rates"].get(name)
        if rates:
            rows.append((name, statistics.median(rates), min(rates), max(rates), 0 if name == "Postern" else 4))
    postfix = found["rates"].get("Postfix")
    mark = (5 * statistics.median(postfix), "5 × Postfix") if postfix else None
    count = len(found["rates"]["Postern"])
    rounds = "one round" if count == 1 else f"{count} rounds"
    return bars("From SMTP to a file: mails a second", f"4 KiB each; median of {rounds} in turn, with their range. OpenSMTPD does not sync its queue, "
                        f"the others do",
                "mails a second (more is better)", rows, mark=mark, left=110)


def latency(found):
    series = [(f"{share} %: {load['rate']:,.0f} mails/s", [(max(value, 0.1), place) for place, value in load["accepted_exported"]])
              for share, load in found["loads"].items()]
    return lines('From "250" to the file: how many mails are there after how long', "at 10, 50 and 90 % of capacity; mails are due at random moments "
                        "of that rate, whatever the service does",
                 'milliseconds from "250" to exported', "mails that are there, %", series, x_base=10, percent=True)


def waiting_cost(found):
    series = []
    for name, way in (("claim, alone", "claim_1_us"), ("settle, alone", "settle_1_us"), ("claim, 64 at a time", "claim_64_us"), ("settle, 64 at a "
                        "time", "settle_64_us")):
        places = [(row["items"], row[way][0]) for row in found["rows"] if way in row]
        if places:
            series.append((name, places))
    return lines("What one mail costs the queue while others wait", "a commit with its sync each; 64 at a time share it; medians. Level lines are "
                        "what is wanted",
                 "items waiting", "microseconds a mail", series, x_base=10, y_base=10)


def waiting_looks(found):
    series = [(name, [(row["items"], max(row[way], 1e-6) * 1000) for row in found["rows"]])
              for name, way in (("first 100 of the list", "page_s"), ("count", "count_s"), ("whole list", "list_s"), ("postern status", "status_s"))]
    return lines("What looking costs while items wait", "read from the store; `postern status` with the start of its process",
                 "items waiting", "milliseconds", series, x_base=10, y_base=10)


def waiting_size(found):
    series = [("database, MiB", [(row["items"], row["database_mib"]) for row in found["rows"]]), ("service's memory at most, "
                        "MiB", [(row["items"], row["service_mib"]) for row in found["rows"]])]
    return lines("Memory and database while items wait", "bodies left out; the target is for the memory", "items "
                        "waiting", "MiB", series, x_base=10, y_base=10, mark=(64, "target: 64 MiB of memory"))


def growth(found):
    rows = found["rows"]
    return lines("Memory and database as mail passes", "4 KiB each at full load; mail stays in the store until its retention is over", "mails so far", "MiB",
                 [("database and its log", [(row[0], row[2]) for row in rows]), ("resident memory", [(row[0], row[1]) for row in rows])])


def watchers(found):
    return lines("The way out with 1 to 64 watchers", "a full queue, then the adapter is resumed", "watchers", "mails a second",
                 [("files in a Maildir", found["maildir"]), ("a command that takes 50 ms", found["command"])], x_base=2, y_base=10)


def kinds(found):
    rows = [(name, rate, None, None, BOUNDS[bound]) for name, rate, bound in sorted(found["rows"], key=lambda row: -row[1])]
    return bars("Each kind of adapter: mails a second", "blue: a file each; green: many in a file; orange: a command each; purple: a host. A logarithmic axis",
                "mails a second (more is better)", rows, base=10, left=165)


def profile(found):
    cells = sorted(found["cells"], key=lambda cell: -cell[2])[:10]
    colours = {name: number for number, (name, _) in enumerate(found["threads"])}
    names = ", ".join(f"{name} {share:.0%}" for name, share in found["threads"])
    return bars("Where the processor's time goes", f"one colour for each thread: {names}", "share of the service's processor time, %",
                [(f"{thread}: {what}", share * 100, None, None, colours[thread] % 5) for thread, what, share in cells], left=250)
