"""A store as an older version of the program left it when it was killed: its schema is made by the migrations that there were, its rows
are those of a store of today, and all of them stand in the log alone."""

import contextlib
import glob
import os
import re
import shutil
import sqlite3

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OWNER = 0x506F7374


def migrations():
    """[the SQL of 1, of 2, ...]"""
    found = {int(os.path.basename(path)[:4]): path for room in ("store", "queue") for path in glob.glob(f"{ROOT}/{room}/schema/*.sql")}
    if sorted(found) != list(range(1, len(found) + 1)):
        raise RuntimeError(f"migrations {sorted(found)}")
    texts = []
    for number in sorted(found):
        with open(found[number], encoding="utf-8") as file:
            texts.append(file.read())
    return texts


def make_older(folder):
    """Makes the store in `folder` one of the version before the newest. REQUIRES: nobody has it open. Result: the older version."""
    path, aside = os.path.join(folder, "postern.db"), os.path.join(folder, "of-today.db")
    os.rename(path, aside)
    older = migrations()[:-1]
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        for setting in ("page_size=4096", "auto_vacuum=INCREMENTAL", f"application_id={OWNER}", "journal_mode=WAL", "wal_autocheckpoint=0"):
            database.execute("PRAGMA " + setting)
        for text in older:
            database.executescript(text)
        database.execute(f"PRAGMA user_version={len(older)}")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("ATTACH ? AS today", (aside,))
        database.execute("BEGIN")
        for (table,) in database.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name <> 'sqlite_sequence'").fetchall():
            columns = ", ".join(row[1] for row in database.execute(f"PRAGMA main.table_info({table})"))
            database.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM today.{table}")
        database.execute("DELETE FROM main.store WHERE key = 'log'")  # older than that as well
        database.execute("DELETE FROM main.sqlite_sequence")
        database.execute("INSERT INTO main.sqlite_sequence SELECT * FROM today.sqlite_sequence"
                         " WHERE name IN (SELECT name FROM main.sqlite_master)")
        database.execute("COMMIT")
        # Closing would fold the log back: what a kill leaves is what stands there now.
        for suffix in ("", "-wal"):
            shutil.copy2(path + suffix, path + suffix + ".killed")
    for suffix in ("", "-wal"):
        os.replace(path + suffix + ".killed", path + suffix)
    for name in os.listdir(folder):
        if re.fullmatch(r"of-today\.db.*|postern\.db-shm", name):
            os.unlink(os.path.join(folder, name))
    return len(older)
