#!/usr/bin/env python3
"""Counts what a ctest run came to, case by case: "PASSED FAILED SKIPPED" on one line.

Usage: count_results.py [--left-out] JUNIT_FILE    (from ctest --output-junit)

A GoogleTest program counts with its cases, a script that closes with "N passed, N failed" with those, anything
else as one. A program that ended badly counts one failure more than it reported, when it reported none. Failures
are named on standard error.

With --left-out: what was skipped instead, "NAME: REASON", a line each. It needs a run without GTEST_BRIEF."""

import re
import sys
import xml.etree.ElementTree

CLOSING = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$", re.MULTILINE)
GTEST = {word: re.compile(rf"^\[  {word} *\] (\d+) tests?[.,]", re.MULTILINE)
         for word in ("PASSED", "FAILED", "SKIPPED")}


def last(pattern, text):
    found = pattern.findall(text)
    return int(found[-1]) if found else 0


def reported(text):
    """(passed, failed, skipped) as the program itself says, or None when it does not."""
    if GTEST["PASSED"].search(text) or GTEST["FAILED"].search(text):
        skipped = last(GTEST["SKIPPED"], text)
        return last(GTEST["PASSED"], text), last(GTEST["FAILED"], text), skipped
    closing = CLOSING.findall(text)
    if closing:
        return tuple(int(number or 0) for number in closing[-1])
    return None


def count(case):
    output = case.findtext("system-out") or ""
    status = case.get("status")
    if status in ("notrun", "disabled") or case.find("skipped") is not None:
        return 0, 0, 1
    good = status == "run" and case.find("failure") is None
    passed, failed, skipped = reported(output) or (int(good), int(not good), 0)
    if not good and failed == 0:
        failed = 1
    if failed:
        print(f"failed: {case.get('name')} ({failed})", file=sys.stderr)
    return passed, failed, skipped


# GoogleTest says the reason first and the name behind it; our scripts have both on one line.
SKIPPED = re.compile(r"^\S*: Skipped\n(?P<reason>[^\n]*)\n(?:(?!\[).*\n)*?\[  SKIPPED \] (?P<name>\S+) \(|"
                     r"^skipped  (?P<script>[^\n:]+): (?P<why>[^\n]*)", re.MULTILINE)


def left_out(case):
    for found in SKIPPED.finditer((case.findtext("system-out") or "").replace("\r", "")):
        yield f"{found['name'] or case.get('name') + '.' + found['script']}: {found['reason'] or found['why']}"


def main():
    root = xml.etree.ElementTree.parse(sys.argv[-1]).getroot()
    if sys.argv[1] == "--left-out":
        for case in root.iter("testcase"):
            for line in left_out(case):
                print(line)
        return
    counts = [count(case) for case in root.iter("testcase")]
    print(*(sum(column) for column in zip(*counts)) if counts else (0, 0, 0))


main()
