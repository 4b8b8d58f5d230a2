#include <gtest/gtest.h>

#include "adapters/bsmtp/bsmtp_text.h"
#include "base/random.h"
#include "tests/adapter_rig.h"
#include "tests/bsmtp_reader.h"
#include "tests/kit/drive.h"

namespace postern::adapters {

using tests::AdapterRig;
using tests::BsmtpBatch;
using tests::outcomeText;
using tests::readBsmtp;

namespace {

struct Written {
    std::string bytes;
    Job job;
};

Written written(const tests::SettingMap& settings, const std::string& message,
                const std::vector<Recipient>& recipients = {},
                const std::string& sender = "alice@example.org") {
    AdapterRig rig("bsmtp", settings);
    Job job = rig.job(10, 1, message);
    job.delivery.sender = sender;
    if (!recipients.empty()) job.delivery.recipients = recipients;
    Written made;
    made.job = rig.exportJob(std::move(job));
    const auto files = rig.visible();
    if (files.size() == 1) made.bytes = rig.content(files.front());
    return made;
}

}  // namespace

TEST(Bsmtp, ABatchIsOneMailByteForByte) {
    const Written made = written({}, "Subject: x\r\n\r\n.hidden\r\n..\r\nlast",
                                 {{1, "bob@a.example", ""}, {2, "carol@a.example", "carol@b.example"}}, "");
    EXPECT_EQ(
        made.bytes,
        "HELO mx.example\r\nMAIL FROM:<>\r\nRCPT TO:<bob@a.example>\r\nRCPT TO:<carol@b.example>\r\nDATA\r\n"
        "Subject: x\r\n\r\n..hidden\r\n...\r\nlast\r\n.\r\nQUIT\r\n")
        << outcomeText(made.job);
    EXPECT_NE(made.job.outcome->target.find("/0000000a.bsmtp"), std::string::npos)
        << made.job.outcome->target;
}

TEST(Bsmtp, ItsSettingsChangeWhatTheySay) {
    const Written made =
        written({{"line_ends", "lf"}, {"greeting", "ehlo"}, {"helo_name", "me.example"}},
                "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa9\r\n");
    EXPECT_TRUE(made.bytes.starts_with("EHLO me.example\nMAIL FROM:<alice@example.org> BODY=8BITMIME\n"))
        << made.bytes;
    EXPECT_EQ(made.bytes.find('\r'), std::string::npos);
    EXPECT_EQ(readBsmtp(made.bytes, "\n").fault, "");
    AdapterRig rig("bsmtp", {});
    for (const tests::SettingMap& bad :
         {tests::SettingMap{{"helo_name", "a b"}}, {{"helo_name", "a\nQUIT"}}, {{"extension", "../x"}}}) {
        tests::SettingMap settings = bad;
        settings["folder"] = rig.folder();
        const auto refused = tests::makeKind("bsmtp", settings, tests::kRigContext);
        ASSERT_FALSE(refused.ok()) << bad.begin()->first;
        EXPECT_NE(refused.error().text.find(bad.begin()->first), std::string::npos) << refused.error().text;
    }
}

TEST(Bsmtp, WhatCanNotStandInABatchIsRefused) {
    for (const std::string& name :
         {std::string("bob"), std::string("a>\r\nDATA@x.example"), std::string("\xc3\xa9@x.example"),
          std::string(300, 'x') + "@x.example"}) {
        const Written made = written({}, "\r\n", {{1, "bob@a.example", name}});
        EXPECT_EQ(made.job.outcome->verdict, Verdict::Rejected) << outcomeText(made.job);
        EXPECT_EQ(made.bytes, "");
    }
    const Written made = written({}, "\r\n", {}, "a> SIZE=1");
    EXPECT_EQ(made.job.outcome->verdict, Verdict::Rejected) << outcomeText(made.job);
}

// parse(write(x)) == x, and one mail whatever the text holds (RELIABILITY 4.2).
TEST(Bsmtp, NoTextEndsItsMailOrBeginsAnother) {
    const std::vector<std::string> pieces = {
        "\r\n", ".",    "\r\n.\r\n", "QUIT", "MAIL FROM:<x@y>",    "DATA", "\n",
        "\r",   "text", "..",        " ",    std::string("\0", 1), "\n.\n"};
    const int rounds = tests::kOnWindows ? 12 : 60;  // Wine makes each of its files slowly
    for (int round = 0; round < rounds; ++round) {
        std::string body;
        for (std::uint64_t i = randomBelow(40); i > 0; --i) body += pieces[randomBelow(pieces.size())];
        const bool lf = round % 2 == 0;
        const Written made = written({{"line_ends", lf ? "lf" : "crlf"}}, "Subject: x\r\n\r\n" + body);
        const BsmtpBatch batch = readBsmtp(made.bytes, lf ? "\n" : "\r\n");
        ASSERT_EQ(batch.fault, "") << testing::PrintToString(body) << made.bytes;
        ASSERT_EQ(batch.mails.size(), 1u);
        EXPECT_EQ(batch.mails[0].recipients, std::vector<std::string>{"bob@corp.example"});
        const bool clean = body.find_first_of(std::string("\r\n\0", 3)) == std::string::npos;
        if (clean) {
            EXPECT_EQ(batch.mails[0].text, std::string("Subject: x") + (lf ? "\n\n" : "\r\n\r\n") + body +
                                               (body.empty() ? ""
                                                : lf         ? "\n"
                                                             : "\r\n"));
        }
    }
}

TEST(Bsmtp, TheReaderSeesEveryFault) {
    const std::string good = written({}, "Subject: x\r\n\r\nx\r\n").bytes;
    ASSERT_EQ(readBsmtp(good, "\r\n").fault, "");
    for (std::size_t cut = 0; cut < good.size(); ++cut)
        EXPECT_NE(readBsmtp(std::string_view(good).substr(0, cut), "\r\n").fault, "") << cut;
    EXPECT_NE(readBsmtp(good, "\n").fault, "");
    EXPECT_NE(readBsmtp(good + "x\r\n", "\r\n").fault, "");
}

}  // namespace postern::adapters
