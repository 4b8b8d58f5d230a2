#!/usr/bin/env python3
"""docs/LOG.md says the same as base/log_events.h: the ids, the severities and the advice.
With --write the table in docs/LOG.md is made anew. Without, a difference is a fault. Every event is also
written by some source file: a line in the catalogue that nobody logs misleads the operator."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CATALOGUE = os.path.join(ROOT, "base", "log_events.h")
DOCUMENT = os.path.join(ROOT, "docs", "LOG.md")
ROOMS = ["base", "mail", "store", "queue", "adapters", "connector"]
BEGIN, END = "<!-- events: made from base/log_events.h -->", "<!-- end of events -->"
EVENT = re.compile(r'EVENT\(\s*(\w+)\s*,\s*"([^"]+)"\s*,\s*(\w+)\s*,\s*((?:"[^"]*"\s*)+)\)')


def events():
    with open(CATALOGUE, encoding="utf-8") as file:
        text = re.sub(r"\\\s*\n", "\n", file.read())
    found = []
    for name, ident, severity, strings in EVENT.findall(text):
        found.append((name, ident, severity.lower(), "".join(re.findall(r'"([^"]*)"', strings))))
    return found


def table(found):
    rows = ["| event | severity | what to do |", "| --- | --- | --- |"]
    rows += [f"| `{ident}` | {severity} | {advice} |" for _, ident, severity, advice in found]
    return "\n".join(rows)


def used_names():
    used = set()
    for room in ROOMS:
        for folder, _, names in os.walk(os.path.join(ROOT, room)):
            for name in names:
                if name.endswith((".cpp", ".h")):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        used.update(re.findall(r"LogEvent::(\w+)", file.read()))
    return used


def main():
    found = events()
    faults = []
    with open(CATALOGUE, encoding="utf-8") as file:
        declared = len(re.findall(r"^\s*EVENT\(", file.read(), re.MULTILINE))
    if not found or len(found) != declared:
        faults.append(f"base/log_events.h:1: {len(found)} of {declared} events were understood")
    with open(DOCUMENT, encoding="utf-8") as file:
        document = file.read()
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        faults.append("docs/LOG.md:1: the marks around the table are missing")
    wanted = f"{head}{BEGIN}\n\n{table(found)}\n\n{END}{tail}"
    if not faults and "--write" in sys.argv[1:]:
        with open(DOCUMENT, "w", encoding="utf-8") as file:
            file.write(wanted)
    elif not faults and wanted != document:
        faults.append("docs/LOG.md:1: differs from base/log_events.h; run tests/lint/log_events.py --write")
    used = used_names()
    faults += [f"base/log_events.h:1: nobody logs {ident}" for name, ident, _, _ in found if name not in used]
    print("\n".join(faults) if faults else "clean")
    return 1 if faults else 0


sys.exit(main())
