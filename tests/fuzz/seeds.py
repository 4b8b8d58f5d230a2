#!/usr/bin/env python3
"""Makes the first corpora out of the dialogues and the configurations that the unit tests keep.

Usage: seeds.py TESTS_FOLDER OUT_FOLDER
"""

import os
import re
import shutil
import sys


def unescape(text):
    text = re.sub(r"\{(\d+)\*([^}]*)\}", lambda found: found.group(2) * min(int(found.group(1)), 3000), text)
    names = {"r": "\r", "n": "\n", "0": "\0", "t": "\t", "\\": "\\"}
    text = re.sub(r"\\x([0-9a-fA-F]{2})", lambda found: chr(int(found.group(1), 16)), text)
    return re.sub(r"\\([rn0t\\])", lambda found: names[found.group(1)], text)


def client_bytes(path):
    """What the client of a dialogue says, behind the byte that chooses the listener."""
    out = "\x00"
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            if line.startswith("protocol: lmtp"):
                out = "\x01"
            elif line.startswith(("C: ", "C+ ")):
                out += unescape(line[3:]) + "\r\n"
            elif line.startswith("C= "):
                out += unescape(line[3:])
    return out.encode("utf-8", "surrogatepass")


def main():
    tests, out = sys.argv[1:]
    shutil.rmtree(out, ignore_errors=True)
    for name in ("intake", "config"):
        os.makedirs(os.path.join(out, name))
    dialogues = os.path.join(tests, "unit/intake/dialogues")
    for name in sorted(os.listdir(dialogues)):
        if name.endswith(".txt"):
            with open(os.path.join(out, "intake", name), "wb") as file:
                file.write(client_bytes(os.path.join(dialogues, name)))
    for folder, _, names in os.walk(os.path.join(tests, "unit/config/broken")):
        for name in names:
            if name.endswith(".toml"):
                shutil.copy(os.path.join(folder, name), os.path.join(out, "config", f"{os.path.basename(folder)}-{name}"))
    shutil.copy(os.path.join(tests, "../packaging/config/postern.toml"), os.path.join(out, "config", "example.toml"))


main()
