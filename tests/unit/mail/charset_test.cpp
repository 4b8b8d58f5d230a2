#include "mail/charset.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace postern::mail {
namespace {

TEST(Charset, ToUtf8) {
    struct Case {
        std::string bytes;
        const char* charset;
        const char* want;
        bool clean;
    };
    const Case cases[] = {
        {"plain", "us-ascii", "plain", true},
        {"\xe9", "iso-8859-1", "é", true},
        {"\x93x\x94", "iso-8859-1", "“x”", true},  // mislabelled windows-1252, as everybody does
        {"\xe9", "\"\"", "é", false},
        {"\xe9", " ", "é", false},  // Q278320
        {"\xc3\xa9", "", "é", true},
        {"\xe9", "", "é", false},  // Q194505
        {"\xe9", "x-unknown", "é", false},
        {"\xc3\xa9", "x-unknown", "é", false},
        {"\xc3\xa9", "us-ascii", "é", false},
        {"ab", "x-unknown", "ab", false},
        {"\xf0\xd2\xc9", "KOI8-R", "При", true},
        {"\x8e", "Macintosh", "é", true},  // Q174722
        {"\x1b$B2q5D\x1b(B", "iso-2022-jp", "会議", true},
        {"\x89\xef\x8b\x63", "x-sjis", "会議", true},  // Q155819
        {"\xb0\xa1", "ks_c_5601-1987", "가", true},
        {"\xb0\xa1", "gb2312", "啊", true},
        {"\xa4\xa4", "big5", "中", true},
        {"a\xff"
         "b",
         "utf-8",
         "a\xef\xbf\xbd"
         "b",
         false},
        {"\xc0\xaf", "utf-8", "\xef\xbf\xbd\xef\xbf\xbd", false},                  // overlong, Q258505
        {"\xed\xa0\x80", "utf-8", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false},  // a lone surrogate
        {"+AGE-", "utf-7", "+AGE-", false},  // refused: counts as undeclared
        {"\x81", "windows-1252", "\xef\xbf\xbd", false},
    };
    for (const Case& c : cases) {
        bool clean = !c.clean;
        const std::string got = toUtf8(c.bytes, c.charset, &clean);
        EXPECT_EQ(got, c.want) << c.charset;
        EXPECT_EQ(clean, c.clean) << c.charset << " " << escapeLine(c.bytes);
        EXPECT_TRUE(validUtf8(got));
    }
}

TEST(Charset, AliasesGiveTheSame_Q155819) {
    for (const char* name : {"shift_jis", "Shift-JIS", "SJIS", "x-sjis", "windows-31j", "cp932"})
        EXPECT_EQ(toUtf8("\x93\xfa\x96\x7b", name), "日本") << name;
    for (const char* name : {"euc-kr", "ks_c_5601-1987", "KOREAN", "cp949"})
        EXPECT_EQ(toUtf8("\xc7\xd1", name), "한") << name;
}

TEST(Charset, NeverGivesIconvAForeignName) {
    for (const char* name : {"ISO-2022-CN-EXT", "UTF-7", "../../etc/passwd", "UTF-8//TRANSLIT", "EBCDIC-US",
                             "utf-8 "
                             "cp437"})
        EXPECT_FALSE(knownCodePage(name)) << name;
}

struct ToPage {
    const char* utf8;
    const char* page;
    std::string want;
    int lost;
    int changed;
};

TEST(Charset, FromUtf8) {
    const ToPage cases[] = {
        {"plain\r\n\t.", "cp437", "plain\r\n\t.", 0, 0},
        {"é", "cp850", "\x82", 0, 0},
        {"é", "CP437", "\x82", 0, 0},
        {"При", "cp866", "\x8f\xe0\xa8", 0, 0},
        {"При", "koi8-r", "\xf0\xd2\xc9", 0, 0},
        {"Привет, Щёкин", "cp437", "Privet, Shchyokin", 0, 11},
        {"Αγαπητέ", "cp437", "Agapite", 0, 7},
        {"π", "cp437", "\xe3", 0, 0},
        {"ґе", "koi8-r", "\xc7\xc5", 0, 1},
        {"Київ", "cp437", "Kiiv", 0, 4},
        {"Ștefan și țara", "cp852",
         "\xb8tefan \xad"
         "i \xee"
         "ara",
         0, 3},  // with the cedilla that it has
        {"Ștefan", "cp850", "Stefan", 0, 1},
        {"τες", "cp932", "\x83\xd1\x83\xc3\x83\xd0", 0, 1},
        {"“a” – b…", "us-ascii", "\"a\" - b...", 0, 4},
        {"€ “ ” – … ™", "cp437", "EUR \" \" - ... (TM)", 0, 6},  // Q193256
        {"€", "cp1252", "\x80", 0, 0},
        {"é", "us-ascii", "e", 0, 1},
        {"Ø ß Æ ł", "us-ascii", "O ss AE l", 0, 4},  // Q236601
        {"ǖ", "cp850", "\x81", 0, 1},                // loses its macron only
        {"e\xcc\x81", "cp850", "\x82", 0, 0},        // composed first
        {"e\xcc\x81", "us-ascii", "e", 0, 1},
        {"x\xcc\x81", "cp850", "x", 0, 0},
        {"ﬁn", "cp437", "fin", 0, 1},
        {"→", "cp850", "->", 0, 1},
        {"Ａ１", "us-ascii", "A1", 0, 2},
        {"🎉", "cp850", "?", 1, 0},
        {"😊", "cp850", ":-)", 0, 1},
        {"a\xe2\x80\x8b"
         "b\xe2\x80\xae"
         "c",
         "cp850", "abc", 0, 0},
        {"Ω", "us-ascii", "O", 0, 1},
        {"Ω", "cp437", "\xea", 0, 0},
        {"Ά", "cp437", "A", 0, 1},
        {"日本", "cp932", "\x93\xfa\x96\x7b", 0, 0},
        {"日–é", "cp932", "\x93\xfa-e", 0, 2},
        {"한", "euc-kr", "\xc7\xd1", 0, 0},
        {"日", "iso-2022-jp", "\x1b$BF|\x1b(B", 0, 0},
        {"日", "no-such-page", "?", 1, 0},
        {"é\xff", "utf-8", "é\xef\xbf\xbd", 0, 0},
        {"\xff", "cp850", "?", 1, 0},
    };
    for (const ToPage& c : cases) {
        const Encoded got = fromUtf8(c.utf8, c.page);
        EXPECT_EQ(got.bytes, c.want) << c.utf8 << " to " << c.page;
        EXPECT_EQ(got.lost, c.lost) << c.utf8 << " to " << c.page;
        EXPECT_EQ(got.changed, c.changed) << c.utf8 << " to " << c.page;
    }
}

TEST(Charset, NoControlByteLeaves) {
    std::string all;
    for (int c = 0; c < 256; ++c) all += toUtf8(std::string(1, static_cast<char>(c)), "windows-1252");
    all += "\xc2\x85\xc2\x9a";
    for (const char* page : {"cp437", "cp850", "cp852", "cp866", "cp1252", "koi8-r", "iso-8859-1",
                             "iso-8859-15", "us-ascii", "utf-8", "cp932"}) {
        for (const char c : fromUtf8(all, page).bytes) {
            const auto byte = static_cast<unsigned char>(c);
            EXPECT_TRUE(byte >= 0x20 || c == '\t' || c == '\r' || c == '\n') << page << " " << int(byte);
            EXPECT_NE(byte, 0x7f) << page;
        }
    }
}

// What a page can say comes back unchanged (Q176185, Q192887).
TEST(Charset, RoundTripOfEveryByte) {
    for (const char* page :
         {"cp437",        "cp737",        "cp775",        "cp850",        "cp852",        "cp855",
          "cp857",        "cp862",        "cp866",        "cp869",        "cp874",        "windows-1250",
          "windows-1251", "windows-1252", "windows-1253", "windows-1255", "windows-1257", "koi8-r",
          "koi8-u",       "iso-8859-2",   "iso-8859-5",   "iso-8859-7",   "iso-8859-15",  "macintosh"}) {
        ASSERT_TRUE(knownCodePage(page)) << page;
        for (int byte = 0x80; byte < 0x100; ++byte) {
            const std::string one(1, static_cast<char>(byte));
            bool clean = false;
            const std::string utf8 = toUtf8(one, page, &clean);
            if (clean) {
                EXPECT_EQ(fromUtf8(utf8, page).bytes, one) << page << " " << byte;
            }
        }
    }
}

TEST(Charset, StatefulSetsRoundTrip_Q182144) {
    std::string hangul;
    for (char32_t c = 0xac00; c < 0xac00 + 200; ++c) {
        hangul += static_cast<char>(0xe0 | (c >> 12));
        hangul += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
        hangul += static_cast<char>(0x80 | (c & 0x3f));
        hangul += "\n";
    }
    EXPECT_EQ(toUtf8(fromUtf8(hangul, "cp949").bytes, "cp949"), hangul);
    const std::string kanji = "日本語\n会議\n";
    EXPECT_EQ(toUtf8(fromUtf8(kanji, "iso-2022-jp").bytes, "iso-2022-jp"), kanji);
}

TEST(Charset, OneBadUnitOfUtf16OrUtf32IsOneMark) {
    EXPECT_EQ(toUtf8(std::string("a\0\0\xdc"
                                 "b\0c\0",
                                 8),
                     "utf-16le"),
              "a\xef\xbf\xbd"
              "bc");
    EXPECT_EQ(toUtf8(std::string("\0a\xdc\0\0b\0c", 8), "utf-16be"),
              "a\xef\xbf\xbd"
              "bc");
    EXPECT_EQ(toUtf8(std::string("a\0\0\0\xff\xff\xff\x7f"
                                 "b\0\0\0",
                                 12),
                     "utf-32le"),
              "a\xef\xbf\xbd"
              "b");
    EXPECT_EQ(toUtf8("a", "utf-16le"), "\xef\xbf\xbd") << "half a unit";
}

// Big5-HKSCS holds some letters back until the next says whether it is a mark.
TEST(Charset, LettersHeldBackKeepTheirPlace) {
    const std::string held = "\xc3\x8a is \xc3\xaa. \xc3\x8a";
    EXPECT_EQ(toUtf8(fromUtf8(held, "big5").bytes, "big5"), held);
}

TEST(Charset, CleanLine) {
    EXPECT_EQ(cleanLine("a\r\nb\tc"), "a  b c");
    EXPECT_EQ(cleanLine(std::string("a\0b\x01\x1b[31m\x7f", 10)), "a b[31m");
    EXPECT_EQ(cleanLine("evil\xe2\x80\xaetxt.exe"), "eviltxt.exe");
    EXPECT_EQ(cleanLine("\xff"), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace postern::mail
