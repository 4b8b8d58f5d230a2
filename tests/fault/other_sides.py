"""Who is on the other side of an adapter: what the adapter is told of him, and how what he got comes into the ledger.

Each takes what he finds at any moment, as his system does, under its locks, and what is not whole is an error."""

import contextlib
import os
import re
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), each) for each in ("", os.path.join("..", "interop"))]
from kill_wire import Host  # noqa: E402
from packets import read_packet  # noqa: E402


class Reader:
    """Of a folder or a mailbox file, as the ledger knows them."""

    kind = ""  # of the adapter, where the side has another name
    settings, route, has_folder = "", "", True  # {out} in the settings stands for the adapter's folder
    attachment = False  # mail for him has a file in it
    largest = 1 << 20   # bytes that stay in one piece

    def folder(self, gateway):
        return gateway.out

    def take(self, gateway, ledger):
        if os.path.isdir(self.folder(gateway)):
            ledger.take(self.folder(gateway))

    def close(self):
        pass


class MaildirReader(Reader):
    def folder(self, gateway):
        return os.path.join(gateway.out, "new")


class ChatReader(Reader):
    settings, route = 'channels = ["#log"]\n', 'legacy = "#log"'


class Command(Reader):
    """Keeps each mail in a file of its own, and nothing of one that it was not given whole."""

    settings = """command = ["/bin/sh", "-c", "mkdir -p {out}-taken && cat >{out}-taken/.$$ && mv {out}-taken/.$$ {out}-taken/$$"]\n"""

    def folder(self, gateway):
        return gateway.out + "-taken"


class OtherHost(Reader):
    """An SMTP host that takes everything."""

    has_folder = False

    def __init__(self):
        self.host = Host()
        self.settings = f'hosts = ["127.0.0.1:{self.host.port}"]\ntls = "none"\n'

    def take(self, gateway, ledger):
        for serial, texts in self.host.taken.items():
            for text in texts:
                ledger.take_one(text, "host")
        self.host.taken.clear()

    def close(self):
        self.host.ear.close()


def check(fine, what):
    if not fine:
        raise AssertionError(what)


def read_and_remove(path):
    with open(path, "rb") as file:
        content = file.read()
    os.unlink(path)
    return content


class Letters(Reader):
    """Of a folder of converted mails, each a file."""

    place, end = "", b""

    def folder(self, gateway):
        return os.path.join(gateway.out, self.place)

    def take(self, gateway, ledger):
        with contextlib.suppress(FileNotFoundError):  # of a folder that no service has made yet
            for name in os.listdir(self.folder(gateway)):
                if not name.startswith("."):
                    self.take_file(os.path.join(self.folder(gateway), name), ledger)

    def take_file(self, path, ledger):
        content = read_and_remove(path)
        check(content.endswith(self.end), f"torn: {path}")
        self.take_letter(path, content, ledger)

    def take_letter(self, path, content, ledger):
        found = re.findall(rb"\bserial (\d+)\b", content)
        check(len(found) == 1, f"torn: {path}")
        ledger.count(int(found[0]), content, path)


class BatchSmtp(Letters):
    """The mail stands in it as it came."""

    settings, route, end = 'line_ends = "crlf"\n', 'legacy = "{address}"', b"\r\n.\r\nQUIT\r\n"

    def take_letter(self, path, content, ledger):
        ledger.take_one(content, path)


class Winlink(Letters):
    settings, route, end = 'call = "N0AAA"\n', 'legacy = "N0BBB"', b"\r\n"


class MsMail(Letters):
    route = 'legacy = "NET1/PO1/user"'


class Packets(Letters):
    """A tosser's inbound."""

    kind, place, largest = "ftn", "in", 10_000
    settings = 'address = "2:999/1"\nlink = "2:999/2"\nfolder = "{out}/in"\n'
    route, has_folder = 'legacy = "Bob Sysop@2:999/2"', False

    def take_file(self, path, ledger):
        if path.endswith(".pkt"):
            self.take_packet(path, ledger)

    def take_packet(self, path, ledger):
        _, mails = read_packet(read_and_remove(path))
        for mail in mails:
            ledger.count(int(re.fullmatch(rb"serial (\d+)", mail.subject).group(1)), b"\n".join(mail.lines), path)


class BundledPackets(Packets):
    settings = Packets.settings + "bundle = 8\n"


class Mailer(Packets):
    """Sends what stands in the list, under the mailer's lock, and removes the list last."""

    settings = 'address = "2:999/1"\nlink = "2:999/2"\nmode = "bso"\nfolder = "{out}"\noutbound = "outb"\n'

    def take(self, gateway, ledger):
        base = os.path.join(gateway.out, "outb", "03e70002")
        try:
            os.close(os.open(base + ".bsy", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except (FileExistsError, FileNotFoundError):
            return
        try:
            with open(base + ".flo", encoding="utf-8") as file:
                lines = file.read().split("\n")
            check(lines.pop() == "", f"torn: {base}.flo")
            for line in lines:
                check(line.startswith("^"), f"{base}.flo: {line}")
                self.take_packet(line[1:], ledger)
            os.unlink(base + ".flo")
        except FileNotFoundError:
            pass
        finally:
            os.unlink(base + ".bsy")


class Board(Letters):
    """Imports mail.in under its lock, and removes it."""

    settings, route = 'call = "N0GW"\n', 'legacy = "N0USR@N0BBS"'

    def take(self, gateway, ledger):
        path = os.path.join(gateway.out, "mail.in")
        try:
            os.close(os.open(path[:-3] + ".lck", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except FileExistsError:
            return
        try:
            messages = read_and_remove(path).split(b"/EX\n")
        except FileNotFoundError:
            return
        finally:
            os.unlink(path[:-3] + ".lck")
        check(messages.pop() == b"", f"torn: {path}")
        for message in messages:
            self.take_letter(path, message, ledger)


class WithFilesBeside(Letters):
    """Whoever finds a message finds the files that it names."""

    attachment = True
    beside, names = "", rb""

    def take_letter(self, path, content, ledger):
        files = [os.path.join(os.path.dirname(os.path.dirname(path)), self.beside, name.decode()) for name in re.findall(self.names, content)]
        check(len(files) == self.files, f"{path} names {len(files)} files")
        super().take_letter(path, content + b"\n".join(read_and_remove(file) for file in files), ledger)


class Hub(WithFilesBeside):
    route, place, beside, names, files = 'legacy = "bob@HUB"', "SND", "PARCEL", rb"\nAttachment: (\w+)\r?\n", 1


class GroupWise(WithFilesBeside):
    route, place, beside, names, files = 'legacy = "DOM.PO.bob"', "API_IN", "ATT_IN", rb"(?:MSG-FILE|CURRENT-FILE)= (\S+);", 2
    end = b"-END-\r\n"


SIDES = {"maildir": MaildirReader, "chat": ChatReader, "pipe": Command, "smtp": OtherHost, "bsmtp": BatchSmtp, "b2f": Winlink, "mmff": MsMail,
         "ftn": Packets, "bundle": BundledPackets, "bso": Mailer, "fbb": Board, "mhs": Hub, "gwapi": GroupWise}


def of(name):
    """The other side of an adapter of that kind; "bundle" and "bso" are ways of "ftn"."""
    side = SIDES.get(name, Reader)()
    side.kind = side.kind or name
    return side
