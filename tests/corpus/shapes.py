"""Shapes of mail that are rare, old, odd or broken, for the generated corpus: pairs of a name and the bytes."""

import base64
import binascii
import struct

HEAD = ("From: Alice Example <alice@example.org>\nTo: Bob <bob@legacy.example>\n"
        "Date: Tue, 14 Nov 2023 22:13:20 +0100\n")
MIME = HEAD + "Subject: {0}\nMIME-Version: 1.0\n"


def wire(text):
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    return data.replace(b"\n", b"\r\n")


def digits(data):
    return base64.encodebytes(data).decode("ascii")


def uuencoded(name, data, mode="644"):
    rows = "".join(binascii.b2a_uu(data[at:at + 45], backtick=True).decode("ascii") for at in range(0, len(data), 45))
    return f"begin {mode} {name}\n{rows}`\nend\n"


def parts(kind, *texts, boundary="b", more=""):
    return (f"Content-Type: multipart/{kind}; boundary={boundary}{more}\n\n" +
            "".join(f"--{boundary}\n{text}\n" for text in texts) + f"--{boundary}--\n")


def file_part(name, data, kind="application/octet-stream"):
    return (f'Content-Type: {kind}; name="{name}"\nContent-Transfer-Encoding: base64\n'
            f'Content-Disposition: attachment; filename="{name}"\n\n{digits(data)}')


def tnef(*attributes):
    """A TNEF stream: level, id and bytes of each attribute."""
    out = struct.pack("<IH", 0x223E9F78, 1)
    for level, ident, data in attributes:
        out += struct.pack("<BII", level, ident, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)
    return out


ALL_BYTES = bytes(range(256))
ODD_NAMES = ["C:\\Windows\\CON.txt", "../../etc/passwd", "a/b/c.txt", "report.final.v2.doc", "no extension", ".profile",
             "trailing dots...", "a*b?c<d>e|f.txt", "LONGFILENAME1.TEXT", "LONGFILENAME2.TEXT", "longfilename1.text",
             "x" * 300 + ".txt", "Excel 4.0 Test", "quote\\\"d.txt", "   ", "COM1", "semi;colon.txt", "dup.txt", "dup.txt"]
ICS = ("BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1@example.org\nDTSTART:20231120T100000Z\n"
       "DTEND:20231120T110000Z\nSUMMARY:Crane inspection\nLOCATION:Pier 4\nEND:VEVENT\nEND:VCALENDAR\n")
DSN = ("Reporting-MTA: dns; mx.example.net\nArrival-Date: Tue, 14 Nov 2023 21:00:00 +0000\n\n"
       "Original-Recipient: rfc822;carol@example.net\nFinal-Recipient: rfc822;carol@example.net\nAction: {action}\n"
       "Status: {status}\nDiagnostic-Code: smtp; {reply}\n")


def report(action, status, reply, last):
    return HEAD.replace("Alice Example <alice@example.org>", "Mail Delivery System <MAILER-DAEMON@mx.example.net>") + (
        f"Subject: Delivery status ({action})\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n") + parts(
        "report", "\nThis is the mail system at mx.example.net.\n\nYour message to carol@example.net: see below.\n",
        "Content-Type: message/delivery-status\n\n" + DSN.format(action=action, status=status, reply=reply), last,
        more="; report-type=delivery-status")


def nested(depth):
    inner = HEAD + "Subject: the innermost\n\nThe text at the bottom.\n"
    for level in range(depth):
        inner = HEAD + f"Subject: level {level}\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n" + inner
    return inner


def simple():
    yield "empty", HEAD + "Subject: Nothing inside\n\n"
    yield "no-blank-line", HEAD + "Subject: Only a header\n"
    yield "no-header", "\nJust a text, without any header at all.\n"
    yield "no-from", "To: bob@legacy.example\nSubject: Who wrote this?\n\nNobody knows.\n"
    yield "no-subject", HEAD + "\nNo subject here.\n"
    yield "no-date", "From: alice@example.org\nTo: bob@legacy.example\nSubject: When?\n\nSome time.\n"
    yield "bad-date", "From: alice@example.org\nDate: yesterday, about noon\nSubject: When?\n\nSome time.\n"
    yield "year-1900", "From: alice@example.org\nDate: Mon, 1 Jan 1900 00:00:00 +0000\nSubject: Old\n\nVery old.\n"
    yield "year-two-digits", "From: alice@example.org\nDate: 1 Feb 99 10:00 EST\nSubject: 1999\n\nTwo digits.\n"
    yield "long-subject", HEAD + "Subject: " + "A subject that does not end " * 40 + "\n\nShort text.\n"
    yield "huge-subject", HEAD + "Subject: " + "x" * 900 + "\n " + "y" * 900 + "\n\nShort text.\n"
    yield "two-subjects", HEAD + "Subject: The first\nSubject: The second\n\nWhich one?\n"
    yield "raw-8bit-subject", (HEAD + "Subject: Gr").encode() + b"\xfc\xdfe, raw\n\nRaw bytes in the header.\n"
    yield "raw-utf8-subject", HEAD + "Subject: Grüße, raw UTF-8 “quoted”\n\nRaw UTF-8 in the header.\n"
    yield "broken-words", HEAD + "Subject: =?utf-8?B?R3LDvM?= =?nosuch?Q?=FC?= =?utf-8?Q?open\n\nBroken words.\n"
    yield "split-character", HEAD + "Subject: =?utf-8?B?R3LD?= =?utf-8?B?vMOfZQ==?=\n\nA character cut in two words.\n"
    yield "subject-injection", HEAD + "Subject: =?utf-8?Q?one=0D=0ABcc:_eve=00x?=\n\nOne line only.\n"
    yield "brackets", HEAD + "Subject: [list] Re: [a] and ][\n\nBrackets.\n"
    yield "bidi", HEAD + "Subject: evil \u202egpj.exe\n\nA turned \u202eword\u202c.\n"
    yield "long-line", HEAD + "Subject: One line\n\n" + "word " * 3000 + "\n"
    yield "long-word", HEAD + "Subject: One word\n\n" + "x" * 5000 + "\n"
    yield "long-url", HEAD + "Subject: A link\n\nSee https://www.example.org/" + "path/" * 30 + "?q=1 for more.\n"
    yield "many-lines", HEAD + "Subject: Many lines\n\n" + "".join(f"Line {n} of a long text.\n" for n in range(2000))
    yield "tabs", HEAD + "Subject: Tabs\n\nname\tprice\nbolt\t12\nlong name\t7\n"
    yield "controls", HEAD + "Subject: Controls\n\nbell \x07, escape \x1b[31m, end \x1a, null \x00 and form \x0c feed.\n"
    yield "first-column", HEAD + "Subject: First column\n\n.dot\n..two\nFrom the start\n~tilde\n+plus\n/EX\n"
    yield "bare-endings", HEAD.encode().replace(b"\n", b"\r\n") + b"Subject: Ends\r\n\r\none\rtwo\nthree\r\nfour"
    yield "group", "From: alice@example.org\nTo: undisclosed-recipients:;\nSubject: A group\n\nTo nobody in sight.\n"
    yield "many-recipients", ("From: alice@example.org\nTo: " + ",\n ".join(
        f"Member {n} <m{n}@example.org>" for n in range(200)) + "\nSubject: Hello all\n\nTo two hundred people.\n")
    yield "odd-addresses", ('From: "Last, First (she)" <"a b"@example.org>\nTo: <@relay.example:bob@legacy.example>,\n'
                            ' Bob (a (nested) comment) <bob@legacy.example>, o\'hara@example.org\n'
                            "Subject: Odd addresses\n\nAll of them are legal.\n")
    yield "utf8-address", "From: Jörg <jörg@bücher.example>\nTo: bob@legacy.example\nSubject: UTF-8\n\nInternational.\n"
    yield "auto-reply", HEAD + "Subject: Out of office\nAuto-Submitted: auto-replied\n\nBack on Monday.\n"


def mime():
    yield "bad-type", MIME.format("A type that makes no sense") + "Content-Type: ///;;=\n\nText all the same.\n"
    yield "blank-charset", MIME.format("Blank charset") + 'Content-Type: text/plain; charset=" "\n\nCafé.\n'
    yield "unknown-charset", (MIME.format("Unknown charset") + "Content-Type: text/plain; charset=x-klingon\n\nCaf").encode() + b"\xe9\n"
    yield "wrong-charset", (MIME.format("Says UTF-8") + "Content-Type: text/plain; charset=utf-8\n\nCaf").encode() + b"\xe9 \xff\n"
    yield "latin1-is-1252", (MIME.format("Smart quotes") + "Content-Type: text/plain; charset=iso-8859-1\n\n").encode() + b"\x93smart\x94 \x80\n"
    yield "unknown-encoding", MIME.format("x-uue") + "Content-Type: text/plain\nContent-Transfer-Encoding: x-uue\n\nbegin\n"
    yield "bad-base64", MIME.format("Bad base64") + "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGVsbG8*gd29y=bGQ\n"
    yield "bad-qp", MIME.format("Bad QP") + "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nA=ZZ =\n=4\n"
    yield "unterminated", MIME.format("No end") + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nThe only part.\n"
    yield "no-boundary", MIME.format("No boundary") + "Content-Type: multipart/mixed\n\nA body without parts.\n"
    yield "empty-parts", MIME.format("Empty parts") + parts("mixed", "\n", "Content-Type: text/html\n\n", "")
    yield "preamble", MIME.format("Preamble") + parts("mixed", "\nThe text.\n").replace("\n\n--b", "\n\nNot for you.\n--b", 1) + "Epilogue.\n"
    yield "same-boundary", MIME.format("Boundaries") + parts("mixed", parts("alternative", "\nInner.\n", boundary="b1"), "\nOuter.\n")
    yield "blank-alternative", MIME.format("Blank plain part") + parts(
        "alternative", "\n \n", "Content-Type: text/html\n\n<p>Only the <b>HTML</b> says something.</p>\n")
    yield "enriched", MIME.format("Enriched") + "Content-Type: text/enriched\n\n<bold>Bold</bold> and <<test\n\nNew line.\n"
    yield "amp", MIME.format("AMP") + parts("alternative", "\nPlain text.\n", "Content-Type: text/x-amp-html\n\n<html></html>\n",
                                             "Content-Type: text/html\n\n<p>HTML text.</p>\n")
    yield "rtf", MIME.format("RTF only") + "Content-Type: text/rtf\n\n{\\rtf1\\ansi Hello}\n"
    yield "calendar", MIME.format("Invitation: Crane inspection") + parts(
        "alternative", "\nCrane inspection, Monday 10:00, pier 4.\n", "Content-Type: text/calendar; method=REQUEST\n\n" + ICS)
    yield "calendar-only", MIME.format("Calendar only") + "Content-Type: text/calendar; method=REQUEST; name=meeting.ics\n\n" + ICS
    yield "vcard", MIME.format("My card") + parts("mixed", "\nMy card.\n", file_part("alice.vcf", b"BEGIN:VCARD\r\nFN:Alice\r\nEND:VCARD\r\n", "text/vcard"))
    yield "signed", MIME.format("Signed") + parts(
        "signed", "Content-Type: text/plain\n\nThis text is signed.\n",
        "Content-Type: application/pgp-signature; name=signature.asc\n\n-----BEGIN PGP SIGNATURE-----\niQEz\n-----END PGP SIGNATURE-----\n",
        more='; micalg=pgp-sha256; protocol="application/pgp-signature"')
    yield "smime-signed", MIME.format("S/MIME") + "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n" + digits(ALL_BYTES)
    yield "encrypted", MIME.format("Encrypted") + parts(
        "encrypted", "Content-Type: application/pgp-encrypted\n\nVersion: 1\n",
        "Content-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----\nhQEM\n-----END PGP MESSAGE-----\n",
        more='; protocol="application/pgp-encrypted"')
    yield "report-failed", report("failed", "5.1.1", "550 no such user", "Content-Type: text/rfc822-headers\n\n" + HEAD + "Subject: Lost\n")
    yield "report-delayed", report("delayed", "4.4.1", "no answer", "Content-Type: message/rfc822\n\n" + HEAD + "Subject: Late\n\nThe original text.\n")
    yield "report-relayed", report("relayed", "2.0.0", "250 ok", "Content-Type: text/rfc822-headers\n\n" + HEAD)
    yield "receipt", MIME.format("Read: Minutes") + parts(
        "report", "\nYour message was read on Wednesday.\n", "Content-Type: message/disposition-notification\n\n"
        "Final-Recipient: rfc822;bob@legacy.example\nDisposition: manual-action/MDN-sent-manually; displayed\n",
        more="; report-type=disposition-notification")
    for depth in (1, 3, 4, 20, 40):
        yield f"nested-{depth}", nested(depth)
    yield "partial", MIME.format("Part 2 of 3") + 'Content-Type: message/partial; id="x@y"; number=2; total=3\n\nmiddle of something\n'
    yield "external-body", MIME.format("Elsewhere") + "Content-Type: message/external-body; access-type=URL; URL=\"http://x.example/\"\n\nContent-Type: text/plain\n\n"


def files():
    yield "all-bytes", MIME.format("All bytes") + parts("mixed", "\nSee the file.\n", file_part("bytes.bin", ALL_BYTES))
    yield "odd-names", MIME.format("Odd names") + parts(
        "mixed", "\nMany odd names.\n", *[file_part(name, f"file {n}".encode()) for n, name in enumerate(ODD_NAMES)])
    yield "unnamed", MIME.format("No names") + parts("mixed", *[
        f"Content-Type: {kind}\nContent-Disposition: attachment\n\n{kind}\n"
        for kind in ("text/plain", "image/png", "application/pdf", "application/x-odd", "text/html", "message/rfc822")])
    yield "only-file", MIME.format("Only a file") + file_part("report.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")
    yield "damaged-file", MIME.format("Damaged file") + parts(
        "mixed", "\nTwo files, the first is damaged.\n",
        "Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\niVBO*Rw0K!!Gg\n", file_part("b.txt", b"good\n"))
    yield "twenty-files", MIME.format("Twenty files") + parts(
        "mixed", "\nTwenty files.\n", *[file_part(f"file{n:02}.dat", bytes([n]) * n) for n in range(20)])
    yield "big-file", MIME.format("A big file") + parts("mixed", "\nOne file of 150,000 bytes.\n", file_part("big.dat", ALL_BYTES * 586))
    yield "qp-file", MIME.format("A text file") + parts(
        "mixed", "\nA table.\n", "Content-Type: text/csv; name=t.csv; charset=utf-8\nContent-Disposition: attachment\n"
        "Content-Transfer-Encoding: quoted-printable\n\nname;price=0D=0Abolt;=C2=A312\n")
    yield "uuencode", HEAD + "Subject: Old mail\n\nThe file:\n\n" + uuencoded("table.dat", ALL_BYTES) + "\nThat was it.\n"
    yield "uuencode-mime", MIME.format("Not a file") + "Content-Type: text/plain\n\n" + uuencoded("table.dat", b"text in a text") + "\n"
    yield "uuencode-cut", HEAD + "Subject: Cut\n\n" + uuencoded("table.dat", ALL_BYTES)[:150] + "\n"
    yield "not-uuencode", HEAD + "Subject: Words\n\nbegin 2nd chapter here\nand end it there\nend\n"
    yield "binhex", MIME.format("From a Macintosh") + 'Content-Type: application/mac-binhex40; name="Notes"\n\n(This file must be converted with BinHex 4.0)\n\n:$&"bEfTTEQ!!!\n'
    winmail = tnef((1, 0x00089006, struct.pack("<I", 0x10000)), (2, 0x00069002, bytes(14)),
                   (2, 0x00018010, b"drawing 7.txt\0"), (2, 0x0006800F, b"pump house, sheet 7\r\n"))
    yield "tnef", MIME.format("From Outlook") + parts("mixed", "\nThe drawing.\n", file_part("winmail.dat", winmail, "application/ms-tnef"))
    yield "tnef-broken", MIME.format("winmail.dat") + parts("mixed", "\nThe text.\n", file_part("winmail.dat", b"\x78\x9f\x3e\x22" + ALL_BYTES, "application/ms-tnef"))


SHAPES = [(name, wire(text)) for make in (simple, mime, files) for name, text in make()]
