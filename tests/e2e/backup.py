#!/usr/bin/env python3
"""Backup and restore from outside: while mail flows, onto another place, killed in the middle, and on damaged files.

Each function named test_* is one test. Usage: backup.py BUILD_FOLDER [TEST ...]
"""

import contextlib
import glob
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
import kill_sweep  # noqa: E402
import service_life  # noqa: E402
from gateway import Gateway, Ledger, breathe  # noqa: E402
from service_life import check, cli, submit  # noqa: E402

BUILD = ""
LARGE = 200_000  # bytes: such a body stands in a file
JUMP = 10_000_000
KILLED = -9


@contextlib.contextmanager
def gateway(running=True, adapters=""):
    made = Gateway(BUILD, adapters=adapters)
    try:
        if running:
            made.start()
        yield made
    finally:
        made.close()


def postern(at, *arguments):
    done = subprocess.run([at.postern, "--config", at.config, *arguments], capture_output=True, timeout=120)
    return done.returncode, (done.stdout + done.stderr).decode()


def database(path):
    return contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20))


def store_file(at):
    return os.path.join(at.folder, "store", "postern.db")


def serials_in(path):
    """Serial number to state, of every mail of a backup; each must be there with all its bytes."""
    found = {}
    with database(path) as opened:
        rows = opened.execute("SELECT m.size, m.body_file, b.bytes, i.state FROM message m JOIN item i ON i.message_id = m.id"
                              " LEFT JOIN body b ON b.message_id = m.id")
        for size, file, body, state in rows:
            check(file is None and body is not None and len(body) == size, f"no whole body: {size} {file}")
            found[int(re.search(rb"X-Serial: (\d+)", body).group(1))] = state
    return found


def highest_item(path):
    with database(path) as opened:
        return opened.execute("SELECT max(id) FROM item").fetchone()[0]


def feed(at, ledger, serials):
    for serial in serials:
        ledger.send(at.port, serial, size=LARGE if serial % 3 == 0 else 100)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def test_a_backup_while_mail_flows_is_whole_and_restored_elsewhere_sends_each_once():
    with gateway() as old, gateway(running=False) as new:
        ledger = Ledger()
        feed(old, ledger, range(1, 11))
        check(old.wait_until_settled(), "not settled")
        cli(old, "adapter", "suspend", "out", "--reason", "test")
        feed(old, ledger, range(11, 31))
        stop = threading.Event()

        def flow(first):
            for serial in range(first, first + 500):
                if stop.is_set():
                    return
                ledger.send(old.port, serial, size=LARGE if serial % 3 == 0 else 100)

        senders = [threading.Thread(target=flow, args=(1000 * (i + 1),)) for i in range(3)]
        for sender in senders:
            sender.start()
        before = set(ledger.accepted)
        file = os.path.join(old.folder, "whole.backup")
        said = cli(old, "db", "backup", file)
        stop.set()
        for sender in senders:
            sender.join()
        held = serials_in(file)
        check(before <= set(held), f"missing: {sorted(before - set(held))}")
        check(set(held) <= ledger.attempted, "mail that was never sent")
        check(f"backup\tmessages\t{len(held)}\n" in said, said)
        check(os.stat(file).st_mode & 0o777 == 0o600, "others can read it")
        check([name for name in os.listdir(old.folder) if "partial" in name] == [], os.listdir(old.folder))
        check(cli(new, "db", "restore", file).startswith("restored\tfile"), "what it said")
        cli(new, "db", "check")
        new.start()
        waiting = {serial for serial, state in held.items() if state != "exported"}
        check(new.states() == {"exported": 10, "held": len(waiting)}, new.states())
        with database(store_file(new)) as opened:
            reasons = {row[0] for row in opened.execute("SELECT DISTINCT reason FROM item WHERE state = 'held'")}
        check(len(reasons) == 1 and reasons.pop().startswith("restored from a backup of 20"), reasons)
        cli(new, "adapter", "resume", "out")
        check(os.listdir(new.out) == [".postern-out"] or not service_life.files_in(new.out), "something went out by itself")
        cli(new, "queue", "release", "--state", "held")
        check(new.wait_until_settled() and new.states() == {"exported": len(held)}, new.states())
        arrived = Ledger()
        arrived.take(new.out)
        check(arrived.arrived == {serial: 1 for serial in waiting}, "not each once")


def test_restored_in_its_place_gives_no_number_again_and_loses_nothing():
    with gateway() as site:
        ledger = Ledger()
        cli(site, "adapter", "suspend", "out", "--reason", "test")
        feed(site, ledger, range(1, 6))
        file = os.path.join(site.folder, "a.backup")
        cli(site, "db", "backup", file)
        first = digest(file)
        cli(site, "db", "backup", file, status=73)
        check(digest(file) == first, "written over")
        feed(site, ledger, range(6, 13))
        last = highest_item(store_file(site))
        check("the service runs" in postern(site, "db", "restore", file)[1], "restored under a service")
        cli(site, "db", "restore", file, status=75)
        cli(site, "db", "vacuum", status=75)
        site.stop()
        status, said = postern(site, "db", "restore", file)
        check(status == 73 and "--force" in said, said)
        cli(site, "db", "restore", file, "--force")
        aside = glob.glob(os.path.join(site.folder, "store", "before-restore-*"))
        check(len(aside) == 1, aside)
        check(highest_item(os.path.join(aside[0], "postern.db")) == last, "the old store is not aside")
        site.start()
        check(site.states() == {"held": 5}, site.states())
        submit(site, ["u@legacy.example"], "X-Serial: 99\r\nSubject: serial 99\r\n\r\nbody 99\r\n")
        check(highest_item(store_file(site)) > max(JUMP, last), "a number was given again")
        cli(site, "adapter", "resume", "out")
        cli(site, "queue", "release", "--state", "held")
        check(site.wait_until_settled() and site.states() == {"exported": 6}, site.states())
        ledger.attempted.add(99)
        ledger.accepted = set(range(1, 6)) | {99}
        ledger.take(site.out)
        check(not ledger.verdict(), ledger.verdict())
        site.stop()
        check("given_back" in cli(site, "db", "vacuum"), "what vacuum said")
        cli(site, "db", "check")


def cut_off_in_publishing(site, ledger):
    """The service dies as a watcher enters the rename that publishes, and not one of its look at the folders."""
    site.log.clear()
    site.start()
    deadline = time.monotonic() + 20
    while not any(" adapter.ready " in line for line in site.log):
        check(time.monotonic() < deadline, "its adapter does not get ready")
        breathe()
    tracers = [kill_sweep.Tracer(thread, ["-e", "trace=renameat2", "-e", "inject=renameat2:signal=KILL:when=1"])
               for thread in kill_sweep.thread_ids(site, "watch:out")]
    ledger.send(site.port, 2)
    check(site.wait_for_end(30) is not None, "it lives")
    for tracer in tracers:
        tracer.finish()


def test_what_was_being_published_is_asked_about():
    with gateway(adapters="watchers = 1") as site:  # the one that the tracer sits at
        ledger = Ledger()
        ledger.send(site.port, 1)
        check(site.wait_until_settled(), "not settled")
        site.stop()
        cut_off_in_publishing(site, ledger)
        before = site.states()
        check(before["publishing"] == 1, before)
        file = os.path.join(site.folder, "a.backup")
        cli(site, "db", "backup", file)
        said = cli(site, "db", "restore", file, "--force")
        check("restored\tpublishing\t1\n" in said, said)
        site.start()
        check(site.wait_until_settled(), "not settled")
        # Not published, says the staged file; but the lost store may have tried again, so a person decides.
        check(site.states() == {"exported": before["exported"], "held": sum(before.values()) - before["exported"]}, site.states())
        with database(store_file(site)) as opened:
            reasons = [row[0] for row in opened.execute("SELECT reason FROM item WHERE state = 'held'")]
        check(all(reason.startswith("restored from a backup") for reason in reasons), reasons)
        check(any("found not published" in reason for reason in reasons), reasons)
        cli(site, "queue", "release", "--state", "held")
        check(site.wait_until_settled(), "not settled")
        ledger.take(site.out)
        check(not ledger.verdict(), ledger.verdict())


def killed_at(at, calls, number, *arguments):
    """Runs a command and kills it before its call `number` of `calls`; False when it ended before."""
    done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={calls}:signal=KILL:when={number}",
                           at.postern, "--config", at.config, *arguments], capture_output=True, timeout=120)
    return done.returncode in (KILLED, 128 + 9)


def test_kill_9_in_a_backup_leaves_none_of_its_name():
    with gateway() as site:
        feed(site, Ledger(), range(1, 7))
        check(site.wait_until_settled(), "not settled")
        kills = 0
        for calls, numbers in (("pwrite64", (1, 2, 5, 9, 14)), ("fsync,fdatasync", (1, 2)), ("renameat2", (1,)), ("openat", (30, 45, 60))):
            for number in numbers:
                file = os.path.join(site.folder, f"{calls[:4]}-{number}.backup")
                killed = killed_at(site, calls, number, "db", "backup", file)
                kills += killed
                # The last sync is of the folder: the name is there, and what has it is whole.
                if os.path.exists(file):
                    check(len(serials_in(file)) == 6, "half a backup")
                else:
                    check(killed, "no backup, and nobody killed it")
        check(kills >= 6, f"only {kills} were killed")
        cli(site, "db", "backup", os.path.join(site.folder, "after.backup"))


def mails(path):
    with database(path) as opened:
        return opened.execute("SELECT count(*) FROM message").fetchone()[0]


def test_kill_9_in_a_restore_leaves_the_old_store_the_new_one_or_none_that_starts():
    with gateway() as site:
        cli(site, "adapter", "suspend", "out", "--reason", "test")
        feed(site, Ledger(), range(1, 4))
        file = os.path.join(site.folder, "a.backup")
        cli(site, "db", "backup", file)
        feed(site, Ledger(), range(4, 9))
        site.stop()
        keep = os.path.join(site.folder, "keep")
        store = os.path.join(site.folder, "store")
        shutil.copytree(store, keep)
        outcomes = set()
        for calls, numbers in (("renameat2", range(1, 7)), ("renameat", range(1, 5)), ("fsync,fdatasync", range(1, 24, 3)), ("unlink", (1, 3))):
            for number in numbers:
                shutil.rmtree(store)
                shutil.copytree(keep, store)
                if not killed_at(site, calls, number, "db", "restore", file, "--force"):
                    continue
                if os.path.exists(store_file(site)):
                    count = mails(store_file(site))
                    check(count in (3, 8), f"{calls} {number}: {count} mails")
                    outcomes.add({3: "new", 8: "old"}[count])
                else:
                    outcomes.add("none")
                    status = subprocess.run([site.posternd, "--config", site.config], capture_output=True, timeout=30)
                    check(status.returncode != 0 and b"postern.db is missing" in status.stderr, status.stderr)
                if outcomes and not (os.path.exists(store_file(site)) and mails(store_file(site)) == 8):
                    aside = glob.glob(os.path.join(store, "before-restore*", "postern.db"))
                    check(sum(mails(each) == 8 for each in aside) == 1, f"{calls} {number}: the old store is gone")
                cli(site, "db", "restore", file, "--force")
                check(mails(store_file(site)) == 3, "the second try")
                check(not glob.glob(os.path.join(store, ".restore-*")), "a leftover")
        check(outcomes == {"old", "none", "new"} or outcomes == {"old", "none"}, outcomes)
        cli(site, "db", "check")
        site.start()
        check(site.states() == {"held": 3}, site.states())


def damages():
    """Name, what a database becomes, a word that every refusal has, and the service's exit status."""
    def flipped(path):
        with open(path, "r+b") as file:
            size = os.path.getsize(path)
            for page in range(2, size // 4096, 2):
                file.seek(page * 4096)
                file.write(os.urandom(64))

    def truncated(path):
        os.truncate(path, os.path.getsize(path) // 2 // 4096 * 4096 + 100)

    def empty(path):
        os.truncate(path, 0)

    def foreign(path):
        os.unlink(path)
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE t (x)")
            other.commit()

    def text(path):
        with open(path, "wb") as file:
            file.write(b"this is no database\n" * 100)

    def newer(path):
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA user_version = 999")
            other.commit()

    return (("flipped pages", flipped, "damaged", 74), ("truncated", truncated, "damaged", 74), ("empty", empty, "empty", 74),
            ("another program's", foreign, "another program", 78), ("no database", text, "not a database", 74),
            ("newer", newer, "newer Postern", 78))


def test_damage_is_explained_and_nothing_is_touched():
    with gateway() as site:
        feed(site, Ledger(), range(1, 8))
        check(site.wait_until_settled(), "not settled")
        file = os.path.join(site.folder, "a.backup")
        cli(site, "db", "backup", file)
        site.stop()
        whole = store_file(site)
        keep = os.path.join(site.folder, "keep.db")
        shutil.copy(whole, keep)
        for name, harm, word, exit_status in damages():
            bad = os.path.join(site.folder, "bad.backup")
            shutil.copy(file, bad)
            harm(bad)
            before = digest(bad), digest(whole)
            status, said = postern(site, "db", "restore", bad, "--force")
            check(status != 0 and word in said, f"restore, {name}: {status} {said}")
            check((digest(bad), digest(whole)) == before, f"restore, {name}: something was changed")
            shutil.copy(keep, whole)
            harm(whole)
            before = digest(whole)
            started = subprocess.run([site.posternd, "--config", site.config], capture_output=True, timeout=60)
            check(started.returncode == exit_status and word.encode() in started.stderr, f"start, {name}: {started.returncode} {started.stderr}")
            status, said = postern(site, "db", "check")
            check(status != 0 and said, f"check, {name}: {status} {said}")
            status, said = postern(site, "db", "backup", os.path.join(site.folder, "never.backup"))
            check(status != 0 and not os.path.exists(os.path.join(site.folder, "never.backup")), f"backup, {name}: {status} {said}")
            check(digest(whole) == before, f"{name}: the store's file was changed")
            shutil.copy(keep, whole)
        breathe()
        status, said = postern(site, "db", "restore", keep)
        check(status == 65 and "no backup made by postern db backup" in said, said)


def files_of(folder):
    """Every file with its bytes, or where it leads; but the lock, in which each holder writes its number."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if name == "lock":
                continue
            found[path] = os.readlink(path) if os.path.islink(path) else digest(path)
    return found


def parts_missing():
    """Name, what becomes of the store's folder, a word of the refusal."""
    def without(*names):
        def harm(store):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(store, name))
        return harm

    def renamed(store):
        with open(os.path.join(store, "store.id"), "w", encoding="utf-8") as file:
            file.write("somebodyelse\n")

    def linked(store):
        os.rename(os.path.join(store, "postern.db"), os.path.join(store, "elsewhere.db"))
        os.symlink(os.path.join(store, "elsewhere.db"), os.path.join(store, "postern.db"))

    return (("no database", without("postern.db"), "postern.db is missing"), ("no store.id", without("store.id"), "store.id is missing"),
            ("another store.id", renamed, "names another store, somebodyelse"), ("a link", linked, "no regular file"),
            ("bodies only", without("postern.db", "postern.db-wal", "postern.db-shm", "store.id"), "bodies of mail are there"))


def traces_of_a_look(store):
    """Whoever reads the database leaves the log's index, and a log in which nothing stands."""
    log = os.path.join(store, "postern.db-wal")
    return {"postern.db-shm", "postern.db-wal"} if os.path.exists(log) and os.path.getsize(log) == 0 else set()


def test_a_store_with_a_part_missing_is_refused_and_left_byte_for_byte():
    with gateway() as site:
        check(Ledger().send(site.port, 1, size=LARGE), "refused")
        check(site.wait_until_settled(), "not settled")
        site.stop()
        store = os.path.dirname(store_file(site))
        shutil.copytree(store, store + ".whole", symlinks=True)
        for name, harm, word in parts_missing():
            harm(store)
            before = files_of(store)
            check(any(".eml" in path for path in before), "no body stands in a file")
            started = subprocess.run([site.posternd, "--config", site.config], capture_output=True, timeout=60)
            check(started.returncode == 78 and word.encode() in started.stderr, f"{name}: {started.returncode} {started.stderr}")
            after = files_of(store)
            check(all(after.get(path) == before[path] for path in before), f"{name}: a file was changed")
            check({os.path.basename(path) for path in after.keys() - before.keys()} <= traces_of_a_look(store), f"{name}: {after.keys()}")
            shutil.rmtree(store)
            shutil.copytree(store + ".whole", store, symlinks=True)
        site.start()
        check(site.stop() == 0, "the whole one")


def main():
    global BUILD
    BUILD = sys.argv[1]
    service_life.BUILD = BUILD
    return service_life.run({name: test for name, test in globals().items() if name.startswith("test_")}, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
