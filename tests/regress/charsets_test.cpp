// Theme G: every charset in, every code page out, and what is lost is said.
#include <clocale>

#include "base/text.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "tests/adapter_rig.h"
#include "tests/ccmail_reader.h"
#include "tests/kit/drive.h"
#include "tests/regress/mails.h"

namespace postern::tests {
namespace {

std::string subjectOf(const std::string& raw) {
    return ReadMail("Subject: " + raw + "\r\n\r\nx\r\n").message.subject;
}

ReadMail textIn(std::string_view charset, std::string_view bytes) {
    const std::string label = charset.empty() ? "" : "; charset=" + std::string(charset);
    return ReadMail("Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain" + label +
                    "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + std::string(bytes));
}

CcmailMessage exported(AdapterRig& rig, const adapters::Job& job) {
    EXPECT_TRUE(job.outcome && job.outcome->verdict == adapters::Verdict::Exported) << outcomeText(job);
    const auto files = rig.visible();
    auto read = readCcmail(files.empty() ? "" : rig.content(files.back()));
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text);
    return read.ok() ? *read : CcmailMessage();
}

// Every character of a block, one a line.
std::string linesOf(char32_t first, char32_t last) {
    std::string out;
    for (char32_t c = first; c <= last; ++c) {
        out += static_cast<char>(0xe0 | (c >> 12));
        out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
        out += static_cast<char>(0x80 | (c & 0x3f));
        out += '\n';
    }
    return out;
}

TEST(Regress, Q237838_a_field_is_decoded_by_its_own_charset) {
    ASSERT_NE(std::setlocale(LC_ALL, "C"), nullptr);
    const std::string japanese = "会議のお知らせ";
    for (const char* charset : {"iso-2022-jp", "shift_jis", "euc-jp", "utf-8"}) {
        const std::string bytes = mail::fromUtf8(japanese, charset).bytes;
        EXPECT_EQ(subjectOf(encodedWord(bytes, charset)), japanese) << charset;
    }
}

TEST(Regress, Q247018_each_adapter_has_its_own_code_page) {
    struct Case {
        const char* page;
        std::string text, bytes;
    };
    const Case cases[] = {{"cp932", "日本", "\x93\xfa\x96\x7b"},
                          {"cp949", "한국", "\xc7\xd1\xb1\xb9"},
                          {"cp437", "Größe",
                           "Gr\x94\xe1"
                           "e"},
                          {"cp850", "ãø", "\xc6\x9b"}};
    for (const Case& c : cases) {
        AdapterRig rig("ccmail", {{"charset", c.page}});
        const CcmailMessage read =
            exported(rig, rig.exportJob(rig.job(1, 1, mailOf("Subject: s\n", c.text + "\n"))));
        EXPECT_EQ(read.text(), c.bytes + "\r\n") << c.page;
    }
    const auto unknown = makeKind("ccmail", {{"folder", onDrive("/x")}, {"charset", "cp99999"}}, kRigContext);
    ASSERT_FALSE(unknown.ok());
    EXPECT_NE(unknown.error().text.find("charset"), std::string::npos) << unknown.error().text;
}

TEST(Regress, Q157014_what_can_not_be_written_is_substituted_and_said) {
    AdapterRig rig("ccmail", {{"charset", "cp437"}});
    const adapters::Job job = rig.exportJob(rig.job(1, 1, mailOf("Subject: s\n", "名前… x\n")));
    EXPECT_EQ(exported(rig, job).text().substr(0, 9), "??... x\r\n");
    ASSERT_FALSE(job.notes.empty());
    EXPECT_NE(job.notes.front().find("2"), std::string::npos) << job.notes.front();
}

TEST(Regress, Q157693_a_bad_mail_does_not_stop_the_good_ones_behind_it) {
    AdapterRig rig("ccmail", {});
    std::string bad =
        "Subject: =?x-nothing?Q?=FF?=\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"
        "Content-Type: text/plain; charset=x-nothing\r\n\r\n\xff\xfe\r\n";
    for (int item = 1; item <= 101; ++item) {
        const adapters::Job job = rig.exportJob(item == 1 ? rig.job(item, 1, bad) : rig.job(item, 1));
        EXPECT_TRUE(job.outcome && job.outcome->verdict == adapters::Verdict::Exported) << outcomeText(job);
    }
    EXPECT_EQ(rig.visible().size(), 101U);
}

TEST(Regress, Q163080_text_in_an_unknown_charset_comes_with_its_bytes) {
    const ReadMail read = textIn("x-nothing", "caf\xe9\r\n");
    EXPECT_EQ(read.message.text, "café\n");
    EXPECT_EQ(read.bytes(0), "caf\xe9\r\n");
    EXPECT_TRUE(read.hasNote("unknown character set x-nothing"));
    EXPECT_TRUE(textIn("x-nothing", "plain\r\n").message.attachments.empty());
    EXPECT_EQ(textIn("x-roman8", "caf\xc5\r\n").message.text, "café\n");
}

TEST(Regress, Q166606_each_part_has_its_charset) {
    const ReadMail read(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$BF|\x1b(B\r\n"
        "--b\r\nContent-Type: text/plain; charset=Shift_JIS\r\n\r\n\x93\xfa\r\n--b--\r\n");
    EXPECT_EQ(read.message.text, "日\n\n日\n");
}

TEST(Regress, Q166533_undeclared_text_is_utf8_where_it_can_be) {
    EXPECT_EQ(textIn("", "caf\xc3\xa9").message.text, "café\n");
    EXPECT_EQ(textIn("", "caf\xe9").message.text, "café\n");
}

TEST(Regress, Q182144_stateful_charsets_come_back_the_same) {
    const std::string hangul = linesOf(0xac00, 0xd7a3), kanji = linesOf(0x4e00, 0x9fa0);
    EXPECT_EQ(mail::toUtf8(mail::fromUtf8(hangul, "cp949").bytes, "cp949"), hangul);
    // The sets behind ISO-2022 have fewer characters: those they have come back.
    for (const char* charset : {"iso-2022-kr", "iso-2022-jp", "iso-2022-jp-2"}) {
        const mail::Encoded first = mail::fromUtf8(hangul + kanji, charset);
        const std::string known = mail::toUtf8(first.bytes, charset);
        EXPECT_GT(static_cast<std::size_t>(std::count(known.begin(), known.end(), '?')), 0U);
        EXPECT_EQ(std::count(known.begin(), known.end(), '\n'),
                  std::count(kanji.begin(), kanji.end(), '\n') + 11172);
        EXPECT_EQ(mail::toUtf8(mail::fromUtf8(known, charset).bytes, charset), known) << charset;
        EXPECT_GT(known.size() - static_cast<std::size_t>(first.lost), 20000U) << charset;
    }
}

TEST(Regress, Q155819_names_people_use_for_a_charset) {
    struct Case {
        std::vector<const char*> names;
        const char* text;
    };
    const Case cases[] = {
        {{"euc-kr", "ks_c_5601-1987", "KOREAN", "ksc5601", "csEUCKR", "windows-949"}, "한국어"},
        {{"gb2312", "GBK", "x-gbk", "cp936", "GB_2312-80", "csGB2312"}, "中文邮件"},
        {{"big5", "Big5-HKSCS", "cn-big5", "x-x-big5", "csBig5"}, "中文"},
        {{"shift_jis", "SJIS", "x-sjis", "windows-31j", "MS_Kanji", "csShiftJIS"}, "日本語"},
        {{"iso-8859-1", "latin1", "ISO_8859-1:1987", "l1", "cp819", "csISOLatin1"}, "Größe"},
        {{"koi8-r", "KOI8", "csKOI8R"}, "Привет"},
        {{"windows-1251", "cp1251", "x-cp1251", "win-1251"}, "Привет"},
        {{"iso-2022-kr", "csISO2022KR"}, "한국어"},
        {{"euc-jp", "x-euc-jp", "csEUCPkdFmtJapanese"}, "日本語"},
    };
    for (const Case& c : cases) {
        const std::string bytes = mail::fromUtf8(c.text, c.names.front()).bytes;
        for (const char* name : c.names) EXPECT_EQ(subjectOf(encodedWord(bytes, name)), c.text) << name;
    }
}

TEST(Regress, Q194505_raw_eight_bit_subjects_are_read) {
    EXPECT_EQ(subjectOf("caf\xe9"), "café");
    EXPECT_EQ(subjectOf("caf\xc3\xa9"), "café");
}

TEST(Regress, Q193256_typographic_characters_have_substitutes) {
    for (const char* page : {"cp437", "cp850", "us-ascii"}) {
        const mail::Encoded got = mail::fromUtf8("€ “ ” – … ™", page);
        EXPECT_EQ(got.bytes, "EUR \" \" - ... (TM)") << page;
        EXPECT_EQ(got.lost, 0) << page;
    }
}

TEST(Regress, Q164855_a_colon_in_a_japanese_subject_is_a_colon) {
    EXPECT_EQ(subjectOf(encodedWord("日本: 語", "utf-8")), "日本: 語");
    AdapterRig rig("ccmail", {{"charset", "cp932"}});
    const adapters::Job job =
        rig.exportJob(rig.job(1, 1, mailOf("Subject: " + encodedWord("日本: 語", "utf-8") + "\n", "x\n")));
    EXPECT_EQ(exported(rig, job).subject, "\x93\xfa\x96\x7b: \x8c\xea");
}

TEST(Regress, Q258505_malformed_unicode_becomes_marks) {
    const std::pair<const char*, const char*> cases[] = {
        {"a\xc0\xaf z", "a\xef\xbf\xbd\xef\xbf\xbd z"},                                // overlong
        {"a\xed\xa0\x80z", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"},                  // a lone surrogate
        {"a\xf4\x90\x80\x80z", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"},  // beyond Unicode
        {"a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd"},                                    // cut off
    };
    for (const auto& [bytes, want] : cases) EXPECT_EQ(mail::toUtf8(bytes, "utf-8"), want);
    // UTF-7 is refused, as in RELIABILITY 4.4: the text is a guess and its bytes are attached.
    const ReadMail read = textIn("utf-7", "+AGE-\x80\r\n");
    EXPECT_TRUE(read.hasNote("unknown character set"));
    EXPECT_EQ(read.bytes(0), "+AGE-\x80\r\n");
}

TEST(Regress, Q252689_names_of_strangers_are_no_path_names) {
    for (const char* kind : {"ccmail", "drop", "maildir"})
        for (const std::string name : {"Ä.txt", "т.txt", "\xff\xfe.txt", "../../x", "nul\x01.txt"}) {
            AdapterRig rig(kind, {});
            const std::string bytes = mailOf(
                "Subject: s\nMIME-Version: 1.0\nContent-Type: application/pdf; name=\"" + name + "\"\n", "x");
            const adapters::Job job = rig.exportJob(rig.job(7, 1, bytes));
            EXPECT_TRUE(job.outcome && job.outcome->verdict == adapters::Verdict::Exported)
                << outcomeText(job);
            for (const std::string& file : rig.visible()) {
                EXPECT_EQ(file.find("txt"), std::string::npos) << file;
                EXPECT_TRUE(std::all_of(file.begin(), file.end(), [](char c) { return c > ' ' && c < 0x7f; }))
                    << file;
            }
        }
}

TEST(Regress, Q192887_every_language_has_its_page) {
    struct Case {
        const char* page;
        const char* text;
    };
    const Case cases[] = {
        {"cp857", "Yağmur İzmir'e düştü, ışık söndü"},
        {"cp1254", "Yağmur İzmir'e düştü"},
        {"cp874", "สวัสดีครับ"},
        {"tis-620", "ขอบคุณ"},
        {"cp1253", "Καλημέρα, Ώρα"},
        {"cp737", "Καλημέρα"},
        {"cp1255", "שלום עולם"},
        {"cp862", "שלום"},
        {"cp1256", "مرحبا بالعالم"},
        {"iso-8859-6", "مرحبا"},
        {"cp1257", "Labas rytas, ačiū, šeši žąsys"},
        {"cp775", "Tere õhtust, Šūpulis"},
        {"cp1258", "Đây là"},
        {"viscii", "Tiếng Việt"},
        {"cp1250", "Příliš žluťoučký kůň"},
        {"cp852", "Zażółć gęślą jaźń"},
        {"mac-centraleurope", "Příliš žluťoučký"},
        {"iso-8859-10", "Sámegiella Čállit"},
        {"koi8-u", "Привіт, їжак"},
        {"cp1125", "Привіт, їжак"},
        {"armscii-8", "Բարեւ"},
        {"georgian-ps", "გამარჯობა"},
        {"iso-8859-14", "Ẁ ẅ ŵ"},
        {"koi8-t", "Салом Тоҷикистон"},
        {"x-mac-cyrillic", "Привет"},
        {"x-mac-icelandic", "Þór Íslandi"},
        {"hp-roman8", "Größe"},
        {"johab", "한국어"},
        {"euc-tw", "中文"},
        {"iso-2022-kr", "한국어"},
    };
    for (const Case& c : cases) {
        ASSERT_TRUE(mail::knownCodePage(c.page)) << c.page;
        const mail::Encoded encoded = mail::fromUtf8(c.text, c.page);
        EXPECT_EQ(encoded.lost + encoded.changed, 0) << c.page << " " << escapeLine(encoded.bytes);
        EXPECT_EQ(mail::toUtf8(encoded.bytes, c.page), c.text) << c.page;
        EXPECT_EQ(subjectOf(encodedWord(encoded.bytes, c.page)), c.text) << c.page;
    }
}

TEST(Regress, Q279175_one_conversion_for_every_field) {
    struct Case {
        const char* charset;
        const char* text;
    };
    const Case cases[] = {
        {"iso-2022-jp", "会議資料"},   {"shift_jis", "予定表"},    {"euc-kr", "회의"},
        {"gb18030", "会议"},           {"big5", "會議"},           {"koi8-r", "Встреча"},
        {"iso-8859-7", "Συνάντηση"},   {"windows-1250", "Schůze"}, {"utf-8", "Größe 日本"},
        {"iso-8859-15", "Café à 5 €"}, {"windows-874", "ประชุม"},   {"windows-1255", "פגישה"}};
    for (const Case& c : cases) {
        const std::string bytes = mail::fromUtf8(c.text, c.charset).bytes;
        const std::string word = encodedWord(bytes, c.charset);
        const ReadMail read(
            wire("Subject: " + word + "\nFrom: " + word +
                 " <a@example.org>\nMIME-Version: 1.0\n"
                 "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=" +
                 c.charset + "\nContent-Transfer-Encoding: base64\n\n" + base64Of(bytes) +
                 "\n--b\nContent-Type: application/pdf; name=\"" + word + "\"\n\nx\n--b--\n"));
        EXPECT_EQ(read.message.subject, c.text) << c.charset;
        EXPECT_EQ(read.message.from.name, c.text) << c.charset;
        EXPECT_EQ(read.message.text, c.text + std::string("\n")) << c.charset;
        ASSERT_EQ(read.message.attachments.size(), 1U) << c.charset;
        EXPECT_EQ(read.message.attachments[0].name, c.text) << c.charset;
    }
}

TEST(Regress, Q174722_macintosh_sets_have_their_names) {
    for (const char* name : {"Macintosh", "x-mac-roman", "MacRoman", "csMacintosh", "mac"})
        EXPECT_EQ(textIn(name, "caf\x8e \xd2x\xd3 \xdb\r\n").message.text, "café “x” €\n") << name;
}

}  // namespace
}  // namespace postern::tests
