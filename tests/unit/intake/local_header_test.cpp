#include "connector/intake/local_header.h"

#include <gtest/gtest.h>

namespace postern::intake {
namespace {

std::string joined(const Result<std::vector<std::string>>& addresses) {
    if (!addresses.ok()) return "error: " + addresses.error().text;
    std::string text;
    for (const std::string& each : *addresses) text += (text.empty() ? "" : " ") + each;
    return text;
}

TEST(AddressesIn, EveryFormOfTheHeaderAndNothingGuessed) {
    const std::pair<const char*, const char*> cases[] = {
        {"a@x.org", "a@x.org"},
        {" A <a@x.org>,\r\n\tb@x.org , , <c@x.org>", "a@x.org b@x.org c@x.org"},
        {"\"Doe, Jane\" <a@x.org>, (a comment, with a comma) b@x.org", "a@x.org b@x.org"},
        {"list: a@x.org, B <b@x.org>;, c@x.org", "a@x.org b@x.org c@x.org"},
        {"undisclosed-recipients:;", ""},
        {"a@x.org; b@x.org", "a@x.org b@x.org"},
        {"root", "root@gw.example.org"},
        {"<root>, cron (Charlie)", "root@gw.example.org cron@gw.example.org"},
        {"<@relay.org,@two.org:a@x.org>", "a@x.org"},
        {"a (who) @ x . org", "a@x.org"},
        {"N <a(c)@x.org>", "a@x.org"},
        {"\"a b\"@x.org", "\"a b\"@x.org"},
        {"\"a@b\"@x.org", "\"a@b\"@x.org"},
        {"a@[192.0.2.1]", "a@[192.0.2.1]"},
        {"J\xc3\xb6rg <j\xc3\xb6rg@m\xc3\xbcller.example>, \xd0\xb0@x.org",
         "j\xc3\xb6rg@m\xc3\xbcller.example \xd0\xb0@x.org"},
        {"j\xf6rg@x.org",
         "error: \"<j\xc3\xb6rg@x.org>\": the address has 8-bit characters without SMTPUTF8"},
        {"J\xf6rg <j@x.org>", "j@x.org"},
        {"=?utf-8?q?j=C3=B6rg?=@x.org",
         "error: \"<j\xc3\xb6rg@x.org>\": the address has 8-bit characters without SMTPUTF8"},
        {"", ""},
        {"john smith@x.org",
         "error: \"john <smith@x.org>\": is not one address: a comma or a bracket is missing"},
        {"<a@x.org> <b@x.org>", "error: \"<a@x.org>\": is not one address: a comma or a bracket is missing"},
        {"<a@x.org> b@x.org",
         "error: \"b@x.org <a@x.org>\": is not one address: a comma or a bracket is missing"},
        {"a@x org", "error: \"<a@x org>\": the domain is malformed"},
        {"a@", "error: \"<a@>\": the address has no domain"},
        {"John Smith", "error: \"John Smith\": a blank in the local part needs quotes"},
    };
    for (const auto& [value, wanted] : cases)
        EXPECT_EQ(joined(addressesIn(value, "gw.example.org")), wanted) << value;
}

TEST(AddressesIn, HostileListsAreBounded) {
    std::string many, nested;
    for (int i = 0; i < 10'001; ++i) many += "a@x.org,", nested += "g:(";
    EXPECT_EQ(joined(addressesIn(many, "gw")), "error: more than 10000 addresses");
    (void)addressesIn(nested, "gw");
    (void)addressesIn(std::string(200'000, '"'), "gw");
    (void)addressesIn(std::string(200'000, '<'), "gw");
}

// block, rest
std::pair<std::string, std::string> caught(const std::string& text, std::size_t piece) {
    HeaderCatcher catcher;
    std::size_t at = 0;
    for (; at < text.size() && !catcher.over(); at += piece)
        EXPECT_TRUE(catcher.feed(text.substr(at, piece)).ok());
    catcher.end();
    return {std::string(catcher.block()),
            std::string(catcher.rest()) + text.substr(std::min(at, text.size()))};
}

TEST(HeaderCatcher, FindsTheEndWhateverThePieces) {
    struct Case {
        const char *text, *block, *rest;
    };
    const Case cases[] = {
        {"A: 1\r\n x\r\nB : 2\r\n\r\nbody\r\n", "A: 1\r\n x\r\nB : 2\r\n", "\r\nbody\r\n"},
        {"A: 1\r\nno field\r\n", "A: 1\r\n", "no field\r\n"},
        {"no header\r\nA: 1\r\n", "", "no header\r\nA: 1\r\n"},
        {" starts folded\r\n", "", " starts folded\r\n"},
        {"\r\nbody\r\n", "", "\r\nbody\r\n"},
        {"From a@b Mon\r\nA: 1\r\n\r\nx", "From a@b Mon\r\nA: 1\r\n", "\r\nx"},
        {"A: 1", "A: 1\r\n", ""},
        {"A: 1\r\n", "A: 1\r\n", ""},
    };
    for (const Case& each : cases)
        for (const std::size_t piece : {1, 2, 7, 1000})
            EXPECT_EQ(caught(each.text, piece), std::pair(std::string(each.block), std::string(each.rest)))
                << each.text << piece;
}

TEST(HeaderCatcher, ALongHeaderIsRefused) {
    HeaderCatcher catcher;
    EXPECT_TRUE(catcher.feed("A: " + std::string(kLongestLocalHeader - 10, 'x') + "\r\n").ok());
    EXPECT_EQ(catcher.feed("B: 123456789\r\n").error().text, "the header is longer than 256 KiB");
}

TEST(CompletedHeader, AddsOnlyWhatIsMissing) {
    const Completion with{"a@x.org", "J\xc3\xb6rg", "gw", fromMillis(1'795'183'387'000)};
    const std::string all = "from: z@x.org\r\nDATE: d\r\nMessage-Id: <1@x>\r\nX: y\r\n";
    EXPECT_EQ(completedHeader(
                  localFields("From a b\r\n" + all + "Bcc: q@x.org,\r\n r@x.org\r\nRESENT-BCC: s\r\n"), with),
              all);
    const std::string made = completedHeader({}, with);
    EXPECT_TRUE(
        made.starts_with("From: =?utf-8?Q?J=C3=B6rg?= <a@x.org>\r\nDate: Fri, 20 Nov 2026 14:03:07 +0000\r\n"
                         "Message-ID: <1795183387000."))
        << made;
    EXPECT_EQ(namedAddress("x\r\nBcc: y", "a@x.org"), "=?utf-8?Q?x=0D=0ABcc=3A_y?= <a@x.org>");
    EXPECT_EQ(namedAddress("A \"B\"", "a@x.org"), "\"A \\\"B\\\"\" <a@x.org>");
}

}  // namespace
}  // namespace postern::intake
