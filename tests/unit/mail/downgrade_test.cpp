// What a carrier can not take is rewritten, and nothing else.
#include "mail/downgrade.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "mail/code_page.h"
#include "mail/field_text.h"
#include "mail/line_facts.h"
#include "tests/unit/mail/samples.h"

namespace postern::mail {
namespace {

using testing::HasSubstr;
using testing::Not;
using tests::wire;

Carrier oldHost() {
    Carrier carrier;
    carrier.eightBit = carrier.utf8Header = carrier.binary = false;
    carrier.lineLimit = 998;
    return carrier;
}

struct Outcome {
    std::string bytes;
    std::vector<std::string> notes;
    bool unchanged = false, eightBit = false, utf8Header = false;
    std::string refused;
};

Outcome rewrite(const std::string& message, const Carrier& carrier) {
    tests::DripSource source(message, 4096);
    Outcome out;
    auto made = Downgraded::make(source, carrier);
    if (!made.ok()) {
        EXPECT_EQ(Errc::Invalid, made.error().code) << made.error().text;
        out.refused = made.error().text;
        return out;
    }
    out.notes = made->notes();
    out.unchanged = made->unchanged();
    out.eightBit = made->eightBit();
    out.utf8Header = made->utf8Header();
    std::string again;
    const auto into = [](std::string& bytes) {
        return [&bytes](std::string_view piece) -> Result<void> {
            bytes += piece;
            return {};
        };
    };
    EXPECT_TRUE(made->writeTo(into(out.bytes)).ok());
    EXPECT_TRUE(made->writeTo(into(again)).ok());
    EXPECT_EQ(out.bytes, again);
    return out;
}

std::string readable(const std::string& message) {
    StringSource source(message);
    auto read = readMessage(source);
    EXPECT_TRUE(read.ok());
    return read.ok() ? tests::describe(*read) : std::string();
}

void expectFits(const std::string& bytes, const Carrier& carrier) {
    const LineFacts facts = lineFacts(bytes);
    EXPECT_TRUE(carrier.eightBit || !facts.eightBit) << bytes;
    EXPECT_FALSE(facts.binary()) << bytes;
    EXPECT_LE(facts.longest, carrier.lineLimit) << bytes;
}

constexpr std::string_view kUmlauts =
    "From: =?utf-8?Q?J=C3=B6rg?= <j@x.example>\nTo: b@y.example\nSubject: gr\xc3\xbc\xc3\x9f\x65 an alle\n"
    "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    "Gr\xc3\xbc\xc3\x9f\x65 = Gl\xc3\xbc\x63k  \n.\nFrom here\n";

TEST(Downgrade, LeavesAloneWhatFits) {
    const std::string mail = wire(
        "From: a@x.example\nSubject: plain\nContent-Type: multipart/mixed; "
        "boundary=b\n\npreamble\n--b\n\nhi\n"
        "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=C3=BC\n--b--\nend\n");
    const Outcome out = rewrite(mail, oldHost());
    EXPECT_TRUE(out.unchanged);
    EXPECT_EQ(mail, out.bytes);
    EXPECT_TRUE(out.notes.empty());
    EXPECT_FALSE(out.eightBit);
    const Outcome eight = rewrite(wire(kUmlauts), Carrier{});
    EXPECT_TRUE(eight.unchanged);
    EXPECT_EQ(wire(kUmlauts), eight.bytes);
    EXPECT_TRUE(eight.eightBit);
    EXPECT_TRUE(eight.utf8Header);
}

TEST(Downgrade, EncodesTextAndHeader) {
    const Outcome out = rewrite(wire(kUmlauts), oldHost());
    EXPECT_EQ(wire("From: =?utf-8?Q?J=C3=B6rg?= <j@x.example>\nTo: b@y.example\n"
                   "Subject: =?utf-8?Q?gr=C3=BC=C3=9Fe?= an alle\nMIME-Version: 1.0\n"
                   "Content-Type: text/plain; charset=utf-8\n"
                   "Content-Transfer-Encoding: quoted-printable\n\n"
                   "Gr=C3=BC=C3=9Fe =3D Gl=C3=BCck =20\n=2E\n=46rom here\n"),
              out.bytes);
    EXPECT_FALSE(out.eightBit);
    EXPECT_FALSE(out.utf8Header);
    EXPECT_THAT(out.notes, testing::Contains(HasSubstr("text/plain part with 8-bit bytes")));
}

TEST(Downgrade, KeepsTheBodyWhereOnlyTheHeaderIsInTheWay) {
    Carrier carrier;
    carrier.utf8Header = false;
    const Outcome out = rewrite(wire(kUmlauts), carrier);
    EXPECT_THAT(out.bytes, HasSubstr("Content-Transfer-Encoding: 8bit\r\n"));
    EXPECT_TRUE(out.eightBit);
    EXPECT_FALSE(out.utf8Header);
}

// An old mail with a raw ISO 8859-1 header, to a host that takes UTF-8 there and nothing else (RFC 6532).
TEST(Downgrade, AHeaderThatIsNoUtf8IsEncodedForWhoeverTakesUtf8Only) {
    const std::string mail = wire(
        "From: a@x.example\nTo: J\xc3\xb6rg <b@y.example>\nSubject: gr\xfc\xdf\x65\n"
        "Content-Type: text/plain; charset=iso-8859-1\n\nGr\xfc\xdf\x65\n");
    EXPECT_TRUE(rewrite(mail, Carrier{}).unchanged) << "a folder takes what came";
    Carrier carrier;
    carrier.rawHeader = false;
    const Outcome out = rewrite(mail, carrier);
    EXPECT_THAT(out.bytes, HasSubstr("Subject: =?utf-8?Q?gr=C3=BC=C3=9Fe?=\r\n"));
    EXPECT_THAT(out.bytes, HasSubstr("To: J\xc3\xb6rg <b@y.example>\r\n")) << "UTF-8 stays";
    EXPECT_THAT(out.bytes, HasSubstr("\r\n\r\nGr\xfc\xdf\x65\r\n")) << "the text is none of its business";
    EXPECT_TRUE(out.utf8Header);
    EXPECT_THAT(out.notes, testing::ElementsAre("8-bit header fields were encoded"));
    const std::string onlyRaw = wire("From: a@x.example\nSubject: gr\xfc\xdf\x65\n\nx\n");
    EXPECT_FALSE(rewrite(onlyRaw, carrier).utf8Header) << "nothing is left to ask SMTPUTF8 for";
}

TEST(Downgrade, ARawHeaderInsideASignaturePassesAsBytes) {
    const std::string inside = "Content-Type: text/plain\nContent-Description: gr\xfc\xdf\x65\n\nx\n";
    const std::string mail = wire("From: a@x.example\nContent-Type: multipart/signed; boundary=s\n\n--s\n" +
                                  inside + "--s\nContent-Type: application/pgp-signature\n\nxx\n--s--\n");
    Carrier carrier;
    carrier.rawHeader = false;
    const Outcome out = rewrite(mail, carrier);
    EXPECT_TRUE(out.unchanged);
    EXPECT_TRUE(out.eightBit);
    EXPECT_FALSE(out.utf8Header);
    carrier.eightBit = false;
    EXPECT_THAT(rewrite(mail, carrier).refused, HasSubstr("can not take 8-bit bytes in a header field"));
    EXPECT_THAT(rewrite(mail, carrier).refused, HasSubstr("inside a signed"));
}

TEST(Downgrade, NotesBeyondTheMostAreCounted) {
    std::string fields;
    for (int i = 0; i < 50; ++i) fields += "X" + std::to_string(i) + std::string(1000, 'x') + ": y\n";
    const Outcome out = rewrite(wire("From: a@x.example\n" + fields + "\nx\n"), oldHost());
    ASSERT_FALSE(out.notes.empty());
    EXPECT_EQ("and 30 more notes like these", out.notes.back()) << testing::PrintToString(out.notes);
    std::string parts;
    for (int i = 0; i < 40; ++i) parts += "--b\nContent-Type: text/x-" + std::to_string(i) + "\n\n\xc3\xbc\n";
    const Outcome many =
        rewrite(wire("From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n" + parts + "--b--\n"),
                oldHost());
    ASSERT_EQ(31U, many.notes.size());
    EXPECT_EQ("and 10 more notes like these", many.notes.back());
}

TEST(Downgrade, NothingInsideASignatureIsTouched) {
    const std::string inside =
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: "
        "8bit\n\nGr\xc3\xbc\xc3\x9f\x65\n";
    const std::string mail =
        wire("Subject: \xc3\xbc\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary=s\n\n--s\n" +
             inside + "--s\nContent-Type: application/pgp-signature\n\nxx\n--s--\n");
    EXPECT_THAT(rewrite(mail, oldHost()).refused, HasSubstr("inside a signed"));
    Carrier carrier = oldHost();
    carrier.eightBit = true;
    const Outcome out = rewrite(mail, carrier);
    EXPECT_THAT(out.bytes, HasSubstr(wire(inside)));
    EXPECT_THAT(out.bytes, HasSubstr("Subject: =?utf-8?"));
}

TEST(Downgrade, NestedMessagesAreRewrittenToTheirEnd) {
    const std::string mail = wire(
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: 8bit\n\n"
        "caf\xc3\xa9 preamble\n--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n"
        "Subject: inner \xc3\xa9\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n"
        "Content-Transfer-Encoding: 8bit\n\n<p>\xc3\xa9</p>\n--b\n"
        "Content-Type: image/x; name=\"\xc3\xa9.img\"\nContent-Transfer-Encoding: "
        "binary\n\n\xff\xfe\n--b--\n");
    const Outcome out = rewrite(mail, oldHost());
    EXPECT_EQ(wire("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n"
                   "Content-Transfer-Encoding: 7bit\n\n--b\nContent-Type: message/rfc822\n"
                   "Content-Transfer-Encoding: 7bit\n\nSubject: inner =?utf-8?B?w6k=?=\nMIME-Version: 1.0\n"
                   "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
                   "<p>=C3=A9</p>\n--b\nContent-Type: image/x; name*=utf-8''%C3%A9.img\n"
                   "Content-Transfer-Encoding: base64\n\n//4=\n--b--\n"),
              out.bytes);
    EXPECT_EQ(readable(mail), readable(out.bytes));
}

TEST(Downgrade, AddressesAreNeverMadeUp) {
    const std::string mail = wire(
        "From: J\xc3\xb6rg (in B\xc3\xb6hl) <joerg@x.example>\nTo: \"Ren\xc3\xa9, A.\" <r@x.example>, "
        "Zo\xc3\xab <zo\xc3\xab@x.example>,\n plain@y.example\nMessage-ID: <\xc3\xa9@x>\n\nhi\n");
    const Outcome out = rewrite(mail, oldHost());
    EXPECT_THAT(out.bytes, HasSubstr("From: =?utf-8?Q?J=C3=B6rg?= (=?utf-8?Q?in_B=C3=B6hl?=) <joerg@"));
    EXPECT_THAT(out.bytes, HasSubstr("<joerg@x.example>"));
    EXPECT_THAT(out.bytes, HasSubstr("<r@x.example>"));
    EXPECT_THAT(out.bytes, Not(HasSubstr("<zo")));
    EXPECT_THAT(out.bytes, HasSubstr("Internationalized Address"));
    EXPECT_THAT(out.bytes, HasSubstr("Removed:;"));
    EXPECT_THAT(out.bytes, HasSubstr("plain@y.example"));
    EXPECT_THAT(out.bytes, HasSubstr("\r\nDowngraded-To:\r\n "));
    EXPECT_THAT(out.bytes, HasSubstr("\r\nDowngraded-Message-ID: "));
    expectFits(out.bytes, oldHost());
    StringSource source(out.bytes);
    auto read = readMessage(source);
    ASSERT_TRUE(read.ok());
    ASSERT_EQ(3U, read->to.size());
    EXPECT_EQ("Ren\xc3\xa9, A.", read->to[0].name);
    EXPECT_THAT(read->to[1].name, HasSubstr("zo\xc3\xab@x.example"));
    EXPECT_EQ("plain@y.example", read->to[2].address);
}

TEST(Downgrade, AnAddressBesideAnEncodedWordKeepsItsLetters) {
    const Outcome out = rewrite(
        wire("From: =?utf-8?Q?Zo=C3=AB?= <zo\xc3\xab@x.example>, \xd0\x96 =?utf-8?Q?=C3=A9?=\n\nhi\n"),
        oldHost());
    const auto at = out.bytes.find("Downgraded-From:");
    ASSERT_NE(std::string::npos, at);
    const std::string field = out.bytes.substr(at + 16, out.bytes.find("\r\n\r\n") - at - 16);
    EXPECT_EQ("Zo\xc3\xab <zo\xc3\xab@x.example>, \xd0\x96 \xc3\xa9", trim(decodeText(field)));
}

TEST(Downgrade, LongLinesAreEncodedAndFolded) {
    std::string words = "Subject:";
    for (int i = 0; i < 300; ++i) words += " word" + std::to_string(i);
    const std::string mail = wire(words + "\nX-Token: " + std::string(3000, 'x') +
                                  "\nContent-Type: text/plain\n\n" + std::string(5000, 'y') + "\n");
    const Outcome out = rewrite(mail, oldHost());
    expectFits(out.bytes, oldHost());
    EXPECT_EQ(readable(mail), readable(out.bytes));
    EXPECT_THAT(out.bytes, HasSubstr("Content-Transfer-Encoding: quoted-printable"));
    EXPECT_THAT(out.bytes, HasSubstr("X-Token:\r\n =?utf-8?"));
}

TEST(Downgrade, LineEndsOfTextAreMendedAndThoseOfFilesKept) {
    std::string mail = wire(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nONE--b\n"
        "Content-Type: text/csv; name=a.csv\n\nTWO--b\nContent-Type: text/plain\n\nTHREE\n--b--\n");
    const auto put = [&](std::string_view mark, std::string_view text) {
        mail.replace(mail.find(mark), mark.size(), text);
    };
    put("ONE", "a\nb\n\r\n");
    put("TWO", "1,2\n3,4\n\r\n");
    put("THREE", std::string_view("x\rz\0w", 5));
    const Outcome out = rewrite(mail, oldHost());
    expectFits(out.bytes, oldHost());
    EXPECT_THAT(out.bytes, HasSubstr("\r\n\r\na\r\nb\r\n"));
    EXPECT_THAT(out.bytes, HasSubstr("\r\n\r\nMSwyCjMsNAo=\r\n"));
    EXPECT_THAT(out.bytes, HasSubstr("x\r\nz=00w"));
}

TEST(Downgrade, TextIsRecodedWhereTheCharsetHoldsAllOfIt) {
    Carrier carrier;
    carrier.charset = "iso-8859-1";
    const Outcome out = rewrite(wire(kUmlauts), carrier);
    EXPECT_THAT(out.bytes, HasSubstr("Content-Type: text/plain; charset=iso-8859-1\r\n"));
    EXPECT_THAT(out.bytes, HasSubstr("\r\n\r\nGr\xfc\xdf\x65 = Gl\xfc\x63k"));
    const std::string greek = wire("Content-Type: text/plain; charset=utf-8\n\n\xce\xb1\xce\xb2\n");
    EXPECT_TRUE(rewrite(greek, carrier).unchanged);
    carrier.eightBit = false;
    EXPECT_THAT(rewrite(wire(kUmlauts), carrier).bytes, HasSubstr("\r\n\r\nGr=FC=DFe"));
}

TEST(Downgrade, AFileOfTextIsNotRecoded) {
    Carrier carrier;
    carrier.charset = "iso-8859-1";
    for (const char* field :
         {"Content-Disposition: attachment", "Content-Disposition: inline; filename=a.txt"}) {
        const std::string mail = wire("Content-Type: text/plain; charset=utf-8\n" + std::string(field) +
                                      "\nContent-Transfer-Encoding: 8bit\n\nGr\xc3\xbc\xc3\x9f\x65\n");
        EXPECT_TRUE(rewrite(mail, carrier).unchanged) << field;
    }
}

TEST(Downgrade, LongLinesOfBase64KeepEveryCharacter) {
    // Padding in the middle, as two files put together: a decoder stops there.
    const std::string characters =
        std::string(1200, 'Q') + "==" + std::string(1200, 'R') + "!" + std::string(8, 'S');
    const std::string mail = wire(
        "Content-Type: application/x-z; name=a.z\nContent-Transfer-Encoding: base64\n\n" + characters + "\n");
    const Outcome out = rewrite(mail, oldHost());
    expectFits(out.bytes, oldHost());
    std::string kept = out.bytes.substr(out.bytes.find("\r\n\r\n") + 4);
    std::erase_if(kept, [](char c) { return c == '\r' || c == '\n'; });
    EXPECT_EQ(characters, kept);
    EXPECT_THAT(out.notes, testing::Contains(HasSubstr("folded")));
}

TEST(Downgrade, FoldedBase64WithEightBitBytesInItNeedsAnEightBitReceiver) {
    Carrier carrier;
    carrier.binary = false;
    carrier.lineLimit = 998;
    const std::string mail =
        "Content-Type: application/x-z; name=a.z\r\nContent-Transfer-Encoding: base64\r\n\r\nQ2F0\r\xda\r\n";
    const Outcome out = rewrite(mail, carrier);
    EXPECT_THAT(out.bytes, HasSubstr("\r\n\r\nQ2F0\xda\r\n"));
    EXPECT_TRUE(out.eightBit);
}

TEST(Downgrade, ABoundaryIsCarriedWholeOrTheMailRefused) {
    const Outcome none = rewrite(wire("Content-Type: text/x; boundary=\xef\n\nhi\n"), oldHost());
    EXPECT_THAT(none.bytes, HasSubstr("boundary*=utf-8''%C3%AF")) << "no multipart: only a parameter";
    const auto parts = [](const std::string& boundary) {
        return wire("Content-Type: multipart/mixed; boundary*=utf-8''" + boundary + "\n\n");
    };
    const Outcome odd = rewrite(parts("%C3%AF") + wire("--\xc3\xaf\n\nhi\n--\xc3\xaf--\n"), oldHost());
    EXPECT_THAT(odd.refused, HasSubstr("a boundary that is not US-ASCII"));
    const std::string mark(90, 'b');
    const std::string mail = parts(mark) + wire("--" + mark + "\n\nhi\n--" + mark + "--\n");
    Carrier narrow = oldHost();
    narrow.lineLimit = 80;
    EXPECT_THAT(rewrite(mail, narrow).refused, HasSubstr("a boundary of 90 bytes"));
    EXPECT_TRUE(rewrite(mail, oldHost()).unchanged);
}

TEST(Downgrade, ContentFieldsFitTheShortestLines) {
    Carrier narrow = oldHost();
    narrow.lineLimit = 80;
    const std::string boundary(70, 'b');
    const Outcome out =
        rewrite(wire("Content-Type: multipart/" + std::string(100, 'x') + "; boundary=" + boundary +
                     "\n\n--" + boundary + "\nContent-Disposition: " + std::string(90, 'd') +
                     "; filename=a.txt\n\nhi\n--" + boundary + "--\n"),
                narrow);
    expectFits(out.bytes, narrow);
    EXPECT_THAT(out.bytes, HasSubstr("Content-Type: multipart/mixed;"));
    EXPECT_THAT(out.bytes, HasSubstr("Content-Disposition: attachment; filename=a.txt"));
    EXPECT_THAT(readable(out.bytes), HasSubstr("a.txt")) << "the parts are still found";
}

TEST(Downgrade, DamageThatEncodingAnewMakesFinalIsNoted) {
    const Outcome out = rewrite(wire("Content-Type: application/x-z; name=a.z\n"
                                     "Content-Transfer-Encoding: base64\n\nQ2F0\xff\xfeQ2F0\n"),
                                oldHost());
    EXPECT_THAT(out.notes, testing::Contains(HasSubstr("was damaged")));
    expectFits(out.bytes, oldHost());
}

TEST(Downgrade, RawTextOfTwoByteCharactersKeepsItsBytes) {
    using namespace std::string_literals;
    const std::string text = "a\0\n\0b\0\r\0\n\0\x0d\x0a"s;  // U+0A0D is one character
    const Outcome out = rewrite("Content-Type: text/plain; charset=utf-16le\r\n\r\n" + text, oldHost());
    EXPECT_THAT(out.bytes, HasSubstr("Content-Transfer-Encoding: base64"));
    EXPECT_THAT(out.bytes, HasSubstr("\r\n\r\nYQAKAGIADQAKAA0K"));
}

TEST(Downgrade, Base64WhereQuotedPrintableIsNotKnown) {
    Carrier carrier = oldHost();
    carrier.preferBase64 = true;
    const std::string mail = wire(
        "Subject: \xc3\xbc\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: "
        "quoted-printable\n\n=C3=BC\n");
    const Outcome out = rewrite(mail, carrier);
    EXPECT_EQ(wire("Subject: =?utf-8?B?w7w=?=\nContent-Type: text/plain; charset=utf-8\n"
                   "Content-Transfer-Encoding: base64\nMIME-Version: 1.0\n\nw7wNCg==\n"),
              out.bytes);
}

TEST(Downgrade, HeadersAreCutToTheirLimit) {
    std::string references = "References:";
    for (int i = 0; i < 60; ++i) references += "\n <id" + std::to_string(i) + "@example.org>";
    std::string to = "To: first@x.example";
    for (int i = 0; i < 300; ++i) to += ",\n user" + std::to_string(i) + "@recipients.example";
    const std::string mail = wire("From: a@x.example\nSubject: s\n" + references + "\n" + to +
                                  "\nX-Noise: " + std::string(700, 'n') + "\n\nhi\n");
    Carrier carrier;
    carrier.headerLimit = 3000;
    const Outcome out = rewrite(mail, carrier);
    EXPECT_LE(out.bytes.find("\r\n\r\n") + 2, 3000U);
    EXPECT_THAT(out.bytes, HasSubstr("<id9@example.org>"));
    EXPECT_THAT(out.bytes, Not(HasSubstr("<id10@example.org>")));
    EXPECT_THAT(out.bytes, HasSubstr("<id50@example.org>"));
    EXPECT_THAT(out.bytes, HasSubstr("first@x.example"));
    EXPECT_THAT(out.bytes, HasSubstr(" more)\r\n"));
    EXPECT_THAT(out.bytes, Not(HasSubstr("X-Noise")));
    EXPECT_EQ(3U, out.notes.size());
}

TEST(Downgrade, ASignatureByDkimIsSaidToBreak) {
    const Outcome out = rewrite("DKIM-Signature: v=1; b=xx\r\n" + wire(kUmlauts), oldHost());
    EXPECT_THAT(out.notes, testing::Contains(HasSubstr("DKIM")));
}

TEST(Downgrade, TextWithoutAnyLabelGetsOne) {
    const Outcome utf8 = rewrite(wire("Subject: x\n\n\xc3\xbc\n"), oldHost());
    EXPECT_EQ(wire("Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                   "Content-Transfer-Encoding: quoted-printable\n\n=C3=BC\n"),
              utf8.bytes);
    const Outcome other = rewrite(wire("Subject: x\n\n\xfc\n"), oldHost());
    EXPECT_THAT(other.bytes, HasSubstr("charset=unknown-8bit"));
    EXPECT_EQ(readable(wire("Subject: x\n\n\xfc\n")), readable(other.bytes));
}

TEST(Downgrade, WhatCanNotBeReadPassesOnlyAsItIs) {
    std::string deep;
    for (int i = 0; i < 50; ++i)
        deep += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\n\n--b" +
                std::to_string(i) + "\n";
    EXPECT_TRUE(rewrite(wire(deep), oldHost()).unchanged);
    EXPECT_THAT(rewrite(wire(deep + "\n\xc3\xbc\n"), oldHost()).refused, HasSubstr("can not be rewritten"));
}

TEST(Downgrade, DecodedTextIsNeverTakenForABoundary) {
    Carrier carrier = oldHost();
    carrier.charset = "us-ascii";
    const std::string mail = wire(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: base64\n\nb25lDQotLWItLQ0KdHdvDQo=\n--b--\n");  // one, --b--, two
    const Outcome out = rewrite(mail, carrier);
    EXPECT_THAT(out.bytes, HasSubstr("=2D-b--"));
    EXPECT_EQ(readable(mail), readable(out.bytes));
}

// docs/DOWNGRADE.md shows these.
TEST(Downgrade, TheExamplesOfTheDocumentation) {
    const std::string mail = wire(
        "From: J\xc3\xb6rg Huber <j.huber@example.org>\nTo: Zo\xc3\xab <zo\xc3\xab@example.org>, "
        "bob@example.org\n"
        "Subject: Gr\xc3\xbc\xc3\x9f\x65 aus K\xc3\xb6ln\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nSch\xc3\xb6ne "
        "Gr\xc3\xbc\xc3\x9f\x65.\n");
    EXPECT_EQ(wire("From: =?utf-8?Q?J=C3=B6rg_Huber?= <j.huber@example.org>\n"
                   "To: =?utf-8?Q?Zo=C3=AB?= Internationalized Address\n"
                   " =?utf-8?Q?zo=C3=AB=40example=2Eorg?= Removed:;, bob@example.org\n"
                   "Downgraded-To:\n"
                   " =?utf-8?Q?Zo=C3=AB_=3Czo=C3=AB=40example=2Eorg=3E=2C_bob=40example=2Eorg?=\n"
                   "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= aus =?utf-8?Q?K=C3=B6ln?=\nMIME-Version: 1.0\n"
                   "Content-Type: text/plain; charset=utf-8\n"
                   "Content-Transfer-Encoding: quoted-printable\n\nSch=C3=B6ne Gr=C3=BC=C3=9Fe.\n"),
              rewrite(mail, oldHost()).bytes);
}

// Every sample for every carrier: it fits, reads the same, and needs no second rewriting.
TEST(Downgrade, SamplesReadTheSameOnEveryCarrier) {
    std::vector<Carrier> carriers(4, oldHost());
    carriers[1].preferBase64 = true;
    carriers[2].charset = "iso-8859-1";
    carriers[3].lineLimit = 200;
    for (const std::string& name : tests::corpusNames())
        for (const Carrier& carrier : carriers) {
            const std::string mail = tests::corpusMail(name);
            const Outcome out = rewrite(mail, carrier);
            if (!out.refused.empty()) {
                EXPECT_THAT(mail, HasSubstr("multipart/signed")) << name << ": " << out.refused;
                continue;
            }
            expectFits(out.bytes, carrier);
            EXPECT_EQ(readable(mail), readable(out.bytes)) << name;
            EXPECT_TRUE(rewrite(out.bytes, carrier).unchanged) << name;
        }
}

}  // namespace
}  // namespace postern::mail
