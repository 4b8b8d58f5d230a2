#!/usr/bin/env python3
"""Two gateways with a folder between them: the pickup adapter of one writes what the pickup folder of the other
takes. Each mail arrives once, for the envelope's recipients and nobody else.

Usage: relay_by_folder.py BUILD_FOLDER
"""

import os
import re
import smtplib
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
from gateway import Gateway, breathe  # noqa: E402

MAILS = 25


def send(gateway, number):
    recipients = [f"user{number}@legacy.example", f"hidden{number}@legacy.example"]
    with smtplib.SMTP("127.0.0.1", gateway.port, timeout=20) as client:
        client.sendmail("alice@example.org", recipients,
                        f"From: alice@example.org\r\nTo: user{number}@legacy.example, eve@legacy.example\r\n"
                        f"X-Receiver: eve@legacy.example\r\nSubject: serial {number}\r\n\r\n.\r\nbody {number}")


def arrived(folder):
    """(serial, sorted receivers) of each file of the second gateway's drop folder."""
    found = []
    for name in os.listdir(folder):
        if name.startswith("."):
            continue
        with open(os.path.join(folder, name), "rb") as file:
            text = file.read().decode()
        serial = int(re.search(r"^Subject: serial (\d+)", text, re.M).group(1))
        assert f"\r\n.\r\nbody {serial}" in text, text
        head = text.split("\r\nReceived:", 1)[0]
        found.append((serial, tuple(sorted(re.findall(r"^X-Receiver: (\S+)", head, re.M)))))
    return sorted(found)


def relay(build, mode):
    first = second = None
    try:
        second = Gateway(build)
        folder = os.path.join(second.folder, "pickup")
        with open(second.config, "a", encoding="utf-8") as file:
            file.write(f'[[pickup]]\nfolder = "{folder}"\ninterval = "100ms"\nsettle = "0s"\n')
        first = Gateway(build, kind="pickup", adapters=f'mode = "{mode}"')
        with open(first.config, encoding="utf-8") as file:
            text = file.read().replace(f'folder = "{first.out}"', f'folder = "{folder}"\nstage = "{second.folder}/stage"')
        with open(first.config, "w", encoding="utf-8") as file:
            file.write(text)
        first.start()
        second.start()
        for number in range(MAILS):
            send(first, number)
        wanted = sorted((n, tuple(sorted((f"user{n}@legacy.example", f"hidden{n}@legacy.example")))) for n in range(MAILS))
        deadline = time.monotonic() + 60
        while len(arrived(second.out)) < MAILS and time.monotonic() < deadline:
            breathe()
        assert first.stop() == 0 and second.stop() == 0
        assert arrived(second.out) == wanted, arrived(second.out)
        assert set(first.states()) == {"exported"}, first.states()
        assert not [name for name in os.listdir(folder) if name.endswith(".eml")], os.listdir(folder)
    finally:
        for gateway in (first, second):
            if gateway:
                gateway.close()


def main():
    failed = 0
    for mode in ("replay", "pickup"):
        try:
            relay(sys.argv[1], mode)
            print(f"ok {mode}", flush=True)
        except (AssertionError, RuntimeError, OSError) as error:
            failed += 1
            print(f"FAILED {mode}: {error}", flush=True)
    print(f"{2 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
