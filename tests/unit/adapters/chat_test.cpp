// The chat's log: what of a stranger's mail is said, to whom, and how much of it is kept.

#include <random>

#include <gtest/gtest.h>

#include "adapters/chat/chat_entry.h"
#include "adapters/chat/chat_text.h"
#include "base/text.h"
#include "tests/adapter_rig.h"
#include "tests/kit/drive.h"

namespace postern::adapters {

using chat::cleanLine;
using tests::AdapterRig;
using tests::slurp;

namespace {

const tests::SettingMap kOneChannel = {{"channels", "#mail"}};

std::vector<std::string> toldLines(const AdapterRig& rig, const std::string& file) {
    const auto entry = chat::readEntry(slurp(rig.folder() + "/" + file));
    EXPECT_TRUE(entry.ok()) << file;
    return entry.ok() ? entry->lines : std::vector<std::string>();
}

std::vector<std::string> told(const std::string& message) {
    AdapterRig rig("chat", kOneChannel);
    const Job job = rig.exportJob(rig.job(17, 1, message));
    EXPECT_TRUE(job.outcome && job.outcome->verdict == Verdict::Exported) << tests::outcomeText(job);
    return toldLines(rig, "%23mail/1");
}

bool hasControl(std::string_view line) {
    for (const char c : line)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
    return line.find("\xc2\x80") != std::string_view::npos || line.find("\xc2\x9b") != std::string_view::npos;
}

}  // namespace

TEST(ChatText, WhatAStrangerWritesStaysOnItsLine) {
    const std::vector<std::array<std::string, 2>> cases = {
        {"plain", "plain"},
        {"Gr\xc3\xbc\xc3\x9f"
         "e \xe6\x97\xa5",
         "Gr\xc3\xbc\xc3\x9f"
         "e \xe6\x97\xa5"},
        {"a\r\nKILL anna", "a  KILL anna"},
        {std::string("a\0b", 3), "ab"},
        {"\x01"
         "DCC SEND x\x01",
         "DCC SEND x"},
        {"\x02\x1f\x03"
         "04red",
         "04red"},
        {"a\x7f\xc2\x9b"
         "31mb\xc2\x85"
         "c",
         "a31mb c"},
        {"a\xe2\x80\xa8"
         "b\xe2\x80\xa9"
         "c",
         "a b c"},
        {"a\xe2\x80\xae"
         "b\xe2\x81\xa6"
         "c",
         "abc"},
        {"\xff\xc3(\xe2\x82", "?\x3f(??"},
        {"\xed\xa0\x80", "???"},
        {" \t x \t ", "x"},
    };
    for (const auto& [given, wanted] : cases) EXPECT_EQ(cleanLine(given), wanted) << escapeLine(given);
}

TEST(ChatText, LongLinesAreCutAtBlanksOrBetweenCharacters) {
    EXPECT_EQ(chat::piecesOf("one two three", 8), (std::vector<std::string>{"one two", "three"}));
    EXPECT_EQ(chat::piecesOf("one two three", 7), (std::vector<std::string>{"one two", "three"}));
    EXPECT_EQ(chat::piecesOf("", 8), std::vector<std::string>{});
    std::string long_(400, 'x');
    for (int i = 0; i < 100; ++i) long_ += "\xe2\x82\xac";
    std::string joined;
    for (const std::string& piece : chat::piecesOf(long_, 100)) {
        EXPECT_LE(piece.size(), 100u);
        EXPECT_TRUE(validUtf8(piece));
        joined += piece;
    }
    EXPECT_EQ(joined, long_);
}

TEST(ChatText, NoBytesGetOutOfTheirLine) {
    std::mt19937 random(17);  // NOLINT: the same each time
    const auto bytes = [&](std::size_t most) {
        // Bytes that begin and go on characters, and those that end lines, more often than others.
        static constexpr std::string_view kLiked("\r\n\0\x01\x7f\xc2\x80\x9f\xe2\x80\xa8\xae\xf0\xed\xa0 x",
                                                 17);
        std::string text(random() % most, ' ');
        for (char& c : text)
            c = random() % 2 == 0 ? static_cast<char>(random()) : kLiked[random() % kLiked.size()];
        return text;
    };
    for (int round = 0; round < 5'000; ++round) {
        chat::Letter letter{bytes(300), bytes(300), bytes(3'000), random() % 3};
        const auto lines = chat::linesOf(ItemId{17}, letter, 120);
        ASSERT_LE(lines.size(), chat::kMostLines);
        for (const std::string& line : lines) {
            ASSERT_LE(line.size(), 120u);
            ASSERT_TRUE(validUtf8(line)) << escapeLine(line);
            ASSERT_EQ(escapeLine(line), line) << "control characters";
            ASSERT_TRUE(line.starts_with("17> ") || line.starts_with("17| ")) << line;
        }
        const auto entry = chat::readEntry(chat::entryText({ItemId{17}, "#mail", lines}));
        ASSERT_TRUE(entry.ok());
        ASSERT_EQ(entry->lines, lines);
    }
}

TEST(ChatText, ALineLeavesRoomForWhoSaysItAndWhere) {
    for (const std::string& hostname : {std::string("mx.example"), std::string(255, 'h')})
        for (const std::string& target : {std::string("#mail"), "#" + std::string(63, 'x')}) {
            const std::size_t room = chat::roomFor(hostname, target);
            EXPECT_GE(room, 100u);
            const std::string around = ":" + std::string(30, 'n') + "!postern@" + hostname + " PRIVMSG " +
                                       target + " :2023-11-14T22:13:20Z ";
            EXPECT_LE(around.size() + room, 510u);
        }
}

TEST(Chat, AHostileHeaderIsOneLineOfText) {
    const auto lines = told(
        "From: =?utf-8?Q?Eve=0D=0AQUIT_=3A?= <eve@example.org>\r\n"
        "Subject: =?utf-8?Q?x=0D=0AKILL_anna_=00=01VERSION=01=C2=9B31m?=\r\n\r\nbody\r\n");
    ASSERT_EQ(lines.size(), 2u);
    for (const std::string& line : lines) EXPECT_FALSE(hasControl(line)) << escapeLine(line);
    EXPECT_TRUE(lines[0].starts_with("17> Eve")) << lines[0];
    EXPECT_NE(lines[0].find("KILL anna"), std::string::npos) << lines[0];
    EXPECT_EQ(lines[1], "17| body");
}

TEST(Chat, WhatIsNotThereIsSaid) {
    AdapterRig rig("chat", kOneChannel);
    Job job = rig.job(17, 1, "Subject: =?utf-8?Q?=00=01?=\r\n\r\n");
    job.delivery.sender = "";
    rig.exportJob(std::move(job));
    EXPECT_EQ(toldLines(rig, "%23mail/1"), std::vector<std::string>{"17> (nobody): (no subject)"});
}

TEST(Chat, ATextCanNotSpeakForTheService) {
    const auto lines = told("Subject: s\r\n\r\n18 failed: adapter=fax\r\n!hold 3\r\n");
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[1], "17| 18 failed: adapter=fax");
    EXPECT_EQ(lines[2], "17| !hold 3");
}

TEST(Chat, AHeaderCanNotSpeakForTheServiceEither) {
    EXPECT_EQ(told("From: \"failed: adapter=fax\" <a@b.example>\r\nSubject: s\r\n\r\n").front(),
              "17> failed: adapter=fax <a@b.example>: s");
    EXPECT_EQ(told("From: a@b.example\r\nSubject: 18 failed: adapter=fax\r\n\r\n").front(),
              "17> a@b.example: 18 failed: adapter=fax");
}

TEST(Chat, TenLinesAreToldAndTheRestIsCounted) {
    const auto withLines = [](int count) {
        std::string mail = "From: a@example.org\r\nSubject: s\r\n\r\n";
        for (int i = 1; i <= count; ++i) mail += "line " + std::to_string(i) + "\r\n\r\n";
        return told(mail);
    };
    const auto all = withLines(9);
    ASSERT_EQ(all.size(), 10u);
    EXPECT_EQ(all.front(), "17> a@example.org: s");
    EXPECT_EQ(all.back(), "17| line 9");
    const auto cut = withLines(21);
    ASSERT_EQ(cut.size(), 10u);
    EXPECT_EQ(cut[8], "17| line 8");
    EXPECT_EQ(cut[9], "17| ... 13 more: postern queue export 17");
    EXPECT_EQ(withLines(10).back(), "17| ... 2 more: postern queue export 17");
}

TEST(Chat, LongHeadersAreClippedAndLongLinesGoOn) {
    const std::string euros = [] {
        std::string text;
        for (int i = 0; i < 500; ++i) text += "\xe2\x82\xac";
        return text;
    }();
    const auto lines = told("From: " + std::string(300, 'f') + " <f@example.org>\r\nSubject: " + euros +
                            "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + euros + "\r\n");
    ASSERT_GT(lines.size(), 4u);
    std::string text;
    for (const std::string& line : lines) {
        EXPECT_LE(line.size(), chat::roomFor("mx.example", "#mail"));
        EXPECT_TRUE(validUtf8(line));
        if (line.starts_with("17| ")) text += line.substr(4);
    }
    EXPECT_EQ(text, euros);
    EXPECT_TRUE(lines.front().ends_with("...")) << lines.front();
}

TEST(Chat, FilesStayBehindAndAreCounted) {
    AdapterRig rig("chat", kOneChannel);
    const Job job = rig.exportJob(
        rig.job(17, 1,
                "From: a@example.org\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                "--b\r\n\r\nsee there\r\n--b\r\nContent-Type: image/png; name=a.png\r\n\r\nx\r\n--b--\r\n"));
    EXPECT_EQ(toldLines(rig, "%23mail/1").front(), "17> a@example.org: s (1 file)");
    EXPECT_NE(testing::PrintToString(job.notes).find("a chat takes no files: a.png"), std::string::npos)
        << testing::PrintToString(job.notes);
}

TEST(Chat, OnlyChannelsOfTheSettingsAndPossibleNamesAreTaken) {
    AdapterRig rig("chat", {{"channels", "#mail\n#Fax"}});
    const auto refused = [&](const std::string& legacy, const std::string& address = "bob@legacy.example") {
        return rig.adapter().refuses({1, address, legacy}).value_or("");
    };
    EXPECT_EQ(refused("#mail"), "");
    EXPECT_EQ(refused("#MAIL"), "");
    EXPECT_EQ(refused("#fax"), "");
    EXPECT_EQ(refused("anna"), "");
    EXPECT_EQ(refused(""), "");
    EXPECT_NE(refused("#queue").find("no mail is taken for the channel #queue"), std::string::npos);
    EXPECT_NE(refused("", "#queue@legacy.example"), "");  // a local part may look like that
    EXPECT_NE(refused("an\r\nna"), "");
    EXPECT_NE(refused("#"), "");
    EXPECT_NE(refused(std::string(65, 'x')), "");
}

TEST(Chat, SettingsNameChannels) {
    for (const char* bad : {"mail", "#", "#a b", "#a,b", "#a\x07"}) {
        const auto made = tests::makeKind("chat", {{"folder", tests::onDrive("/x")}, {"channels", bad}},
                                          tests::kRigContext);
        ASSERT_FALSE(made.ok()) << bad;
        EXPECT_TRUE(made.error().text.starts_with("channels: ")) << made.error().text;
    }
}

TEST(Chat, MailForAPersonWaitsUntilHeIsThere) {
    bool there = false;
    adapters::AdapterContext context = tests::kRigContext;
    context.inChat = [&](std::string_view account) { return there && account == "bob"; };
    AdapterRig rig("chat", {}, context);
    Job job = rig.exportJob(rig.job(17, 1));
    ASSERT_TRUE(job.outcome);
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred);
    EXPECT_EQ(job.outcome->cause, Cause::Connection);
    EXPECT_FALSE(job.outcome->adapterUnusable);
    EXPECT_EQ(job.outcome->reason, "bob is not in the chat now");
    EXPECT_FALSE(std::filesystem::exists(rig.folder() + "/bob")) << "any name can be invented";
    there = true;
    job = rig.exportJob(rig.job(17, 2));
    EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << tests::outcomeText(job);
    EXPECT_EQ(toldLines(rig, "bob/1").front(), "17> Alice Example <alice@example.org>: Hello");
}

TEST(Chat, AChannelNeedsNobody) {
    adapters::AdapterContext context = tests::kRigContext;
    context.inChat = [](std::string_view) { return false; };
    AdapterRig rig("chat", kOneChannel, context);
    EXPECT_EQ(rig.exportJob(rig.job(1, 1)).outcome->verdict, Verdict::Exported);
}

TEST(Chat, TheLogKeepsTheNewestAndNeverForgetsItsCount) {
    AdapterRig rig("chat", {{"channels", "#mail"}, {"keep", "3"}});
    tests::spill(rig.folder() + "/notes.txt", "an operator's");
    rig.exportJob(rig.job(1, 1));
    for (int number = 2; number <= 300; ++number)
        tests::spill(rig.folder() + "/%23mail/" + std::to_string(number), "x");
    rig.exportJob(rig.job(7, 1));
    const auto there = [&](int number) {
        return std::filesystem::exists(rig.folder() + "/%23mail/" + std::to_string(number));
    };
    EXPECT_TRUE(toldLines(rig, "%23mail/301").front().starts_with("7> "));
    EXPECT_EQ(rig.visible().size(), 3u + 256u + 1u);
    EXPECT_TRUE(there(301 - 258));
    EXPECT_FALSE(there(301 - 259));
    EXPECT_TRUE(std::filesystem::exists(rig.folder() + "/notes.txt"));
    rig.restart();
    rig.exportJob(rig.job(8, 1));
    EXPECT_TRUE(there(302));
}

TEST(Chat, ANumberNeverComesBehindWhatOthersStoredMeanwhile) {
    AdapterRig rig("chat", {{"channels", "#mail"}, {"keep", "1"}});
    std::vector<Job> jobs;
    jobs.push_back(rig.job(1, 1));
    jobs.push_back(rig.job(2, 1));
    for (Job& job : jobs) rig.stageJob(job);
    const std::string log = rig.folder() + "/%23mail/";
    rig.adapter().publish(jobs, [&] {
        if (!std::filesystem::exists(log + "1")) return;
        tests::spill(log + "2", "x");  // another watcher is quick; and 2 goes as the oldest
        tests::spill(log + "900", "x");
        std::filesystem::remove(log + "2");
    });
    EXPECT_TRUE(toldLines(rig, "%23mail/901").front().starts_with("2> "));
    EXPECT_FALSE(std::filesystem::exists(log + "2"));
}

TEST(ChatEntry, AFolderNamesWhoseLogItIs) {
    for (const std::string& target : {std::string("#mail"), std::string("bob"), std::string("a b/c.d"),
                                      std::string("con"), std::string("gr\xc3\xbc\xc3\x9f")})
        EXPECT_EQ(chat::targetOfLog(chat::logFolder(target).value()), target);
    for (const char* none : {"", "%", "%2", "%zz", "Bob", "%62ob", "a b", "%23"})
        EXPECT_EQ(chat::targetOfLog(none), "") << none;
}

TEST(ChatEntry, WhatIsNoEntryIsRefusedAndWhatOthersWroteIsClean) {
    const std::string good = chat::entryText({ItemId{17}, "#mail", {"17 a: s", "17| b"}});
    const auto read = chat::readEntry(good);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->item.value, 17);
    EXPECT_EQ(read->to, "#mail");
    EXPECT_EQ(read->lines, (std::vector<std::string>{"17 a: s", "17| b"}));
    for (const std::string& bad : {std::string(), good.substr(0, 20), good.substr(0, good.size() - 1),
                                   "x" + good, std::string("postern-chat 1\nitem 0\nto #mail\n\na\n"),
                                   std::string("postern-chat 1\nitem 1\nto #ma il\n\na\n"),
                                   std::string("postern-chat 1\nitem 1\nto \n\na\n")})
        EXPECT_FALSE(chat::readEntry(bad).ok()) << bad;
    const auto foreign = chat::readEntry("postern-chat 1\nitem 1\nto #mail\n\na\rQUIT\x01\n");
    ASSERT_TRUE(foreign.ok());
    EXPECT_EQ(foreign->lines, std::vector<std::string>{"a QUIT"});
}

}  // namespace postern::adapters
