#include "mail/address.h"

#include <gtest/gtest.h>

namespace postern::mail {
namespace {

std::string shown(const Result<Address>& address) {
    return address.ok() ? address->local + "|" + address->domain : "error: " + address.error().text;
}

TEST(Address, ParsesAndWritesBack) {
    struct Case {
        const char* in;
        const char* local;
        const char* domain;
        const char* text;
    };
    const Case cases[] = {
        {"a@b", "a", "b", "a@b"},
        {"first.last@sub.example.org", "first.last", "sub.example.org", "first.last@sub.example.org"},
        {"user.o'hara@x.org", "user.o'hara", "x.org", "user.o'hara@x.org"},  // Q244129
        {"!#$%&'*+-/=?^_`{|}~@x", "!#$%&'*+-/=?^_`{|}~", "x", "!#$%&'*+-/=?^_`{|}~@x"},
        {"a=b@x", "a=b", "x", "a=b@x"},                                  // Q191262
        {"\"Full Name\"@dom", "Full Name", "dom", "\"Full Name\"@dom"},  // Q156703
        {"\"plain\"@dom", "plain", "dom", "plain@dom"},
        {"\"a\\\"b\\\\c\"@dom", "a\"b\\c", "dom", "\"a\\\"b\\\\c\"@dom"},
        {"\"a@b\"@c", "a@b", "c", "\"a@b\"@c"},
        {"\"..\"@c", "..", "c", "\"..\"@c"},
        {"u@[192.0.2.1]", "u", "[192.0.2.1]", "u@[192.0.2.1]"},
        {"u@[IPv6:2001:db8::1]", "u", "[IPv6:2001:db8::1]", "u@[IPv6:2001:db8::1]"},
        {"u@EXAMPLE.Org", "u", "EXAMPLE.Org", "u@EXAMPLE.Org"},
    };
    for (const Case& c : cases) {
        const auto address = parseAddress(c.in);
        ASSERT_TRUE(address.ok()) << c.in << ": " << shown(address);
        EXPECT_EQ(address->local, c.local) << c.in;
        EXPECT_EQ(address->domain, c.domain) << c.in;
        EXPECT_EQ(address->text(), c.text) << c.in;
        EXPECT_EQ(parseAddress(address->text()).valueOr({}), *address) << c.in;
    }
}

TEST(Address, RefusesWithAReason) {
    struct Case {
        std::string in;
        const char* reason;
    };
    const Case cases[] = {
        {"", "empty"},
        {"joe", "no @domain"},  // Q156997
        {"@x", "no local part"},
        {"\"\"@x", "no local part"},
        {"a@", "no domain"},
        {"a b@c", "blank"},
        {".a@c", "dot"},
        {"a.@c", "dot"},
        {"John..Doe@c", "two dots"},  // Q230331
        {"a@b@c", "domain"},
        {"a(c)@b", "quotes"},
        {"a@b(c)", "domain"},
        {"a,b@c", "quotes"},
        {"a@b..c", "domain"},
        {"a@-b", "domain"},
        {"a@b-", "domain"},
        {"a@b c", "domain"},
        {"a@[1.2.3.4", "literal"},
        {"a@[]", "literal"},
        {"a@[x y]", "literal"},
        {"\"a@b", "does not end"},
        {"\"a\"b@c", "between"},
        {"\xc3\xa4@c", "8-bit"},
        {std::string("a\0b@c", 5), "control"},
        {"a\r\nRCPT@c", "control"},
        {"a\x7f@c", "control"},
        {std::string(65, 'a') + "@c", "64"},
        {"a@" + std::string(64, 'b'), "domain"},
        {std::string(600, 'a') + "@c", "254"},
    };
    for (const Case& c : cases) {
        const auto address = parseAddress(c.in);
        ASSERT_FALSE(address.ok()) << c.in << " gave " << shown(address);
        EXPECT_EQ(address.error().code, Errc::Invalid) << c.in;
        EXPECT_NE(address.error().text.find(c.reason), std::string::npos)
            << c.in << ": " << address.error().text;
    }
}

TEST(Address, LimitsAreExact) {
    std::string domain;  // 63 + 1 + 63 + 1 + 61 = 189, so that 64 + 1 + 189 = 254
    domain = std::string(63, 'd') + "." + std::string(63, 'e') + "." + std::string(61, 'f');
    const std::string local(64, 'l');
    EXPECT_TRUE(parseAddress(local + "@" + domain).ok());
    EXPECT_FALSE(parseAddress(local + "@" + domain + "g").ok());
    EXPECT_FALSE(parseAddress(local + "l@x").ok());
    EXPECT_TRUE(parseAddress("\"" + std::string(61, 'a') + " \"@x").ok());   // 64 with its quotes
    EXPECT_FALSE(parseAddress("\"" + std::string(62, 'a') + " \"@x").ok());  // 65
}

TEST(Address, EveryByteAtEachPosition) {
    for (int byte = 0; byte < 256; ++byte) {
        for (const std::size_t position : {0U, 1U, 2U, 3U, 4U}) {
            std::string text = "ab@cd";
            text[position] = static_cast<char>(byte);
            const auto address = parseAddress(text);
            if (byte < 0x20 || byte >= 0x7f) {
                EXPECT_FALSE(address.ok()) << byte << " at " << position;
            }
            if (address.ok()) {
                EXPECT_EQ(parseAddress(address->text()).valueOr({}), *address) << text;
            }
        }
    }
}

TEST(Address, OptionsRelax) {
    AddressOptions relaxed;
    relaxed.relaxed = true;
    const auto blank = parseAddress("a b@c", relaxed);  // Q191262
    ASSERT_TRUE(blank.ok()) << shown(blank);
    EXPECT_EQ(blank->text(), "\"a b\"@c");

    AddressOptions utf8;
    utf8.utf8 = true;
    EXPECT_EQ(parseAddress("j\xc3\xbcrgen@k\xc3\xb6ln.example", utf8).valueOr({}).text(),
              "j\xc3\xbcrgen@k\xc3\xb6ln.example");
    EXPECT_FALSE(parseAddress("j\xfcrgen@x", utf8).ok());

    AddressOptions bare;
    bare.bareDomain = "default.example";
    EXPECT_EQ(parseAddress("joe", bare).valueOr({}).text(), "joe@default.example");
}

TEST(Address, FoldsForEquality) {
    const auto a = parseAddress("Joe.DOE@Example.ORG");
    const auto b = parseAddress("joe.doe@example.org");
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_EQ(foldAddress(*a), foldAddress(*b));
    EXPECT_FALSE(*a == *b);
}

TEST(Path, ReadsTheEnvelope) {
    struct Case {
        const char* line;
        PathUse use;
        const char* address;
        const char* rest;
    };
    const Case cases[] = {
        {"<a@b>", PathUse::MailFrom, "a@b", ""},
        {" <a@b> SIZE=100 BODY=8BITMIME", PathUse::MailFrom, "a@b", "SIZE=100 BODY=8BITMIME"},
        {"<>", PathUse::MailFrom, "", ""},
        {"<> SIZE=1", PathUse::MailFrom, "", "SIZE=1"},
        {"<@a,@b:u@c>", PathUse::RcptTo, "u@c", ""},  // Q140940
        {"<@[192.0.2.1]:u@c>", PathUse::RcptTo, "u@c", ""},
        {"<@a:u@c>", PathUse::MailFrom, "u@c", ""},
        {"<postmaster>", PathUse::RcptTo, "postmaster", ""},
        {"<PostMaster>", PathUse::RcptTo, "postmaster", ""},
        {"<\"a>b\"@c> X=1", PathUse::RcptTo, "\"a>b\"@c", "X=1"},
        {"<\"a\\\">b\"@c>", PathUse::RcptTo, "\"a\\\">b\"@c", ""},
    };
    for (const Case& c : cases) {
        const auto path = parsePath(c.line, c.use);
        ASSERT_TRUE(path.ok()) << c.line << ": " << path.error().text;
        EXPECT_EQ(path->address.text(), c.address) << c.line;
        EXPECT_EQ(path->isNull, c.address[0] == '\0') << c.line;
        EXPECT_EQ(path->rest, c.rest) << c.line;
    }
}

TEST(Path, RefusesWhatIsNoPath) {
    const std::pair<std::string, PathUse> cases[] = {
        {"", PathUse::MailFrom},
        {"a@b", PathUse::MailFrom},
        {"<a@b", PathUse::MailFrom},
        {"<>", PathUse::RcptTo},
        {"<postmaster>", PathUse::MailFrom},
        {"<joe>", PathUse::RcptTo},
        {"<a@b>SIZE=1", PathUse::MailFrom},
        {"<<a@b>>", PathUse::RcptTo},
        {"<a b@c>", PathUse::RcptTo},
        {"<@a,@b u@c>", PathUse::RcptTo},
        {"<@a:>", PathUse::RcptTo},
        {"<@:u@c>", PathUse::RcptTo},
        {"<@a>", PathUse::RcptTo},
        {"<\"a@b>", PathUse::RcptTo},
        {"< >", PathUse::MailFrom},
        {"<@a,u@b:c@d>", PathUse::RcptTo},
        {"<" + std::string(300, '@') + ">", PathUse::RcptTo},
    };
    for (const auto& [line, use] : cases) {
        const auto path = parsePath(line, use);
        EXPECT_FALSE(path.ok()) << line << " gave " << (path.ok() ? path->address.text() : "");
    }
}

// The classic relay tests: each is refused, or comes out as an address that is flagged or is not of the form
// asked for. "us.example" is our domain; nothing may come out as a plain user at victim.example.
TEST(Path, OpenRelayForms) {
    const char* forms[] = {
        "<victim@victim.example>",
        "<victim%victim.example@us.example>",
        "<victim%victim.example@[192.0.2.1]>",
        "<victim%victim.example>",
        "<\"victim%victim.example\">",
        "<\"victim%victim.example\"@us.example>",
        "<\"victim@victim.example\">",
        "<\"victim@victim.example\"@us.example>",
        "<\"victim@victim.example\"@[192.0.2.1]>",
        "<victim@victim.example@us.example>",
        "<victim@victim.example@[192.0.2.1]>",
        "<@us.example:victim@victim.example>",
        "<@[192.0.2.1]:victim@victim.example>",
        "<@us.example,@us.example:victim@victim.example>",
        "<victim.example!victim>",
        "<victim.example!victim@us.example>",
        "<victim.example!victim@[192.0.2.1]>",
        "<us.example!victim.example!victim>",
        "<us.example!victim%victim.example@us.example>",
        "<us.example!victim@victim.example>",
        "<victim@[192.0.2.1]>",
        "<victim@192.0.2.1>",
        "<victim>",
        "<@victim.example>",
        "<victim%victim.example%us.example@us.example>",
        "<\"victim!victim.example\"@us.example>",
        "<victim@victim.example%us.example>",
        "victim@victim.example",
        "<:victim@victim.example>",
        "<victim@us.example\r\n@victim.example>",
    };
    for (const char* form : forms) {
        const auto path = parsePath(form, PathUse::RcptTo);
        if (!path.ok()) continue;
        const bool isOurs = path->address.domain == "us.example";
        EXPECT_TRUE(!isOurs || looksRelayed(path->address))
            << form << " came out as " << path->address.text();
        if (path->address.domain.front() == '[') {
            EXPECT_TRUE(looksRelayed(path->address)) << form;
        }
    }
    EXPECT_FALSE(looksRelayed({"joe", "us.example"}));
    EXPECT_FALSE(looksRelayed({"o'hara+tag=x", "us.example"}));
}

}  // namespace
}  // namespace postern::mail
