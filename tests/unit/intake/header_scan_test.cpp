#include "connector/intake/header_scan.h"

#include <gtest/gtest.h>

namespace postern::intake {
namespace {

TEST(HeaderScan, FindsTheSameHoweverTheTextIsCut) {
    const std::string text =
        "Received: a\r\n\tb\r\nSubject: one\r\n two\r\nreceived: c\r\nMessage-Id: x <id@host> y\r\n\r\n"
        "Subject: not me\r\nReceived: nor me\r\n";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        HeaderScan scan;
        for (std::size_t at = 0; at < text.size(); at += piece) scan.feed(text.substr(at, piece));
        scan.end();
        EXPECT_EQ(scan.messageId(), "<id@host>") << piece;
        EXPECT_EQ(scan.subject(), "one two") << piece;
        EXPECT_EQ(scan.receivedCount(), 2) << piece;
    }
}

TEST(HeaderScan, TakesWhatIsThere) {
    const struct {
        std::string text, id, subject;
        int received;
    } cases[] = {
        {"", "", "", 0},
        {"no header at all\r\n", "", "", 0},
        {"Message-ID: bare\r\n", "bare", "", 0},
        {"Message-ID: <unclosed\r\n", "<unclosed", "", 0},
        {"Subject:\r\n\r\n", "", "", 0},
        {"Subject: last", "", "last", 0},
        {" folded first line\r\nSubject: s\r\n", "", "s", 0},
        {"\r\nSubject: in the body\r\n", "", "", 0},
        {"Received: 1\r\nReceived: 2", "", "", 2},
        {"X-Received: 1\r\nReceived-SPF: 2\r\n", "", "", 0},
        {"Subject: " + std::string(300, 'x') + "\r\n", "", std::string(200, 'x'), 0},
    };
    for (const auto& each : cases) {
        HeaderScan scan;
        scan.feed(each.text);
        scan.end();
        EXPECT_EQ(scan.messageId(), each.id) << each.text;
        EXPECT_EQ(scan.subject(), each.subject) << each.text;
        EXPECT_EQ(scan.receivedCount(), each.received) << each.text;
    }
}

TEST(HeaderScan, GivesUpOnAnEndlessHeader) {
    HeaderScan scan;
    for (int i = 0; i < 300; ++i) scan.feed("X: " + std::string(1000, 'x') + "\r\n");
    EXPECT_TRUE(scan.over());
    scan.feed("Subject: late\r\n");
    scan.end();
    EXPECT_EQ(scan.subject(), "");
}

}  // namespace
}  // namespace postern::intake
