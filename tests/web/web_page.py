#!/usr/bin/env python3
"""The web page in headless Chromium, served by a real posternd. page.mjs does the clicking.

Usage: web_page.py BUILD_FOLDER      Screenshots go to BUILD_FOLDER/tests/web/. Ends with 77 without a browser.
"""

import contextlib
import os
import re
import shutil
import smtplib
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
from gateway import Gateway  # noqa: E402

SUBJECTS = ["Quarterly figures for the Hamburg office", "Re: spare parts for the 1987 press", "Grüße aus Köln",
            "<img src=x onerror=\"document.body.dataset.broken=1\">", "会議の議事録", "Invoice 2026-1187", "Minutes of the board meeting",
            "\u202eevil.exe reversed", "Fwd: Fwd: Fwd: holiday rota", "", "a very long subject " + "that goes on and on " * 12]
PEOPLE = ["anna.lind@example.org", "billing@supplier.example", "o.keeffe@example.net", "noreply@very-long-host-name.newsletters.example.com"]
PASSWORD = "correct horse 7"


def cli(gateway, *arguments, stdin=""):
    return subprocess.run([gateway.postern, "--config", gateway.config, *arguments], input=stdin.encode(), check=True,
                          capture_output=True, timeout=60).stdout.decode()


def send(gateway, to, serial):
    text = (f"From: Someone <{PEOPLE[serial % 4]}>\r\nTo: {', '.join(to)}\r\nSubject: {SUBJECTS[serial % len(SUBJECTS)]}\r\n"
            f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nMessage-ID: <{serial}@example.org>\r\n\r\n"
            f"Good morning,\r\n\r\nthis is mail {serial}: “quotes”, 10 €, <b>no markup</b>.\r\n\r\nRegards\r\nSomeone\r\n")
    with smtplib.SMTP("127.0.0.1", gateway.port, local_hostname="client.example.org", timeout=30) as client:
        client.ehlo()
        client.sendmail(PEOPLE[serial % 4], to, text.encode(), mail_options=["BODY=8BITMIME"])


def configuration(gateway):
    with open(gateway.config, "r+", encoding="utf-8") as file:
        text = file.read()
        file.seek(0)
        file.write(text + f"""
[http]
address = "127.0.0.1:0"
[[route]]
recipient = "*@box.example"
adapter = "box"
[adapter.box]
kind = "maildir"
folder = "{gateway.folder}/box"
[[route]]
recipient = "*@po.example"
adapter = "postoffice"
legacy = "{{local}} at PO1"
[adapter.postoffice]
kind = "ccmail"
folder = "{gateway.folder}/po"
""")


def http_port(gateway):
    for line in gateway.log:
        found = re.search(r"listener\.opened listener=http address=127\.0\.0\.1:(\d+)", line)
        if found:
            port = found.group(1)
    return port


def age_and_doubt(gateway):
    """While the service is down: mails get ages, and three of them an unknown fate."""
    now = int(time.time() * 1000)
    path = os.path.join(gateway.folder, "store", "postern.db")
    with contextlib.closing(sqlite3.connect(path, timeout=20)) as database, database:
        database.execute("UPDATE message SET received_ms = ? - (150 - id) * 61000", (now,))
        ids = [row[0] for row in database.execute("SELECT id FROM item WHERE state = 'ready' AND adapter = 'postoffice' ORDER BY id LIMIT 4")]
        for item in ids:
            database.execute("UPDATE item SET state = 'in_doubt', epoch = 1, staged_epoch = 1, evidence = 'msg0042.ccm', target = '\\\\PO1\\CCDATA\\IMPORT',"
                             " reason = 'the import program was cut off' WHERE id = ?", (item,))


def prepare(gateway):
    configuration(gateway)
    gateway.start()
    for name, role in (("anna", "operator"), ("vera", "viewer")):
        cli(gateway, "account", "add", name, "--role", role, stdin=PASSWORD + "\n")
    for serial in range(6):
        send(gateway, ["user@box.example"], serial)
    for adapter in ("out", "postoffice"):
        cli(gateway, "adapter", "suspend", adapter, "--reason", "the disk is being changed")
    for serial in range(130):
        send(gateway, [f"{name}@legacy.example" for name in ("user", "second")[:1 + serial % 2]], serial)
    for serial in range(12):
        send(gateway, ["Anna.Lind@po.example"], serial)
    gateway.wait_until_settled(0)
    gateway.stop()
    age_and_doubt(gateway)
    gateway.start()


def main():
    build = os.path.abspath(sys.argv[1])
    library = os.path.join(build, "..", "web", "node_modules", "playwright-core")
    chromium = shutil.which("chromium")
    if not shutil.which("node") or not chromium or not os.path.isdir(library):
        print("no node, chromium or playwright-core (tests/web/install.sh): skipped")
        return 77
    pictures = os.path.join(build, "tests", "web")
    os.makedirs(pictures, exist_ok=True)
    gateway = Gateway(build)
    try:
        prepare(gateway)
        return subprocess.run(["node", os.path.join(HERE, "page.mjs"), f"http://127.0.0.1:{http_port(gateway)}", library, chromium, pictures, PASSWORD],
                              timeout=240, check=False).returncode
    finally:
        gateway.close()


if __name__ == "__main__":
    sys.exit(main())
