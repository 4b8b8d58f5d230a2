// TNEF and the RTF inside of it; the Debian tools "tnef" and "ytnef" are the second opinion.
#include "mail/tnef.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "base/file.h"
#include "mail/rtf.h"
#include "tests/kit/platform.h"
#include "tests/temp_folder.h"
#include "tests/tnef_writer.h"

namespace postern::mail {
namespace {

using testing::HasSubstr;
using tests::little;
using tests::PropertyWriter;
using tests::TnefWriter;

Result<TnefMessage> read(const std::string& bytes, const TnefLimits& limits = {}) {
    return readTnef(std::make_shared<const std::string>(bytes), limits);
}

std::string why(const std::string& bytes) {
    const auto message = read(bytes);
    return message.ok() ? "nothing is wrong" : message.error().text;
}

std::string sample() {
    PropertyWriter properties;
    properties.named("of nobody's concern").text(0x0037, "Figures").text(0x1000, "Hello\r\nfrom Outlook");
    return TnefWriter()
        .messageProperties(properties)
        .file("LONGNA~1.XLS", "Long name of figures.xls", std::string("\0\1\2\xff", 4))
        .file("plain.txt", "", "just text")
        .bytes();
}

TEST(Tnef, GivesFilesWithTheirLongNamesAndTheText) {
    const auto message = read(sample());
    ASSERT_TRUE(message.ok()) << message.error().text;
    EXPECT_EQ("Figures", message->subject);
    EXPECT_EQ("Hello\nfrom Outlook\n", message->text);
    ASSERT_EQ(2U, message->files.size());
    EXPECT_EQ("Long name of figures.xls", message->files[0].name);
    EXPECT_EQ(std::string("\0\1\2\xff", 4), message->files[0].bytes.view());
    EXPECT_EQ("plain.txt", message->files[1].name);
    EXPECT_EQ("just text", message->files[1].bytes.view());
}

TEST(Tnef, TextInHtmlAndInTheCodePageItNames) {
    PropertyWriter html;
    html.number(0x3fde, 1251).bytes(0x1013, 0x102, "<p>\xcf\xf0\xe8\xe2\xe5\xf2</p>");
    EXPECT_EQ("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\n",
              read(TnefWriter().messageProperties(html).bytes())->text);
    TnefWriter plain;
    plain.attribute(1, 0x0002800c, std::string("caf\xe9\0", 5));
    EXPECT_EQ("caf\xc3\xa9\n", read(plain.bytes())->text);
}

TEST(Tnef, MessagesInsideToADepth) {
    std::string inner = sample();
    for (int depth = 2; depth <= 3; ++depth) {
        inner = TnefWriter().message("level", inner).bytes();
        ASSERT_TRUE(read(inner).ok()) << depth;
    }
    EXPECT_EQ("Figures", read(inner)->messages.at(0).messages.at(0).subject);
    EXPECT_THAT(why(TnefWriter().message("level", inner).bytes()), HasSubstr("inside each other"));
}

TEST(Tnef, EveryCutIsSeenAndNothingElseHappens) {
    const std::string whole = TnefWriter().message("inner", sample()).file("a", "b", "bytes").bytes();
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < whole.size(); ++size)
        accepted += read(whole.substr(0, size)).ok() ? 1 : 0;
    // Only cuts between two attributes leave something whole.
    EXPECT_LE(accepted, 12U);
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 0x55);
        (void)read(changed);
    }
}

TEST(Tnef, LimitsAndDamageAreNamed) {
    EXPECT_THAT(why("xx"), HasSubstr("cut"));
    EXPECT_THAT(why("winmail.dat"), HasSubstr("does not begin"));
    std::string wrong = sample();
    wrong[wrong.size() - 1] = static_cast<char>(wrong[wrong.size() - 1] ^ 1);
    EXPECT_THAT(why(wrong), HasSubstr("checksum"));
    TnefWriter many;
    for (int i = 0; i < 10001; ++i) many.attribute(2, 0x00018010, "x");
    EXPECT_THAT(why(many.bytes()), HasSubstr("too many attributes"));
    const std::string lie = little(0x7fffffff, 4);
    EXPECT_FALSE(read(TnefWriter().attribute(1, 0x00069003, lie).bytes()).ok());
}

TEST(Tnef, AnyDepthIsQuick) {
    std::string inner = sample();
    for (int depth = 0; depth < 1000; ++depth) inner = TnefWriter().message("m", inner).bytes();
    EXPECT_THAT(why(inner), HasSubstr("inside each other"));
}

// The tools must find the same files in what our writer makes: else the tests above prove nothing.
TEST(Tnef, OtherReadersFindTheSameFiles) {
    SKIP_ON_WINDOWS("the other readers are Debian's tnef and ytnef");
    for (const std::string tool : {"tnef --overwrite --directory=", "ytnef -f "}) {
        const tests::TempFolder folder;
        const std::string packed = folder.path() + "/winmail.dat";
        ASSERT_TRUE(std::ofstream(packed, std::ios::binary) << sample());
        std::filesystem::create_directory(folder.path() + "/out");
        const std::string command =
            tool + folder.path() + "/out " + packed + " > " + folder.path() + "/log 2>&1";
        ASSERT_EQ(0, std::system(command.c_str()))
            << command << readFile(folder.path() + "/log", 9999).value();
        std::string found;
        for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/out"))
            if (entry.file_size() == 4 || entry.file_size() == 9)
                found += readFile(entry.path().string(), 99).value() + "|";
        EXPECT_THAT(found, HasSubstr(std::string("\0\1\2\xff|", 5))) << tool;
        EXPECT_THAT(found, HasSubstr("just text|")) << tool;
    }
}

// The two examples of MS-OXRTFCP.
constexpr std::string_view kHello(
    "\x2d\x00\x00\x00\x2b\x00\x00\x00\x4c\x5a\x46\x75\xf1\xc5\xc7\xa7\x03\x00\x0a\x00\x72\x63\x70\x67\x31\x32"
    "\x35\x42\x32\x0a\xf3\x20\x68\x65\x6c\x09\x00\x20\x62\x77\x05\xb0\x6c\x64\x7d\x0a\x80\x0f\xa0",
    49);
constexpr std::string_view kRun(
    "\x1a\x00\x00\x00\x1c\x00\x00\x00\x4c\x5a\x46\x75\xe2\xd4\x4b\x51\x41\x00\x04\x20\x57\x58\x59\x5a\x0d\x6e"
    "\x7d\x01\x0e\xb0",
    30);

TEST(Rtf, IsExpandedAsPublished) {
    EXPECT_EQ("{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n", decompressRtf(kHello, 1000).value());
    EXPECT_EQ("{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}", decompressRtf(kRun, 1000).value());
    EXPECT_FALSE(decompressRtf(kRun, 10).ok());
    for (std::size_t size = 0; size < kHello.size(); ++size)
        EXPECT_FALSE(decompressRtf(kHello.substr(0, size), 1000).ok()) << size;
    for (std::size_t at = 8; at < kHello.size(); ++at) {
        std::string changed(kHello);
        changed[at] = static_cast<char>(changed[at] ^ 4);
        EXPECT_FALSE(decompressRtf(changed, 1000).ok()) << at;
    }
}

TEST(Rtf, BecomesText) {
    struct Case {
        const char *rtf, *text;
    };
    const Case cases[] = {
        {"{\\rtf1\\ansi hello\\par world}", "hello\nworld\n"},
        {"{\\rtf1{\\fonttbl{\\f0 Arial;}{\\f1\\fcharset204 Arial Cyr;}}{\\colortbl;}\\f1 \\'cf\\f0 \\'e9}",
         "\xd0\x9f\xc3\xa9\n"},
        {"{\\rtf1 a\\u8364?b\\uc0\\u233 c\\uc1\\u-10179?\\u-8704?}",
         "a\xe2\x82\xac\x62\xc3\xa9\x63\xf0\x9f\x98\x80\n"},
        {"{\\rtf1{\\*\\generator Msftedit;}{\\info{\\author X}}{\\pict 00ff}x{\\v secret}y}", "xy\n"},
        {"{\\rtf1 \\{a\\}\\\\ b\\tab c\\cell d\\row e\\~f\\_g\\-h}", "{a}\\ b\tc\td\ne f-gh\n"},
        {"{\\rtf1 one\\bin4 }}}}two}", "onetwo\n"},
        {"{\\rtf1\\ansicpg932 \\'93\\'fa}", "\xe6\x97\xa5\n"},
        {"", ""},
        {"\\", ""},
        {"{\\rtf1 \\'zz{{{{", "zz\n"},
    };
    for (const Case& c : cases) EXPECT_EQ(c.text, rtfToText(c.rtf)) << c.rtf;
}

TEST(Rtf, IsLinearOnHostileInput) {
    const std::string deep =
        "{\\rtf1 " + std::string(2'000'000, '{') + "x" + std::string(2'000'000, '}') + "y}";
    EXPECT_EQ("xy\n", rtfToText(deep));
    std::string fonts = "{\\rtf1{\\fonttbl";
    for (int i = 0; i < 5000; ++i) fonts += "{\\f" + std::to_string(i) + "\\fcharset204 F;}";
    fonts += "}";
    for (int i = 0; i < 200'000; ++i) fonts += "\\f" + std::to_string(i % 900) + " \\'e9";
    EXPECT_GT(rtfToText(fonts + "}").size(), 200'000U);
}

// Two fonts of two charsets that take turns: each turn opened a converter.
TEST(Rtf, FontsOfTwoCharsetsMayTakeTurns) {
    std::string rtf = "{\\rtf1{\\fonttbl{\\f0\\fcharset128 A;}{\\f1\\fcharset129 B;}}", want;
    for (int i = 0; i < 100'000; ++i) rtf += "\\f0 \\'93\\'fa\\f1 \\'b0\\'a1";
    const std::string text = rtfToText(rtf + "}");
    EXPECT_EQ(text.size(), 100'000U * 6 + 1);
    EXPECT_EQ(text.substr(text.size() - 7), "\xe6\x97\xa5\xea\xb0\x80\n");
}

TEST(Tnef, ATextOverTheLimitSaysSo) {
    TnefLimits limits;
    limits.text = 5;
    EXPECT_FALSE(read(sample())->textCut);
    EXPECT_TRUE(read(sample(), limits)->textCut);
    EXPECT_TRUE(read(TnefWriter().message("inner", sample()).bytes(), limits)->textCut);
    TnefWriter plain;
    plain.attribute(1, 0x0002800c, "123456");
    EXPECT_TRUE(read(plain.bytes(), limits)->textCut);
    PropertyWriter html;
    html.bytes(0x1013, 0x102, "<p>long");
    EXPECT_TRUE(read(TnefWriter().messageProperties(html).bytes(), limits)->textCut);
    PropertyWriter rtf;
    rtf.bytes(0x1009, 0x102, kHello);
    const TnefWriter packed = TnefWriter().messageProperties(rtf);
    EXPECT_FALSE(read(packed.bytes())->textCut);
    EXPECT_TRUE(read(packed.bytes(), limits)->textCut);
}

TEST(Tnef, TheTextsOfAllLevelsHaveOneLimit) {
    const std::string two = TnefWriter().message("a", sample()).message("b", sample()).bytes();
    const auto all = read(two);
    EXPECT_EQ(all->allText, 2 * std::string("Hello\nfrom Outlook\n").size());
    EXPECT_EQ(all->allFiles, 6U);
    TnefLimits limits;
    limits.allText = 25;
    const auto cut = read(two, limits);
    EXPECT_TRUE(cut->textCut);
    EXPECT_EQ(cut->allText, 25U);
}

}  // namespace
}  // namespace postern::mail
