// The text of a converted message: columns, tabs, limits, line ends.

#include "mail/convert_text.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "mail/text.h"
#include "tests/unit/mail/converting.h"

namespace postern::mail {
namespace {

using tests::converted;
using tests::joined;
using tests::repeated;

constexpr const char* kHead =
    "From: a@x\nDate: Tue, 2 Jun 1998 08:39:00 +0000\nSubject: x\n"
    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n";

std::string textOf(const std::string& body, const Profile& profile) {
    return converted(kHead + body, profile).out.texts.at(0);
}

TEST(ConvertText, LinesAreWrappedAtTheColumnAsTheyAreWritten) {
    for (const int columns : {20, 79, 80}) {
        const auto width = static_cast<std::size_t>(columns);
        const Profile profile{.charset = "cp850", .columns = columns};
        EXPECT_EQ(textOf(std::string(width - 1, 'x') + "\n", profile), std::string(width - 1, 'x') + "\n");
        EXPECT_EQ(textOf(std::string(width, 'x') + "\n", profile), std::string(width, 'x') + "\n");
        EXPECT_EQ(textOf(std::string(width + 1, 'x') + "\n", profile), std::string(width, 'x') + "\nx\n");
        // A letter that becomes three counts three.
        const std::string euro = std::string(width - 3, 'x') + "€";
        EXPECT_EQ(textOf(euro + "\n", profile), std::string(width - 3, 'x') + "EUR\n");
        for (const std::string& line : {"x" + euro, repeated("€ ", 200), repeated("ü", 200)}) {
            std::string_view text;
            const std::string written = textOf(line + "\n", profile);
            for (text = written; !text.empty(); text.remove_prefix(text.find('\n') + 1))
                EXPECT_LE(text.find('\n'), width + 1) << written;  // a blank at its end hangs over
        }
    }
}

TEST(ConvertText, Q168533_TabsBecomeBlanksUpToTheNextStop) {
    const std::pair<const char*, const char*> cases[] = {
        {"\tx\n", "        x\n"},
        {"a\tx\n", "a       x\n"},
        {"1234567\tx\n", "1234567 x\n"},
        {"12345678\tx\n", "12345678        x\n"},
        {"a\tb\tc\n\td\n", "a       b       c\n        d\n"},
        {"日本\tx\n", "日本    x\n"},
        {"no tab\n", "no tab\n"},
        {"a\t\n", "a       \n"},
    };
    for (const auto& [in, want] : cases) {
        EXPECT_EQ(textOf(in, {.expandTabs = true}), want) << in;
        EXPECT_EQ(textOf(in, {}), in);
    }
}

struct LimitCase {
    const char* charset;
    const char* letter;  // of two bytes, but for us-ascii
    std::size_t letters;
    bool crlf;
};

TEST(ConvertText, Q190555_SplitTextsHoldTheLimitAndTogetherAreTheWhole) {
    constexpr std::size_t kLimit = 1000;
    for (const LimitCase& each : {LimitCase{"us-ascii", "x", 0, false},
                                  {"cp850", "ü", 0, true},
                                  {"utf-8", "ü", 0, false},
                                  {"cp932", "資", 0, true},
                                  {"euc-kr", "한", 0, false},
                                  {"gb18030", "中", 0, true}}) {
        const std::size_t bytes = fromUtf8(each.letter, each.charset).bytes.size();
        for (const std::size_t size : {kLimit - 1, kLimit, kLimit + 1, 3 * kLimit + 1, 10 * kLimit})
            for (const std::size_t lineBytes : {std::size_t{72}, kLimit - 2, kLimit, 100 * kLimit}) {
                std::string body;
                std::size_t written = 0, line = 0;
                const std::size_t ending = each.crlf ? 2 : 1;
                for (; written + bytes + ending <= size; written += bytes, line += bytes) {
                    if (line + bytes > lineBytes) {
                        body += '\n';
                        written += ending;
                        line = 0;
                    }
                    body += each.letter;
                }
                body += '\n';
                Profile profile{.charset = each.charset, .crlf = each.crlf, .longText = LongText::Split};
                const std::string whole = textOf(body, profile);
                profile.textLimit = kLimit;
                const auto got = converted(kHead + body, profile);
                const std::string which =
                    std::string(each.charset) + " " + std::to_string(size) + " " + std::to_string(lineBytes);
                std::string sum, decoded;
                for (const std::string& text : got.out.texts) {
                    EXPECT_LE(text.size(), kLimit) << which;
                    EXPECT_FALSE(text.empty()) << which;
                    EXPECT_EQ(toUtf8(text, each.charset).find("\xef\xbf\xbd"), std::string::npos) << which;
                    const bool cutsALine = lineBytes != 72 || &text == &got.out.texts.back();
                    EXPECT_TRUE(cutsALine || text.back() == '\n') << which;
                    EXPECT_NE(text.front(), '\n') << which;
                    sum += text;
                }
                EXPECT_TRUE(sum == whole) << which;
                EXPECT_EQ(got.out.texts.size() > 1, whole.size() > kLimit) << which;
                EXPECT_EQ(got.out.notes.size(), whole.size() > kLimit ? 1U : 0U) << which;
            }
    }
}

TEST(ConvertText, EscapesOfIso2022StandInEachPiece) {
    const std::string line = repeated("日本語", 400) + "\n";
    const auto got =
        converted(kHead + line, {.charset = "iso-2022-jp", .textLimit = 500, .longText = LongText::Split});
    ASSERT_GT(got.out.texts.size(), 4U);
    std::string decoded;
    for (const std::string& text : got.out.texts) {
        EXPECT_LE(text.size(), 500U);
        decoded += toUtf8(text, "iso-2022-jp");
    }
    EXPECT_EQ(decoded, line);
}

TEST(ConvertText, Q156063_ATextOverTheLimitBecomesAFileAndTheTextSaysSo) {
    for (const std::size_t size : {499U, 500U, 501U}) {
        const std::string body = std::string(size - 2, 'x') + "\n";  // with CRLF `size` bytes
        const auto got = converted(kHead + body, {.charset = "cp850", .crlf = true, .textLimit = 500});
        if (size <= 500) {
            EXPECT_EQ(got.out.texts, std::vector<std::string>{std::string(size - 2, 'x') + "\r\n"});
            EXPECT_TRUE(got.out.files.empty());
            continue;
        }
        EXPECT_EQ(got.out.texts, std::vector<std::string>{"The text of this message is in the attached file "
                                                          "UNNAMED.TXT.\r\n"});
        ASSERT_EQ(got.out.files.size(), 1U);
        EXPECT_EQ(got.out.files[0].name, "UNNAMED.TXT");
        EXPECT_EQ(got.out.files[0].bytes, std::string(size - 2, 'x') + "\r\n");
        EXPECT_EQ(got.out.files[0].size(), 501);
        ASSERT_EQ(got.out.notes.size(), 1U);
    }
}

TEST(ConvertText, MarksAreNeverCutFromTheirLetter) {
    EXPECT_EQ(frontOf("ae\xcc\x81z", 2), "a");
    EXPECT_EQ(frontOf("ae\xcc\x81z", 3), "a");
    EXPECT_EQ(frontOf("ae\xcc\x81z", 4), "ae\xcc\x81");
    EXPECT_EQ(frontOf("ae", 2), "ae");
    EXPECT_EQ(frontOf("", 2), "");
    EXPECT_EQ(frontOf("資", 1), "資") << "at least one";
    EXPECT_EQ(frontOf("\xcc\x81\xcc\x81\xcc\x81", 4), "\xcc\x81\xcc\x81") << "nothing but marks";
}

TEST(ConvertText, AMegabyteOfOneLineIsSplitInNoTime) {
    const auto got = converted(kHead + std::string(900'000, 'x') + "\n",
                               {.charset = "shift_jis", .textLimit = 256, .longText = LongText::Split});
    EXPECT_GE(got.out.texts.size(), 900'000U / 256);
    EXPECT_EQ(joined(got.out).size(), 900'001U);
}

TEST(ConvertText, TheNotesAreBoundedAndWrapped) {
    std::string mail = std::string("From: a@x\nDate: Tue, 2 Jun 1998 08:39:00 +0000\nSubject: x\n") +
                       "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n";
    for (int i = 0; i < 60; ++i)
        mail += "--b\nContent-Disposition: attachment; filename=\"a rather long name " + std::to_string(i) +
                " of a file.txt\"\n\nx\n";
    const auto got = converted(mail + "--b--\n", {.columns = 40, .attachments = AttachmentMode::Drop});
    const std::string text = got.out.texts.at(0);
    EXPECT_NE(text.find(";\n and 30 more like these]\n"), std::string::npos) << text;
    EXPECT_EQ(got.out.notes.size(), 60U);
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1))
        EXPECT_LE(displayColumns(rest.substr(0, rest.find('\n'))), 41);
}

std::string signedText(const std::string& words) {
    return "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + words +
           "\n-----BEGIN PGP SIGNATURE-----\n\n" + std::string(64, 'Q') + "\n-----END PGP SIGNATURE-----\n";
}

TEST(ConvertText, SignedTextKeepsItsLines) {
    const Profile profile{.charset = "cp437", .columns = 40, .expandTabs = true};
    const std::string before = repeated("before ", 10), words = repeated("word ", 20) + "\tend";
    const auto made = converted(kHead + before + "\n" + signedText(words) + "\tbehind\n", profile);
    EXPECT_EQ(wrap(before, 40) + "\n" + signedText(words) + "        behind\n", made.out.texts.at(0));
    EXPECT_TRUE(made.out.notes.empty()) << made.out.notes.front();
    const std::string message =
        "-----BEGIN PGP MESSAGE-----\n\n" + std::string(64, 'Q') + "\n-----END PGP MESSAGE-----\n";
    EXPECT_EQ(message, textOf(message, profile));
    // Two of them, and marks without an end.
    EXPECT_EQ(signedText(words) + "\n" + signedText(words),
              textOf(signedText(words) + "\n" + signedText(words), profile));
    const std::string open = "-----BEGIN PGP SIGNED MESSAGE-----\n" + words + "\n";
    EXPECT_NE(open, textOf(open, profile));
    EXPECT_NE("> " + signedText(words), textOf("> " + signedText(words), profile));
}

TEST(ConvertText, SignedTextWithOtherCharactersIsNoted) {
    const char* note = "the signature inside the text no longer holds";
    const Profile profile{.charset = "cp437", .columns = 79};
    for (const char* words : {"12 €", "東京"}) {
        const auto made = converted(kHead + signedText(words), profile);
        EXPECT_NE(std::string::npos, made.out.texts.at(0).find(note)) << words;
        EXPECT_TRUE(std::any_of(made.out.notes.begin(), made.out.notes.end(), [&](const std::string& each) {
            return each.find(note) != std::string::npos;
        }));
    }
    EXPECT_EQ(std::string::npos, textOf(signedText("Grüße") + "12 €\n", profile).find(note));
}

TEST(ConvertText, SignedTextIsNotJoinedWhereItSaysItFlows) {
    const std::string head = "From: a@x\nContent-Type: text/plain; format=flowed\n\n";
    const std::string body = signedText("one \ntwo");
    EXPECT_EQ(body, converted(head + body, {}).out.texts.at(0));
    EXPECT_EQ("one two\n", converted(head + "one \ntwo\n", {}).out.texts.at(0));
}

// No end, or one that fits none of them: each mark is looked at once.
TEST(ConvertText, MarksOfSignaturesAreLinear) {
    const Profile profile{.charset = "cp437", .columns = 79};
    const std::string begin = "-----BEGIN PGP SIGNED MESSAGE-----\n", end = "-----END PGP MESSAGE-----\n";
    EXPECT_EQ(repeated(begin, 25'000) + end, textOf(repeated(begin, 25'000) + end, profile));
}

}  // namespace
}  // namespace postern::mail
