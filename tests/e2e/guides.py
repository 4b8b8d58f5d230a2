#!/usr/bin/env python3
"""What the guides and the adapters' pages tell people to copy is valid, whole and what the program knows.

- Each ```toml block of docs/setup passes 'postern config check' without a word, and stands as a file in
  packaging/config/examples/setup; none stands there that no guide shows.
- Each configuration of docs/setup takes the guide's test mail by its real way in, and hands it over: files appear,
  hosts and commands of the test's own take it.
- Each example in docs/adapters, made whole with a listener and a route where it has none, passes too.
- Each setting of each kind is told of: on its page, or on the page of what the kinds share; defaults that are told of
  there are the program's.

Usage: guides.py BUILD_FOLDER [TEST ...]
"""

import contextlib
import errno
import glob
import json
import os
import re
import shutil
import smtplib
import socketserver
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
sys.path.insert(0, os.path.join(HERE, "..", "interop"))
from gateway import Gateway  # noqa: E402
from peers import run_tests  # noqa: E402

BUILD = ""
SHARED = "SETTINGS"


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def fenced(text, language):
    """The blocks of that language, without their indentation."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def guides():
    """Each guide's name, its whole configurations and its tables."""
    for path in sorted(glob.glob(os.path.join(ROOT, "docs/setup/*.md"))):
        text = read(path)
        yield os.path.basename(path), fenced(text, "toml"), fenced(text, "csv")


@contextlib.contextmanager
def folder():
    path = tempfile.mkdtemp(prefix="postern-guides-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def words_of_check(path):
    """What 'config check' has to say against a configuration."""
    done = subprocess.run([os.path.join(BUILD, "connector/cli/postern"), "--config", path, "--json", "config", "check"],
                          capture_output=True, timeout=60, check=False)
    found = [json.loads(line)["text"] for line in done.stdout.decode().splitlines()]
    found = [text for text in found if "there is no folder" not in text]  # an example's is on another machine
    check(done.returncode == (78 if done.stderr else 0) or found, done.stderr.decode())
    return found + ([done.stderr.decode()] if done.stderr else [])


def expect_fine(config, tables, what):
    """A configuration, its tables beside it, is checked without a word."""
    with folder() as place:
        names = re.findall(r'^file = "(/[^"]+)"', config, re.M)
        check(len(names) == len(tables), f"{what}: {len(names)} tables are named and {len(tables)} shown")
        for name, table in zip(names, tables):
            here = os.path.join(place, os.path.basename(name))
            with open(here, "w", encoding="utf-8") as file:
                file.write(table)
            config = config.replace(name, here)
        path = os.path.join(place, "postern.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        found = words_of_check(path)
        check(not found, f"{what}: {found}\n{config}")


def test_whole_configurations_pass_and_are_packaged():
    shown = {}
    for name, configs, tables in guides():
        for config in configs:
            expect_fine(config, tables, name)
            said = re.match(r"# /etc/postern/postern\.toml [^;]*; docs/setup/(\S+)$", config.split("\n")[0])
            check(said and said.group(1) == name, f"{name}: the first line does not lead back to the guide")
            shown[config] = name
    files = {read(path): os.path.basename(path)
             for path in glob.glob(os.path.join(ROOT, "packaging/config/examples/setup/*.toml"))}
    check(len(shown) >= 7, f"only {len(shown)} configurations were found")
    check(set(shown) == set(files), f"not the same: {set(shown.values())} show {len(shown)}, packaged {set(files.values())}")


def indented_blocks(text):
    """Blocks of four blanks, as one text each; comments of drop-ins and other files end one."""
    block = []
    for line in [*text.split("\n"), "end"]:
        if line.startswith("    ") or (block and not line):
            block.append(line[4:])
            continue
        if block:
            yield "\n".join(block).strip("\n") + "\n"
        block = []


def toml_of(block):
    """What of a block is our configuration: it may go on with that of another program."""
    if not re.match(r"\[adapter\.\w+\]\n|\[\[route\]\]\n", block):
        return None
    return re.split(r"\n(?:# \S+\.c\S+\n|X-Sender: )", block)[0]


def made_whole(block):
    """An example as a configuration: what every reader adds to it."""
    adapters = re.findall(r"^\[adapter\.(\w+)\]", block, re.M)
    config = 'store = "/var/lib/postern"\n[[listener]]\nprotocol = "smtp"\naddress = "127.0.0.1:2525"\n' + block
    for adapter in adapters:
        if f'adapter = "{adapter}"' not in block and 'kind = "webhook"' not in block:
            config += f'\n[[route]]\nrecipient = "*@{adapter}.example"\nadapter = "{adapter}"\n'
    for adapter in set(re.findall(r'^adapter = "(\w+)"', block, re.M)) - set(adapters):
        config += f'\n[adapter.{adapter}]\nkind = "drop"\nfolder = "/srv/{adapter}"\n'
    return config + '\n[adapter.theway]\nkind = "smtp"\nhosts = ["127.0.0.1:25"]\n[reports]\nadapter = "theway"\n'


def test_examples_of_the_adapters_pages_pass():
    count = 0
    for path in sorted(glob.glob(os.path.join(ROOT, "docs/adapters/*.md"))):
        for block in indented_blocks(read(path)):
            example = toml_of(block)
            if example is None:
                continue
            # A secret that stands in a file is the reader's to make.
            with tempfile.NamedTemporaryFile("w", encoding="utf-8") as secret:
                secret.write("whsec_c2VjcmV0\n")
                secret.flush()
                example = re.sub(r'^(password_file|secret_file|authorization_file) = "[^"]*"', rf'\1 = "{secret.name}"', example,
                                 flags=re.M)
                expect_fine(made_whole(example), [], os.path.basename(path))
            count += 1
    check(count >= 20, f"only {count} examples were found")


def settings():
    done = subprocess.run([os.path.join(BUILD, "connector/cli/postern"), "--json", "adapter", "kinds"],
                          capture_output=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def told(text, name):
    return f"`{name}`" in text


def test_every_setting_is_told_of():
    shared = read(f"docs/adapters/{SHARED}.md")
    conversion = read("docs/CONVERSION.md")
    smtp = read("docs/adapters/smtp.md")
    missing = []
    for row in settings():
        page = read(f"docs/adapters/{row['kind']}.md")
        places = [page]
        if f"({SHARED}.md" in page:
            places += [shared, conversion]
        if row["kind"] in ("lmtp", "webhook"):
            places.append(smtp)
        if row["kind"] in ("uucp", "nncp"):
            places += [shared, conversion, read("docs/adapters/pipe.md")]
        if not any(told(place, row["setting"]) for place in places):
            missing.append(f"{row['kind']}: {row['setting']}")
    check(not missing, missing)


def test_defaults_of_the_conversion_are_the_programs():
    text = read(f"docs/adapters/{SHARED}.md")
    head, *rows = [line for line in text.split("\n") if line.startswith("| ") and line.count("|") == 7]
    columns = [cell.strip(" `") for cell in head.split("|")[1:-1]]
    check(columns[0] == "kind" and len(rows) > 6, head)
    known = {}
    for row in settings():
        known.setdefault(row["kind"], {})[row["setting"]] = row["default"]
    rewriting = [kind for kind, keys in known.items() if "recode_text" in keys]
    seen = set()
    for row in rows:
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        if cells[0] == "---":
            continue
        for kind in rewriting if cells[0].startswith("those of") else [cells[0]]:
            seen.add(kind)
            for column, value in zip(columns[1:], cells[1:]):
                check(known[kind].get(column, "") == value, (kind, column, known[kind].get(column), value))
    converting = {kind for kind, keys in known.items() if "charset" in keys}
    check(seen == converting, seen ^ converting)


def test_defaults_of_every_adapter_are_the_programs():
    done = subprocess.run([os.path.join(BUILD, "connector/cli/postern"), "--json", "config", "defaults"],
                          capture_output=True, timeout=60, check=True)
    known = {row["key"]: row["default"] for row in map(json.loads, done.stdout.decode().splitlines())
             if row["section"] == "adapter"}
    text = read(f"docs/adapters/{SHARED}.md").split("## Every adapter")[1].split("##")[0]
    seen = set()
    for line in text.split("\n"):
        if not line.startswith("| `"):
            continue
        keys, values = [cell.strip() for cell in line.split("|")[1:3]]
        for key, value in zip(re.findall(r"`(\w+)`", keys), values.split(", ") if values else [""]):
            seen.add(key)
            said = "" if value == "none" else value.strip("`")
            check(key in known and (known[key] or "") == said, (key, known.get(key), said))
    check(seen == set(known), seen ^ set(known))


def sources():
    for room in ("queue", "connector", "adapters", "base"):
        for path in glob.glob(os.path.join(ROOT, room, "**", "*.[ch]*"), recursive=True):
            if path.endswith((".cpp", ".h")):
                yield read(path)


def test_reasons_that_where_explains_are_the_programs():
    """Both ways: what the page quotes stands in the code, and what an adapter says in doubt stands on the page."""
    code = re.sub(r'"\s*\n\s*"', "", "\n".join(sources()))
    page = read("docs/WHERE.md")
    tables = page.split("## Why is it held?")[1]
    quoted = 0
    for line in tables.split("\n"):
        cells = line.split("|")
        if len(cells) not in (5, 6) or line.startswith(("| ---", "| adapter", "| the reason", "| `on_doubt`")):
            continue
        for phrase in re.findall(r"`([^`]+)`", cells[1] if len(cells) == 5 else cells[2]):
            for part in re.split(r"\.\.\.|HOST|URL|NODE|NAME|1 of 3|: ", phrase):
                words = part.strip(" :")
                if len(words) > 3:
                    quoted += 1
                    check(words in code, f"{phrase!r}: nothing says {words!r}")
    check(quoted > 20, quoted)
    for text in re.findall(r'CannotTell,\s*"([^"]+)"', code):
        check(text.split(",")[0].strip() in page, f"an adapter says {text!r}, which docs/WHERE.md does not explain")


def test_troubles_that_settings_explains_are_the_programs():
    code = re.sub(r'"\s*\n\s*"', "", "\n".join(sources()))
    by_the_system = {os.strerror(number) for number in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.ENOENT, errno.ENOTDIR)}
    quoted = 0
    for line in read("docs/adapters/SETTINGS.md").split("## Trouble")[1].split("\n"):
        if not line.startswith("| ") or line.startswith(("| ---", "| the reason")):
            continue
        for phrase in re.findall(r"`([^`]+)`", line.split("|")[1]):
            for words in (part.strip(" ()'") for part in re.split(r"\.\.\.", phrase)):
                if len(words) > 3 and words not in by_the_system:
                    quoted += 1
                    check(words in code, f"{phrase!r}: nothing says {words!r}")
    check(quoted > 15, quoted)


class Sink(socketserver.ThreadingTCPServer):
    """A mail host that takes everything; `mails` are (recipients, text)."""

    daemon_threads = True

    def __init__(self):
        self.mails = []
        super().__init__(("127.0.0.1", 0), Sink.Session)

    class Session(socketserver.StreamRequestHandler):
        def say(self, text):
            self.wfile.write(text.encode() + b"\r\n")

        def handle(self):
            self.say("220 old.example")
            recipients = []
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"RCPT":
                    recipients.append(re.search(rb"<(.*)>", line).group(1).decode())
                if verb == b"DATA":
                    self.say("354 go on")
                    text = b""
                    while (line := self.rfile.readline()) != b".\r\n":
                        text += line
                    self.server.mails.append((recipients, text))
                    recipients = []
                if verb == b"QUIT":
                    return self.say("221 bye")
                self.say("250 fine")

    @contextlib.contextmanager
    def running(self):
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join(10)


TAKES = '#!/bin/sh\n{{ echo "ARGS $*"; /bin/cat; }} >"{folder}/taken"\n'


@contextlib.contextmanager
def followed(name, made=()):
    """A gateway of the guide's configuration: its paths stand below a scratch folder, its ports are free ones."""
    example = read(f"packaging/config/examples/setup/{name}.toml")
    gateway = Gateway(BUILD)
    sink = Sink()
    root = gateway.folder
    command = os.path.join(root, "takes")
    try:
        with sink.running():
            for path in (*made, "/etc/postern", "/run/postern", "/var/lib/postern", "/var/spool/uucp", "/var/spool/nncp"):
                os.makedirs(root + path, exist_ok=True)
            os.symlink(root + "/var/lib/postern", os.path.join(root, "store"))  # where Gateway looks
            with open(command, "w", encoding="utf-8") as file:
                file.write(TAKES.format(folder=root))
            os.chmod(command, 0o755)
            config = re.sub(r'"(/(?:etc|run|srv|var)/[^"]*)"', rf'"{root}\1"', example)
            config = re.sub(r'"(?:127\.0\.0\.1|192\.0\.2\.20):25"', f'"127.0.0.1:{sink.server_address[1]}"', config)
            config = config.replace('"127.0.0.1:2525"', '"127.0.0.1:0"')
            for kind, spool in (("uucp", "uucp"), ("nncp", "nncp")):
                config = config.replace(f'kind = "{kind}"\n',
                                        f'kind = "{kind}"\nprogram = "{command}"\nspool = "{root}/var/spool/{spool}"\n')
            for guide, _, tables in guides():
                if f"docs/setup/{guide}" in example and tables:
                    with open(re.search(r'^file = "([^"]+)"', config, re.M).group(1), "w", encoding="utf-8") as file:
                        file.write(tables[0])
            with open(gateway.config, "w", encoding="utf-8") as file:
                file.write(config)
            found = words_of_check(gateway.config)
            check(not found, found)
            gateway.start()
            yield gateway, sink
            check(gateway.stop() == 0, gateway.log[-8:])
    finally:
        gateway.close()


def states(gateway):
    """As the guides say it: by the program."""
    done = subprocess.run([gateway.postern, "--config", gateway.config, "--json", "queue", "list", "--state", "exported"],
                          capture_output=True, timeout=60, check=True)
    return [json.loads(line)["state"] for line in done.stdout.decode().splitlines()]


def send(gateway, guide):
    """The guide's own test mail by postern-sendmail, then the same by SMTP as Postfix would."""
    text = read(f"docs/setup/{guide}.md")
    mails = re.findall(r"printf '(From: .*?)' \|\n\s+postern-sendmail -f (\S+) (\S+)\n", text)
    check(mails, f"{guide}.md has no test mail")
    sent = []
    for written, sender, recipient in mails:
        routed = subprocess.run([gateway.postern, "--config", gateway.config, "route", "test", recipient],
                                capture_output=True, timeout=60, check=False)
        if routed.returncode != 0:
            continue  # the other half's
        mail = written.encode().decode("unicode_escape").encode("latin-1")
        sendmail = os.path.join(BUILD, "connector/cli/postern-sendmail")
        subprocess.run([sendmail, "-C", gateway.config, "-f", sender, recipient], input=mail, timeout=60, check=True)
        port = next(iter(gateway.ports.values()))
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.sendmail(sender, [recipient], mail.replace(b"\n", b"\r\n"))
        sent.append(recipient)
    check(len(sent) == 1, sent)
    check(gateway.wait_until_settled(), gateway.log[-8:])
    check(states(gateway) == ["exported", "exported"], (gateway.states(), gateway.log[-8:]))
    return sent[0]


def files(path):
    return sorted(name for name in os.listdir(path) if not name.startswith("."))


def test_old_host():
    with followed("old-host") as (gateway, sink):
        recipient = send(gateway, "old-host")
        check([mail[0] for mail in sink.mails] == [[recipient]] * 2, sink.mails)
        check(all(byte < 128 for byte in sink.mails[0][1]), sink.mails[0])


def test_fidonet():
    with followed("fidonet", ["/var/spool/ftn/inb"]) as (gateway, _):
        send(gateway, "fidonet")
        check(len(files(gateway.folder + "/var/spool/ftn/inb")) == 2, "two packets")


def test_fidonet_without_a_tosser():
    with followed("fidonet-binkd", ["/var/spool/ftn/outb"]) as (gateway, _):
        port = next(iter(gateway.ports.values()))
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.sendmail("you@example.org", ["Bob.Sysop@f2.n999.z2.fidonet.org"], "Subject: x\r\n\r\nx\r\n")
        check(gateway.wait_until_settled(), gateway.log[-8:])
        check(files(gateway.folder + "/var/spool/ftn/outb") == ["03e70002.flo"], "the list for binkd")


def test_uucp_and_nncp():
    for name, wanted in (("uucp", "oldbox!rmail (bob)"), ("nncp", "island sendmail -f you@corp.example -- bob@island.example")):
        with followed(name) as (gateway, _):
            send(gateway, "uucp-nncp")
            with open(os.path.join(gateway.folder, "taken"), encoding="utf-8") as file:
                check(wanted in file.readline(), "what the command got")


def test_winlink():
    with followed("winlink", ["/srv/pat/mailbox/N0AAA/out"]) as (gateway, _):
        send(gateway, "winlink")
        check(len(files(gateway.folder + "/srv/pat/mailbox/N0AAA/out")) == 2, "two messages")


def test_import_folder():
    with followed("import-folder", ["/srv/erp/mail-in"]) as (gateway, _):
        send(gateway, "import-folder")
        found = files(gateway.folder + "/srv/erp/mail-in")
        check(len(found) == 2 and all(name.endswith(".eml") for name in found), found)


def main():
    global BUILD
    BUILD = os.path.abspath(sys.argv[1])
    return run_tests({name: each for name, each in globals().items() if name.startswith("test_")}, sys.argv[2:])


sys.exit(main())
