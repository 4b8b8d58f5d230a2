#!/usr/bin/env python3
"""docs/METRICS.md lists every family that the service measures, with its type, and no other."""

import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def main():
    source = read("connector/admin/metrics.cpp")
    measured = dict(re.findall(r'family\("(postern_\w+)",\s*"(\w+)"', source))
    measured.update((name, "counter") for name in re.findall(r'writeCounter\(all, text,\s*"(postern_\w+)"', source))
    listed = dict(re.findall(r"^\| `(postern_\w+)` \| (\w+) \|", read("docs/METRICS.md"), re.M))
    problems = [f"{name}: measured, but not in docs/METRICS.md" for name in measured if name not in listed]
    problems += [f"{name}: in docs/METRICS.md, but not measured" for name in listed if name not in measured]
    problems += [f"{name}: is a {measured[name]}" for name in listed if name in measured and listed[name] != measured[name]]
    print("\n".join(problems) if problems else f"{len(measured)} families, all listed")
    return 1 if problems or not measured else 0


if __name__ == "__main__":
    sys.exit(main())
