#include "mail/header.h"

#include <gtest/gtest.h>

namespace postern::mail {
namespace {

TEST(Header, FieldsAreFoundAndUnfolded) {
    const HeaderBlock block("From: a\r\nSubject: one\r\n two\r\nSUBJECT: again\r\nX:\r\nno colon\r\nLast: x");
    EXPECT_EQ(block.count(), 5);
    EXPECT_EQ(unfold(block.first("subject")), " one two");
    EXPECT_EQ(block.times("Subject"), 2U);
    EXPECT_TRUE(block.has("x"));
    EXPECT_FALSE(block.has("no colon"));
    EXPECT_EQ(block.first("last"), " x");
}

TEST(Header, EncodedWords) {
    const std::pair<std::string, const char*> cases[] = {
        {"plain", "plain"},
        {"=?utf-8?Q?a_b=C3=A9?=", "a bé"},
        {"=?UTF-8?b?w6k=?=", "é"},
        {"=?iso-8859-1?q?=E9?= x", "é x"},
        {"x =?iso-8859-1?q?=E9?=", "x é"},
        {"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"},
        {"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab"},
        {"=?utf-8?Q?a?= =?iso-8859-1?Q?=E9?=", "aé"},
        {"=?utf-8?Q?a?= b", "a b"},
        {"=?utf-8?B?w6?= =?utf-8?B?k=?=", "\xef\xbf\xbd"},  // each word's base64 ends with it
        {"=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é"},           // a character cut in two
        {"=?utf-8*en?Q?a?=", "a"},
        {"=?utf-8?X?a?=", "=?utf-8?X?a?="},
        {"=?utf-8?Q?open", "=?utf-8?Q?open"},
        {"=??Q?a?=", "=??Q?a?="},
        {"=?utf-8?Q?a_?=", "a "},
        {"a=?utf-8?Q?b?=c", "abc"},
        {"=?no-such?Q?=E9?=", "é"},
        {"=?utf-8?Q?=0D=0ABcc:_x?=", "  Bcc: x"},  // Q141970: no line break comes out
        {"\xe9", "é"},                             // Q194505
        {"\xc3\xa9", "é"},
        {"=?ISO-2022-JP?B?GyRCMnE1RBsoQg==?=: x", "会議: x"},  // Q164855
    };
    for (const auto& [in, want] : cases) EXPECT_EQ(decodeText(in), want) << in;
}

TEST(Header, ManyBeginningsOfWordsAreLinear) {
    std::string value;
    for (int i = 0; i < 200000; ++i) value += "=?a?Q?x";
    EXPECT_EQ(decodeText(value).size(), value.size());
}

TEST(Header, Parameters) {
    struct Case {
        std::string in;
        const char* value;
        const char* name;
        const char* want;
    };
    const Case cases[] = {
        {" text/plain; charset=UTF-8", "text/plain", "charset", "UTF-8"},
        {"TEXT/Plain ; CharSet=\"utf-8\"", "text/plain", "charset", "utf-8"},
        {"text/plain; charset=\" \"", "text/plain", "charset", " "},  // Q278320
        {"text/plain; charset=", "text/plain", "charset", ""},
        {"text/plain; charset=\"\"", "text/plain", "charset", ""},
        {"text/plain;;; charset=a;", "text/plain", "charset", "a"},
        {"text/plain (comment); charset=a", "text/plain", "charset", "a"},
        {"attachment; filename=my file.doc", "attachment", "filename", "my file.doc"},
        {"attachment; filename=\"a;b.doc\"; x=y", "attachment", "filename", "a;b.doc"},
        {"attachment; filename=\"\"x\"\"", "attachment", "filename", "x"},  // Q196853
        {"attachment; filename=\"C:\\x\\a.doc\"", "attachment", "filename", "C:\\x\\a.doc"},
        {"attachment; filename=\"a\\\"b\"", "attachment", "filename", "a\"b"},
        {"attachment; filename=\"a\r\n b\"", "attachment", "filename", "a b"},  // Q176045
        {"attachment; filename*=utf-8''%e2%82%ac.txt", "attachment", "filename", "€.txt"},
        {"attachment; filename*=iso-8859-1'de'%FC.txt", "attachment", "filename", "ü.txt"},
        {"a; filename*1=b; filename*0=a; filename*2=c", "a", "filename", "abc"},
        {"a; filename*0*=utf-8''%C3; filename*1*=%A9; filename*2=%20", "a", "filename", "é%20"},
        {"a; filename=old; filename*=utf-8''new", "a", "filename", "new"},
        {"a; filename*0=a; filename*2=c", "a", "filename", "a"},
        {"a; filename=\"=?utf-8?B?w6kudHh0?=\"", "a", "filename", "é.txt"},
        {"a; filename=\xe9.txt", "a", "filename", "é.txt"},
        {"a; filename*=''%41", "a", "filename", "A"},
        {"a; filename*=%41%", "a", "filename", "A%"},
        {"a; filename=\"open", "a", "filename", "open"},
        {"; x=1", "", "x", "1"},
        {"a; =x; y=2", "a", "y", "2"},
    };
    for (const Case& c : cases) {
        const ContentField field = parseContent(c.in);
        EXPECT_EQ(field.value, c.value) << c.in;
        EXPECT_EQ(field.parameter(c.name), c.want) << c.in;
    }
    EXPECT_EQ(parseContent("text/plain; charset=us-ascii (Plain)").token("charset"), "us-ascii");
}

TEST(Header, PiecesAreCounted) {
    std::string value = "a";
    for (int i = 0; i < 150; ++i) value += "; n*" + std::to_string(i) + "=x";
    EXPECT_EQ(parseContent(value).pieces, 150);
}

std::string utc(const char* raw) {
    const auto date = parseDate(raw);
    return date ? formatUtc(*date) : "none";
}

TEST(Date, Forms) {
    const std::pair<const char*, const char*> cases[] = {
        {"Fri, 20 Nov 2026 14:03:07 +0000", "2026-11-20T14:03:07Z"},
        {"20 Nov 2026 14:03 +0100", "2026-11-20T13:03:00Z"},
        {"Fri, 20 Nov 2026 14:03:07 -0800 (PST)", "2026-11-20T22:03:07Z"},
        {" 20 nov 2026 14:03:07 GMT\r\n", "2026-11-20T14:03:07Z"},
        {"20-Nov-2026 14:03:07 +0530", "2026-11-20T08:33:07Z"},
        {"Fri Nov 20 14:03:07 2026", "2026-11-20T14:03:07Z"},
        {"20 Nov 2026 23:59:60 +0000", "2026-11-20T23:59:59Z"},
        // Q182040
        {"1 Jan 00 00:00:00 +0000", "2000-01-01T00:00:00Z"},
        {"1 Jan 49 00:00:00 +0000", "2049-01-01T00:00:00Z"},
        {"1 Jan 99 00:00:00 +0000", "1999-01-01T00:00:00Z"},
        {"1 Jan 50 00:00:00 +0000", "none"},   // 1950: before the clock begins
        {"1 Jan 100 00:00:00 +0000", "none"},  // Q192595
        // Q178094: Auckland, Kiritimati, Chatham, Kathmandu
        {"20 Nov 2026 12:00:00 +1300", "2026-11-19T23:00:00Z"},
        {"20 Nov 2026 12:00:00 +1400", "2026-11-19T22:00:00Z"},
        {"20 Nov 2026 12:00:00 +1345", "2026-11-19T22:15:00Z"},
        {"20 Nov 2026 12:00:00 +0545", "2026-11-20T06:15:00Z"},
        {"20 Nov 2026 12:00:00 -1200", "2026-11-21T00:00:00Z"},
        {"20 Nov 2026 12:00:00 +2500", "2026-11-20T12:00:00Z"},
        // Q153590
        {"20 Nov 2026 12:00:00 est", "2026-11-20T17:00:00Z"},
        {"20 Nov 2026 12:00:00 ESt", "2026-11-20T17:00:00Z"},
        {"20 Nov 2026 12:00:00 XYZ", "2026-11-20T12:00:00Z"},
        // Q192054
        {"20 Nov 2026 12:00:00 -7", "2026-11-20T19:00:00Z"},
        {"20 Nov 2026 12:00:00 -07", "2026-11-20T19:00:00Z"},
        {"20 Nov 2026 12:00:00 -0700", "2026-11-20T19:00:00Z"},
        {"20 Nov 2026 12:00:00 -07:00", "2026-11-20T19:00:00Z"},
        // Q233325, Q170137, Q214565
        {"31 Feb 2026 12:00:00 +0000", "none"},
        {"1 Jan 1900 12:00:00 +0000", "none"},
        {"1 Jan 9999 12:00:00 +0000", "none"},
        {"1 Jan -1 12:00:00 +0000", "none"},
        {"garbage", "none"},
        {"", "none"},
        {"20 Nov 2026", "none"},
        {"20 Nov 2026 25:00:00 +0000", "none"},
        {"99999999999999999999 Nov 2026 1:1:1 +0000", "none"},
    };
    for (const auto& [raw, want] : cases) EXPECT_EQ(utc(raw), want) << raw;
}

TEST(Ids, AreTakenWithoutControls_Q275598) {
    EXPECT_EQ(parseIds(" <a@b>\r\n <c\x01@d\x1f> garbage <open"),
              (std::vector<std::string>{"<a@b>", "<c@d>"}));
    const std::string host(200, 'h');
    EXPECT_EQ(parseIds("<1@" + host + ">").at(0), "<1@" + host + ">");  // Q190041
}

}  // namespace
}  // namespace postern::mail
