#include "mail/mime.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/mac_writer.h"
#include "tests/tnef_writer.h"
#include "tests/unit/mail/samples.h"

namespace postern::mail {
namespace {

using tests::corpusMail;
using tests::hasNote;
using tests::parts;
using tests::Read;
using tests::readText;
using tests::wire;

TEST(Corpus, Plain) {
    const Readable m = readText(corpusMail("plain.eml"));
    EXPECT_EQ(m.from, (Mailbox{"Alice Example", "alice@example.org"}));
    ASSERT_EQ(m.to.size(), 1U);
    EXPECT_EQ(m.to[0], (Mailbox{"Bob Builder", "bob@post.example.com"}));
    EXPECT_EQ(m.subject, "Minutes of Tuesday's meeting");
    ASSERT_TRUE(m.date.has_value());
    EXPECT_EQ(formatUtc(*m.date), "2026-11-17T08:15:00Z");
    EXPECT_EQ(m.messageId, "<20261117.0915.1@example.org>");
    EXPECT_TRUE(m.text.starts_with("Dear Bob,\n\nwe agreed")) << m.text;
    EXPECT_NE(m.text.find("\n.A line"), std::string::npos);
    EXPECT_NE(m.text.find("\nFrom now on"), std::string::npos);
    EXPECT_TRUE(m.notes.empty()) << m.notes.front();
}

TEST(Corpus, AlternativeGivesItsPlainText) {
    const Read r(corpusMail("alternative.eml"));
    EXPECT_EQ(r.message.from.name, "Newsletter, The");
    EXPECT_EQ(r.message.subject, "Your order – on its way");
    EXPECT_EQ(
        r.message.text,
        "Hello Carol,\n\nyour order 8812 is on its way – it costs 12,50 € and should arrive on Friday.\n\n"
        "Track it: https://shop.example.net/t/8812\n");
    EXPECT_TRUE(r.message.attachments.empty());
    ASSERT_EQ(r.message.replyTo.size(), 1U);
}

TEST(Corpus, AttachmentsAndJoinedText) {
    const Read r(corpusMail("attachment.eml"));
    EXPECT_EQ(r.message.text, "Here is the drawing, and the table behind it.\n\nThe scale is 1:50.\n");
    ASSERT_EQ(r.message.attachments.size(), 2U);
    EXPECT_EQ(r.message.attachments[0].name, "Ground floor, final (2).png");
    EXPECT_EQ(r.message.attachments[0].type, "image/png");
    EXPECT_EQ(r.bytes(0).substr(0, 8), "\x89PNG\r\n\x1a\n");
    EXPECT_EQ(r.message.attachments[1].name, "Räume und Flächen.csv");
    EXPECT_EQ(r.bytes(1), "Raum;Fläche\r\nKüche;12");
    EXPECT_EQ(r.message.references.size(), 2U);
    EXPECT_EQ(r.message.cc.at(0).name, "Doe, Jane Q.");
}

TEST(Corpus, Charsets) {
    const Readable ru = readText(corpusMail("russian.eml"));
    EXPECT_EQ(ru.from.name, "Иван Петров");
    EXPECT_EQ(ru.subject, "Отчёт о работе шлюза");
    EXPECT_EQ(ru.text, "Здравствуйте!\n\nШлюз работает, ошибок нет.\n\nИван\n");
    const Readable jp = readText(corpusMail("japanese.eml"));
    EXPECT_EQ(jp.from.name, "田中");
    EXPECT_EQ(jp.subject, "会議: 資料の件");
    EXPECT_EQ(jp.text, "来週の会議の資料を送ります。\n\n田中\n");
    const Readable gr = readText(corpusMail("greek.eml"));
    EXPECT_EQ(gr.subject, "Καλημέρα");
    EXPECT_EQ(gr.text, "Καλημέρα από την Αθήνα.\nΗ πύλη λειτουργεί.\n");
    const Readable de = readText(corpusMail("latin1.eml"));
    EXPECT_EQ(de.from.name, "Jürgen Müller");
    EXPECT_EQ(de.subject, "Übergröße und Änderung");
    EXPECT_TRUE(de.text.starts_with(
        "Grüße aus Köln!\n\nDie Änderung gilt ab sofort; diese Zeile ist so lang, dass sie "
        "im Quelltext der Nachricht umbrochen werden muss.\nPreis = 5 Mark\n"))
        << de.text;
    const Readable emoji = readText(corpusMail("emoji.eml"));
    EXPECT_EQ(emoji.subject, "Party 🎉 at “The Café”");
    ASSERT_EQ(emoji.to.size(), 1U);
    EXPECT_EQ(emoji.to[0], (Mailbox{"undisclosed-recipients:;", ""}));  // Q176538
}

TEST(Corpus, Flowed) {
    EXPECT_EQ(readText(corpusMail("flowed.eml")).text,
              "> Does it arrive as one paragraph?\n\nIt does, because every line of this paragraph ends with "
              "a blank and "
              "so goes on in the next one.\n\nFrom here on a line that was stuffed.\n-- \nFrank\n");
}

TEST(Corpus, NestedMessageIsRendered) {
    const Read r(corpusMail("nested.eml"));
    EXPECT_EQ(r.message.subject, "Fwd: Invoice");
    EXPECT_EQ(r.message.text,
              "Please pay this.\n\n----- Message inside this message -----\nFrom: Heidi "
              "<heidi@supplier.example.com>\nDate: Fri, 20 Nov 2026 15:00:00 +0000\nTo: "
              "grace@example.org\nSubject: "
              "Invoice\n\nThe invoice is attached.\n");
    ASSERT_EQ(r.message.attachments.size(), 1U);
    EXPECT_EQ(r.message.attachments[0].name, "invoice.dat");
    EXPECT_EQ(r.message.attachments[0].size, 256);
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    EXPECT_EQ(r.bytes(0), all);
}

TEST(Corpus, SignedKeepsTheText) {
    const Read r(corpusMail("signed.eml"));
    EXPECT_EQ(r.message.text, "This text is signed.\n");
    EXPECT_TRUE(r.message.attachments.empty());
    EXPECT_TRUE(hasNote(r.message, "signature"));
}

TEST(Corpus, DeliveryReportIsText) {
    const Read r(corpusMail("dsn.eml"));
    EXPECT_TRUE(r.message.automatic);
    EXPECT_NE(r.message.text.find("Final-Recipient: rfc822; nobody@example.org\n"), std::string::npos)
        << r.message.text;
    EXPECT_NE(r.message.text.find("Subject: Hello?\n"), std::string::npos);
    EXPECT_TRUE(r.message.attachments.empty());
}

TEST(Corpus, AnyReadingGivesTheSame) {
    for (const std::string& name : tests::corpusNames()) {
        const std::string bytes = corpusMail(name);
        StringSource whole(bytes);
        tests::DripSource drip(bytes);
        const auto a = readMessage(whole);
        const auto b = readMessage(drip);
        ASSERT_TRUE(a.ok() && b.ok()) << name;
        EXPECT_EQ(tests::describe(*a), tests::describe(*b)) << name;
        EXPECT_FALSE(a->opaque) << name;
    }
}

TEST(Message, HeaderRules) {
    const Readable m = readText(wire(
        "Subject:   two blanks first\nSubject: second\nSender: s@x\nDate: 31 Feb 2026 1:1:1 +0000\n\nx\n"));
    EXPECT_EQ(m.subject, "  two blanks first");  // Q146782, Q134371
    EXPECT_EQ(m.from.address, "s@x");
    EXPECT_FALSE(m.date.has_value());
    EXPECT_EQ(m.dateText, "31 Feb 2026 1:1:1 +0000");
    EXPECT_TRUE(hasNote(m, "2 headers named Subject"));
    EXPECT_TRUE(hasNote(m, "Date can not be read"));
    EXPECT_EQ(readText(wire("Subject: a=?utf-8?Q?=0D=0ABcc:_x?=\n\n")).subject.find('\n'), std::string::npos);
    for (const char* subject : {"Re: x", "Re[3]: x", "RE: x", "AW: x", "[a]"})  // Q237189
        EXPECT_EQ(readText(wire("Subject: " + std::string(subject) + "\n\n")).subject, subject);
    EXPECT_TRUE(readText(wire("Auto-Submitted: auto-generated; x=y\n\n")).automatic);
    EXPECT_FALSE(readText(wire("Auto-Submitted: No\n\n")).automatic);
}

TEST(Message, ShapesWithoutBody_Q159303_Q175841) {
    for (const char* text : {"Subject: x\n\n", "Subject: x\n", "Subject: x"}) {
        const Readable m = readText(wire(text));
        EXPECT_EQ(m.subject, "x") << text;
        EXPECT_EQ(m.text, "") << text;
        EXPECT_FALSE(m.opaque);
    }
    EXPECT_EQ(readText("").text, "");
    EXPECT_EQ(readText("\r\n").text, "");
    EXPECT_EQ(readText("no header at all\r\nsecond\r\n").text, "no header at all\nsecond\n");
    EXPECT_EQ(readText("Subject: x\r\n\r\n\r\nleading blank kept\r\n").text,
              "\nleading blank kept\n");  // Q98209
    EXPECT_EQ(readText("Subject: x\n\nlf only\n").text, "lf only\n");
}

TEST(Message, BlankAndUnknownCharsets_Q278320_Q163080) {
    for (const char* charset : {"\" \"", "", "\"\""}) {
        const Readable m =
            readText(wire("Content-Type: text/plain; charset=" + std::string(charset) + "\n\n\xe9\n"));
        EXPECT_EQ(m.text, "é\n") << charset;
        EXPECT_TRUE(hasNote(m, "illegal in its character set")) << charset;
    }
    const Read unknown(wire("Content-Type: text/plain; charset=x-martian\n\n\xe9\n"));
    EXPECT_EQ(unknown.message.text, "é\n");
    EXPECT_TRUE(hasNote(unknown.message, "unknown character set x-martian"));
    ASSERT_EQ(unknown.message.attachments.size(), 1U);
    EXPECT_EQ(unknown.bytes(0), "\xe9\r\n");
    const Read harmless(wire("Content-Type: text/plain; charset=x-martian\n\nascii\n"));
    EXPECT_TRUE(harmless.message.attachments.empty());
}

TEST(Message, CharsetPerPart_Q166606) {
    const Readable m = readText(
        parts("multipart/mixed", {"Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b$B2q5D\x1b(B",
                                  "Content-Type: text/plain; charset=shift_jis\n\n\x89\xef\x8b\x63"}));
    EXPECT_EQ(m.text, "会議\n\n会議\n");
}

TEST(Message, BadTypes_Q304024_Q275714) {
    for (const char* type : {"", "text", "/", "text/", "/plain", "text/pl\x01in", "text plain",
                             "\"text/plain\"", ";;;", "text/plain; ; =; charset", "garbage"}) {
        const Readable m = readText(wire("Content-Type: " + std::string(type) + "\n\nbody\n"));
        EXPECT_EQ(m.text, "body\n") << type;
    }
    const Read r(parts("multipart/mixed", {"Content-Type: text/plain\n\nx", "Content-Type: nonsense\n\ny"}));
    ASSERT_EQ(r.message.attachments.size(), 1U);
    EXPECT_EQ(r.message.attachments[0].type, "application/octet-stream");
    EXPECT_EQ(r.bytes(0), "y");
}

TEST(Message, TextOrAttachment_Q183598) {
    const Read r(parts("multipart/mixed", {"Content-Type: text/plain; name=body.txt\n\nfirst", "\nsecond",
                                           "Content-Type: text/plain; name=a.txt\n\nattached",
                                           "Content-Disposition: attachment\n\nalso attached"}));
    EXPECT_EQ(r.message.text, "first\n\nsecond\n");
    ASSERT_EQ(r.message.attachments.size(), 2U);
    EXPECT_EQ(r.message.attachments[0].name, "a.txt");
    EXPECT_EQ(r.message.attachments[1].name, "ATT00001.TXT");
    EXPECT_EQ(r.bytes(1), "also attached");
}

TEST(Message, UnnamedAttachments_Q192542_Q99716) {
    const Read r(
        parts("multipart/mixed", {"Content-Type: application/x-foo\n\n1", "Content-Type: image/png\n\n2",
                                  "Content-Type: application/x-foo; name=\"\"\n\n3",
                                  "Content-Type: application/x-foo; name=\"../..\"\n\n4"}));
    ASSERT_EQ(r.message.attachments.size(), 4U);
    EXPECT_EQ(r.message.attachments[0].name, "ATT00001.DAT");
    EXPECT_EQ(r.message.attachments[1].name, "ATT00002.PNG");
    EXPECT_EQ(r.message.attachments[2].name, "ATT00003.DAT");
    EXPECT_EQ(r.message.attachments[3].name, "ATT00004.DAT");
}

TEST(Message, AlternativeWithoutPlainText) {
    const Read html(parts("multipart/alternative", {"Content-Type: text/html\n\n<p>only <b>HTML</b></p>"}));
    EXPECT_EQ(html.message.text, "only HTML\n");
    const Read blank(parts("multipart/alternative",
                           {"Content-Type: text/plain\n\n  ", "Content-Type: text/html\n\n<p>text</p>"}));
    EXPECT_EQ(blank.message.text, "text\n");
    EXPECT_TRUE(blank.message.attachments.empty());
}

TEST(Message, NothingOfAnAlternativeIsLostSilently_Q186915) {
    const std::string related =
        "Content-Type: multipart/related; boundary=R\n\n--R\nContent-Type: text/html\n\n<img "
        "src=cid:1>\n--R\n"
        "Content-Type: image/gif; name=i.gif\n\nGIF89a\n--R--";
    const Read r(parts("multipart/alternative", {"Content-Type: text/plain\n\nplain", related,
                                                 "Content-Type: text/calendar\n\nBEGIN:VCALENDAR"}));
    EXPECT_EQ(r.message.text, "plain\n");
    ASSERT_EQ(r.message.attachments.size(), 2U);
    EXPECT_EQ(r.message.attachments[0].name, "i.gif");
    EXPECT_EQ(r.message.attachments[1].name, "ATT00001.ICS");
}

TEST(Message, DamagedBase64_Q190556) {
    const std::string head = "Content-Type: application/x; name=a.bin\nContent-Transfer-Encoding: base64\n\n";
    const std::pair<const char*, const char*> cases[] = {
        {"QUJD!REVG", "ABCDEF"}, {"QUJDR", "ABC"}, {"QUJDRA==QUJD", "ABCD"}, {"QU=JD", "A"}};
    for (const auto& [encoded, want] : cases) {
        const Read r(parts("multipart/mixed", {"\nx", head + encoded}));
        ASSERT_EQ(r.message.attachments.size(), 1U) << encoded;
        EXPECT_EQ(r.bytes(0), want) << encoded;
        EXPECT_EQ(r.message.attachments[0].size, static_cast<std::int64_t>(std::string(want).size()))
            << encoded;
        EXPECT_TRUE(r.message.attachments[0].damaged) << encoded;
        EXPECT_TRUE(hasNote(r.message, "a.bin")) << encoded;
    }
}

TEST(Message, PairsOfNameAndBytesStayTogether_Q238430) {
    std::string text = "Content-Type: multipart/mixed; boundary=BB\n\n";
    for (int i = 1; i <= 20; ++i)
        text += "--BB\nContent-Disposition: attachment; filename=f" + std::to_string(i) + ".dat\n\n" +
                std::to_string(i) + "\n";
    const Read r(wire(text + "--BB--\n"));
    ASSERT_EQ(r.message.attachments.size(), 20U);
    for (std::size_t i = 0; i < 20; ++i) {
        EXPECT_EQ(r.message.attachments[i].name, "f" + std::to_string(i + 1) + ".dat");
        EXPECT_EQ(r.bytes(i), std::to_string(i + 1));
    }
}

TEST(Message, LongTextIsCutAndAttachedWhole) {
    ReadOptions options;
    options.textLimit = 1000;
    std::string body;
    for (int i = 0; i < 200; ++i) body += "zeile äöü " + std::to_string(i) + "\r\n";
    const Read r("Content-Type: text/plain; charset=utf-8\r\n\r\n" + body, options);
    EXPECT_LE(r.message.text.size(), 1000U);
    EXPECT_GT(r.message.text.size(), 900U);
    EXPECT_TRUE(r.message.text.ends_with("\n"));
    EXPECT_TRUE(validUtf8(r.message.text));
    EXPECT_TRUE(hasNote(r.message, "cut"));
    ASSERT_EQ(r.message.attachments.size(), 1U);
    EXPECT_EQ(r.bytes(0), body);
}

TEST(Message, NestingDeeperThanAskedIsAttached_Q253029) {
    std::string text = "innermost\n";
    for (int i = 0; i < 6; ++i) text = "Subject: level\nContent-Type: message/rfc822\n\n" + text;
    ReadOptions options;
    options.nestedDepth = 3;
    const Read r(wire(text), options);
    EXPECT_FALSE(r.message.opaque);
    ASSERT_EQ(r.message.attachments.size(), 1U);
    EXPECT_EQ(r.message.attachments[0].name, "ATT00001.EML");
    EXPECT_NE(r.bytes(0).find("innermost"), std::string::npos);
    EXPECT_EQ(r.message.text.find("innermost"), std::string::npos);
}

TEST(Message, EncodedNestedMessageStaysAttached) {
    const Read r(
        parts("multipart/mixed",
              {"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0KDQp5"}));
    ASSERT_EQ(r.message.attachments.size(), 1U);
    EXPECT_EQ(r.bytes(0), "Subject: x\r\n\r\ny");
}

// The file is not there; where it lies stands in parameters that no attachment shows.
TEST(Message, ExternalBodySaysWhereItsFileLies) {
    const Read r(parts("multipart/mixed",
                       {"\nSee the drawing.",
                        "Content-Type: message/external-body; access-type=URL;\n"
                        " URL=\"https://files.example/\n draw%20ing.pdf\"; size=123456;\n"
                        " expiration=\"Tue, 14 Nov 2023 22:13:20 GMT\"\n\nContent-Type: application/pdf\n\n",
                        "Content-Type: message/external-body; access-type=anon-ftp; site=ftp.example;\n"
                        " directory=pub; name*=utf-8''gr%C3%BC%C3%9Fe.txt; mode=image\n"
                        "Content-Disposition: attachment\n\nContent-Type: text/plain\n\n"}));
    EXPECT_EQ(
        r.message.text,
        "See the drawing.\n\n----- A file that is not in this message -----\naccess-type: URL\n"
        "expiration: Tue, 14 Nov 2023 22:13:20 GMT\nsize: 123456\nurl: "
        "https://files.example/draw%20ing.pdf\n\n"
        "----- A file that is not in this message -----\naccess-type: anon-ftp\ndirectory: pub\nmode: image\n"
        "name: grüße.txt\nsite: ftp.example\n");
    EXPECT_TRUE(hasNote(r.message, "not in the message"));
    EXPECT_EQ(2U, r.message.attachments.size()) << "what it says of the file's type is kept";
    std::string many = "Content-Type: message/external-body";
    for (int i = 0; i < 50; ++i) many += "; p" + std::to_string(i) + "=x";
    EXPECT_NE(
        Read(wire("From: a@b\nMIME-Version: 1.0\n" + many + "\n\n\n")).message.text.find("and 30 more\n"),
        std::string::npos);
}

TEST(Message, DigestHoldsMessages) {
    const Read r(parts("multipart/digest", {"\nSubject: one\n\nfirst", "\nSubject: two\n\nsecond"}));
    EXPECT_NE(r.message.text.find("Subject: one\n\nfirst\n"), std::string::npos) << r.message.text;
    EXPECT_NE(r.message.text.find("Subject: two\n\nsecond\n"), std::string::npos) << r.message.text;
}

TEST(Message, EncryptedAndTnef) {
    const Read pgp(
        parts("multipart/encrypted", {"Content-Type: application/pgp-encrypted\n\nVersion: 1",
                                      "Content-Type: application/octet-stream; name=e.asc\n\nXX"}));
    EXPECT_EQ(pgp.message.attachments.size(), 2U);
    EXPECT_TRUE(hasNote(pgp.message, "encrypted"));
    EXPECT_EQ(pgp.message.historyNotes, pgp.message.notes.size()) << "the text says it: not once more";
    const Read tnef(
        parts("multipart/mixed", {"\nx", "Content-Type: application/ms-tnef; name=winmail.dat\n\nXX"}));
    ASSERT_EQ(tnef.message.attachments.size(), 1U);
    EXPECT_EQ(tnef.message.attachments[0].name, "winmail.dat");
    EXPECT_TRUE(hasNote(tnef.message, "TNEF"));
}

TEST(Message, Enriched_Q232384) {
    EXPECT_EQ(
        readText(wire("Content-Type: text/enriched\n\nThis is <<test, <bold>really</bold>\nso\n\nend\n"))
            .text,
        "This is <test, really so\nend\n");
}

TEST(Message, HeadersRefoldedAnywhere_Q182232) {
    const std::string folded =
        "Content-Type:\r\n multipart/mixed;\r\n\tboundary=\"B\r\n B\"\r\nSubject:\r\n x\r\n\r\n--B "
        "B\r\n\r\ny\r\n--B B--\r\n";
    const Readable m = readText(folded);
    EXPECT_EQ(m.subject, "x");
    EXPECT_EQ(m.text, "y\n");
}

// "<<" is no tag; each searched the whole text for the end of one.
TEST(Message, EnrichedIsLinear) {
    const std::string marks(1'000'000, '<');
    EXPECT_EQ(readText("Content-Type: text/enriched\r\n\r\n" + marks + ">").text,
              std::string(500'000, '<') + ">\n");
}

// A limit for the files of the whole message, however many parts and containers they come in.
TEST(Message, FilesOutOfOthersAreBounded) {
    std::string uuencoded;
    for (int i = 0; i < 1100; ++i) uuencoded += "begin 644 a\n#86)C\n`\nend\n";
    const Read text(wire("Subject: x\n\n" + uuencoded));
    EXPECT_EQ(text.message.attachments.size(), 1001U) << "and the whole text";
    EXPECT_TRUE(hasNote(text.message, "more than 1000 files"));
    postern::tests::TnefWriter tnef;
    for (int i = 0; i < 600; ++i) tnef.file("a", "", "x");
    const std::string part = "Content-Type: application/ms-tnef; name=w.dat\r\n\r\n" + tnef.bytes() + "\r\n";
    const Read twice("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + part + "--b\r\n" + part +
                     "--b--\r\n");
    EXPECT_EQ(twice.message.attachments.size(), 601U);
    EXPECT_TRUE(hasNote(twice.message, "more than 1000 files"));
}

// What BinHex expands to counts, and the texts of TNEF do.
TEST(Message, UnpackedBytesAreBounded) {
    ReadOptions options;
    const std::string file = postern::tests::binHex("a", std::string(1500, 'x'));
    options.unpackLimit = static_cast<std::int64_t>(file.size()) + 1000;
    const std::string mail = "Content-Type: application/mac-binhex40; name=a.hqx\r\n\r\n" + file;
    EXPECT_TRUE(hasNote(readText(mail), "was unpacked"));
    EXPECT_TRUE(hasNote(readText(mail, options), "expands to more than it may"));
    postern::tests::PropertyWriter html;
    html.bytes(0x1013, 0x102, "<p>" + std::string(500, 'y'));
    const std::string packed = postern::tests::TnefWriter().messageProperties(html).bytes();
    options.unpackLimit = static_cast<std::int64_t>(packed.size()) + 100;
    const std::string tnef = "Content-Type: application/ms-tnef; name=w.dat\r\n\r\n" + packed;
    const Read cut(tnef, options);
    EXPECT_TRUE(hasNote(cut.message, "its text is too long"));
    ASSERT_EQ(cut.message.attachments.size(), 1U) << "nothing is lost";
    EXPECT_EQ(cut.message.text, std::string(99, 'y') + "\n");
}

TEST(Message, HeadersOfInnerMessagesCountAsText) {
    ReadOptions options;
    options.textLimit = 300;
    const Read read(wire("Content-Type: message/rfc822\n\nSubject: " + std::string(400, 's') + "\n\nx\n"),
                    options);
    EXPECT_LE(read.message.text.size(), 300U);
    EXPECT_EQ(read.message.attachments.size(), 1U);
}

TEST(Message, NotesAreShortAndNameWhatIsLeftOut_Q181130) {
    const Readable late = readText("Date: " + std::string(60000, 'x') + "\r\n\r\ny\r\n");
    for (const std::string& note : late.notes) EXPECT_LT(note.size(), 200U);
    EXPECT_TRUE(hasNote(readText("Subject: a\r\n\r\nx\x07y\r\n"), "control characters"));
    EXPECT_FALSE(hasNote(readText("Subject: a\r\n\r\nx\ty\r\n"), "control characters"));
}

TEST(Message, OuterBoundaryEndsInnerParts) {
    // "b" is the beginning of "bb": neither is taken for the other; the inner one is never closed.
    const Read r(wire(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n"
        "--bb\n\ninner\n--bbb\nnot a boundary\n--b  \nContent-Type: a/b; "
        "name=o\n\nouter\n--b--\nepilogue\n"));
    EXPECT_EQ(r.message.text, "inner\n--bbb\nnot a boundary\n");
    ASSERT_EQ(r.message.attachments.size(), 1U);
    EXPECT_EQ(r.bytes(0), "outer");
}

}  // namespace
}  // namespace postern::mail
