#!/usr/bin/env python3
"""R18: mail of other people (the samples of other programs' test suites, an archive, a spam trap) through every conversion there is.

Whatever in FOLDER begins like a mail, or is a mailbox file of such, is converted for each carrier and profile, written as every letter of an old
system and read back by the strict readers. Of it only a mail is kept at which one ended.

Usage: foreign.py BUILD_FOLDER FOLDER   (any build but that of the preset "fuzz", whose programs search)
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HEADER = re.compile(rb"\A(?:From [^\n]*\n)?(?:[A-Za-z][\w-]{1,40}:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}")
OF_MAIL = re.compile(rb"^(from|received|return-path|message-id|mime-version|content-type):", re.IGNORECASE | re.MULTILINE)
LONGEST = 3_000_000
# The first bytes that choose what is tried, as the targets say.
CHOICES = {"letters": [bytes([kind]) for kind in range(14)], "mime": [bytes([one, one * 29 % 256]) for one in range(0, 256, 37)],
           "ftn": [bytes([one]) for one in (0, 1, 2, 67, 132, 197)]}


def mails(folder):
    """Each mail once, with CRLF."""
    seen = set()
    for place, _, names in os.walk(folder):
        for path in sorted(os.path.join(place, name) for name in names):
            if not os.path.isfile(path) or os.path.getsize(path) > LONGEST:
                continue
            with open(path, "rb") as file:
                content = file.read()
            header = HEADER.match(content)
            if not header or not OF_MAIL.search(header.group()):
                continue
            parts = re.split(rb"(?:\A|\n)From [^\n]*\n", content) if content.startswith(b"From ") else [content]
            for mail in filter(bytes.strip, parts):
                digest = hashlib.sha1(mail).digest()
                if digest not in seen:
                    seen.add(digest)
                    yield mail if b"\r\n" in mail[:2000] else mail.replace(b"\n", b"\r\n")


def main():
    build, folder = sys.argv[1:]
    found, wrong = list(mails(folder)), 0
    for target, choices in CHOICES.items():
        with tempfile.TemporaryDirectory(prefix="postern-foreign-") as inputs:
            for number, mail in enumerate(found):
                for choice in choices:
                    with open(os.path.join(inputs, f"{number}-{choice.hex()}"), "wb") as file:
                        file.write(choice + mail)
            done = subprocess.run([os.path.join(build, "tests", "fuzz", target + "_fuzz"), inputs], capture_output=True, check=False)
            if done.returncode != 0:
                wrong += 1
                kept = os.path.join(build, f"finding-{target}-foreign")
                shutil.copy(done.stdout.decode().split("\n")[-2], kept)  # it says each file before it reads it
                print(f"FAILED {target}, {kept}: " + done.stderr.decode("utf-8", "replace")[-2000:])
    print(f"foreign mail: {len(found)} mails, {sum(len(found) * len(choices) for choices in CHOICES.values())} runs, {wrong} wrong")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    sys.exit(main())
