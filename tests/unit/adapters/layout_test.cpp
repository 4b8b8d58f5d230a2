// The exact bytes and names of Maildir and drop files.

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"
#include "tests/kit/modes.h"

namespace postern::adapters {

using tests::AdapterRig;

namespace {

const std::string kMail = "Subject: x\r\n\r\n.dot\r\nlast\r\n";

adapters::Job twoRecipients(AdapterRig& rig) {
    Job job = rig.job(26, 1, kMail);
    job.delivery.recipients = {{1, "bob@legacy.example", "bob"}, {2, "carol@legacy.example", ""}};
    return job;
}

}  // namespace

TEST(Maildir, WritesTheEnvelopeAndTheMailWithLf) {
    AdapterRig rig("maildir", {});
    const Job job = rig.exportJob(twoRecipients(rig));
    ASSERT_EQ(rig.visible(), std::vector<std::string>{"new/1700000000.P26Qabcdefgh.mx.example"})
        << tests::outcomeText(job);
    EXPECT_EQ(rig.content(rig.visible()[0]),
              "Return-Path: <alice@example.org>\nDelivered-To: bob@legacy.example\n"
              "Delivered-To: carol@legacy.example\nSubject: x\n\n.dot\nlast\n");
    for (const char* sub : {"/cur", "/tmp"})
        EXPECT_TRUE(std::filesystem::is_directory(rig.folder() + sub)) << sub;
}

TEST(Maildir, KeepsCrlfWhenAskedTo) {
    AdapterRig rig("maildir", {{"line_ends", "crlf"}});
    Job job = rig.job(1, 1, kMail);
    job.delivery.sender.clear();
    rig.exportJob(std::move(job));
    EXPECT_EQ(rig.content(rig.visible().at(0)),
              "Return-Path: <>\r\nDelivered-To: bob@legacy.example\r\n" + kMail);
}

TEST(Maildir, PerRecipientUsesTheLegacyNameElseTheLocalPart) {
    AdapterRig rig("maildir", {{"layout", "per-recipient"}});
    EXPECT_EQ(rig.adapter().grouping().mostRecipients, 1);
    Job named = rig.job(1, 1), plain = rig.job(2, 1), odd = rig.job(3, 1);
    plain.delivery.recipients = {{1, "Carol@legacy.example", ""}};
    odd.delivery.recipients = {{1, "x@legacy.example", "../Doe, J"}};
    for (Job* job : {&named, &plain, &odd}) rig.exportJob(*job);
    const std::vector<std::string> wanted = {"%2E.%2FDoe%2C%20J/new/1700000000.P3Qabcdefgh.mx.example",
                                             "bob/new/1700000000.P1Qabcdefgh.mx.example",
                                             "carol/new/1700000000.P2Qabcdefgh.mx.example"};
    EXPECT_EQ(rig.visible(), wanted);
}

TEST(Maildir, PerRecipientRefusesNamesItCanNotHold) {
    AdapterRig rig("maildir", {{"layout", "per-recipient"}});
    EXPECT_FALSE(rig.adapter().refuses({1, "bob@x", "bob"}));
    EXPECT_TRUE(rig.adapter().refuses({1, "bob@x", std::string(300, 'x')}));
    EXPECT_TRUE(rig.adapter().refuses({1, "@x", ""}));
    AdapterRig single("maildir", {});
    EXPECT_FALSE(single.adapter().refuses({1, "bob@x", std::string(300, 'x')}));
}

// One mailbox that can not be opened is that recipient's trouble.
TEST(Maildir, OneSpoiltMailboxDoesNotSuspendTheAdapter) {
    AdapterRig rig("maildir", {{"layout", "per-recipient"}});
    tests::spill(rig.folder() + "/bob", "in the way");
    const Job job = rig.exportJob(rig.job(1, 1));
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << tests::outcomeText(job);
    EXPECT_FALSE(job.outcome->adapterUnusable) << tests::outcomeText(job);
}

TEST(Maildir, NamesOfHostsAreMadeSafe) {
    AdapterContext context = tests::kRigContext;
    context.hostname = "a/b:c d\ne";
    AdapterRig rig("maildir", {}, context);
    rig.exportJob(rig.job(1, 1));
    // What Maildir writes for them begins with a backslash, which no name has on Windows.
    EXPECT_EQ(rig.visible(),
              std::vector<std::string>{tests::kOnWindows ? "new/1700000000.P1Qabcdefgh.abcde"
                                                         : "new/1700000000.P1Qabcdefgh.a\\057b\\072cde"});
}

// Keeping more mailboxes than are held open at once.
TEST(Maildir, ManyMailboxes) {
    constexpr int kMailboxes = tests::kOnWindows ? 530 : 700;  // more than are kept open at once
    AdapterRig rig("maildir", {{"layout", "per-recipient"}});
    std::vector<Job> jobs;
    for (int i = 1; i <= kMailboxes; ++i) {
        jobs.push_back(rig.job(i, 1));
        jobs.back().delivery.recipients[0].legacy = "user" + std::to_string(i);
    }
    rig.adapter().stage(jobs, [] {});
    rig.adapter().publish(jobs, [] {});
    EXPECT_EQ(rig.visible().size(), std::size_t{kMailboxes});
}

TEST(Drop, WritesTheEnvelopeFirst) {
    AdapterRig rig("drop", {});
    rig.exportJob(twoRecipients(rig));
    ASSERT_EQ(rig.visible(), std::vector<std::string>{"0000001a.eml"});
    EXPECT_EQ(
        rig.content("0000001a.eml"),
        "X-Sender: alice@example.org\r\nX-Receiver: bob\r\nX-Receiver: carol@legacy.example\r\n" + kMail);
}

// A name that Windows can not have is never asked for there; elsewhere it stays as it was.
TEST(Maildir, TheHostStandsInTheNameAsFarAsNamesMayHaveIt) {
    adapters::AdapterContext context = tests::kRigContext;
    context.hostname = "[::1]/a<b|c.";
    AdapterRig rig("maildir", {}, context);
    rig.exportJob(rig.job(1, 1, kMail));
    EXPECT_EQ(rig.visible(), std::vector<std::string>{
                                 tests::kOnWindows ? "new/1700000000.P1Qabcdefgh.[1]abc"
                                                   : "new/1700000000.P1Qabcdefgh.[\\072\\0721]\\057a<b|c."});
}

TEST(Names, ThatNoFileMayHaveAreRefusedWhereTheyAreConfigured) {
    const std::vector<std::array<const char*, 3>> cases = {{"maildir", "maildir_folder", "Lists.a:b"},
                                                           {"maildir", "maildir_folder", "Spam "},
                                                           {"mbox", "mailbox", "nul"},
                                                           {"mbox", "mailbox", "in*"},
                                                           {"fbb", "file", "com1.in"},
                                                           {"fbb", "file", "mail.in."},
                                                           {"ftn", "outbound", "aux"}};
    for (const auto& [kind, key, value] : cases) {
        tests::SettingMap settings{{"folder", tests::kOnWindows ? "C:/x" : "/x"}, {key, value}};
        if (kind == std::string("fbb")) settings.emplace("call", "N0CALL");
        if (kind == std::string("ftn"))
            settings.insert({{"address", "2:999/1"}, {"link", "2:999/2"}, {"mode", "bso"}});
        const auto made = tests::makeKind(kind, settings, tests::kRigContext);
        EXPECT_EQ(made.ok(), !tests::kOnWindows) << kind << " " << value;
        if (!made.ok()) {
            EXPECT_TRUE(made.error().text.starts_with(key)) << made.error().text;
        }
    }
}

TEST(Drop, SettingsShapeTheFile) {
    AdapterRig rig("drop", {{"envelope", "none"},
                            {"line_ends", "lf"},
                            {"extension", "msg"},
                            {"file_mode", "0600"},
                            {"most_recipients", "7"}});
    rig.exportJob(rig.job(0x123456789a, 1, kMail));
    ASSERT_EQ(rig.visible(), std::vector<std::string>{"123456789a.msg"});
    EXPECT_EQ(rig.content("123456789a.msg"), "Subject: x\n\n.dot\nlast\n");
    if (!tests::kOnWindows) {
        EXPECT_EQ(tests::modeOf(rig.folder() + "/123456789a.msg"), 0600u);
    }
    EXPECT_EQ(rig.adapter().grouping().mostRecipients, 7);
}

TEST(Spool, ModesAreWhatWasSaid) {
    SKIP_ON_WINDOWS("no permission bits");
    const tests::Umask narrow(077);
    AdapterRig where("drop", {});
    const std::string folder = where.temp() + "/made/here";
    AdapterRig rig("drop", {{"folder", folder}, {"file_mode", "0664"}, {"folder_mode", "2775"}});
    rig.exportJob(rig.job(1, 1));
    EXPECT_EQ(tests::modeOf(folder + "/00000001.eml"), 0664u);
    EXPECT_EQ(tests::modeOf(folder), 02775u);
}

TEST(Drop, AddressesBeyondAsciiStandAsTheyAre) {
    AdapterRig rig("drop", {});
    Job job = rig.job(1, 1, kMail);
    job.delivery.sender = "zo\xc3\xab@example.org";
    job.delivery.recipients.front().legacy = "j\xc3\xb6rg@x.example";
    rig.exportJob(std::move(job));
    EXPECT_TRUE(
        rig.content("00000001.eml")
            .starts_with("X-Sender: zo\xc3\xab@example.org\r\nX-Receiver: j\xc3\xb6rg@x.example\r\n"));
}

TEST(Drop, NullSenderIsWrittenAsBrackets) {
    AdapterRig rig("drop", {});
    Job job = rig.job(1, 1, kMail);
    job.delivery.sender.clear();
    rig.exportJob(std::move(job));
    EXPECT_TRUE(rig.content("00000001.eml").starts_with("X-Sender: <>\r\nX-Receiver: bob\r\n"));
}

TEST(Spool, StageMayLieElsewhere) {
    AdapterRig where("drop", {});
    const std::string aside = where.temp() + "/aside";
    AdapterRig rig("drop", {{"stage", aside}, {"folder", where.temp() + "/in"}});
    ASSERT_TRUE(rig.probed().ok()) << rig.probed().error().text;
    Job job = rig.job(1, 1);
    rig.stageJob(job);
    EXPECT_TRUE(std::filesystem::exists(aside + "/1.1"));
    if (!tests::kOnWindows) {
        EXPECT_EQ(tests::modeOf(aside), 0700u);
    }
    rig.publishJob(job);
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(rig.folder()))
        all.push_back(entry.path().filename().string());
    EXPECT_EQ(all, std::vector<std::string>{"00000001.eml"}) << "nothing of ours stands beside it";
}

// Recipients that became impossible are rejected alone, the others go out with the next attempt.
TEST(Spool, ImpossibleRecipientsAreRejectedAlone) {
    AdapterRig rig("ccmail", {});
    Job job = rig.job(1, 1);
    job.delivery.recipients = {{1, "bob@x.example", "bob"}, {2, "c@x.example", " at PO1"}};
    rig.stageJob(job);
    ASSERT_TRUE(job.outcome);
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << tests::outcomeText(job);
    ASSERT_EQ(job.outcome->recipients.size(), 1u);
    EXPECT_EQ(job.outcome->recipients[0].ordinal, 2);
    EXPECT_EQ(job.outcome->recipients[0].verdict, Verdict::Rejected);
    Job alone = rig.job(1, 2);
    alone.delivery.recipients = {{2, "c@x.example", " at PO1"}};
    rig.stageJob(alone);
    EXPECT_EQ(alone.outcome->verdict, Verdict::Rejected) << tests::outcomeText(alone);
}

}  // namespace postern::adapters
