#!/usr/bin/env python3
"""Makes the first corpora out of the dialogues and the configurations that the unit tests keep.

Usage: seeds.py TESTS_FOLDER OUT_FOLDER
"""

import base64
import os
import re
import shutil
import sys


def unescape(text):
    text = re.sub(r"\{(\d+)\*([^}]*)\}", lambda found: found.group(2) * min(int(found.group(1)), 3000), text)
    names = {"r": "\r", "n": "\n", "0": "\0", "t": "\t", "\\": "\\"}
    text = re.sub(r"\\x([0-9a-fA-F]{2})", lambda found: chr(int(found.group(1), 16)), text)
    return re.sub(r"\\([rn0t\\])", lambda found: names[found.group(1)], text)


def client_bytes(path):
    """What the client of a dialogue says, behind the byte that chooses the listener."""
    out = "\x00"
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            if line.startswith("protocol: lmtp"):
                out = "\x01"
            elif line.startswith(("C: ", "C+ ")):
                out += unescape(line[3:]) + "\r\n"
            elif line.startswith("C= "):
                out += unescape(line[3:])
    return out.encode("utf-8", "surrogatepass")


def write(out, target, name, data):
    with open(os.path.join(out, target, name), "wb") as file:
        file.write(data)


def little(value, size):
    return value.to_bytes(size, "little")


def tnef(attributes):
    """Attributes as (level, id, value)."""
    data = little(0x223E9F78, 4) + little(1, 2)
    for level, number, value in attributes:
        data += bytes([level]) + little(number, 4) + little(len(value), 4) + value + little(sum(value) & 0xFFFF, 2)
    return data


def properties(some):
    """MAPI properties as (type, id, bytes), all of them with a length."""
    data = little(len(some), 4)
    for kind, number, value in some:
        data += little(kind, 2) + little(number, 2) + little(1, 4) + little(len(value), 4) + value
        data += bytes(-len(value) % 4)
    return data


HELLO_RTF = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232"
    "0af32068656c0900206277" "05b06c647d0a800fa0")


def decoder_seeds(out):
    """One file for each reader, behind the byte that chooses it."""
    wide = "Long name.doc\0".encode("utf-16-le")
    inner = tnef([(1, 0x69003, properties([(0x1F, 0x1000, "Said inside".encode("utf-16-le"))])),
                  (2, 0x69002, bytes(14)), (2, 0x6800F, b"bytes"), (2, 0x18010, b"A.DOC\0"),
                  (2, 0x69005, properties([(0x1F, 0x3707, wide)]))])
    message = bytes.fromhex("0703020000000000c000000000000046") + inner
    outer = tnef([(1, 0x69007, little(1252, 4) + bytes(4)), (1, 0x69003, properties([(0x102, 0x1009, HELLO_RTF)])),
                  (2, 0x69002, bytes(14)), (2, 0x69005, properties([(0x0D, 0x3701, message)]))])
    single = bytes.fromhex("0005160000020000") + bytes(16) + bytes.fromhex("0001" "00000001" "00000026" "00000004") + b"data"
    binary = b"\0\4name" + bytes(77) + (4).to_bytes(4, "big") + bytes(41) + b"data" + bytes(124)
    hqx = b"(This file must be converted with BinHex 4.0)\n\n:#@0*8e3&5NP08&P0680`3N&09G*-6N\"!!!!!!!!!!:\n"
    samples = [inner, b"{\\rtf1\\ansi{\\fonttbl{\\f0\\fcharset204 A;}}\\f0 \\'cf\\u233?\\par{\\*\\x y}\\bin2 }}z}",
               HELLO_RTF, hqx, single, binary, b"text\nbegin 644 cat.txt\n#0V%T\n`\nend\nmore\n",
               b"<p>Hi <a href='x'>you</a><ul><li>one<li>two</ul><table><tr><td>a<td>b</table>&eacute;"]
    for number, sample in enumerate(samples):
        write(out, "decoders", f"sample-{number}", bytes([number]) + sample)
    write(out, "decoders", "tnef-nested", b"\0" + outer)
    mail = (b"MIME-Version: 1.0\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(outer).replace(b"\n", b"\r\n"))
    write(out, "mime", "tnef", b"\0\0" + mail)
    write(out, "mime", "uuencode", b"\x40\0Subject: x\r\n\r\nHi\r\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\n")


def mail_seeds(tests, out):
    """The sample mails, each for other carriers and profiles."""
    number = 0
    for folder, folders, names in os.walk(os.path.join(tests, "corpus")):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not name.endswith(".eml") or os.path.getsize(path) > 8000:
                continue
            with open(path, "rb") as file:
                mail = file.read()
            write(out, "mime", f"{number}-{name}", bytes([number * 37 % 256, number * 29 % 256]) + mail)
            write(out, "ftn", f"{number}-{name}", bytes([number * 37 % 256]) + mail)
            number += 1


def chat_bytes(path):
    """What the clients of a chat's dialogue say, each behind its number; those that are logged on say so first."""
    numbers, out = {}, []
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            said = re.match(r"(\w+)> (.*)", line)
            there = re.match(r"logged-on: (\w+) ?(.*)", line)
            if there:
                number = numbers.setdefault(there.group(1), len(numbers) % 6)
                if there.group(2):
                    out.append(f"{number}CAP REQ :{there.group(2)}")
                out += [f"{number}NICK {there.group(1)}", f"{number}USER u 0 * :u", f"{number}CAP END"]
            elif said:
                out.append(f"{numbers.setdefault(said.group(1), len(numbers) % 6)}{unescape(said.group(2))}")
    return "\n".join(out).encode("latin-1", "replace")


def chat_seeds(tests, out):
    dialogues = os.path.join(tests, "unit/chat/dialogues")
    for name in sorted(os.listdir(dialogues)):
        if name.endswith(".txt"):
            write(out, "chat", name, chat_bytes(os.path.join(dialogues, name)))
    write(out, "chat", "comings-and-goings", b"0NICK a\n0USER a 0 * :a\n0JOIN #x\n1NICK b\n1USER b 0 * :b\n1JOIN #x\nd1\n0PRIVMSG #x :y\n"
          b"t\nt\nr1\nw\n0OPER root pencil\nv1\ng\n0KILL a\nt\n")


def main():
    tests, out = sys.argv[1:]
    shutil.rmtree(out, ignore_errors=True)
    for name in ("intake", "config", "mime", "decoders", "ftn", "chat"):
        os.makedirs(os.path.join(out, name))
    dialogues = os.path.join(tests, "unit/intake/dialogues")
    for name in sorted(os.listdir(dialogues)):
        if name.endswith(".txt"):
            with open(os.path.join(out, "intake", name), "wb") as file:
                file.write(client_bytes(os.path.join(dialogues, name)))
    for folder, _, names in os.walk(os.path.join(tests, "unit/config/broken")):
        for name in names:
            if name.endswith(".toml"):
                shutil.copy(os.path.join(folder, name), os.path.join(out, "config", f"{os.path.basename(folder)}-{name}"))
    chat_seeds(tests, out)
    mail_seeds(tests, out)
    decoder_seeds(out)
    shutil.copy(os.path.join(tests, "../packaging/config/postern.toml"), os.path.join(out, "config", "example.toml"))


main()
