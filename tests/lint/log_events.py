#!/usr/bin/env python3
"""docs/LOG.md says the same as base/log_events.h: the ids, the severities and the advice.
With --write the table in docs/LOG.md is made anew. Without, a difference is a fault. Every event is also
written by some source file: a line in the catalogue that nobody logs misleads the operator.

The same for Windows' Event Log: base/event_numbers.h gives each event a number that it keeps for ever
(operators' filters and alarms name it), base/windows/events.mc the text for each. --write gives new events the
next numbers; those of events that are gone are written down as retired and never given again."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CATALOGUE = os.path.join(ROOT, "base", "log_events.h")
DOCUMENT = os.path.join(ROOT, "docs", "LOG.md")
NUMBERS = os.path.join(ROOT, "base", "event_numbers.h")
MESSAGES = os.path.join(ROOT, "base", "windows", "events.mc")
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


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def numbers_of(found):
    """The numbers of events, those they have already first, and the retired ones."""
    text = read(NUMBERS)
    old = {name: int(number) for name, number in re.findall(r"NUMBER\((\w+), (\d+)\)", text)}
    retired = [int(n) for line in re.findall(r"^// Retired: ([\d, ]+)\.", text, re.M) for n in line.split(",")]
    names = [name for name, _, _, _ in found]
    retired = sorted(set(retired) | {number for name, number in old.items() if name not in names})
    taken = max(retired + list(old.values()), default=0)
    numbers = {}
    for name in names:
        if name not in old:
            taken += 1
        numbers[name] = old.get(name, taken)
    return numbers, retired


def numbers_header(numbers, retired):
    lines = [f"    NUMBER({name}, {number})" for name, number in sorted(numbers.items(), key=lambda e: e[1])]
    first = "#define POSTERN_EVENT_NUMBERS(NUMBER)"
    above = [first] + lines[:-1]
    width = max(len(line) for line in above) + 1
    macro = [line.ljust(width) + "\\" for line in above] + lines[-1:]
    none = "" if not retired else "// Retired: " + ", ".join(str(n) for n in retired) + ".\n"
    return """#pragma once
// The number of each event in the system's own list of events (base/system_log.h). An event keeps its number
// for ever, and a retired one is never given again: operators' filters and alarms name them. Written by
// tests/lint/log_events.py --write, which also makes base/windows/events.mc.

#include <optional>
#include <string_view>

#include "base/log.h"

namespace postern {

""" + none + "\n".join(macro) + """

int eventNumber(LogEvent event);
// Which event a line tells, as the log's sink gets it: "ITEM EVENT key=value ...".
std::optional<LogEvent> eventOf(std::string_view line);
// Errors, warnings, and that the service starts, is ready, stops, has stopped.
bool forSystemLog(LogEvent event);

}  // namespace postern
"""


def messages(found, numbers):
    words = {"error": "Error", "warning": "Warning"}
    out = ["; // The texts of Postern's events for the Event Log of Windows. Made by tests/lint/log_events.py --write",
           "; // from base/log_events.h and base/event_numbers.h; the number that is shown is MessageId.",
           "MessageIdTypedef=DWORD", "SeverityNames=(Informational=0x1 Warning=0x2 Error=0x3)",
           "FacilityNames=(Application=0x0)", "LanguageNames=(English=0x409:MSG00409)", ""]
    for name, ident, severity, advice in sorted(found, key=lambda event: numbers[event[0]]):
        out += [f"MessageId={numbers[name]}", f"Severity={words.get(severity, 'Informational')}",
                "Facility=Application", f"SymbolicName=POSTERN_{ident.upper().replace('.', '_')}",
                "Language=English", "%1%n", "%n", f"{ident}: {advice.replace('%', '%%')}", ".", ""]
    return "\n".join(out)


def number_faults(found, write):
    numbers, retired = numbers_of(found)
    faults = []
    if len(set(numbers.values()) | set(retired)) != len(numbers) + len(retired):
        faults.append("base/event_numbers.h:1: a number stands for two events")
    for path, wanted in ((NUMBERS, numbers_header(numbers, retired)), (MESSAGES, messages(found, numbers))):
        if read(path) == wanted:
            continue
        if write:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(wanted)
        else:
            faults.append(f"{os.path.relpath(path, ROOT)}:1: differs from base/log_events.h; "
                          "run tests/lint/log_events.py --write")
    return faults


def table(found):
    numbers, _ = numbers_of(found)
    rows = ["| event | number | severity | what to do |", "| --- | --- | --- | --- |"]
    rows += [f"| `{ident}` | {numbers[name]} | {severity} | {advice} |" for name, ident, severity, advice in found]
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
    if not faults:
        faults = number_faults(found, "--write" in sys.argv[1:])
    used = used_names()
    faults += [f"base/log_events.h:1: nobody logs {ident}" for name, ident, _, _ in found if name not in used]
    print("\n".join(faults) if faults else "clean")
    return 1 if faults else 0


sys.exit(main())
