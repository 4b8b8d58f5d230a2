"""A reader of FidoNet packets of type 2+ and of stored messages, written from FTS-0001 and nothing else."""

import datetime
import struct


def check(fine, what):
    if not fine:
        raise AssertionError(what)


class Mail:
    """One message of a packet, or one *.MSG file."""

    def __init__(self, to, sender, subject, date, attributes, text):
        self.to, self.sender, self.subject, self.date, self.attributes = to, sender, subject, date, attributes
        lines = text.split(b"\r")
        self.controls = [line[1:].decode("latin-1") for line in lines if line.startswith(b"\x01")]
        self.lines = [line for line in lines if not line.startswith(b"\x01")]

    def control(self, name):
        for line in self.controls:
            if line.startswith(name + " ") or line.startswith(name + ": "):
                return line.split(" ", 1)[1]
        return None


def read_packet(data):
    """(head as a dictionary, mails)."""
    check(len(data) >= 60, "too short for a packet")
    words = struct.unpack("<12H", data[:24])
    check(words[9] == 2, f"packet type {words[9]}")
    tail = struct.unpack("<3H2s2x7H", data[34:58])
    head = {"from": f"{tail[0]}:{words[10]}/{words[0]}.{tail[7]}", "to": f"{tail[1]}:{words[11]}/{words[1]}.{tail[8]}",
            "password": data[26:34].rstrip(b"\0").decode("latin-1"), "capability": tail[4],
            "time": datetime.datetime(words[2], words[3] + 1, *words[4:8])}
    mails, at = [], 58
    while data[at:at + 2] == b"\x02\0":
        fields = struct.unpack("<7H", data[at:at + 14])
        at += 14
        texts = []
        for _ in range(5):
            end = data.index(b"\0", at)
            texts.append(data[at:end])
            at = end + 1
        mail = Mail(texts[1], texts[2], texts[3], texts[0], fields[5], texts[4])
        mail.nodes = f"{fields[3]}/{fields[1]}", f"{fields[4]}/{fields[2]}"
        mails.append(mail)
    check(data[at:] == b"\0\0", f"behind the mails: {data[at:at + 40]!r}")
    return head, mails


def read_msg(data):
    """A *.MSG file. What stands behind a NUL is garbage."""
    texts = [data[a:b].split(b"\0")[0] for a, b in ((0, 36), (36, 72), (72, 144), (144, 164))]
    words = struct.unpack("<13H", data[164:190])
    mail = Mail(texts[1], texts[0], texts[2], texts[3], words[11], data[190:].split(b"\0")[0])
    mail.nodes = f"{words[4]}/{words[2]}", f"{words[5]}/{words[1]}"
    return mail


def jam_mails(path):
    """[{field number: bytes}] and the texts of a JAM message base."""
    with open(path + ".jhr", "rb") as file:
        heads = file.read()
    with open(path + ".jdt", "rb") as file:
        texts = file.read()
    check(heads[:4] == b"JAM\0", heads[:16])
    mails, at = [], 1024
    while at < len(heads):
        check(heads[at:at + 4] == b"JAM\0", f"no message head at {at}")
        length = struct.unpack("<I", heads[at + 8:at + 12])[0]
        offset, size = struct.unpack("<2I", heads[at + 60:at + 68])
        fields, here, end = {}, at + 76, at + 76 + length
        while here < end:
            kind, _, count = struct.unpack("<HHI", heads[here:here + 8])
            fields.setdefault(kind, []).append(heads[here + 8:here + 8 + count])
            here += 8 + count
        mails.append((fields, texts[offset:offset + size]))
        at = end
    return mails
