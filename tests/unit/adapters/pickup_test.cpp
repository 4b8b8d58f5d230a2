// Pickup files: who would get a copy.

#include <gtest/gtest.h>

#include "adapters/pickup/pickup_header.h"
#include "tests/adapter_rig.h"

namespace postern::adapters {

using tests::AdapterRig;

namespace {

Delivery toBobAndCarol() {
    Delivery delivery;
    delivery.sender = "alice@example.org";
    delivery.recipients = {{1, "bob@legacy.example", "b.legacy@corp.example"},
                           {2, "carol@legacy.example", ""}};
    return delivery;
}

std::string header(const std::string& block, PickupMode mode, Delivery delivery = toBobAndCarol()) {
    PickupRules rules;
    rules.mode = mode;
    rules.nullSender = "postmaster@gw.example";
    std::vector<std::string> notes;
    const auto made = pickupHeader(block, delivery, rules, notes);
    return made.ok() ? *made : "refused: " + made.error().text;
}

}  // namespace

TEST(PickupHeader, OnlyTheEnvelopeGetsACopy) {
    EXPECT_EQ(
        header(
            "From: Alice <alice@example.org>\r\nTo: \"Bob L.\" <Bob@LEGACY.example>,\r\n eve@evil.example\r\n"
            "Cc: bob@legacy.example\r\nBcc: mallory@evil.example\r\nSubject: x\r\n",
            PickupMode::Pickup),
        "To: \"Bob L.\" <b.legacy@corp.example>\r\nBcc: <carol@legacy.example>\r\n"
        "X-Original-To: \"Bob L.\" <Bob@LEGACY.example>,\r\n eve@evil.example\r\n"
        "From: Alice <alice@example.org>\r\nSubject: x\r\n\r\n");
}

// What a stranger may write so that our reading and the server's differ: no byte of it stands in a To, Cc or
// Bcc.
TEST(PickupHeader, HostileRecipientFieldsAreForPeopleOnly) {
    for (const std::string value :
         {"bob@legacy.example <eve@evil.example>", "\"bob@legacy.example\" <eve@evil.example>",
          "g: eve@evil.example;", "bob@legacy.example (\r\n\t), eve@evil.example",
          "<@bob@legacy.example:eve@evil.example>", "=?utf-8?Q?a_<eve@evil.example>,?= <bob@legacy.example>",
          "bob@legacy.example\r eve@evil.example", "\"x\\\" <eve@evil.example>\" <bob@legacy.example>"}) {
        const std::string made = header("From: a@b.example\r\nTo: " + value + "\r\n", PickupMode::Pickup);
        std::size_t begin = 0;
        bool recipients = false;
        while (begin < made.size()) {
            const std::size_t end = made.find("\r\n", begin);
            const std::string line = made.substr(begin, end - begin);
            if (line.front() != ' ' && line.front() != '\t')
                recipients = line.starts_with("To:") || line.starts_with("Cc:") || line.starts_with("Bcc:");
            EXPECT_FALSE(recipients && line.find("evil") != std::string::npos) << value << "\n" << made;
            begin = end + 2;
            if (line.empty()) break;
        }
        EXPECT_NE(made.find("<b.legacy@corp.example>"), std::string::npos) << made;
    }
}

TEST(PickupHeader, SenderIsTheEnvelopes) {
    Delivery delivery = toBobAndCarol();
    EXPECT_TRUE(header("From: A <alice@example.org>\r\n", PickupMode::Pickup).find("Sender:") ==
                std::string::npos);
    EXPECT_TRUE(header("From: List <list@example.org>\r\nSender: x@y.example\r\n", PickupMode::Pickup)
                    .starts_with("Sender: <alice@example.org>\r\n"));
    EXPECT_TRUE(header("Subject: x\r\n", PickupMode::Pickup).starts_with("From: <alice@example.org>\r\n"));
    EXPECT_TRUE(
        header("From: no address\r\n", PickupMode::Pickup).starts_with("From: <alice@example.org>\r\n"));
    delivery.sender.clear();
    EXPECT_TRUE(header("From: d@x.example\r\n", PickupMode::Pickup, delivery)
                    .starts_with("Sender: <postmaster@gw.example>\r\nAuto-Submitted: auto-replied\r\n"
                                 "X-Auto-Response-Suppress: All\r\n"));
}

TEST(PickupHeader, EnvelopeLinesComeFirstAndOnlyOurs) {
    const std::string block = "X-Receiver: eve@evil.example\r\nno field\r\nTo: anybody@x.example\r\n";
    EXPECT_EQ(header(block, PickupMode::Replay),
              "X-Sender: <alice@example.org>\r\nX-Receiver: <b.legacy@corp.example>\r\n"
              "X-Receiver: <carol@legacy.example>\r\nX-Original-X-Receiver: eve@evil.example\r\n"
              "To: anybody@x.example\r\n\r\n");
    Delivery delivery = toBobAndCarol();
    delivery.sender.clear();
    EXPECT_TRUE(header(block, PickupMode::Iis, delivery)
                    .starts_with("X-Sender: <>\r\nX-Receiver: b.legacy@corp.example\r\n"));
}

TEST(PickupHeader, TheLimitTakesTheKeptFieldsFirst) {
    std::string to = "To: eve@evil.example";
    while (to.size() < 40'000) to += ",\r\n eve" + std::to_string(to.size()) + "@evil.example";
    const std::string made = header(
        "From: a@b.example\r\nX: " + std::string(30'000, 'x') + "\r\n" + to + "\r\n", PickupMode::Pickup);
    EXPECT_LE(made.size(), 65536u);
    EXPECT_EQ(made.find("evil"), std::string::npos);
    EXPECT_TRUE(
        header("X: " + std::string(70'000, 'x') + "\r\n", PickupMode::Replay).starts_with("refused: "));
}

TEST(Pickup, GroupsAndRefusesAsTheServerCan) {
    AdapterRig rig("pickup", {});
    const Grouping grouping = rig.adapter().grouping();
    EXPECT_EQ(grouping.mostRecipients, 100);
    EXPECT_LE(100 * grouping.headerBytes({1, std::string(254, 'x'), ""}), 65536);
    EXPECT_GT(grouping.mostHeaderBytes, 0);
    EXPECT_FALSE(rig.adapter().refuses({1, "bob@x.example", ""}));
    EXPECT_TRUE(rig.adapter().refuses({1, "bob@x.example", "bob"}));
    EXPECT_TRUE(rig.adapter().refuses({1, "bob@x.example", "a b@x.example"}));
}

TEST(Pickup, AddressesBeyondAsciiAreRefused) {
    for (const char* mode : {"replay", "pickup", "iis"}) {
        AdapterRig rig("pickup", {{"mode", mode}});
        EXPECT_TRUE(rig.adapter().refuses({1, "zo\xc3\xab@x.example", ""})) << mode;
        EXPECT_FALSE(rig.adapter().refuses({1, "zo\xc3\xab@x.example", "zoe@x.example"})) << mode;
        Job job = rig.job(1, 1, "From: a@x.example\r\n\r\nhi\r\n");
        job.delivery.sender = "zo\xc3\xab@example.org";
        job.delivery.recipients = {{1, "bob@x.example", ""}};
        job = rig.exportJob(std::move(job));
        ASSERT_TRUE(job.outcome && job.outcome->verdict == Verdict::Rejected) << tests::outcomeText(job);
        EXPECT_NE(job.outcome->reason.find("not US-ASCII"), std::string::npos);
        EXPECT_TRUE(rig.visible().empty()) << mode;
    }
}

TEST(Pickup, IisGetsItsDotsStuffed) {
    const std::string mail = "Subject: x\r\n\r\n.\r\n.dot\r\na.b\r\nno end";
    AdapterRig iis("pickup", {{"mode", "iis"}}), replay("pickup", {});
    iis.exportJob(iis.job(0x1a, 1, mail));
    replay.exportJob(replay.job(0x1a, 1, mail));
    EXPECT_TRUE(iis.content("0000001a.eml").ends_with("\r\n\r\n..\r\n..dot\r\na.b\r\nno end\r\n"));
    EXPECT_TRUE(replay.content("0000001a.eml").ends_with("\r\n\r\n.\r\n.dot\r\na.b\r\nno end\r\n"));
}

TEST(Pickup, FilesThatTheServerRefusedAreCountedAndLeft) {
    AdapterRig rig("pickup", {});
    EXPECT_EQ(rig.adapter().describe().find(".bad"), std::string::npos);
    for (const char* name : {"/1.bad", "/2.BAD", "/3.eml"}) tests::spill(rig.folder() + name, "x");
    EXPECT_NE(rig.adapter().describe().find("2 files there are refused"), std::string::npos)
        << rig.adapter().describe();
    EXPECT_EQ(rig.visible().size(), 3u);
}

}  // namespace postern::adapters
