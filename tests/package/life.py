"""The package's life on a machine: installed, used, upgraded with mail waiting, removed, purged. The tests follow on each other.

No service manager runs in there: what its unit says is done by hand, by the user it names.
"""

import contextlib
import functools
import os
import re
import shutil
import smtplib
import sqlite3

import making
from gateway import Gateway, Ledger
from machine import Machine
from making import ROOT, check, run
from service_life import files_in, read

OLD_VERSION = "0.0.9-1"
CONFIG = "/etc/postern/postern.toml"
WAITING = range(101, 107)
LARGE = 200_000  # bytes: such a body stands in a file
# What an administrator adds to the first configuration.
ADDED = """
[adapter.out]
kind = "drop"
folder = "/var/spool/postern/out"
[[route]]
recipient = "*@legacy.example"
adapter = "out"
[adapter.command]
kind = "pipe"
folder = "/var/spool/postern/command"
command = ["/usr/bin/tee", "/var/spool/postern/piped"]
[[route]]
recipient = "*@command.example"
adapter = "command"
"""


class Installed(Gateway):
    """The installed service, started as its unit says."""

    def __init__(self, machine):  # pylint: disable=super-init-not-called
        self.machine = machine
        with open(machine.path("/usr/lib/systemd/system/postern.service"), encoding="utf-8") as file:
            unit = file.read()
        words = re.search(r"^ExecStart=(.+)$", unit, re.MULTILINE).group(1).split()
        self.user = re.search(r"^User=(.+)$", unit, re.MULTILINE).group(1)
        check(len(words) == 3 and words[1] == "--config", f"ExecStart={words}")
        self.posternd, _, self.config = words
        self.process = self.port = None
        self.ports, self.log = {}, []

    def start(self, wrapper=()):
        super().start([*wrapper, *self.machine.command(user=self.user)])

    def states(self):
        with contextlib.closing(sqlite3.connect(f"file:{store('postern.db')}?mode=ro", uri=True, timeout=20)) as database:
            return dict(database.execute("SELECT state, count(*) FROM item GROUP BY state"))

    def cli(self, *words):
        return self.machine.run("postern", *words, user=self.user)


live = {}


def stage(work):
    """Done once; when it fails it is not tried again, and what builds on it fails with it."""
    came = []

    @functools.wraps(work)
    def reach():
        if not came:
            try:
                came.append((work(), None))
            except Exception as error:
                came.append((None, error))
                raise
        result, error = came[0]
        if isinstance(error, making.Skipped):
            raise making.Skipped(str(error))
        check(error is None, f"{work.__name__}() failed before")
        return result

    return reach


@stage
def machine():
    cache = os.path.join(making.state["build"], "package-cache")
    os.makedirs(cache, exist_ok=True)
    live["machine"] = Machine(cache, making.state["work"])
    return live["machine"]


def end():
    """Nothing of it stays."""
    if "service" in live:
        live["service"].kill()
    if "machine" in live:
        live["machine"].close()


@contextlib.contextmanager
def service():
    made = live["service"] = Installed(machine())
    try:
        made.start()
        yield made
        check(made.stop() == 0, "it did not stop well:\n" + "\n".join(made.log[-20:]))
    finally:
        made.kill()


def store(*names):
    return machine().path("/var/lib/postern", *names)


def out():
    return machine().path("/var/spool/postern/out")


def put_inside(package):
    shutil.copy(package, machine().path("/srv"))
    return "/srv/" + os.path.basename(package)


@stage
def old_package():
    """The same with an older number: what an upgrade does is the new package's doing."""
    folder = os.path.join(making.state["work"], "old")
    run("dpkg-deb", "--raw-extract", making.package(), folder)
    control = os.path.join(folder, "DEBIAN", "control")
    with open(control, encoding="utf-8") as file:
        text = file.read()
    with open(control, "w", encoding="utf-8") as file:
        file.write(re.sub(r"^Version: .*$", f"Version: {OLD_VERSION}", text, flags=re.MULTILINE))
    path = os.path.join(making.state["work"], f"postern_{OLD_VERSION}.deb")
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", folder, path)
    shutil.rmtree(folder)
    return path


@stage
def installed():
    """The old version on a bare machine, with what an administrator does next; what apt said."""
    said = machine().apt("install", put_inside(old_package()))
    with open(machine().path(CONFIG), encoding="utf-8") as file:
        live["first configuration"] = file.read()
    with open(machine().path(CONFIG), "a", encoding="utf-8") as file:
        file.write(ADDED)
    with open(machine().path(CONFIG), "r+", encoding="utf-8") as file:
        text = file.read().replace("127.0.0.1:2525", "127.0.0.1:0").replace("[[listener]]", '[[listener]]\nname = "smtp"')
        file.seek(0)
        file.write(text)
        file.truncate()
    for name in ("out", "command"):
        os.mkdir(machine().path("/var/spool/postern", name))
        os.chown(machine().path("/var/spool/postern", name), *machine().uid("postern"))
    return said


def test_installed_it_has_a_user_folders_and_a_configuration_that_is_right():
    installed()
    at = machine()
    check(f"{OLD_VERSION}" in at.run("dpkg-query", "--show", "postern"), "not installed")
    check("/usr/sbin/nologin" in at.run("getent", "passwd", "postern"), "its user may log on")
    check(at.stat("/etc/postern", CONFIG, "/var/lib/postern", "/var/log/postern", "/var/spool/postern", "/run/postern")
          == ["root:postern 750", "root:postern 640", "postern:postern 750", "postern:postern 750", "postern:postern 750",
              "postern:postern 755"], "folders")
    check(read(at.path(CONFIG)).decode().startswith(live["first configuration"][:200]), "another configuration")
    check(live["first configuration"] == read(os.path.join(ROOT, "packaging/config/first.toml")).decode(), "not the first one")
    check("no problems" in at.run("postern", "config", "check", user="postern"), "the configuration is not right")
    wants = at.path("/etc/systemd/system")
    check(os.path.lexists(os.path.join(wants, "multi-user.target.wants/postern.service")), "it will not start with the machine")
    check(not os.path.lexists(os.path.join(wants, "sockets.target.wants/postern.socket")), "it would open port 25 unasked")
    check(not os.path.exists(store("postern.db")), "who made a store?")
    check(not os.path.lexists(at.path("/usr/sbin/sendmail")), "it took over sendmail")
    at.run("dpkg", "--verify", "postern")


def test_systemd_reads_the_installed_units_and_finds_few_rights():
    installed()
    units = ["/usr/lib/systemd/system/postern.service", "/usr/lib/systemd/system/postern.socket"]
    said = machine().run("systemd-analyze", "verify", "--man=no", *units)
    check("postern" not in said, said)
    machine().run("systemd-analyze", "security", "--offline=yes", "--threshold=15", units[0])


def test_mail_goes_through_it_and_its_commands_run():
    installed()
    with service() as at:
        ledger = Ledger()
        check(ledger.send(at.port, 1), "mail was not taken")
        check(ledger.send(at.port, 2, size=LARGE), "large mail was not taken")
        with smtplib.SMTP("127.0.0.1", at.port, timeout=20) as client:
            client.sendmail("a@example.org", ["b@command.example"], "Subject: piped\r\n\r\nby the runner\r\n")
        check(at.wait_until_settled(), "not settled")
        check(at.states() == {"exported": 3}, f"{at.states()} {at.cli('queue', 'list')}")
        ledger.take(out())
        check(ledger.verdict() == [], f"{ledger.verdict()}")
        check(b"by the runner" in read(machine().path("/var/spool/postern/piped")), "the command did not get it")
    check(machine().stat("/var/lib/postern/postern.db") == ["postern:postern 640"], "the store's rights")


def age_the_store():
    """Makes the store what the first release that held mail left: its schema, the same rows."""
    schema = [os.path.join(ROOT, "store/schema/0001_messages.sql"), os.path.join(ROOT, "queue/schema/0002_queue.sql")]
    new, old = store("postern.db"), store("old.db")
    with contextlib.closing(sqlite3.connect(old, isolation_level=None)) as database:
        database.execute("ATTACH ? AS new", (new,))
        for pragma in ("page_size", "auto_vacuum", "application_id"):
            value = database.execute(f"PRAGMA new.{pragma}").fetchone()[0]
            database.execute(f"PRAGMA main.{pragma}={value}")
        for path in schema:
            with open(path, encoding="utf-8") as file:
                database.executescript(file.read())
        database.execute(f"PRAGMA main.user_version={len(schema)}")
        database.execute("PRAGMA foreign_keys=OFF")
        for (table,) in database.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            columns = ", ".join(f'"{row[1]}"' for row in database.execute(f"PRAGMA main.table_info({table})"))
            database.execute(f"DELETE FROM main.{table}")
            database.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
        database.execute("DELETE FROM main.sqlite_sequence WHERE name NOT IN (SELECT name FROM main.sqlite_master)")
    os.replace(old, new)
    os.chown(new, *machine().uid("postern"))
    os.chmod(new, 0o640)
    for suffix in ("-wal", "-shm"):
        check(not os.path.exists(new + suffix), f"{new + suffix} is there although the service ended")


@stage
def upgraded():
    """Mail waits in a store of the first schema; then the new package comes."""
    installed()
    with service() as at:
        at.cli("adapter", "suspend", "out", "--reason", "an upgrade")
        live["ledger"] = Ledger()
        for serial in WAITING:
            check(live["ledger"].send(at.port, serial, size=LARGE if serial % 3 == 0 else 100), "mail was not taken")
    age_the_store()
    live["configuration"] = making.digest(machine().path(CONFIG))
    live["store before"] = making.digest(store("postern.db"))
    return machine().apt("install", put_inside(making.package()))


def rows_of(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        ready = database.execute("SELECT count(*) FROM item WHERE state = 'ready'").fetchone()[0]
        return database.execute("PRAGMA user_version").fetchone()[0], ready


def test_an_upgrade_leaves_store_and_configuration_to_the_service():
    said = upgraded()
    check(making.version() in machine().run("dpkg-query", "--show", "postern"), said)
    check("not restarted" not in said and "could not" not in said, said)
    check(making.digest(machine().path(CONFIG)) == live["configuration"], "the configuration is another one")
    check(making.digest(store("postern.db")) == live["store before"], "the store is another one")
    check(rows_of(store("postern.db")) == (2, len(WAITING)), "it does not wait")


@stage
def migrated():
    upgraded()
    with service() as at:
        check(at.states().get("ready") == len(WAITING), f"{at.states()}")
        at.cli("adapter", "resume", "out")
        check(at.wait_until_settled(), "not settled")
    return True


def test_waiting_mail_of_the_first_schema_goes_out_once_after_the_upgrade():
    migrated()
    ledger = live["ledger"]
    ledger.take(out())
    check(ledger.verdict() == [] and len(ledger.arrived) == len(WAITING), f"{ledger.verdict()} {ledger.arrived}")
    with service() as at:
        check(at.wait_until_settled(), "not settled")
        check("out" in at.cli("adapter", "list"), "no adapter")
    check(files_in(out()) == [], "something went out twice")
    newest = rows_of(store("postern.db"))[0]
    check(newest > 2, f"version {newest}: nothing was migrated")


def test_the_store_of_before_is_kept_beside_the_new_one():
    migrated()
    kept = [name for name in os.listdir(store()) if ".before-" in name]
    check(len(kept) == 1, f"{os.listdir(store())}")
    check(rows_of(store(kept[0])) == (2, len(WAITING)), "it is not what was there")
    check(machine().stat(f"/var/lib/postern/{kept[0]}")[0].startswith("postern:postern 6"), "others may read it")


def test_installing_it_again_changes_nothing():
    migrated()
    before = making.digest(machine().path(CONFIG)), making.digest(store("postern.db"))
    machine().apt("install", "--reinstall", put_inside(making.package()))
    check((making.digest(machine().path(CONFIG)), making.digest(store("postern.db"))) == before, "something is other than before")


def test_a_configuration_that_was_taken_away_does_not_come_back():
    migrated()
    aside = machine().path("/srv/aside.toml")
    shutil.move(machine().path(CONFIG), aside)
    machine().apt("install", "--reinstall", put_inside(making.package()))
    came_back = os.path.exists(machine().path(CONFIG))
    shutil.move(aside, machine().path(CONFIG))
    check(not came_back, "it was made again")


@stage
def removed():
    migrated()
    return machine().apt("remove", "postern")


def test_removal_keeps_mail_and_configuration():
    removed()
    check(making.digest(machine().path(CONFIG)) == live["configuration"], "the configuration")
    check(rows_of(store("postern.db"))[1] == 0, "the store")
    check(os.path.exists(machine().path("/etc/logrotate.d/postern")), "a conffile went with the removal")
    left = [name for name in machine().named("postern") if name.startswith("usr/")]
    check(left == [], f"left: {left}")


@stage
def purged():
    removed()
    for package in os.listdir(machine().path("/srv")):
        if package.endswith(".deb"):
            os.unlink(machine().path("/srv", package))
    return machine().apt("purge", "postern")


def test_a_purge_takes_configuration_and_logs_and_keeps_mail():
    said = purged()
    check("/var/lib/postern is kept" in said and "/var/spool/postern is kept" in said, said)
    left = [name for name in machine().named("postern") if not name.startswith(("var/lib/postern", "var/spool/postern", "var/log/apt"))]
    check(left == [], f"left: {left}")
    check(rows_of(store("postern.db"))[1] == 0, "the store is not as it was")


@stage
def emptied():
    """Without the mail that the purge kept."""
    purged()
    shutil.rmtree(store())
    shutil.rmtree(machine().path("/var/spool/postern"))


def test_a_purge_without_mail_leaves_nothing():
    emptied()
    machine().apt("install", put_inside(making.package()))
    os.unlink(machine().path("/srv", os.path.basename(making.package())))
    said = machine().apt("purge", "postern")
    check("is kept" not in said, said)
    check(machine().named("postern") == [], f"left: {machine().named('postern')}")
    check("postern" in machine().run("getent", "passwd", "postern"), "its user is gone, and the next one may get that number")
