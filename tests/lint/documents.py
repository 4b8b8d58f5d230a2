#!/usr/bin/env python3
"""The documents lead somewhere: links resolve, headings that are linked to exist, and every document that a
source file names is there, every kind of adapter stands in the tables of docs/adapters, and every document in its index. The files every project owes its readers are there too.

Usage: documents.py            these sources
       documents.py FOLDER     only the links of the documents there, as they are installed
"""

import os
import re
import sys

INSTALLED = len(sys.argv) > 1
ROOT = os.path.abspath(sys.argv[1]) if INSTALLED else os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
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


def check_kinds():
    """Each registered kind of adapter has its page and its row in every table of docs/adapters/README.md."""
    kinds = re.findall(r"^Kind (\w+)Kind\(\);", "\n".join(lines_of("adapters/kinds.h")), re.M)
    if not kinds:
        faults.append("adapters/kinds.h:1: no kinds were found")
    side_by_side = "docs/adapters/README.md"
    rows = [line for line in lines_of(side_by_side) if line.startswith("| [")]
    tables = sum(line.startswith("| kind |") for line in lines_of(side_by_side))
    for kind in kinds:
        row = re.compile(rf"\| \[{kind}\]\({kind}\.md\) \|")
        if sum(bool(row.match(line)) for line in rows) != tables:
            faults.append(f"{side_by_side}:1: {kind} has not one row in each of the {tables} tables")
    for line in rows:
        if line[3:].partition("]")[0] not in kinds:
            faults.append(f"{side_by_side}:1: a row for {line[3:].partition(']')[0]}, which is no kind")


def check_index():
    """Whoever looks for a document finds it: each stands in the index of its folder."""
    for index in ("docs/README.md", "docs/setup/README.md", "docs/adapters/README.md"):
        folder = os.path.dirname(index)
        linked = {target.partition("#")[0] for line in lines_of(index) for target in LINK.findall(line)}
        for name in sorted(os.listdir(os.path.join(ROOT, folder))):
            if name.endswith(".md") and name != "README.md" and name not in linked:
                faults.append(f"{index}:1: {name} is not in it")


if INSTALLED:
    documents = [file for file in files() if file.endswith(".md")]
    for file in documents:
        check_links(file)
    if not documents:
        faults.append(f"{ROOT}: no documents are there")
else:
    for owed in OWED:
        if not os.path.exists(os.path.join(ROOT, owed)):
            faults.append(f"{owed}:1: is missing")
    for file in files():
        if file.endswith(".md"):
            check_links(file)
        check_named(file)
    check_kinds()
    check_index()

print("\n".join(faults) if faults else "clean")
sys.exit(1 if faults else 0)
