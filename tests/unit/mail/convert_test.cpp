// What a converted message says and keeps: lines, dates, losses, files.

#include "mail/convert.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/unit/mail/converting.h"

namespace postern::mail {
namespace {

using tests::converted;
using tests::joined;
using tests::wire;

TEST(Convert, APlainMessageComesThroughAsItIs) {
    const auto got = converted(
        "From: Ann Lee <ann@example.org>\nDate: Tue, 2 Jun 1998 08:39:00 +0000\nSubject: "
        "Hello\n\nOne.\nTwo.\n",
        {});
    EXPECT_EQ(got.out.fromName.bytes, "Ann Lee");
    EXPECT_EQ(got.out.fromAddress, "ann@example.org");
    EXPECT_EQ(got.out.subject.bytes, "Hello");
    EXPECT_EQ(formatUtc(got.out.date), "1998-06-02T08:39:00Z");
    EXPECT_EQ(got.out.texts, std::vector<std::string>{"One.\nTwo.\n"});
    EXPECT_TRUE(got.out.files.empty());
    EXPECT_TRUE(got.out.notes.empty()) << testing::PrintToString(got.out.notes);
    EXPECT_EQ(got.out.lost + got.out.changed, 0);
}

TEST(Convert, AnEmptyBodyIsOneEmptyText) {
    EXPECT_EQ(converted("From: a@x\nDate: Tue, 2 Jun 1998 08:39:00 +0000\n\n", {}).out.texts,
              std::vector<std::string>{""});
}

TEST(Convert, TheEnvelopeSpeaksForAMissingFrom_Q192594) {
    EXPECT_EQ(converted("Subject: x\n\nx\n", {}).out.fromAddress, "envelope@example.org");
}

TEST(ConvertLine, LimitsCountWhatADosProgramCounts_Q184991) {
    struct Case {
        const char* charset;
        const char* letter;
        std::size_t letters;
        int limit;
        std::size_t bytes;
        bool cut;
    };
    const Case cases[] = {
        {"us-ascii", "x", 59, 60, 59, false}, {"us-ascii", "x", 60, 60, 60, false},
        {"us-ascii", "x", 61, 60, 60, true},  {"cp850", "ü", 60, 60, 60, false},
        {"cp850", "ü", 61, 60, 60, true},     {"utf-8", "ü", 60, 60, 120, false},
        {"utf-8", "ü", 61, 60, 117, true},    {"cp932", "資", 30, 60, 60, false},
        {"cp932", "資", 31, 60, 59, true},    {"cp850", "™", 15, 60, 60, false},
        {"cp850", "™", 16, 60, 60, true},     {"us-ascii", "x", 100000, 60, 60, true},
        {"us-ascii", "x", 5, 0, 5, false},    {"us-ascii", "x", 5, 2, 2, true},
    };
    for (const Case& each : cases) {
        Converted into;
        const Line line = convertLine(tests::repeated(each.letter, each.letters), each.limit, "subject",
                                      {.charset = each.charset}, into);
        const std::string which = std::string(each.charset) + " " + each.letter + " " +
                                  std::to_string(each.letters) + ": " + line.bytes;
        EXPECT_EQ(line.bytes.size(), each.bytes) << which;
        EXPECT_EQ(line.cut, each.cut) << which;
        EXPECT_EQ(line.bytes.ends_with(each.limit < 3 ? ".." : "..."), each.cut) << which;
        EXPECT_EQ(into.lost, 0) << which;
        EXPECT_EQ(into.notes.size(), each.cut ? 1U : 0U) << which;
    }
}

TEST(ConvertLine, AMarkStaysWithItsLetter) {
    Converted into;
    const std::string text =
        "abcdefg"
        "x\xcc\x81"
        "yz";  // the eighth character has an accent behind it
    EXPECT_EQ(convertLine(text, 10, "subject", {}, into).bytes, "abcdefg...");
    EXPECT_EQ(convertLine("abcdef"
                          "x\xcc\x81"
                          "yzuv",
                          11, "subject", {}, into)
                  .bytes,
              "abcdef"
              "x\xcc\x81"
              "...");
}

TEST(ConvertLine, NothingOfAStrangerEndsTheLine) {
    Converted into;
    EXPECT_EQ(convertLine("a\r\nTo: eve\t\x1b[2J\u202eb", 0, "subject", {.charset = "cp437"}, into).bytes,
              "a  To: eve [2Jb");
}

TEST(Convert, Q156844_ACutSubjectLeadsTheTextAndCountsItsLossesOnce) {
    const std::string subject = tests::repeated("資", 70);
    const auto got =
        converted("Date: Tue, 2 Jun 1998 08:39:00 +0000\nFrom: a@x\nSubject: " + subject + "\n\nbody\n",
                  {.charset = "cp437", .subjectLimit = 60});
    EXPECT_EQ(got.out.subject.bytes, std::string(57, '?') + "...");
    EXPECT_EQ(got.out.lost, 70);
    EXPECT_EQ(got.out.texts.at(0),
              "Subject: " + std::string(70, '?') +
                  "\n\nbody\n\n[Postern: 70 characters of the subject became '?' (not in "
                  "cp437: U+8CC7)]\n");
}

TEST(Convert, ACutNameIsSaid) {
    const auto got =
        converted("From: " + std::string(40, 'n') + " <a@x>\nSubject: x\n\nbody\n", {.nameLimit = 30});
    EXPECT_EQ(got.out.fromName.bytes, std::string(27, 'n') + "...");
    EXPECT_NE(joined(got.out).find("was cut: \n" + std::string(40, 'n') + "]"), std::string::npos);
}

TEST(Convert, DatesThatCanNotBeShownBecomeTheTimeOfReceipt_Q224597) {
    struct Case {
        const char* header;
        const char* want;
        bool said;
    };
    const Case cases[] = {
        {"Date: Tue, 2 Jun 1998 08:39:00 +0000\n", "1998-06-02T08:39:00Z", false},
        {"Date: Fri, 1 Jan 1982 00:00:00 +0000\n", "1982-01-01T00:00:00Z", false},
        {"Date: Thu, 31 Dec 1981 23:00:00 +0000\n", "1981-12-31T23:00:00Z", false},  // 1982 in the zone
        {"Date: Thu, 31 Dec 1981 22:59:59 +0000\n", "2026-11-21T12:00:00Z", true},
        {"Date: Thu, 31 Dec 2048 22:59:59 +0000\n", "2048-12-31T22:59:59Z", false},
        {"Date: Thu, 31 Dec 2048 23:00:00 +0000\n", "2026-11-21T12:00:00Z", true},
        {"Date: Tue, 31 Feb 1998 08:39:00 +0000\n", "2026-11-21T12:00:00Z", true},
        {"Date: garbage\n", "2026-11-21T12:00:00Z", true},
        {"Date:\n", "2026-11-21T12:00:00Z", false},
        {"", "2026-11-21T12:00:00Z", false},
    };
    Profile profile{.firstYear = 1982, .lastYear = 2048};
    profile.zone = TimeZone::fromRule("here", "<+01>-1").value();
    for (const Case& each : cases) {
        const auto got = converted(std::string(each.header) + "From: a@x\nSubject: x\n\nbody\n", profile);
        EXPECT_EQ(formatUtc(got.out.date), each.want) << each.header;
        EXPECT_EQ(joined(got.out).find("[Postern: its date '") != std::string::npos, each.said)
            << each.header << joined(got.out);
    }
}

TEST(Convert, LostCharactersAreAllowedNotedOrRefused) {
    const std::string mail =
        "From: =?utf-8?B?6LOH5paZ?= <a@x>\nDate: Tue, 2 Jun 1998 08:39:00 +0000\nSubject: "
        "=?utf-8?Q?=E6=96=99?=\n"
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n資 € ü\n";
    const auto allowed = converted(mail, {.charset = "cp437", .lossy = Lossy::Allow});
    EXPECT_EQ(allowed.out.texts.at(0), "? EUR \x81\n");
    EXPECT_TRUE(allowed.out.notes.empty());
    EXPECT_EQ(allowed.out.lost, 4);
    EXPECT_EQ(allowed.out.changed, 1);
    const auto noted = converted(mail, {.charset = "cp437"});
    EXPECT_EQ(noted.out.texts.at(0),
              "? EUR \x81\n\n"
              "[Postern: 2 characters of the sender's name became '?' (not in cp437: \nU+8CC7 U+6599);\n"
              " 1 character of the subject became '?' (not in cp437: U+6599);\n"
              " 1 character of the text became '?' (not in cp437: U+8CC7)]\n");
    EXPECT_EQ(noted.out.notes.size(), 3U);
    const auto silent = converted(mail, {.charset = "cp437", .notesInText = false});
    EXPECT_EQ(silent.out.texts.at(0), "? EUR \x81\n");
    EXPECT_EQ(silent.out.notes.size(), 3U);
    const auto refused = tests::conversion(mail, {.charset = "cp437", .lossy = Lossy::Bounce});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Invalid);
    EXPECT_EQ(refused.error().text,
              "4 characters of the message can not be written here (not in cp437: U+8CC7 U+6599)");
    EXPECT_TRUE(tests::conversion(mail, {.charset = "utf-8", .lossy = Lossy::Bounce}).ok());
    EXPECT_TRUE(tests::conversion("Subject: x\n\n€ is EUR: changed is not lost\n",
                                  {.charset = "cp437", .lossy = Lossy::Bounce})
                    .ok());
}

TEST(Convert, AnAddressTheCharsetLacksIsSaid_Rfc6857) {
    const auto got = converted("From: Jos <josé@資.example>\nSubject: x\n\nbody\n", {.charset = "cp437"});
    EXPECT_NE(joined(got.out).find("the sender's address can not be written in cp437"), std::string::npos);
}

TEST(Convert, EveryCharsetOfTheIssueTakesItsOwnLetters) {
    struct Case {
        const char* charset;
        const char* text;
    };
    const Case cases[] = {
        {"cp437", "naïve ½ ░"},       {"cp850", "Ærø ñ ®"},       {"cp852", "Łódź čeština"},
        {"cp866", "Привет"},          {"windows-1252", "“œ” €"},  {"koi8-r", "Привет"},
        {"iso-8859-1", "façade £"},   {"iso-8859-2", "Łódź"},     {"iso-8859-5", "Привет"},
        {"iso-8859-7", "Καλημέρα"},   {"iso-8859-15", "œuvre €"}, {"iso-2022-jp", "日本語 text"},
        {"shift_jis", "日本語 text"}, {"euc-kr", "한국어 text"},  {"gb18030", "中文 text €"},
        {"utf-8", "ü 日本 Ж"},
    };
    for (const Case& each : cases) {
        Profile profile{.charset = each.charset};
        const std::string head =
            "From: a@x\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n";
        for (const int columns : {0, 20}) {
            profile.columns = columns;
            const auto got = converted(head + each.text + "\n", profile);
            EXPECT_EQ(got.out.lost, 0) << each.charset;
            EXPECT_EQ(toUtf8(got.out.texts.at(0), each.charset), each.text + std::string("\n"))
                << each.charset;
        }
    }
}

}  // namespace
}  // namespace postern::mail
