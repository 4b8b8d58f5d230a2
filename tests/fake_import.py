#!/usr/bin/env python3
"""A stand-in for cc:Mail's IMPORT, of which none is at hand: reads every import file of the folder it runs in.

Takes a file by writing its subject into the ledger and then deleting it, as the real one is said to do. Recipients
with these names make it behave badly: "gone" is given back in a .und file, "stuck" stays with code 1, "hang" stays
and the program never ends, "crash" stays and the program kills itself. While a file LEDGER.code exists it reads nothing
and ends with the code in it, as one does that finds no post office.

Usage: fake_import.py LEDGER
"""

import os
import re
import signal
import sys
import threading


def names(text):
    header = text.split("Contents:\r\n", 1)[0]
    return [name.strip().lower().split(" at ")[0] for name in re.findall(r"^(?:To|cc|Bcc): (.*)\r$", header, re.M)]


def main():
    code = 0
    if os.path.exists(sys.argv[1] + ".code"):
        with open(sys.argv[1] + ".code", encoding="utf-8") as file:
            return int(file.read())
    for name in sorted(os.listdir(".")):
        if not name.lower().endswith(".ccm"):
            continue
        with open(name, "rb") as file:
            text = file.read().decode("cp850")
        subject = re.search(r"^Subject: (.*)\r$", text, re.M).group(1)
        to = names(text)
        if "stuck" in to:
            print("Disk error in creating message item")
            code = 1
            continue
        if "hang" in to:
            threading.Event().wait()
        if "crash" in to:
            os.kill(os.getpid(), signal.SIGKILL)
        if "gone" in to:
            stem = name.rsplit(".", 1)[0].upper()
            with open(stem + ".UND", "w", encoding="cp850", newline="") as file:
                file.write(f"*** User not found: gone at PO1 ***\r\n{text}")
            code = 5
        with open(sys.argv[1], "a", encoding="utf-8") as ledger:
            ledger.write(subject + "\n")
        os.unlink(name)
    return code


if __name__ == "__main__":
    sys.exit(main())
