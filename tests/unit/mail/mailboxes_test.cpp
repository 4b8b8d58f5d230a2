#include "mail/mailboxes.h"

#include <gtest/gtest.h>

namespace postern::mail {
namespace {

std::string shown(const std::vector<Mailbox>& boxes) {
    std::string out;
    for (const Mailbox& box : boxes) out += box.name + "<" + box.address + ">|";
    return out;
}

TEST(Mailboxes, Forms) {
    struct Case {
        const char* in;
        const char* want;
    };
    const Case cases[] = {
        {"a@b", "<a@b>|"},
        {" Joe <joe@x>", "Joe<joe@x>|"},
        {"\"Doe, Jane Q.\" <j@x>, b@y", "Doe, Jane Q.<j@x>|<b@y>|"},
        {"John  Smith <j@x>", "John Smith<j@x>|"},  // Q216492
        {"First (c) <u@d>", "First<u@d>|"},         // Q184054
        {"First Last u@d", "First Last<u@d>|"},
        {"U@H (c1) (c2 (c3))", "c1<U@H>|"},  // Q152432, Q152864
        {"a (M,X);", "a<>|"},                // Q231748
        {"u@d (M,X), v@e", "M,X<u@d>|<v@e>|"},
        {"\"a:b\" <x@y>", "a:b<x@y>|"},                               // Q247647
        {"undisclosed-recipients:;", "undisclosed-recipients:;<>|"},  // Q176538
        {"Group: a@b, c@d;, e@f", "<a@b>|<c@d>|<e@f>|"},
        {"<@a,@b:u@c>", "<u@c>|"},                      // Q140940
        {"\"Full Name\"@dom", "<\"Full Name\"@dom>|"},  // Q156703
        {"=?iso-8859-1?Q?J=FCrgen?= <j@x>", "J\xc3\xbcrgen<j@x>|"},
        {"\"=?utf-8?B?w6Q=?=\" <j@x>", "\xc3\xa4<j@x>|"},
        {"joe", "joe<>|"},
        {",,a@b,,", "<a@b>|"},
        {"", ""},
        {"<>", ""},
        {"user.o'hara@x", "<user.o'hara@x>|"},  // Q244129
        {"Joe\r\n <joe@x>,\r\n\tb@y", "Joe<joe@x>|<b@y>|"},
        {"x <a@[1.2.3.4]>", "x<a@[1.2.3.4]>|"},
        {"\"unclosed <a@b>", "unclosed <a@b><>|"},
        {"Doe, John Q. <j@x>", "Doe<>|John Q.<j@x>|"},
    };
    for (const Case& c : cases) EXPECT_EQ(shown(parseMailboxes(c.in)), c.want) << c.in;
}

TEST(Mailboxes, NestedGroupsAreOnlyCharacters) {
    std::string deep;
    for (int i = 0; i < 50000; ++i) deep += "g:";
    const auto boxes = parseMailboxes(deep + "a@b");
    EXPECT_LE(boxes.size(), 2U);
    EXPECT_EQ(groupDepth(deep), 50000);
}

TEST(Mailboxes, GroupDepthMindsQuotesCommentsAndLiterals) {
    EXPECT_EQ(groupDepth("\"a:b:c:d\" <x@y>"), 0);
    EXPECT_EQ(groupDepth("x (a:b:c) <x@[IPv6:1:2:3]>"), 0);
    EXPECT_EQ(groupDepth("g: a@b;, h: c@d;"), 1);
    EXPECT_EQ(groupDepth("g: h: i: j: a@b"), 4);
}

TEST(Mailboxes, LimitAndName) {
    std::string many;
    for (int i = 0; i < 200; ++i) many += "a@b,";
    EXPECT_EQ(parseMailboxes(many, 50).size(), 50U);
    EXPECT_EQ(parseMailboxes("a@b").front().shown(), "a@b");  // Q176465
}

}  // namespace
}  // namespace postern::mail
