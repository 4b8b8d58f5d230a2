// Netmail as a tosser finds it: control lines, names, parts, traps and refusals.

#include <random>
#include <set>

#include <gmock/gmock.h>

#include "adapters/spool/staged_file.h"
#include "base/text.h"
#include "tests/adapter_rig.h"
#include "tests/ftn_reader.h"
#include "tests/kit/drive.h"

namespace postern::adapters {
namespace {

using testing::HasSubstr;
using tests::AdapterRig;
using tests::FtnMessage;
using tests::FtnPacket;
using tests::outcomeText;
using tests::SettingMap;

SettingMap with(SettingMap more) {
    more.emplace("address", "2:999/1");
    more.emplace("link", "2:999/2");
    return more;
}

// One exported mail, read back.
struct Netmail {
    explicit Netmail(const std::string& mail, SettingMap settings = {},
                     const std::string& legacy = "Bob Sysop")
        : rig("ftn", with(std::move(settings))) {
        job = rig.job(1, 1, mail);
        job.delivery.recipients[0].legacy = legacy;
        job = rig.exportJob(std::move(job));
        const auto files = rig.visible();
        if (files.size() != 1) return;
        bytes = rig.content(files[0]);
        auto read = tests::readFtnPacket(bytes);
        EXPECT_TRUE(read.ok()) << read.error().text;
        if (read.ok()) packet = std::move(*read);
    }
    const FtnMessage& first() const { return packet.messages.at(0); }
    AdapterRig rig;
    Job job;
    std::string bytes;
    FtnPacket packet;
};

std::string mailWith(const std::string& fields, const std::string& body = "Hello.\r\n") {
    return "From: Alice Example <alice@example.org>\r\nTo: bob@legacy.example\r\n" + fields +
           "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMIME-Version: 1.0\r\n"
           "Content-Type: text/plain; charset=utf-8\r\n\r\n" +
           body;
}

TEST(FtnExport, AMailIsANetmail) {
    const Netmail made(mailWith("Subject: Gateway test\r\nMessage-ID: <abc@example.org>\r\n"
                                "In-Reply-To: <first@example.org>\r\n",
                                "Latin text: caf\xc3\xa9.\r\n"),
                       {{"password", "SECRET"}, {"date_zone", "CET-1"}});
    ASSERT_EQ(made.packet.messages.size(), 1u) << outcomeText(made.job);
    EXPECT_EQ(made.rig.visible().at(0), "00000001.pkt");
    EXPECT_EQ(made.packet.password, "SECRET");
    EXPECT_EQ(made.packet.to, (tests::FtnPlace{2, 999, 2, 0}));
    const FtnMessage& mail = made.first();
    EXPECT_EQ(mail.toName, "Bob Sysop");
    EXPECT_EQ(mail.fromName, "Alice Example");
    EXPECT_EQ(mail.subject, "Gateway test");
    EXPECT_EQ(mail.date, "14 Nov 23  23:13:20");
    EXPECT_EQ(mail.attributes, 1);
    EXPECT_EQ(mail.text, "Latin text: caf\x82.\n");
    const std::vector<std::string> wanted = {"INTL 2:999/2 2:999/1",
                                             "MSGID: 2:999/1 2bdf4368",
                                             "REPLY: 2:999/1 " + mail.control("REPLY").substr(8),
                                             "CHRS: CP437 2",
                                             "TZUTC: 0100",
                                             "PID: Postern 0.1",
                                             "REPLYADDR alice@example.org",
                                             "REPLYTO 2:999/1 UUCP",
                                             "Via 2:999/1 @20231114.221320.UTC Postern 0.1"};
    EXPECT_EQ(mail.controls, wanted);
}

TEST(FtnExport, PointsAndZonesStandInControlLines) {
    const Netmail made(mailWith("Subject: x\r\n"),
                       {{"address", "2:999/1.7"}, {"attributes", "private\ncrash\nhold"}}, "Bob@1:5/6.8");
    EXPECT_EQ(made.packet.from, (tests::FtnPlace{2, 999, 1, 7}));
    EXPECT_EQ(made.first().to, (tests::FtnPlace{1, 5, 6, 8}));
    EXPECT_EQ(made.first().from, (tests::FtnPlace{2, 999, 1, 7}));
    EXPECT_EQ(made.first().control("INTL"), "1:5/6 2:999/1");
    EXPECT_EQ(made.first().control("MSGID").substr(0, 10), "2:999/1.7 ");
    EXPECT_EQ(made.first().attributes, 0x0203);
}

TEST(FtnExport, ReplyParentsAreTheirMsgids) {
    const Netmail parent(mailWith("Subject: x\r\nMessage-ID: <first@example.org>\r\n"));
    const Netmail reply(mailWith("Subject: x\r\nIn-Reply-To: <first@example.org>\r\n"));
    EXPECT_EQ(reply.first().control("REPLY"), parent.first().control("MSGID"));
    // An answer to a mail from FidoNet, whose id a gateway has made of its MSGID.
    const Netmail answer(mailWith("Subject: x\r\nIn-Reply-To: <735986536@p3.f2.n999.z2.fidonet.org>\r\n"));
    EXPECT_EQ(answer.first().control("REPLY"), "2:999/2.3 2bde4368");
}

TEST(FtnExport, AMailWithoutAnIdHasOneOfItsItem) {
    AdapterRig rig("ftn", with({}));
    std::set<std::string> ids;
    for (const auto& [item, epoch] : {std::pair{1, 1}, {1, 2}, {2, 1}}) {
        Job job = rig.job(item, epoch, mailWith("Subject: x\r\n"));
        rig.stageJob(job);
        const auto read = tests::readFtnPacket(
            tests::slurp(rig.stage() + "/" + std::to_string(item) + "." + std::to_string(epoch)));
        ASSERT_TRUE(read.ok()) << read.error().text;
        ids.insert(read->messages.at(0).control("MSGID"));
    }
    EXPECT_EQ(ids.size(), 2u) << testing::PrintToString(ids);
}

TEST(FtnExport, LongTextsAreSplitIntoParts) {
    std::string body;
    for (int i = 0; i < 2000; ++i) body += "Line number " + std::to_string(i) + " of a long text.\r\n";
    const std::string subject(80, 's');
    const Netmail made(mailWith("Message-ID: <abc@example.org>\r\nSubject: " + subject + "\r\n", body));
    ASSERT_GT(made.packet.messages.size(), 3u);
    std::set<std::string> ids;
    std::string text;
    for (std::size_t i = 0; i < made.packet.messages.size(); ++i) {
        const FtnMessage& part = made.packet.messages[i];
        EXPECT_TRUE(part.subject.starts_with("[part " + std::to_string(i + 1) + "] ss")) << part.subject;
        EXPECT_EQ(part.subject.size(), 71u);
        EXPECT_LE(part.text.size(), 15000u);
        ids.insert(part.control("MSGID"));
        text += part.text;
    }
    EXPECT_EQ(ids.size(), made.packet.messages.size());
    EXPECT_TRUE(ids.contains("2:999/1 2bdf4368"));
    for (int i = 0; i < 2000; i += 100)
        EXPECT_THAT(text, HasSubstr("Line number " + std::to_string(i) + " of a long text.\n"));
}

TEST(FtnExport, FilesAreUuencoded) {
    const Netmail made(
        "From: a@example.org\r\nTo: bob@legacy.example\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee "
        "file.\r\n"
        "--b\r\nContent-Type: application/octet-stream; name=\"a.dat\"\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\n"
        "AAECAwQFBgcICQ==\r\n--b--\r\n");
    EXPECT_THAT(made.first().text, HasSubstr("begin 644 a.dat\n"));
    EXPECT_THAT(made.first().text, HasSubstr("\nend\n"));
}

TEST(FtnExport, SeveralPeopleHaveAMessageEachInOnePacket) {
    AdapterRig rig("ftn", with({}));
    Job job = rig.job(1, 1, mailWith("Subject: x\r\nMessage-ID: <abc@example.org>\r\n"));
    job.delivery.recipients.push_back({2, "ann@legacy.example", "Ann Other@2:5/6"});
    job.delivery.recipients.push_back({3, "ANN@legacy.example", "ann  other@2:5/6"});  // KB Q181797
    job = rig.exportJob(std::move(job));
    const auto read = tests::readFtnPacket(rig.content(rig.visible().at(0)));
    ASSERT_TRUE(read.ok()) << read.error().text;
    ASSERT_EQ(read->messages.size(), 2u);
    EXPECT_EQ(read->messages[1].toName, "Ann Other");
    EXPECT_EQ(read->messages[1].to, (tests::FtnPlace{2, 5, 6, 0}));
    EXPECT_EQ(read->messages[0].control("MSGID"), "2:999/1 2bdf4368");
    EXPECT_NE(read->messages[1].control("MSGID"), read->messages[0].control("MSGID"));
}

TEST(FtnExport, NamesAndSubjectsAreCutBetweenCharacters) {
    std::string name, subject;
    for (int i = 0; i < 60; ++i) name += "\xd0\xb6", subject += "\xd0\xb6\xe2\x82\xac";
    for (const char* charset : {"utf-8", "cp866", "shift_jis"}) {
        const Netmail made("From: \"" + name + "\" <a@example.org>\r\nTo: bob@legacy.example\r\nSubject: " +
                               subject + "\r\n\r\nx\r\n",
                           {{"charset", charset}});
        ASSERT_EQ(made.packet.messages.size(), 1u) << outcomeText(made.job);
        EXPECT_LE(made.first().fromName.size(), 35u);
        EXPECT_GE(made.first().fromName.size(), 33u);
        EXPECT_LE(made.first().subject.size(), 71u);
        EXPECT_GE(made.first().subject.size(), 68u);
        if (charset == std::string("utf-8")) {
            EXPECT_TRUE(validUtf8(made.first().fromName));
            EXPECT_TRUE(validUtf8(made.first().subject));
        }
    }
}

TEST(FtnExport, TheNullSenderHasAnAuthorAndNoReply) {
    AdapterRig rig("ftn", with({{"null_sender", "Mail Gateway"}}));
    Job job = rig.job(1, 1, "Subject: Undelivered\r\n\r\nx\r\n");
    job.delivery.sender.clear();
    job = rig.exportJob(std::move(job));
    const auto read = tests::readFtnPacket(rig.content(rig.visible().at(0)));
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->messages[0].fromName, "Mail Gateway");
    EXPECT_EQ(read->messages[0].control("REPLYADDR"), "");
}

TEST(FtnExport, TheSenderLineLeadsTheText) {
    const Netmail made(mailWith("Subject: x\r\n"), {{"sender_line", "true"}});
    EXPECT_EQ(made.first().text, "From: Alice Example <alice@example.org>\n\nHello.\n");
}

TEST(FtnExport, TheSenderLineCountsForTheLimit) {
    std::string body;
    for (int i = 0; i < 400; ++i) body += "A line of text.\r\n";
    const Netmail made(
        "From: " + std::string(300, 'n') + " <alice@example.org>\r\nTo: bob@legacy.example\r\n\r\n" + body,
        {{"sender_line", "true"}, {"text_limit", "1000"}});
    ASSERT_GT(made.packet.messages.size(), 5u);
    EXPECT_THAT(made.first().text, HasSubstr("nnn <alice@example.org>\n\nA line"));
    for (const FtnMessage& part : made.packet.messages) EXPECT_LE(part.text.size(), 1000u);
}

// "\xd0\x9d" is byte 8D in cp866.
TEST(FtnExport, EverySubstitutionIsNoted) {
    const std::string en = "\xd0\x9d";
    AdapterRig rig("ftn", with({{"charset", "cp866"}}));
    Job job =
        rig.job(1, 1,
                "From: =?utf-8?B?0J0=?=ina <a@example.org>\r\nTo: bob@legacy.example\r\nSubject: " + en + en +
                    " x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + en + en + en + "\r\n");
    job.delivery.recipients[0].legacy = en + "ick Sysop";
    job.delivery.recipients.push_back({2, "ann@legacy.example", "Ann"});
    job = rig.exportJob(std::move(job));
    const auto read = tests::readFtnPacket(rig.content(rig.visible().at(0)));
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->messages.at(0).toName, "Hick Sysop");
    EXPECT_THAT(job.notes, testing::Contains(
                               "characters of byte 8D were written as 'H': 3 in the text, 2 in the subject, "
                               "1 in the author's name, 1 in names of recipients"));
}

// The name of each was folded for each other: minutes.
TEST(FtnExport, ThousandsOfRecipientsAreNoWork) {
    AdapterRig rig("ftn", with({{"most_recipients", "0"}}));
    Job job = rig.job(1, 1);
    job.delivery.recipients.clear();
    constexpr int kPeople = 10'000;
    for (int i = 0; i < kPeople; ++i) {
        std::string name = "Person Number ";
        for (int rest = i + 1; rest > 0; rest /= 26) name += static_cast<char>('a' + rest % 26);
        job.delivery.recipients.push_back({i, "p" + std::to_string(i) + "@legacy.example", name + "@2:5/6"});
    }
    std::string buffer;
    const std::function<void()> beat = [] {};
    StagedFile file(buffer, beat);
    const auto before = std::chrono::steady_clock::now();
    const auto written = rig.adapter().convert(job, file);
    ASSERT_TRUE(written.ok() && !*written);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
    EXPECT_GT(file.position(), kPeople * 100);
}

TEST(FtnExport, WhatPeopleAreShownHasNoPassword) {
    AdapterRig rig("ftn", with({{"password", "SECRET"}}));
    Job job = rig.job(1, 1);
    job.delivery.recipients[0].legacy = "Bob Sysop";
    std::string shown;
    const std::function<void()> beat = [] {};
    StagedFile file(shown, beat);  // which are not flushed
    const auto written = rig.adapter().convert(job, file);
    ASSERT_TRUE(written.ok() && !*written);
    const auto read = tests::readFtnPacket(shown);
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->password, "******");
}

TEST(FtnExport, HostileTextStaysText) {
    const Netmail made(mailWith("Subject: =?utf-8?Q?a=01b=0Dc=00d?=\r\n",
                                "AREA:SYSOP\r\n\x01MSGID: 2:1/1 00000000\r\n--- \r\nSEEN-BY: 1/1\r\n"
                                " * Origin: x (1:1/1)\r\n\xd1\x8d \xc3\xac\r\n"),
                       {{"charset", "cp437"}});
    ASSERT_EQ(made.packet.messages.size(), 1u) << outcomeText(made.job);
    EXPECT_EQ(made.bytes.find('\x8d'), std::string::npos);
    EXPECT_EQ(made.first().control("MSGID").find("00000000"), std::string::npos);
    EXPECT_THAT(made.first().text, HasSubstr("MSGID: 2:1/1 00000000\n"));
    EXPECT_TRUE(std::any_of(made.job.notes.begin(), made.job.notes.end(), [](const std::string& note) {
        return note.find("byte 8D") != std::string::npos;
    })) << testing::PrintToString(made.job.notes);
}

// Whatever the bytes of a mail are, the packet is one.
TEST(FtnExport, RandomMailsMakeWholePackets) {
    std::mt19937 random(8);
    for (const char* charset : {"cp437", "cp866", "utf-8", "shift_jis", "iso-2022-jp"}) {
        AdapterRig rig("ftn", with({{"charset", charset}, {"text_limit", "512"}}));
        std::vector<Job> jobs;
        for (int item = 1; item <= 150; ++item) {
            std::string mail = "Subject: ";
            const std::size_t size = random() % 3000;
            while (mail.size() < size) {
                static constexpr std::string_view kWords[] = {
                    "\r\n",       "\x01", "--- ", "AREA:", "\x8d", "SEEN-BY:", "\r", "\n", "=?utf-8?B?jQ==?=",
                    " * Origin: "};
                if (random() % 4 == 0) mail += kWords[random() % std::size(kWords)];
                mail += static_cast<char>(random() % 256);
            }
            jobs.push_back(rig.job(item, 1, mail));
        }
        rig.adapter().stage(jobs, [] {});
        rig.adapter().publish(jobs, [] {});
        for (const Job& job : jobs) {
            ASSERT_TRUE(job.outcome && job.outcome->verdict == Verdict::Exported) << outcomeText(job);
            const auto read = tests::readFtnPacket(tests::slurp(job.outcome->target));
            ASSERT_TRUE(read.ok()) << charset << ": " << read.error().text << ": " << outcomeText(job);
            if (!std::string_view(charset).starts_with("cp")) continue;
            for (const FtnMessage& message : read->messages)
                ASSERT_EQ((message.text + message.subject + message.fromName).find('\x8d'),
                          std::string::npos);
        }
    }
}

TEST(FtnExport, LoopsAreRefused) {
    for (const char* field :
         {"X-FTN-PID: Postern 0.1\r\n", "x-ftn-via: 2:999/1 @20231114.221320.UTC Postern 0.1\r\n",
          "X-FTN-PID:\r\n Postern 0.1\r\n", "X-FTN-Via: 2:999/1 @20231114.221320.UTC\r\n\tPostern 0.1\r\n"}) {
        const Netmail made(mailWith(field));
        EXPECT_EQ(made.job.outcome->verdict, Verdict::Rejected) << field;
        EXPECT_THAT(made.job.outcome->reason, HasSubstr("loop"));
    }
    for (const char* field :
         {"X-FTN-PID: GoldED 3\r\n", "X-FTN-Via: 2:999/1 ifmail\r\n", "Subject: X-FTN-PID: Postern\r\n"}) {
        const Netmail made(mailWith(field));
        EXPECT_EQ(made.job.outcome->verdict, Verdict::Exported) << field << outcomeText(made.job);
    }
}

TEST(FtnExport, ImpossibleNamesAreRefusedAtOnce) {
    AdapterRig rig("ftn", with({}));
    const auto refused = [&](const std::string& legacy) {
        return rig.adapter().refuses({1, "bob@legacy.example", legacy}).has_value();
    };
    EXPECT_FALSE(refused("Bob Sysop"));
    EXPECT_FALSE(refused(std::string(35, 'x')));
    EXPECT_TRUE(refused(std::string(36, 'x'))) << "a cut name could be somebody else's";
    EXPECT_TRUE(refused("\xd0\x96"));
    EXPECT_TRUE(refused("UUCP"));
    EXPECT_TRUE(refused("Bob@nowhere"));
    EXPECT_TRUE(refused("Bob@2:999/1")) << "our own address";
    EXPECT_TRUE(rig.adapter().refuses({1, "Bob@f1.n999.z2.fidonet.org", ""}));
    EXPECT_FALSE(refused("Bob@2:999/1.4")) << "a point of ours";
}

TEST(FtnExport, SettingsAreChecked) {
    for (const auto& [key, value] : {std::pair{"address", "999/1"},
                                     {"link", ""},
                                     {"link", "2:999/1"},
                                     {"attributes", "private\nfast"},
                                     {"password", "ninechars"},
                                     {"domain", ""},
                                     {"null_sender", " "},
                                     {"charset", "klingon"},
                                     {"routing", "direct"},
                                     {"outbound", "a/b"},
                                     {"text_limit", "10"}}) {
        const auto made = tests::makeKind("ftn", with({{"folder", tests::onDrive("/nowhere")}, {key, value}}),
                                          tests::kRigContext);
        ASSERT_FALSE(made.ok()) << key;
        EXPECT_TRUE(made.error().text.starts_with(key)) << made.error().text;
    }
}

}  // namespace
}  // namespace postern::adapters
