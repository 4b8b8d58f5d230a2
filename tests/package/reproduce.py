#!/usr/bin/env python3
"""The promise of the same bytes, kept or not: the commit's tarball, unpacked in two folders, makes the same package in both.

Usage: reproduce.py FOLDER      (a new one; it needs about 1 GiB, and twice the time of a whole build: half an hour or more on two cores)

Each is built as make-deb.sh builds what is shipped, without a cache, by another name, in another time zone; the tests of hardened
programs, of the documents and of lintian then look at the package. It is no part of ./check, which has no time for it.
"""

import datetime
import hashlib
import os
import re
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PLACES = {"one": {"TZ": "UTC"}, "elsewhere/with-a-longer-name": {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}}
LOOKS = ["test_the_programs_are_as_hard_as_their_build_promises", "test_the_documents_in_it_lead_somewhere",
         "test_what_is_compiled_in_goes_with_its_notice", "test_lintian_finds_no_error_and_no_warning"]


def run(*command, **options):
    print("+", " ".join(command), flush=True)
    if subprocess.run(command, check=False, **options).returncode != 0:
        sys.exit(f"reproduce.py: that failed: {' '.join(command)}")


def build(tarball, folder, environment):
    """The package's path."""
    os.makedirs(folder)
    run("tar", "-xzf", tarball, "-C", folder, "--strip-components=1")
    # What this machine says of a clone around it, or of an older package, is not to matter.
    clean = {name: value for name, value in os.environ.items() if name not in ("SOURCE_DATE_EPOCH", "CXXFLAGS", "CFLAGS", "LDFLAGS")}
    run(os.path.join(folder, "packaging/make-deb.sh"), env={**clean, **environment})
    made = os.path.join(folder, "build/package/package")
    names = [name for name in os.listdir(made) if name.endswith(".deb")]
    if len(names) != 1:
        sys.exit(f"reproduce.py: not one package in {made}: {names}")
    run(sys.executable, os.path.join(folder, "tests/package/package.py"), os.path.join(folder, "build/package"), *LOOKS)
    return os.path.join(made, names[0])


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def compiler(folder):
    with open(os.path.join(folder, "build/package/CMakeCache.txt"), encoding="utf-8") as file:
        path = re.search(r"^CMAKE_CXX_COMPILER:[A-Z]+=(.*)$", file.read(), re.MULTILINE).group(1)
    return subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]


def main():
    if len(sys.argv) != 2 or os.path.exists(sys.argv[1]):
        sys.exit(__doc__.strip().split("\n\n")[1])
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(folder)
    run(os.path.join(ROOT, "packaging/make-source.sh"), folder)
    tarball = next(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".tar.gz"))
    made = [build(tarball, os.path.join(folder, name), environment) for name, environment in PLACES.items()]
    digests = [digest(path) for path in made]
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    print(f"commit {commit}, {compiler(os.path.join(folder, 'one'))}, {datetime.date.today()}")
    for path, each in zip(made, digests):
        print(each, os.path.basename(path), os.path.getsize(path), "bytes")
    if digests[0] != digests[1]:
        sys.exit(f"reproduce.py: other bytes; compare with: diffoscope '{made[0]}' '{made[1]}'")
    print("the same bytes")


if __name__ == "__main__":
    main()
