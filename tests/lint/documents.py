#!/usr/bin/env python3
"""The documents lead somewhere: links resolve, headings that are linked to exist, and every document that a
source file names is there. The files every project owes its readers are there too."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIPPED = {".git", "build", ".cache", "__pycache__", "corpus"}
OWED = ["README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", "docs/STATES.md",
        "docs/LOG.md", "docs/PROMISE.md"]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"\b(docs/[A-Za-z0-9_/-]+\.md)\b")
faults = []


def files():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(f for f in folders if f not in SKIPPED)
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), ROOT)


def lines_of(path):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return file.read().split("\n")
    except UnicodeDecodeError:
        return []


def slug(heading):
    text = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return text.replace(" ", "-")


def headings(path):
    return {slug(line.lstrip("#")) for line in lines_of(path) if line.startswith("#")}


def check_links(path):
    fenced = False
    for number, line in enumerate(lines_of(path), 1):
        if line.startswith("```"):
            fenced = not fenced
        if fenced:
            continue
        for target in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            to = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
            if not os.path.exists(os.path.join(ROOT, to)):
                faults.append(f"{path}:{number}: leads to {target}, which is not there")
            elif anchor and anchor not in headings(to):
                faults.append(f"{path}:{number}: {to} has no heading '{anchor}'")


def check_named(path):
    for number, line in enumerate(lines_of(path), 1):
        for name in NAMED.findall(line):
            if not os.path.exists(os.path.join(ROOT, name)):
                faults.append(f"{path}:{number}: names {name}, which is not there")


for owed in OWED:
    if not os.path.exists(os.path.join(ROOT, owed)):
        faults.append(f"{owed}:1: is missing")
for file in files():
    if file.endswith(".md"):
        check_links(file)
    check_named(file)

print("\n".join(faults) if faults else "clean")
sys.exit(1 if faults else 0)
