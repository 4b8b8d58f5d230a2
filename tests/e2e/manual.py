#!/usr/bin/env python3
"""The manual pages: clean for mandoc, whole, and those of now.

Each function named test_* is one test. Usage: manual.py BUILD_FOLDER [TEST ...]
"""

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from service_life import Skipped, check, run  # noqa: E402

BUILD = ""
WIDTH = 80


def postern(*arguments):
    return subprocess.run([os.path.join(BUILD, "connector/cli/postern"), "--config", "/nowhere.toml", *arguments],
                          check=True, capture_output=True, text=True).stdout


def pages(folder):
    return sorted(os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)


def mandoc(*arguments, folder):
    if shutil.which("mandoc") is None:
        raise Skipped("mandoc is not installed")
    # Pages that refer to each other are looked for beside those of the system.
    environment = {**os.environ, "MANPATH": folder + ":/usr/share/man", "LC_ALL": "C.UTF-8"}
    return subprocess.run(["mandoc", *arguments], capture_output=True, text=True, env=environment, check=False)


def shown(page, folder):
    text = mandoc("-T", "utf8", "-O", f"width={WIDTH - 2}", page, folder=folder).stdout
    return re.sub(r".\x08", "", text)


def test_mandoc_finds_nothing_to_say():
    with tempfile.TemporaryDirectory() as folder:
        postern("man", "--all", folder)
        for page in pages(folder):
            said = mandoc("-T", "lint", page, folder=folder)
            lines = [line for line in said.stdout.splitlines() if "referenced manual not found" not in line]
            # It may complain of the index of the system's pages, which is none of ours.
            others = [line for line in said.stderr.splitlines() if "mandoc.db" not in line]
            check(not lines and not others, f"{os.path.basename(page)}: {lines[:5]} {others}")


def test_pages_refer_only_to_pages_that_are_there():
    with tempfile.TemporaryDirectory() as folder:
        postern("man", "--all", folder)
        ours = {os.path.basename(page) for page in pages(folder)}
        for page in pages(folder):
            with open(page, encoding="ascii") as file:
                named = {f"{name}.{section}" for name, section in re.findall(r"^\.Xr (\S+) (\d)", file.read().replace("\\-", "-"), re.M)}
            strangers = {name for name in named - ours if name.startswith("postern")}
            check(not strangers, f"{os.path.basename(page)}: {strangers}")


def test_the_build_made_those_of_now():
    made = os.path.join(BUILD, "manual", "pages")
    check(os.path.isdir(made), f"{made} is missing: build the target 'manual'")
    with tempfile.TemporaryDirectory() as folder:
        postern("man", "--all", folder)
        names = [os.path.relpath(page, folder) for page in pages(folder)]
        check(names == [os.path.relpath(page, made) for page in pages(made)], "other pages than the build's")
        _, differ, missing = filecmp.cmpfiles(folder, made, names, shallow=False)
        check(not differ and not missing, f"differ: {differ}, missing: {missing}")


def commands_of(*path):
    """Every command line of the help with its options: (("queue", "list"), {"--all", ...})."""
    text = postern(*path, "--help")
    options = set(re.findall(r"^ +(?:-\w,)?(--[\w-]+)", text, re.M))
    names = re.findall(r"^  ([a-z-]+) ", text.partition("Subcommands:")[2].partition("\n\n")[0], re.M)
    found = [] if names else [(path, options)]
    for name in names:
        found += commands_of(*path, name)
    return found


def test_every_command_and_option_of_the_help_is_in_the_page():
    with tempfile.TemporaryDirectory() as folder:
        postern("man", "--all", folder)
        text = shown(os.path.join(folder, "man1", "postern.1"), folder)
        commands = commands_of()
        check(len(commands) > 40, f"only {len(commands)} commands were understood")
        for path, options in commands:
            check(re.search(r"^ +" + " ".join(path) + r"( |$)", text, re.M), f"{' '.join(path)} is missing")
            for option in options - {"--help"}:
                check(re.search(rf"^ +{option}\b", text, re.M), f"{' '.join(path)} {option} is missing")


def test_every_option_of_the_service_and_of_sendmail_is_in_its_page():
    with tempfile.TemporaryDirectory() as folder:
        postern("man", "--all", folder)
        for program, page, pattern in (("service/posternd", "man8/posternd.8", r"^(?:-\w.*, )?(--\w+)"),
                                       ("cli/postern-sendmail", "man1/postern-sendmail.1", r"^  (-\w+)")):
            text = shown(os.path.join(folder, page), folder)
            said = subprocess.run([os.path.join(BUILD, "connector", program), "--help"], check=True, capture_output=True, text=True)
            options = re.findall(pattern, said.stdout, re.M)
            check(len(options) > 5, f"{program}: only {options} were understood")
            for option in options:
                check(re.search(rf"^ +(-.*, )?{option}\b", text, re.M), f"{program} {option} is missing")


def test_every_key_and_setting_is_in_its_page():
    with tempfile.TemporaryDirectory() as folder:
        postern("man", "--all", folder)
        text = shown(os.path.join(folder, "man5", "postern.toml.5"), folder)
        for line in postern("--json", "config", "defaults").splitlines():
            row = json.loads(line)
            key = row["key"]
            if ", kind " in row["section"]:
                continue  # a kind's own: see below
            check(re.search(rf"^ +{key} = ", text, re.M), f"{key} is missing")
        settings = [json.loads(line) for line in postern("--json", "adapter", "kinds").splitlines()]
        check(len({each["kind"] for each in settings}) > 15, "few kinds")
        for each in settings:
            text = shown(os.path.join(folder, "man5", f"postern-{each['kind']}.5"), folder)
            check(re.search(rf"^ +{each['setting']} = ", text, re.M), f"{each['kind']} {each['setting']} is missing")


def test_a_reader_sees_words_and_no_marks():
    with tempfile.TemporaryDirectory() as folder:
        postern("man", "--all", folder)
        for page in pages(folder):
            name = os.path.basename(page)
            text = shown(page, folder)
            check(len(text) > 500, f"{name} says nearly nothing")
            with open(page, encoding="ascii") as file:
                check(text.count("\\") == file.read().count("\\e"), f"{name}: an escape is shown")
            for number, line in enumerate(text.splitlines(), 1):
                check(not re.match(r"\s*\.[A-Z][a-z]\b", line), f"{name}:{number}: a macro is shown: {line}")
                check(not re.search(r"\]\(|\*\*\w|`\w+`", line), f"{name}:{number}: Markdown is shown: {line}")


def test_installed_pages_are_the_same_each_time():
    installed = os.path.join(BUILD, "manual", "installed")
    names = [os.path.basename(page) for page in pages(installed)]
    check("postern.1.gz" in names or "postern.1" in names, f"{names}")
    for page in pages(installed):
        with open(page, "rb") as file:
            head = file.read(8)
        if page.endswith(".gz"):
            check(head[:2] == b"\x1f\x8b" and head[4:8] == b"\0\0\0\0", f"{page} has a time in it")


def main():
    global BUILD
    BUILD = os.path.abspath(sys.argv[1])
    return run({name: test for name, test in globals().items() if name.startswith("test_")}, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
