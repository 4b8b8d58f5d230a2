#include <cstdlib>

#include <gtest/gtest.h>

#include "adapters/command/uucp_spool.h"
#include "base/text.h"
#include "tests/bsmtp_reader.h"
#include "tests/command_rig.h"

namespace postern::adapters {

namespace fs = std::filesystem;
using tests::CommandRig;
using tests::outcomeText;
using tests::spill;

namespace {

// A stand-in for uux that queues as Taylor's does: the text in D., then, unless `cut`, a line in C.
std::string queueing(const std::string& end) {
    return "d=\"$here/spool/oldbox\"; mkdir -p \"$d/D.\" \"$d/C.\"; cat >\"$d/D./D.0001\"\n" + end;
}
const std::string kLink =
    "echo \"E D.0001 D.aN0001 uucp -CR D.0001 0666 x 0 rmail bob\" >\"$d/C./C.N0001\"\n";

}  // namespace

TEST(Uucp, CallsUuxAsRfc976Wants) {
    CommandRig rig("uucp", {{"node_name", "gateway"}, {"grade", "N"}, {"config", "/etc/uucp/other"}});
    Job job = rig.job(3, 2);
    job.delivery.recipients = {{1, "bob@legacy.example", "bob"}, {2, "carol@legacy.example", "hostx!carol"}};
    job = rig.exportJob(std::move(job));
    ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    EXPECT_EQ(
        rig.arguments(),
        "-I\n/etc/uucp/other\n-r\n-g\nN\n-a\nalice@example.org\n-\noldbox!rmail\n(bob)\n(hostx!carol)\n");
    EXPECT_TRUE(
        rig.only().starts_with("From alice@example.org Tue Nov 14 22:13:20 2023 remote from gateway\n"
                               "X-Postern-Item: 3.2.abcdefgh12345678\n"))
        << rig.only();
    EXPECT_EQ(rig.only().find('\r'), std::string::npos);
}

TEST(Uucp, SendersOfEveryForm) {
    struct Case {
        const char* sender;
        const char* form;
        const char* line;
        const char* notify;
    };
    const Case cases[] = {
        {"alice@example.org", "bang", "From example.org!alice Tue ", "-a\nalice@example.org\n"},
        {"", "internet", "From MAILER-DAEMON Tue ", "-n\n"},
        {"", "bang", "From MAILER-DAEMON Tue ", "-n\n"},
        {"o'brien;reboot@example.org", "internet", "From MAILER-DAEMON Tue ", "-n\n"},
        {"a b@example.org", "bang", "From MAILER-DAEMON Tue ", "-n\n"},
    };
    for (const Case& each : cases) {
        CommandRig rig("uucp", {{"sender_form", each.form}});
        Job job = rig.job(1, 1);
        job.delivery.sender = each.sender;
        job = rig.exportJob(std::move(job));
        EXPECT_TRUE(rig.only().starts_with(each.line)) << each.sender << ": " << rig.only().substr(0, 80);
        EXPECT_NE(rig.arguments().find(each.notify), std::string::npos) << rig.arguments();
        const bool changed = std::string(each.sender).find_first_of(" '") != std::string::npos;
        const bool told = std::any_of(job.notes.begin(), job.notes.end(), [](const std::string& note) {
            return note.find("can not stand in a UUCP From line") != std::string::npos;
        });
        EXPECT_EQ(told, changed) << testing::PrintToString(job.notes);
    }
}

TEST(Uucp, WhatAShellOverThereCouldReadIsRefused) {
    CommandRig rig("uucp");
    for (const char* name : {"a;b", "$(x)", "`x`", "a|b", "a b", "-x", "a'b", "a\"b", "a>b", "(a)", "a\\b",
                             "a\nb", "a*", "\xc3\xa9", "a&b", "#a", "~a"})
        EXPECT_TRUE(rig.adapter().refuses({1, "x@y.example", name})) << name;
    for (const char* name :
         {"bob", "hosta!hostb!bob", "bob%b@c.example", "first.last+tag@x.example", "a_b-c=d"})
        EXPECT_FALSE(rig.adapter().refuses({1, "x@y.example", name})) << name;
}

TEST(Uucp, ManyRecipientsMakeJobsThatOldSystemsTake) {
    CommandRig rig("uucp");
    const Grouping grouping = rig.adapter().grouping();
    EXPECT_EQ(grouping.mostHeaderBytes, 504);
    EXPECT_EQ(grouping.headerBytes({1, "bob@x.example", ""}), 14);
    EXPECT_TRUE(rig.adapter().refuses({1, std::string(600, 'x') + "@y.example", ""}));
    EXPECT_EQ(CommandRig("uucp", {{"remote_command", "rsmtp"}}).adapter().grouping().mostHeaderBytes, 0);
}

TEST(Uucp, RsmtpCarriesABatch) {
    CommandRig rig("uucp", {{"remote_command", "rsmtp"}});
    const Job job = rig.exportJob(rig.job(1, 1));
    EXPECT_TRUE(rig.arguments().ends_with("-\noldbox!rsmtp\n")) << rig.arguments();
    const auto batch = tests::readBsmtp(rig.only(), "\n");
    EXPECT_EQ(batch.fault, "");
    ASSERT_EQ(batch.mails.size(), 1u);
    EXPECT_TRUE(batch.mails[0].text.starts_with("X-Postern-Item: 1.1.abcdefgh12345678\n"))
        << batch.mails[0].text;
}

// uux is ended before anybody sees its exit status: its spool tells.
TEST(Uucp, TheSpoolTellsWhatNobodySaw) {
    struct Case {
        const char* what;
        std::string script;
        Verdict verdict;
        Found found;
    };
    const Case cases[] = {
        {"queued, then ended", queueing(kLink + "kill -KILL $$"), Verdict::Exported, Found::Published},
        {"ended before the job was linked", queueing("kill -KILL $$"), Verdict::Deferred,
         Found::NotPublished},
        {"ended before it wrote", "kill -KILL $$", Verdict::Unknown, Found::CannotTell},
        {"sent meanwhile", queueing(kLink + "rm -r \"$d\"; kill -KILL $$"), Verdict::Unknown,
         Found::CannotTell},
    };
    for (const Case& each : cases) {
        CommandRig rig("uucp", {}, each.script);
        const Job job = rig.exportJob(rig.job(1, 1));
        EXPECT_EQ(job.outcome->verdict, each.verdict) << each.what << ": " << outcomeText(job);
        rig.restart();
        const Recovery seen = rig.adapter().recover(job.delivery.key, job.evidence);
        EXPECT_EQ(seen.found, each.found) << each.what << ": " << seen.text;
    }
}

// As tests/unit/adapters/mailbox_golden_test.cpp, which says how to make the files anew.
TEST(UucpGolden, TextsAreWrittenAsRead) {
    const std::string golden = std::string(POSTERN_TESTS_FOLDER) + "/golden";
    const bool update = std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr;
    if (update) fs::create_directories(golden + "/uucp");
    CommandRig rig("uucp", {{"format", "7bit"}});
    std::int64_t item = 0;
    for (const std::string name :
         {"plain", "attachment", "dsn", "emoji", "mailbox_lines", "several_recipients"}) {
        std::string mail;
        for (const char c : tests::slurp(golden + "/mailbox_mails/" + name + ".eml")) {
            if (c == '\n') mail += '\r';
            if (c != '\r') mail += c;
        }
        const Job job = rig.exportJob(rig.job(++item, 1, mail));
        ASSERT_EQ(rig.taken().size(), 1u) << outcomeText(job);
        const std::string got = rig.only(), path = golden + "/uucp/" + name + ".rmail";
        fs::remove(rig.temp() + "/taken/" + rig.taken().front());
        if (update) spill(path, got);
        EXPECT_EQ(got, tests::slurp(path)) << path;
    }
}

TEST(UucpSpool, ReadsWhatTaylorUucpWrites) {
    tests::TempFolder temp;
    const std::string mark = "X-Postern-Item: 1.1.store\r\n", folder = temp / "oldbox";
    const auto look = [&] {
        return lookInUucpSpool(temp.path(), "oldbox", "X-Postern-Item: 1.1.store").value();
    };
    EXPECT_EQ(look(), UucpJob::NotThere);
    fs::create_directories(folder + "/D.");
    fs::create_directories(folder + "/C.");
    spill(folder + "/D./D.0001", "From x remote from y\nX-Postern-Item: 1.1.store\n\n");
    spill(folder + "/D./D.0002", "From x remote from y\nX-Postern-Item: 1.11.store\n\n");
    EXPECT_EQ(look(), UucpJob::NotQueued);
    spill(folder + "/C./C.N0002", "E D.00010 D.aN0002 uucp -CR D.00010 0666 x 0 rmail bob\n");
    EXPECT_EQ(look(), UucpJob::NotQueued) << "another file's name that begins alike";
    spill(folder + "/C./TMP0000000f46", "E D.0001 D.aN0001 uucp -CR D.0001 0666 x 0 rmail bob\n");
    EXPECT_EQ(look(), UucpJob::NotQueued) << "uux died before it linked the line";
    spill(folder + "/C./C.N0001",
          "S D.0001 D.aN0001 uucp -CR D.0001 0666 x\nS D.X0001 X.aN0001 uucp - D.X0001 0666\n");
    EXPECT_EQ(look(), UucpJob::Queued);
    EXPECT_EQ(lookInUucpSpool(temp.path(), "another", "x").value(), UucpJob::NotThere);
}

}  // namespace postern::adapters
