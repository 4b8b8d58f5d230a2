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
            write(out, "letters", f"{number}-{name}", bytes([number]) + mail)
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


def control_seeds(out):
    for name, line in {
            "status": '{"verb":"status"}', "bounce": '{"verb":"bounce","who":"anna","fields":{"items":"1 2","reason":"\\u00fc\\ud83d\\ude00"}}',
            "submit": '{"verb":"submit","body":true,"fields":{"sender":"a@x.example","recipients":"b@y.example"}}', "fields": '{"name":"ann","password":"pencil"}',
            "row": '{"row":{"id":42,"state":"ready","size":1,"at":"2026-11-22T10:00:00Z","live":true,"names":["a","b"]}}',
            "end": '{"end":{"error":"busy","text":"try again"}}', "deep": "[" * 200, "twice": '{"verb":"a","verb":"b"}'}.items():
        write(out, "control", name, line.encode())


def table_seeds(tests, out):
    head = b"internet address,legacy address\r\n"
    for name, text in {
            "plain": b"ann@x.example,Ann at PO1\n", "header": head + b'"bob@x.example","Bob, the ""second"""\r\n', "remark": b"# x\n\n" + head,
            "one-name": b"a@x.example,Ann\nb@x.example,ann\n", "folded": b"a@x.example,Ann  B\nA@X.EXAMPLE,Ann b\n", "marked": b"\xef\xbb\xbf" + head,
            "latin1": b"a@x.example,M\xfcller\n", "nul": b"a@x.example,A\0B\n", "open": b'a@x.example,"open\n', "quoted": b'"a b"@x.example,A\n'}.items():
        write(out, "tables", name, text)
    example = os.path.join(tests, "../packaging/config/examples")
    for folder, _, names in os.walk(example):
        for name in names:
            if name.endswith(".csv"):
                shutil.copy(os.path.join(folder, name), os.path.join(out, "tables", name))


def result_seeds(out):
    reports = {
        "not-found": b"***User not found: Bob at PO1***\r\nMessage:\r\nTo: Bob at PO1\r\nContents:\r\n*** Dear Bob ***\r\n",
        "router": b"Not deliverable to Ann\r\nMessage: 1\r\nText item: 12\r\n", "header": b"*Header Buffer Full*", "cp850": b"***C\x82line***\r\n",
        "sized": b"Message:\r\nTo: Ann\r\nContents:\r\nText item: 999999999999\r\nx", "nothing": b""}
    for name, text in reports.items():
        for charset in range(4):
            write(out, "results", f"{name}-{charset}", bytes([charset * 2]) + text)
    records = {
        "run": b"run1 abc123 full\n0 m0000001-1.ccm\n3 with blank.ccm\nend\n", "ended": b"ended1 0 5 ended with exit code 5: no such user\nend\n",
        "name": b"m0000001-12.ccm", "capitals": b"M000000A.UND", "result": b"postern-run-1 exited 75 12 0 whole 0 12\n\nout of paper\nend\n"}
    for name, text in records.items():
        write(out, "results", "record-" + name, b"\1" + text)


def http_seeds(out):
    head = b"Host: 127.0.0.1:8025\r\n"
    for name, text in {
            "page": b"GET / HTTP/1.1\r\n" + head + b"\r\n", "run": b"GET /api/run/queue-list?state=ready&limit=5 HTTP/1.1\r\n" + head + b"\r\n",
            "two": b"GET /healthz HTTP/1.1\r\n" + head + b"\r\nGET /metrics HTTP/1.0\r\n\r\n", "events": b"GET /events HTTP/1.1\r\n" + head + b"\r\n",
            "login": b"POST /api/login HTTP/1.1\r\n" + head + b"Content-Type: application/json\r\nContent-Length: 34\r\n\r\n"
                     b'{"name":"ann","password":"pencil"}',
            "basic": b"POST /api/run/hold HTTP/1.1\r\n" + head + b"Authorization: Basic YW5uOnBlbmNpbA==\r\nContent-Type: application/json\r\n"
                     b'Content-Length: 13\r\n\r\n{"items":"1"}',
            "chunked": b"POST /api/login HTTP/1.1\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n0\r\n\r\n",
            "mail": b"GET /api/mail/1 HTTP/1.1\r\n" + head + b"Cookie: postern=x\r\n\r\n", "escapes": b"HEAD /%2e%2e/%ff%00?a=%zz HTTP/1.1\r\n" + head + b"\r\n",
            "origin": b"POST /api/logout HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nContent-Length: -1\r\n\r\n"}.items():
        write(out, "http", name, text)


def main():
    tests, out = sys.argv[1:]
    shutil.rmtree(out, ignore_errors=True)
    for name in ("intake", "config", "mime", "decoders", "ftn", "letters", "chat", "control", "tables", "results", "http"):
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
    control_seeds(out)
    table_seeds(tests, out)
    result_seeds(out)
    http_seeds(out)
    mail_seeds(tests, out)
    decoder_seeds(out)
    shutil.copy(os.path.join(tests, "../packaging/config/postern.toml"), os.path.join(out, "config", "example.toml"))


main()
