"""Who is on the other side of an adapter: what the adapter is told of him, and how what he got comes into the ledger.

Each takes what he finds at any moment, as his system does, under its locks, and what is not whole is an error."""

import contextlib
import os
import re
import struct
import sys
import tempfile
import types

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), each) for each in ("", os.path.join("..", "interop"))]
from gateway import Ledger, break_readers_lock, mail_text, readers_lock  # noqa: E402
from kill_wire import Host  # noqa: E402
from packets import read_packet  # noqa: E402


class Reader:
    """Of a folder or a mailbox file, as the ledger knows them."""

    kind = ""  # of the adapter, where the side has another name
    settings, route, has_folder = "", "", True  # {out} in the settings stands for the adapter's folder
    sent = frozenset()  # files that he took from under a list which may still name them
    attachment = False  # mail for him has a file in it
    largest = 1 << 20   # bytes that stay in one piece

    def folder(self, gateway):
        return gateway.out

    def take(self, gateway, ledger):
        if os.path.isdir(self.folder(gateway)):
            ledger.take(self.folder(gateway))

    def lock(self, gateway):
        """What keeps this reader and the adapter apart; empty: nothing does."""
        return ""

    def begin(self, gateway):
        """Behind a failure of the power."""
        if self.lock(gateway):
            break_readers_lock(self.lock(gateway))

    def close(self):
        pass


class MailboxReader(Reader):
    def lock(self, gateway):
        return os.path.join(gateway.out, "inbox.lock")

    def mails_in(self, gateway):
        """The serials of those that begin in it."""
        try:
            with open(os.path.join(gateway.out, "inbox"), "rb") as file:
                return {int(serial) for serial in re.findall(rb"^X-Serial: (\d+)\n", file.read(), re.M)}
        except FileNotFoundError:
            return set()


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
    """An SMTP or LMTP host that takes everything."""

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
        names = []
        with contextlib.suppress(FileNotFoundError):  # no service has made it yet
            names = os.listdir(self.folder(gateway))
        for name in names:
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


class Pickup(BatchSmtp):
    settings, route, end = "", 'legacy = "{address}"', b"\r\n"


class Winlink(Letters):
    settings, route, end = 'call = "N0AAA"\n', 'legacy = "N0BBB"', b"\r\n"


class PostOffice(Letters):
    """cc:Mail's IMPORT without its program: takes what has the size that it says."""

    settings, route, end = 'gateway = "GATEWAY"\n', 'legacy = "user at PO1"', b"\r\n"

    def take_letter(self, path, content, ledger):
        head = re.match(rb"Message:\r\n *(\d+) *\r\n", content)
        check(head and int(head.group(1)) == len(content) - head.end(), f"torn: {path}")
        super().take_letter(path, content, ledger)


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
        try:
            _, mails = read_packet(read_and_remove(path))
            letters = [(int(re.fullmatch(rb"serial (\d+)", mail.subject).group(1)), b"\n".join(mail.lines)) for mail in mails]
        except (struct.error, ValueError, AttributeError) as error:
            raise AssertionError(f"torn: {path}") from error
        for serial, text in letters:
            ledger.count(serial, text, path)


class BundledPackets(Packets):
    settings = Packets.settings + "bundle = 8\n"


class Mailer(Packets):
    """Sends what stands in the list, under the mailer's lock, and removes the list last."""

    settings = 'address = "2:999/1"\nlink = "2:999/2"\nmode = "bso"\nfolder = "{out}"\noutbound = "outb"\n'

    def __init__(self):
        self.sent = set()  # packets; the power may fail between the removal of one and that of the list

    def flow(self, gateway):
        return os.path.join(gateway.out, "outb", "03e70002.flo")

    def lock(self, gateway):
        return self.flow(gateway)[:-4] + ".bsy"

    def take(self, gateway, ledger):
        with contextlib.suppress(FileExistsError, FileNotFoundError), readers_lock(self.lock(gateway)):
            with open(self.flow(gateway), encoding="utf-8", errors="replace") as file:
                lines = file.read().split("\n")
            check(lines.pop() == "", "torn: the list")
            for line in lines:
                folder, name = os.path.split(line)
                check(folder.endswith("/out/postern-packets") and line.startswith("^/"), f"in the list: {line}")
                self.send(os.path.join(gateway.out, "postern-packets", name), ledger)
            os.unlink(self.flow(gateway))

    def send(self, path, ledger):
        name = os.path.basename(path)
        check(os.path.exists(path) or name in self.sent, f"the list names {name}, which is not there")
        if os.path.exists(path):
            self.take_packet(path, ledger)
        self.sent.add(name)


class Board(Letters):
    """Imports mail.in under its lock, and removes it."""

    settings, route = 'call = "N0GW"\n', 'legacy = "N0USR@N0BBS"'

    def lock(self, gateway):
        return os.path.join(gateway.out, "mail.lck")

    def take(self, gateway, ledger):
        path = os.path.join(gateway.out, "mail.in")
        try:
            with readers_lock(self.lock(gateway)):
                messages = read_and_remove(path).split(b"/EX\n")
        except (FileExistsError, FileNotFoundError):
            return
        check(messages.pop() == b"", f"torn: {path}")
        for message in messages:
            self.take_letter(path, message, ledger)


class WithFilesBeside(Letters):
    """Whoever finds a message finds the files that it names, whole."""

    attachment = True
    beside, names, files = "", rb"", 0  # their folder, where they are named, and how many the one mail has

    def take_letter(self, path, content, ledger):
        named = [name.decode() for name in re.findall(self.names, content)]
        check(len(named) == self.files, f"{path} names {named}")
        for name in named:
            file = os.path.join(os.path.dirname(os.path.dirname(path)), self.beside, name)
            check(os.path.exists(file), f"{path} names {name}, which is not there")
            content += b"\n" + read_and_remove(file)
        check(content.count(b" begins") == 2, f"{path}: not the text and its file")
        super().take_letter(path, content, ledger)


class Hub(WithFilesBeside):
    route, place, beside, names, files = 'legacy = "bob@HUB"', "SND", "PARCEL", rb"\nAttachment: (\w+)\r?\n", 1


class GroupWise(WithFilesBeside):
    route, place, beside, names, files = 'legacy = "DOM.PO.bob"', "API_IN", "ATT_IN", rb"(?:MSG-FILE|CURRENT-FILE)= (\S+);", 2
    end = b"-END-\r\n"


SIDES = {"mbox": MailboxReader, "maildir": MaildirReader, "chat": ChatReader, "pipe": Command, "smtp": OtherHost, "lmtp": OtherHost,
         "pickup": Pickup, "bsmtp": BatchSmtp, "b2f": Winlink, "ccmail": PostOffice, "mmff": MsMail,
         "ftn": Packets, "bundle": BundledPackets, "bso": Mailer, "fbb": Board, "mhs": Hub, "gwapi": GroupWise}

# Kinds that write files, and ways of them.
FILES = ("drop", "mbox", "mh", "chat", "maildir", "pickup", "bsmtp", "b2f", "ccmail", "mmff", "ftn", "bundle", "bso", "fbb", "mhs", "gwapi")


def readers_are_awake():
    """They must see what a crash could leave: pieces of mails, a message without its file, a list without its packet."""
    def refused(side, name, text, *more):
        with tempfile.TemporaryDirectory(prefix="postern-readers-") as folder:
            gateway = types.SimpleNamespace(out=os.path.join(folder, "out"))
            for each, content in ((name, text), *more):
                path = os.path.join(gateway.out, each)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as file:
                    file.write(content)
            try:
                side.take(gateway, Ledger(side.kind))
            except AssertionError:
                return True
            return False

    whole = mail_text(1).encode()
    message = b"Subject: serial 1\nAttachment: 00000101\n" + whole.split(b"\r\n\r\n", 1)[1]
    file = "PARCEL/00000101", b"body 1 begins\nbody 1 ends\n"
    seen = {"a piece of a mail": refused(Reader(), "a", whole[:-9]), "a whole one": not refused(Reader(), "a", whole),
            "no parcel": refused(Hub(), "SND/a", message), "a parcel": not refused(Hub(), "SND/a", message, file),
            "a piece of a parcel": refused(Hub(), "SND/a", message, (file[0], file[1][:-9])),
            "no packet": refused(Mailer(), "outb/03e70002.flo", b"^/x/out/postern-packets/1.pkt\n"),
            "an empty list": not refused(Mailer(), "outb/03e70002.flo", b""),
            "a torn packet": refused(Packets(), "in/1.pkt", bytes(60)), "a torn letter": refused(GroupWise(), "API_IN/1", message),
            "a torn batch": refused(BatchSmtp(), "a", whole), "a torn import file": refused(Board(), "mail.in", b"SP\n" + message),
            "a torn letter for cc:Mail": refused(PostOffice(), "msg001a.ccm", b"Message:\r\n900\r\n" + message + b"\r\n"),
            "a torn mailbox": refused(MailboxReader(), "inbox", b"From a Mon Nov 23 00:00:00 2026\n" + whole[:-9])}
    check(all(seen.values()), f"the readers sleep: {seen}")


def of(name):
    """The other side of an adapter of that kind; "bundle" and "bso" are ways of "ftn"."""
    side = SIDES.get(name, Reader)()
    side.kind = side.kind or name
    return side
