#!/usr/bin/env python3
"""Writes the generated part of the corpus: several hundred mails of many charsets and shapes, the same bytes each
time. Usage: generate.py FOLDER. The letters are in languages.py, the odd shapes in shapes.py."""

import base64
import os
import quopri
import sys

sys.dont_write_bytecode = True
from languages import LANGUAGES  # noqa: E402
from shapes import SHAPES  # noqa: E402

DATE = "Tue, 14 Nov 2023 22:13:20 +0100"
# What Python calls otherwise than mail does.
CODECS = {"windows-874": "cp874", "koi8-u": "koi8_u"}


def codec(charset):
    return CODECS.get(charset, charset)


def digits(data):
    return base64.b64encode(data).decode("ascii")


def word(text, charset, q=False):
    """An encoded word, or several of at most 30 characters each."""
    if all(ord(c) < 128 for c in text):
        return text
    words = []
    for start in range(0, len(text), 16):
        data = text[start:start + 16].encode(codec(charset))
        if q:
            inside = "".join(chr(b) if chr(b).isalnum() and b < 128 else "_" if b == 32 else f"={b:02X}" for b in data)
            words.append(f"=?{charset}?Q?{inside}?=")
        else:
            words.append(f"=?{charset}?B?{digits(data)}?=")
    return "\r\n ".join(words)


def lines(*parts):
    return "\r\n".join(parts) + "\r\n"


class Letter:
    """One language in one charset."""

    def __init__(self, language, charset):
        charsets, self.person, self.subject, self.file, text, extra = LANGUAGES[language]
        self.language, self.charset = language, charset
        self.text = lines(*text)
        if charset == "utf-8":
            self.text += lines(extra)

    def header(self, number, q=False):
        return lines(f"From: {word(self.person, self.charset, q)} <{self.language}@example.org>",
                     "To: Bob <bob@legacy.example>", f"Subject: {word(self.subject, self.charset, q)}",
                     f"Date: {DATE}", f"Message-ID: <{self.language}.{number}@example.org>", "MIME-Version: 1.0")

    def part(self, kind="text/plain", text=None, encoding="8bit", more=""):
        data = (self.text if text is None else text).encode(codec(self.charset))
        if encoding == "base64":
            data = base64.encodebytes(data).replace(b"\n", b"\r\n")
        elif encoding == "quoted-printable":
            data = quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        head = lines(f"Content-Type: {kind}; charset={self.charset}{more}", f"Content-Transfer-Encoding: {encoding}", "")
        return head.encode("ascii") + data

    def html(self, image=""):
        paragraphs = "".join(f"<p>{line.replace('&', '&amp;').replace('<', '&lt;')}</p>\r\n"
                             for line in self.text.splitlines())
        return (f"<html><head><style>p {{margin: 1em}}</style></head><body>{image}\r\n{paragraphs}<ul><li>1</li><li>"
                f'<a href="https://www.example.org/{self.language}">{self.subject}</a></li></ul></body></html>\r\n')


def multipart(kind, parts, boundary="=_b0"):
    out = lines(f'Content-Type: multipart/{kind}; boundary="{boundary}"', "").encode("ascii")
    for part in parts:
        out += f"--{boundary}\r\n".encode("ascii") + part + b"\r\n"
    return out + f"--{boundary}--\r\n".encode("ascii")


def attachment(letter, data, style):
    name = letter.file
    if style == "2231":
        coded = "".join(chr(b) if chr(b).isalnum() and b < 128 else f"%{b:02X}" for b in name.encode(codec(letter.charset)))
        field = f"Content-Disposition: attachment;\r\n filename*={letter.charset}''{coded}"
    elif style == "pieces":
        coded = [f"%{b:02X}" for b in name.encode(codec(letter.charset))]
        pieces = ["".join(coded[at:at + 9]) for at in range(0, len(coded), 9)]
        field = "Content-Disposition: attachment" + "".join(
            f";\r\n filename*{i}*={letter.charset + chr(39) * 2 if i == 0 else ''}{piece}" for i, piece in enumerate(pieces))
    else:
        field = f'Content-Disposition: attachment; filename="{word(name, letter.charset)}"'
    head = lines("Content-Type: application/octet-stream", field, "Content-Transfer-Encoding: base64", "")
    return head.encode("ascii") + base64.encodebytes(data).replace(b"\n", b"\r\n")


def flowed(letter):
    text = ""
    for line in letter.text.splitlines():
        for at in range(0, len(line), 24):
            stuffing = " " if line[at] == " " else ""
            text += stuffing + line[at:at + 24] + (" \r\n" if at + 24 < len(line) else "\r\n")
    return letter.part(text="> " + letter.subject + "\r\n" + text + "-- \r\n" + letter.person + "\r\n",
                       more="; format=flowed; delsp=yes")


def reply(letter):
    quoted = "".join(f"> {line}\r\n" for line in letter.text.splitlines())
    return letter.part(text=f"OK, 14:30.\r\n\r\n{letter.person}:\r\n{quoted}", encoding="quoted-printable")


def of_language(language, number):
    """The shapes every language gets, each in one of its charsets."""
    charsets = LANGUAGES[language][0]

    def letter(shift):
        return Letter(language, charsets[(number + shift) % len(charsets)])

    image = lines("Content-Type: image/png", "Content-ID: <i1>", "Content-Transfer-Encoding: base64", "",
                  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==").encode()
    one = letter(0)
    yield "alternative", one, multipart("alternative", [one.part(), one.part("text/html", one.html())])
    one = letter(1)
    yield "related", one, multipart("related", [one.part("text/html", one.html('<img src="cid:i1" alt="Logo">'),
                                                         "quoted-printable"), image])
    one = letter(2)
    data = one.text.encode("utf-8") * 3
    yield "mixed", one, multipart("mixed", [one.part(encoding="base64"),
                                            attachment(one, data, ["2231", "2047", "pieces"][number % 3]), one.part()])
    yield "flowed", letter(3), flowed(letter(3))
    one = letter(4)
    yield "html", one, one.part("text/html", one.html(), "base64")
    one, inner = letter(5), letter(6)
    nested = inner.header("inner").encode("ascii") + inner.part()
    yield "nested", one, multipart("mixed", [one.part(text=one.subject + "\r\n"),
                                             b"Content-Type: message/rfc822\r\n\r\n" + nested])
    yield "reply", letter(7), reply(letter(7))


def corpus():
    for number, language in enumerate(LANGUAGES):
        for count, charset in enumerate(LANGUAGES[language][0]):
            letter = Letter(language, charset)
            encoding = ["8bit", "quoted-printable", "base64"][(number + count) % 3]
            if charset.startswith("iso-2022"):
                encoding = "7bit"
            yield f"{language}-{charset}", letter.header(charset, count % 2 == 1).encode() + letter.part(encoding=encoding)
        for shape, letter, body in of_language(language, number):
            yield f"{language}-{shape}", letter.header(shape).encode("ascii") + body
    for name, text in SHAPES:
        yield "shape-" + name, text


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    count = 0
    for name, data in corpus():
        with open(os.path.join(folder, name + ".eml"), "wb") as file:
            file.write(data)
        count += 1
    print(f"{count} mails")


if __name__ == "__main__":
    main()
