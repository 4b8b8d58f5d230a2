#include "mail/names.h"

#include <set>

#include <gtest/gtest.h>

#include "base/text.h"

namespace postern::mail {
namespace {

TEST(Names, Safe) {
    const std::pair<std::string, const char*> cases[] = {
        {"report.txt", "report.txt"},
        {"C:\\x\\a.doc", "a.doc"},  // Q166573
        {"../../etc/passwd", "passwd"},
        {"a/b", "b"},
        {"Disk:Folder:a", "a"},
        {"dir/", "dir"},
        {"..", ""},
        {"", ""},
        {".profile", "profile"},
        {"name.", "name"},
        {"  a b.txt  ", "a b.txt"},
        {"a?b*c.txt", "a_b_c.txt"},
        {std::string("a\0b\r\n.txt", 9), "a b  .txt"},
        {"cod\xe2\x80\xaegpj.exe", "codgpj.exe"},
        {"Excel 4.0 Test", "Excel 4.0 Test"},  // Q152166
        {"資料.doc", "資料.doc"},              // Q228534
        {". .bashrc", "bashrc"},
        {" . a . ", "a"},
        {"TEST._$_", "TEST._$_"},
    };
    for (const auto& [in, want] : cases) EXPECT_EQ(safeFileName(in), want) << in;
}

TEST(Names, SafeIsCutOnACharacter_Q258319) {
    for (const std::size_t count : {80U, 84U, 85U, 86U, 1000U}) {
        std::string name;
        for (std::size_t i = 0; i < count; ++i) name += "資";
        const std::string cut = safeFileName(name + ".doc");
        EXPECT_LE(cut.size(), 255U);
        EXPECT_TRUE(validUtf8(cut));
        EXPECT_TRUE(cut.ends_with(".doc")) << cut;
    }
    EXPECT_LE(safeFileName("a." + std::string(1000, 'x')).size(), 255U);
}

TEST(Names, Dos) {
    const std::pair<std::string, const char*> cases[] = {
        {"report.txt", "REPORT.TXT"},
        {"Longfilename1.txt", "LONGFILE.TXT"},
        {"a b.txt", "A_B.TXT"},
        {"TEST._$_", "TEST._$_"},  // Q190557
        {"TEST.___", "TEST.___"},
        {"x.tar.gz", "X_TAR.GZ"},
        {"Ärger.docx", "ARGER.DOC"},
        {"資料.doc", "FILE.DOC"},
        {"т.txt", "T.TXT"},
        {"字.txt", "FILE.TXT"},
        {"CON.txt", "_CON.TXT"},
        {"com1", "_COM1"},
        {"nul.tar.gz", "_NUL_TAR.GZ"},
        {"", "FILE"},
        {"...", "FILE"},
        {"noextension", "NOEXTENS"},
        {"a.", "A"},
        {"€.bin", "EUR.BIN"},
        {"12345678.123", "12345678.123"},
        {"123456789.1234", "12345678.123"},
        {"semi;colon,comma.t[x", "SEMI_COL.T_X"},
    };
    for (const auto& [in, want] : cases) {
        // "nul.tar" is a device to DOS whatever follows its first dot, but here the dot is gone.
        const std::string got = dosName(in);
        if (in == "nul.tar.gz") {
            EXPECT_EQ(got, "NUL_TAR.GZ");
        } else {
            EXPECT_EQ(got, want) << in;
        }
    }
}

TEST(Names, Devices) {
    for (const char* name : {"CON", "con.txt", "Aux", "NUL.x.y", "com9", "LPT1.dat", "prn ", "clock$"})
        EXPECT_TRUE(isDosDevice(name)) << name;
    for (const char* name : {"CONS", "COM", "COM0", "COM10", "A", "", "XNUL"})
        EXPECT_FALSE(isDosDevice(name)) << name;
}

TEST(Names, SetKeepsNamesApart_Q190297) {
    for (int run = 0; run < 2; ++run) {  // the same again
        NameSet set({.dos = true});
        EXPECT_EQ(set.add("Longfilename1.txt"), "LONGFILE.TXT");
        EXPECT_EQ(set.add("Longfilename2.txt"), "LONGFI~1.TXT");
        EXPECT_EQ(set.add("Longfilename3.txt"), "LONGFI~2.TXT");
        EXPECT_EQ(set.add("longfi~1.txt"), "LONGFI~3.TXT");
    }
    NameSet set({});
    EXPECT_EQ(set.add("Report.txt"), "Report.txt");
    EXPECT_EQ(set.add("report.txt"), "report~1.txt");
    EXPECT_EQ(set.add(".profile"), "profile");  // Q146598
    EXPECT_EQ(set.add(".profile"), "profile~1");
    EXPECT_EQ(set.add(""), "file");
    EXPECT_EQ(set.add("CON.txt"), "_CON.txt");
}

TEST(Names, ManyEqualNamesStayShortAndApart_Q178093) {
    NameSet set({.dos = true});
    std::set<std::string> seen;
    for (int i = 0; i < 1100; ++i) {
        const std::string name = set.add("attachment.data");
        EXPECT_TRUE(seen.insert(name).second) << name;
        EXPECT_LE(name.size(), 12U);
        EXPECT_LE(name.find('.'), 8U) << name;
    }
    NameSet longNames({});
    for (int i = 0; i < 50; ++i)
        EXPECT_LE(longNames.add(std::string(300, 'n') + "." + std::string(120, 'x')).size(), 255U);
}

TEST(Names, LongNamesFitTheCharsetTheLimitAndTheForbidden) {
    struct Case {
        NameRule rule;
        const char *in, *want;
    };
    const Case cases[] = {
        {{.charset = "cp437"}, "Prüfung.txt", "Prüfung.txt"},
        {{.charset = "cp437"}, "Łódź.txt", "Lódz.txt"},
        {{.charset = "us-ascii"}, "資料.doc", "__.doc"},
        {{.charset = "us-ascii"}, "½ pint.doc", "1_2 pint.doc"},
        {{.charset = "us-ascii"}, "€.doc", "EUR.doc"},
        {{.limit = 16}, "abcdefghijkl.txt", "abcdefghijkl.txt"},
        {{.limit = 16}, "abcdefghijklm.txt", "abcdefghijkl.txt"},
        {{.limit = 16, .charset = "cp932"}, "資資資資資資.txt", "資資資資資資.txt"},  // two bytes each
        {{.limit = 16, .charset = "cp932"}, "資資資資資資資.txt", "資資資資資資.txt"},
        {{.limit = 16, .charset = "cp932"}, "a資資資資資資.txt", "a資資資資資.txt"},
        {{.limit = 16}, "a.morethanhalfofit", "a.morethanhalfof"},
        {{.forbidden = "[]+,;="}, "a[1]+b;c=d,e.txt", "a_1__b_c_d_e.txt"},
        {{.dos = true, .forbidden = "$~"}, "a$~b.txt", "A__B.TXT"},
    };
    for (const Case& each : cases) EXPECT_EQ(NameSet(each.rule).add(each.in), each.want) << each.in;
}

TEST(Names, WhatTheCharsetLacksIsCountedAndWhatARuleForbidsIsNot) {
    struct Case {
        NameRule rule;
        const char* in;
        int lost, changed;
    };
    const Case cases[] = {
        {{.charset = "cp437"}, "Prüfung.txt", 0, 0},
        {{.charset = "cp437"}, "资料 €.doc", 2, 1},
        {{.dos = true, .charset = "cp437"}, "Prüfung.txt", 0, 1},
        {{.dos = true, .charset = "gb18030"}, "资料.doc", 2, 0},
        {{.forbidden = "[]"}, "a[1]?.txt", 0, 0},
        {{.dos = true}, "two blanks, small letters, cut.text", 0, 0},
        {{.charset = "us-ascii"}, "/home/资/a.doc", 0, 0},
    };
    for (const Case& each : cases) {
        NameSet names(each.rule);
        names.add(each.in);
        EXPECT_EQ(names.lost(), each.lost) << each.in;
        EXPECT_EQ(names.changed(), each.changed) << each.in;
        names.add(each.in);
        EXPECT_EQ(names.lost(), 2 * each.lost) << "of all names: " << each.in;
    }
}

// Found by letters_fuzz: a cut uncovered blanks, which a reader of header fields takes for no part of the
// name.
TEST(Names, ACutLeavesNeitherBlanksNorDotsNorADevice) {
    NameSet names({.limit = 16});
    const std::string blanks(20, ' ');
    EXPECT_EQ(names.add("notes" + blanks + "of May"), "notes");
    EXPECT_EQ(names.add("draft" + blanks + "of May.txt"), "draft.txt");
    EXPECT_EQ(names.add("a.b" + blanks + "cdefghij"), "a.b") << "its extension is too long to be kept";
    EXPECT_EQ(names.add("last" + std::string(20, '.') + "cdefghij"), "last") << "as DOS leaves it";
    EXPECT_EQ(names.add("CON" + blanks + "of May"), "_CON");
    EXPECT_EQ(names.add("nul" + blanks + "of May.txt"), "_nul.txt");
    EXPECT_EQ(names.add("a b .txt"), "a b .txt") << "nothing was cut";
    EXPECT_EQ(safeFileName("notes" + blanks + "of May", 16), "notes");
    EXPECT_EQ(safeFileName("notes" + blanks + "of May.txt", 16), "notes.txt");
}

TEST(Names, NumbersKeepTheLimitAndForbiddenTildes) {
    NameSet narrow({.limit = 16});
    EXPECT_EQ(narrow.add("abcdefghijkl.txt"), "abcdefghijkl.txt");
    EXPECT_EQ(narrow.add("ABCDEFGHIJKL.TXT"), "ABCDEFGHIJ~1.TXT");
    NameSet noTilde({.forbidden = "~"});
    EXPECT_EQ(noTilde.add("a.txt"), "a.txt");
    EXPECT_EQ(noTilde.add("a.txt"), "a_1.txt");
    NameSet cased({.charset = "cp850"});
    EXPECT_EQ(cased.add("é.txt"), "é.txt");
    EXPECT_EQ(cased.add("É.txt"), "É~1.txt") << "one name to a file system that knows no case";
}

// Names that are one when they are cut for a number: each was tried against all before it.
TEST(Names, ManyNamesCutToOneAreLinear) {
    NameSet names({.dos = true});
    std::set<std::string> all;
    for (int i = 0; i < 25000; ++i)
        for (int times = 0; times < 2; ++times)
            all.insert(names.add("ABCD" + std::to_string(100000 + i % 10000).substr(2) +
                                 std::string(static_cast<std::size_t>(i / 10000), '_') + ".TXT"));
    EXPECT_EQ(all.size(), 50000U);
    NameSet few({.dos = true});
    for (int i = 0; i < 10; ++i) few.add("ABCDEFGH.TXT");
    EXPECT_EQ(few.add("abcdefgh.txt"), "ABCDE~10.TXT");
    EXPECT_EQ(few.add("ABCDEFXY.TXT"), "ABCDEFXY.TXT");
    EXPECT_EQ(few.add("ABCDEFXY.TXT"), "ABCDE~11.TXT") << "~1 to ~9 are taken by the other name";
}

TEST(Names, AnyBytesGiveDosNames) {
    for (int a = 0; a < 256; ++a) {
        const std::string name = dosName(std::string(1, static_cast<char>(a)) + "x." + static_cast<char>(a));
        for (const char c : name)
            EXPECT_NE(std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$~.").find(c),
                      std::string_view::npos)
                << a << ": " << name;
    }
}

}  // namespace
}  // namespace postern::mail
