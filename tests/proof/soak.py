#!/usr/bin/env python3
"""R19: hours of everything at once, at a steady rate, with flat memory, descriptors and database.

Mail comes by SMTP for three adapters whose consumers take it, and for one that refuses, so that reports are written; operators list,
hold and release by the command, HTTP is read and scraped, operators log on to the chat, ask and leave, one stays; the configuration is
read again now and then. Each mail is taken once. Whatever grows is found by comparing the second half with the end of the first: memory,
descriptors, threads, the database and its log.

Usage: soak.py BUILD_FOLDER [--minutes N] [--rate MAILS_A_SECOND] [--leaky N] [--sanitized]
--sanitized: it is a build with sanitizers. What they find counts, leaks at the end too; that memory grows does not, as AddressSanitizer
keeps every stack from which memory was ever asked for.
--leaky N: the control: N more connections are held open each second, and that must be found.
"""

import argparse
import http.client
import os
import random
import re
import smtplib
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
from gateway import Gateway, Ledger  # noqa: E402
from irc_client import IrcClient  # noqa: E402

PASSWORD = "long enough 1"
KINDS = {"drop": "legacy.example", "mbox": "box.example", "maildir": "dir.example"}
REFUSING = "never.example"
# What may be added between the first half and the end of the second: the allocator's and the kernel's unrest. What fills up at first
# (caches, the time that exported mail is kept) is full after some minutes.
FULL_AFTER = 20  # minutes
FILL_AT_FIRST = ("memory", "database", "log")
MAY_GROW = {"memory": 4096, "descriptors": 4, "threads": 0, "database": 512, "log": 16 << 10}  # kB, count, count, kB, kB


def configuration(folder):
    adapters = ""
    for kind, domain in KINDS.items():
        if kind == "drop":
            continue
        adapters += f'[[route]]\nrecipient = "*@{domain}"\nadapter = "{kind}"\n[adapter.{kind}]\nkind = "{kind}"\nfolder = "{folder}/{kind}"\n'
    # The consumer honours the dotlock and never dies with it: so nothing need ever be in doubt, also when a clock makes its lock look old.
    adapters = adapters.replace('kind = "mbox"\n', 'kind = "mbox"\nlocks = "dotlock"\nstale_lock = "0s"\n')
    return adapters + f"""[[route]]
recipient = "*@{REFUSING}"
adapter = "refusing"
[adapter.refusing]
kind = "pipe"
folder = "{folder}/refusing"
command = ["/bin/sh", "-c", "exit 67"]
[[route]]
recipient = "*@example.org"
adapter = "drop-reports"
[adapter.drop-reports]
kind = "drop"
folder = "{folder}/reports"
"""


class Worker:
    """Does one thing again and again until the end, or until something goes wrong, which is kept."""

    def __init__(self, name, every, work):
        self.name, self.every, self.work = name, every, work
        self.ended, self.problem = threading.Event(), ""
        self.thread = threading.Thread(target=self.run, daemon=True)  # a suite that fails must end, and not wait for it
        self.thread.start()

    def run(self):
        while not self.ended.wait(self.every) and not self.problem:
            try:
                self.work()
            except Exception as error:  # pylint: disable=broad-except
                self.problem = f"{self.name}: {type(error).__name__}: {error}"

    def stop(self):
        self.ended.set()
        self.thread.join()
        return [self.problem] if self.problem else []


class House:
    def __init__(self, build):
        self.gateway = Gateway(build, 'retention = "20s"\n[http]\naddress = "127.0.0.1:0"\nanonymous = "look"\n[chat]\naddress = "127.0.0.1:0"\n')
        with open(self.gateway.config, "a", encoding="utf-8") as file:
            file.write(configuration(self.gateway.folder))
        self.ledger, self.boxes = Ledger(), Ledger("mbox")
        self.boxes.accepted, self.boxes.attempted, self.boxes.arrived = self.ledger.accepted, self.ledger.attempted, self.ledger.arrived
        self.serial = self.refused = self.reports = self.released = self.taken = 0
        self.chance = random.Random(1)
        self.resident = None

    def start(self):
        self.gateway.start()
        found = re.search(r"listener\.opened listener=http address=\S+:(\d+)", "\n".join(self.gateway.log))
        self.http_port = int(found.group(1))
        self.postern("account", "add", "olaf", "--role", "operator", given=PASSWORD.encode() + b"\n")

    def postern(self, *words, given=b""):
        done = subprocess.run([self.gateway.postern, "--config", self.gateway.config, *words], input=given, capture_output=True, timeout=120)
        if done.returncode not in (0, 65):  # 65: an item went on before it was reached
            raise RuntimeError(f"{words}: {done.returncode} {done.stderr.decode()[-200:]}")
        return done.stdout.decode()

    def send(self):
        """A mail of some size; one in twenty can not be delivered."""
        self.serial += 1
        serial, domain = self.serial, self.chance.choice([*KINDS.values()] * 6 + [REFUSING])
        size = self.chance.choice((0, 0, 0, 2000, 2000, 20_000, 200_000))
        body = f"X-Serial: {serial}\r\nSubject: serial {serial}\r\n\r\nbody {serial}\r\n" + ("x" * 70 + "\r\n") * (size // 72)
        if domain != REFUSING:
            self.ledger.attempted.add(serial)
        with smtplib.SMTP("127.0.0.1", self.gateway.port, local_hostname="client.example.org", timeout=60) as client:
            client.sendmail("sender@example.org", [f"user@{domain}"], body)
        if domain == REFUSING:
            self.refused += 1
        else:
            self.ledger.accepted.add(serial)

    def take(self):
        self.ledger.take(self.gateway.out)
        self.boxes.take_mailbox(os.path.join(self.gateway.folder, "mbox", "inbox"))
        new = os.path.join(self.gateway.folder, "maildir", "new")
        if os.path.isdir(new):
            self.ledger.take(new)
        reports = os.path.join(self.gateway.folder, "reports")
        for name in [each for each in os.listdir(reports) if not each.startswith(".")] if os.path.isdir(reports) else []:
            os.unlink(os.path.join(reports, name))
            self.reports += 1
        self.forget()

    def forget(self):
        """Mail that arrived once long ago is not looked for again: the ledger must not grow for hours either. Who comes twice is kept."""
        floor = self.serial - 20_000
        for serial in [each for each, times in self.ledger.arrived.items() if each < floor and times == 1]:
            del self.ledger.arrived[serial]
            self.ledger.accepted.discard(serial)
            self.taken += 1

    def operate(self):
        """Something is held for a moment, and let go."""
        self.postern("adapter", "suspend", "mbox", "--reason", "the box is moved")
        self.postern("status")
        waiting = self.postern("queue", "list", "--json", "--state", "ready")
        for item in re.findall(r'"id": ?(\d+)', waiting)[:2]:
            self.postern("queue", "hold", item)
            self.postern("queue", "release", item)
            self.released += 1
        self.postern("adapter", "resume", "mbox")

    def look(self):
        for path in ("/metrics", "/healthz", "/api/v1/items", "/"):
            link = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=60)
            link.request("GET", path)
            answer = link.getresponse()
            answer.read()
            if answer.status >= 500:
                raise RuntimeError(f"{path}: {answer.status}")
            link.close()

    def talk(self):
        with IrcClient(self.gateway.ports["chat"]) as client:
            client.log_on("olaf", PASSWORD, nick=f"olaf{self.chance.randrange(1000)}")
            client.join()
            client.ask("status", "running")
            client.say("QUIT :until soon")
            while client.line() is not None:
                client.heard.clear()

    def stay(self):
        """One who sits in the channel and reads."""
        if self.resident is None:
            self.resident = IrcClient(self.gateway.ports["chat"]).log_on("olaf", PASSWORD, nick="stays")
            self.resident.join()
        if self.resident.line() is None:
            raise RuntimeError("the chat ended who stays: " + str(self.resident.heard[-1:]))
        self.resident.heard.clear()

    def measure(self):
        base = f"/proc/{self.gateway.process.pid}"
        with open(base + "/status", encoding="utf-8") as file:
            status = dict(line.split(":", 1) for line in file)
        store = os.path.join(self.gateway.folder, "store", "postern.db")
        size = lambda path: os.stat(path).st_blocks // 2 if os.path.exists(path) else 0  # noqa: E731
        return {"memory": int(status["VmRSS"].split()[0]), "descriptors": len(os.listdir(base + "/fd")),
                "threads": int(status["Threads"]), "database": size(store), "log": size(store + "-wal")}

    def reload(self):
        self.postern("reload")

    def connect_and_stay(self, kept, count):
        for _ in range(count):
            kept.append(smtplib.SMTP("127.0.0.1", self.gateway.port, timeout=60))


def growth(samples, minutes):
    """By how much the last of it lies above what it came to in the first half, for what grew too far. The warm-up does not count."""
    warm = samples[len(samples) // 6:]
    before, after = warm[: len(warm) // 2], warm[len(warm) // 2:]
    late = after[len(after) // 2:]
    # Of each half the quietest moments: a peak of load is no growth, a floor that rises is.
    floor = lambda some, what: sorted(each[what] for each in some)[len(some) // 4]  # noqa: E731
    grown = {what: floor(late, what) - floor(before, what) for what in MAY_GROW}
    return grown, {what: by for what, by in grown.items() if by > MAY_GROW[what] and (minutes >= FULL_AFTER or what not in FILL_AT_FIRST)}


def soak(build, minutes, rate, leaky):
    house, problems, samples, kept = House(build), [], [], []
    try:
        house.start()
        workers = [Worker("mail", 1.0 / rate, house.send), Worker("consumers", 0.2, house.take), Worker("operator", 5.0, house.operate),
                   Worker("browser and scraper", 5.0, house.look), Worker("chat", 3.0, house.talk), Worker("reload", 60.0, house.reload)]
        stays = Worker("who stays in the chat", 0.0, house.stay)
        if leaky:
            workers.append(Worker("leak", 1.0, lambda: house.connect_and_stay(kept, leaky)))
        begun = told = time.monotonic()
        while time.monotonic() - begun < minutes * 60 and house.gateway.process.poll() is None:
            samples.append(house.measure())
            if time.monotonic() - told > 60:
                told = time.monotonic()
                print(f"{(told - begun) / 60:.0f} minutes, {house.serial} mails: {samples[-1]}", flush=True)
            threading.Event().wait(min(5.0, minutes * 60 / 60))
        for each in workers:
            problems += each.stop()
        running = house.gateway.process.poll() is None
        problems += [stays.problem] if stays.problem else []
        settled = running and house.gateway.wait_until_settled(120)
        house.take()
        if house.gateway.stop() != 0:
            problems.append("exit status " + str(house.gateway.process.returncode) + ": " + "\n".join(house.gateway.log[-20:]))
        stays.ended.set()
        stays.thread.join()  # its connection ended with the service
        house.take()
        if not settled:
            problems.append("not settled")
        if house.reports < house.refused:
            problems.append(f"{house.refused} mails could not be delivered, {house.reports} reports came")
        if not house.released:
            problems.append("nothing was ever held: no operator was at work")
        problems += house.ledger.verdict()
        if not leaky:
            problems += [line for line in house.gateway.log if re.search(r"^\S+ error |Sanitizer|runtime error", line)][:10]
    finally:
        for each in kept:
            each.close()
        house.gateway.close()
    return house, samples, problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--leaky", type=int, default=0)
    parser.add_argument("--sanitized", action="store_true")
    options = parser.parse_args()
    house, samples, problems = soak(options.build, options.minutes, options.rate, options.leaky)
    grown, too_far = growth(samples, options.minutes)
    if options.sanitized:
        too_far.pop("memory", None)
    if options.leaky:
        problems += [] if "descriptors" in too_far else ["connections that are never closed were not noticed"]
    else:
        problems += [f"{what} grew by {by}, at most {MAY_GROW[what]} are fine" for what, by in too_far.items()]
    for each in problems:
        print(f"FAILED: {each}")
    print(f"soak: {options.minutes:g} minutes, {house.serial} mails, {house.reports} reports, {house.released} held and let go; "
          + ", ".join(f"{what} {samples[-1][what]} ({by:+d})" for what, by in grown.items()) + f"; {len(problems)} wrong")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
