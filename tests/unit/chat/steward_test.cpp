// The channel of the queue: who may enter, what is told there, and orders on their way to where they are
// carried out. Orders are answered by the test.

#include <gtest/gtest.h>

#include "tests/unit/chat/steward_rig.h"

namespace postern::chat {
namespace {

TEST_F(StewardTest, OnlyWhoHasToDoWithTheQueueEnters) {
    logOn("send");
    rig.say("send", "JOIN #queue");
    EXPECT_NE(all(rig.take("send")).find(" 473 send #queue "), std::string::npos);
    rig.say("send", "PRIVMSG postern :list");
    EXPECT_NE(all(rig.take("send")).find("the queue is for accounts with the role"), std::string::npos);
    EXPECT_TRUE(rig.hall().takeOrders().empty());
    logOn("vera");
    rig.say("vera", "JOIN #queue");
    const std::string heard = all(rig.take("vera"));
    EXPECT_NE(heard.find("JOIN #queue"), std::string::npos);
    EXPECT_NE(heard.find("@postern vera"), std::string::npos);
}

TEST_F(StewardTest, NobodyElseIsPostern) {
    rig.logOn("ann");
    rig.say("ann", "NICK Postern");
    EXPECT_NE(all(rig.take("ann")).find(" 433 ann Postern "), std::string::npos);
}

TEST_F(StewardTest, AnOrderBearsAccountRoleAndWords) {
    enter("anna");
    const auto order = orderOf("anna", "PRIVMSG #queue :!hold 17 wrong address");
    ASSERT_NE(order, nullptr);
    EXPECT_EQ(order->request.verb, "operate");
    EXPECT_EQ(order->request.field("change"), "hold");
    EXPECT_EQ(order->request.field("ids"), "17");
    EXPECT_EQ(order->request.field("reason"), "wrong address");
    EXPECT_EQ(order->request.who, "anna");
    EXPECT_EQ(order->most, admin::Role::Operator);
    answer(*order, {admin::Record().add("id", 17).add("done", true).add("text", "held")});
    EXPECT_EQ(all(rig.take("anna")), ":postern!postern@chat.test NOTICE anna :17: held\n");
}

TEST_F(StewardTest, ThePlaceLimitsTheRole) {
    Peer peer;
    peer.mostRole = admin::Role::Viewer;
    logOn("anna", {}, peer);
    const auto order = orderOf("anna", "PRIVMSG postern :hold 17");
    ASSERT_NE(order, nullptr);
    EXPECT_EQ(order->most, admin::Role::Viewer);
}

TEST_F(StewardTest, WhatIsNotSaidToUsIsNoOrder) {
    enter("anna");
    rig.say("anna", "PRIVMSG #queue :hold 17, shall we?");
    rig.say("anna", "NOTICE #queue :!hold 17");
    rig.say("anna", "PRIVMSG postern :\x01VERSION\x01");
    EXPECT_TRUE(rig.hall().takeOrders().empty());
    EXPECT_TRUE(rig.take("anna").empty());
    EXPECT_NE(orderOf("anna", "PRIVMSG #queue :postern: show 17"), nullptr);
    EXPECT_NE(orderOf("anna", "PRIVMSG #queue :POSTERN, show 17"), nullptr);
}

TEST_F(StewardTest, WhatCanNotBeTakenBackAsksFirstAndChangesWhatItNamed) {
    enter("anna");
    const auto trial = orderOf("anna", "PRIVMSG #queue :!delete adapter=fax old ones");
    ASSERT_NE(trial, nullptr);
    EXPECT_EQ(trial->request.field("dry_run"), "true");
    answer(*trial, {would(3, true), would(4, false), would(9, true)});
    const std::string asked = all(rig.take("anna"));
    const std::string wanted = "delete would change 2 items: 3 9. To do it: confirm ";
    const auto at = asked.find(wanted);
    ASSERT_NE(at, std::string::npos) << asked;
    const std::string token = asked.substr(at + wanted.size(), 6);
    EXPECT_EQ(orders("anna", "PRIVMSG postern :confirm nonono"), 0U);
    const auto order = orderOf("anna", "PRIVMSG postern :confirm " + token);
    ASSERT_NE(order, nullptr);
    EXPECT_EQ(order->request.field("ids"), "3 9");
    EXPECT_EQ(order->request.field("reason"), "old ones");
    EXPECT_EQ(order->request.field("dry_run"), "");
    EXPECT_EQ(order->request.field("adapter"), "");
    rig.take("anna");
    EXPECT_EQ(orders("anna", "PRIVMSG postern :confirm " + token), 0U) << "a token is good once";
}

TEST_F(StewardTest, ATokenIsGoodForAMinuteAndForItsConnection) {
    enter("anna");
    logOn("vera");
    const auto trial = orderOf("anna", "PRIVMSG #queue :!delete 3");
    ASSERT_NE(trial, nullptr);
    answer(*trial, {would(3, true)});
    const std::string asked = all(rig.take("anna"));
    const std::string token = asked.substr(asked.find("confirm ") + 8, 6);
    EXPECT_EQ(orders("vera", "PRIVMSG postern :confirm " + token), 0U);
    rig.pass(Millis(60'001));
    EXPECT_EQ(orders("anna", "PRIVMSG postern :confirm " + token), 0U);
    EXPECT_NE(all(rig.take("anna")).find("nothing waits for that word"), std::string::npos);
}

TEST_F(StewardTest, ATrialThatChangesNothingSaysWhy) {
    enter("anna");
    const auto trial = orderOf("anna", "PRIVMSG #queue :!delete 4");
    ASSERT_NE(trial, nullptr);
    answer(*trial, {would(4, false)});
    const std::string heard = all(rig.take("anna"));
    EXPECT_NE(heard.find("4: is final"), std::string::npos) << heard;
    EXPECT_NE(heard.find("nothing would change"), std::string::npos) << heard;
}

TEST_F(StewardTest, AReasonMayBeginWithANumberAndNamesNoItems) {
    enter("anna");
    const auto order =
        orderOf("anna", "PRIVMSG #queue :!hold 17 2 wrong addresses ids=1-100000 dry_run=true");
    ASSERT_NE(order, nullptr);
    EXPECT_EQ(order->request.field("ids"), "17");
    EXPECT_EQ(order->request.field("dry_run"), "");
    EXPECT_EQ(order->request.field("reason"), "2 wrong addresses ids=1-100000 dry_run=true");
    const auto two = orderOf("anna", "PRIVMSG #queue :!retry 17,20");
    ASSERT_NE(two, nullptr);
    EXPECT_EQ(two->request.field("ids"), "17 20");
    EXPECT_FALSE(two->trial);
    const auto range = orderOf("anna", "PRIVMSG #queue :!hold 1-100000");
    ASSERT_NE(range, nullptr);
    EXPECT_TRUE(range->trial);
}

TEST_F(StewardTest, ResolveSaysHow) {
    enter("anna");
    const auto order = orderOf("anna", "PRIVMSG #queue :!resolve exported 17 seen there");
    ASSERT_NE(order, nullptr);
    EXPECT_TRUE(order->trial);
    EXPECT_EQ(order->request.field("change"), "resolve-exported");
    EXPECT_EQ(order->request.field("reason"), "seen there");
    EXPECT_EQ(orders("anna", "PRIVMSG #queue :!resolve 17"), 0U);
    EXPECT_NE(all(rig.take("anna")).find("exported, resend or failed comes first"), std::string::npos);
}

TEST_F(StewardTest, WhoseAccountChangesIsTurnedOut) {
    enter("anna");
    enter("vera");
    rig.take("anna");
    happens(LogEvent::AccountChanged, 0, "account=anna what=removed");
    EXPECT_TRUE(rig.closed("anna"));
    EXPECT_FALSE(rig.closed("vera"));
}

TEST_F(StewardTest, StrangersTextInAnswersStaysText) {
    enter("vera");
    const auto order = orderOf("vera", "PRIVMSG postern :show 17");
    ASSERT_NE(order, nullptr);
    answer(*order, {admin::Record()
                        .add("type", "item")
                        .add("subject", "a\r\nQUIT\x01 b")
                        .add("size", admin::Value::size(4096))});
    EXPECT_EQ(all(rig.take("vera")),
              ":postern!postern@chat.test NOTICE vera :subject a\\x0d\\x0aQUIT\\x01 b, size 4 KiB\n");
}

TEST_F(StewardTest, ManyFactsTakeSeveralLines) {
    enter("vera");
    const auto order = orderOf("vera", "PRIVMSG postern :show 17");
    ASSERT_NE(order, nullptr);
    admin::Record row;
    for (int i = 0; i < 20; ++i) row.add("field" + std::to_string(i), std::string(50, 'x'));
    answer(*order, {row});
    const auto lines = rig.take("vera");
    EXPECT_GT(lines.size(), 2U);
    EXPECT_NE(lines.back().find("field19"), std::string::npos);
}

TEST_F(StewardTest, AnErrorIsToldToWhoAsked) {
    enter("anna");
    const auto order = orderOf("anna", "PRIVMSG #queue :!show 99");
    ASSERT_NE(order, nullptr);
    answer(*order, {}, fail(Errc::NotFound, "there is no item 99"));
    EXPECT_EQ(all(rig.take("anna")), ":postern!postern@chat.test NOTICE anna :there is no item 99\n");
}

TEST_F(StewardTest, FourOrdersOfOneClientAreOutAtMost) {
    enter("anna");
    std::vector<std::unique_ptr<const Order>> out;
    for (int i = 0; i < 4; ++i) out.push_back(orderOf("anna", "PRIVMSG #queue :!status"));
    EXPECT_EQ(orders("anna", "PRIVMSG #queue :!status"), 0U);
    EXPECT_NE(all(rig.take("anna")).find("wait for the answers"), std::string::npos);
    answer(*out.front(), {});
    EXPECT_NE(orderOf("anna", "PRIVMSG #queue :!status"), nullptr);
}

TEST_F(StewardTest, AnAnswerToOneWhoIsGoneLeavesNothingBehind) {
    enter("anna");
    const auto order = orderOf("anna", "PRIVMSG #queue :!status");
    ASSERT_NE(order, nullptr);
    rig.vanish("anna");
    answer(*order, {});
    const Held held = rig.hall().held();
    EXPECT_EQ(held.orders, 0U);
    EXPECT_EQ(held.watchers, 0U);
}

TEST_F(StewardTest, EventsAreToldLive) {
    enter("vera");
    happens(LogEvent::ItemFailed, 17, "adapter=fax message=m9 reason=\"no such number\"");
    EXPECT_EQ(all(rig.take("vera")),
              ":postern!postern@chat.test PRIVMSG #queue :17 failed: adapter=fax message=m9 reason=\"no such "
              "number\"\n");
    happens(LogEvent::SessionClosed, 0, "client=127.0.0.1");
    EXPECT_TRUE(rig.take("vera").empty());
}

TEST_F(StewardTest, WhatHappenedLatelyIsToldToWhoEnters) {
    for (int id = 1; id <= 5; ++id) happens(LogEvent::ItemExported, id, "adapter=fax");
    rig.pass(Millis(60'000));
    logOn("vera", "server-time batch");
    rig.say("vera", "JOIN #queue");
    const auto lines = rig.take("vera");
    ASSERT_GE(lines.size(), 5U);
    const std::size_t first = lines.size() - 5;
    EXPECT_NE(lines[first].find("BATCH +replay1 chathistory #queue"), std::string::npos) << lines[first];
    EXPECT_NE(lines[first + 1].find("batch=replay1;time=2023-11-14T22:13:20.000Z"), std::string::npos)
        << lines[first + 1];
    EXPECT_NE(lines[first + 1].find(":3 exported: adapter=fax"), std::string::npos) << lines[first + 1];
    EXPECT_NE(lines.back().find("BATCH -replay1"), std::string::npos);
    logOn("anna");
    rig.say("anna", "JOIN #queue");
    EXPECT_NE(rig.take("anna").back().find(":2023-11-14T22:13:20Z 5 exported: adapter=fax"),
              std::string::npos);
}

TEST_F(StewardTest, AFloodBecomesASummaryAndTroubleIsStillHeard) {
    enter("vera");
    for (int id = 1; id <= 100; ++id) happens(LogEvent::ItemExported, id, "adapter=fax");
    happens(LogEvent::ItemInDoubt, 101, "adapter=fax");
    const auto lines = rig.take("vera");
    ASSERT_EQ(lines.size(), 6U) << all(lines);
    EXPECT_NE(lines.back().find("101 in doubt"), std::string::npos);
    rig.pass(Millis(4'999));
    EXPECT_TRUE(rig.take("vera").empty());
    rig.pass(Millis(1));
    EXPECT_EQ(all(rig.take("vera")),
              ":postern!postern@chat.test PRIVMSG #queue :... and in 5s also: 95 exported\n");
    rig.pass(Millis(60'000));
    EXPECT_EQ(all(rig.take("vera")).find("also"), std::string::npos);
}

TEST_F(StewardTest, MailForAPersonWhoIsAwayIsSaidToWaitOnce) {
    enter("vera");
    const auto heard = [&](LogEvent event, std::int64_t item, const std::string& line) {
        rig.pass(Millis(1'000));
        happens(event, item, line);
        return rig.take("vera").size();
    };
    const std::string away = "adapter=board attempt=1 reason=\"anna is not in the chat now\"";
    EXPECT_EQ(heard(LogEvent::ItemDeferred, 17, away), 1u);
    EXPECT_EQ(heard(LogEvent::ItemDeferred, 17, away), 0u);
    EXPECT_EQ(heard(LogEvent::ItemDeferred, 18, away), 1u) << "another mail";
    EXPECT_EQ(heard(LogEvent::ItemDeferred, 17, "adapter=board reason=\"the disk is full\""), 1u);
    EXPECT_EQ(heard(LogEvent::ItemDeferred, 17, away), 1u);
    EXPECT_EQ(heard(LogEvent::ItemFailed, 17, "adapter=board reason=\"too old\""), 1u) << "the end";
    EXPECT_EQ(heard(LogEvent::ItemDeferred, 17, away), 1u) << "retried by a person";
    for (int i = 0; i < 2; ++i) EXPECT_EQ(heard(LogEvent::ItemDeferred, 19, "adapter=fax reason=busy"), 1u);
}

TEST_F(StewardTest, OfVeryManyThatWaitTheOneToldLongestAgoIsForgotten) {
    enter("vera");
    const auto waits = [&](std::int64_t item) {
        happens(LogEvent::ItemDeferred, item, "adapter=board reason=\"anna is not in the chat now\"");
    };
    const auto heard = [&](std::int64_t item) {
        rig.pass(Millis(1'000));
        waits(item);
        return rig.take("vera").size();
    };
    for (std::int64_t item = 1001; item > 1; --item) waits(item);
    rig.pass(Millis(10'000));
    rig.take("vera");
    EXPECT_EQ(heard(1), 1u);
    EXPECT_EQ(heard(2), 0u) << "told a moment ago, and low";
    EXPECT_EQ(heard(1001), 1u);
}

TEST_F(StewardTest, AStartIsMarkedInTheReplay) {
    happens(LogEvent::ServiceReady, 0, "pid=4711");
    enter("anna");
    rig.say("anna", "PART #queue");
    rig.say("anna", "JOIN #queue");
    EXPECT_NE(all(rig.take("anna")).find("the service is ready; what was before its start is in the log"),
              std::string::npos);
}

TEST_F(StewardTest, TheServiceIsSomebodyForThoseWhoAsk) {
    enter("vera");
    rig.say("vera", "WHOIS Postern");
    EXPECT_EQ(all(rig.take("vera")),
              ":chat.test 311 vera postern postern chat.test * :The queue of chat.test\n"
              ":chat.test 319 vera postern :@#queue\n"
              ":chat.test 312 vera postern chat.test :Test\n"
              ":chat.test 317 vera postern 0 1700000000 :seconds idle, signon time\n"
              ":chat.test 318 vera postern :End of /WHOIS list\n");
    rig.say("vera", "WHO postern");
    EXPECT_EQ(rig.take("vera").front(),
              ":chat.test 352 vera * postern chat.test chat.test postern H :0 The queue of chat.test");
    rig.say("vera", "WHO #queue");
    const std::string there = all(rig.take("vera"));
    EXPECT_NE(there.find(" 352 vera #queue postern chat.test chat.test postern H@ :0 "), std::string::npos)
        << there;
    EXPECT_NE(there.find(" vera H :0 x"), std::string::npos) << there;
    rig.say("vera", "ISON nobody postern vera");
    EXPECT_EQ(rig.take("vera").front(), ":chat.test 303 vera :postern vera");
    rig.say("vera", "USERHOST postern");
    EXPECT_EQ(rig.take("vera").front(), ":chat.test 302 vera :postern=+postern@chat.test");
}

TEST_F(StewardTest, StrangersTextStaysText) {
    enter("vera");
    happens(LogEvent::ItemFailed, 1, "reason=\"a\r\nKILL vera\x01\"");
    const auto lines = rig.take("vera");
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines.front().find("a\\x0d\\x0aKILL vera\\x01"), std::string::npos) << lines.front();
}

TEST_F(StewardTest, HelpNamesEveryVerb) {
    enter("vera");
    rig.say("vera", "PRIVMSG postern :help");
    const std::string heard = all(rig.take("vera"));
    for (const char* verb :
         {"list", "show", "log", "summary", "hold", "release", "retry", "bounce", "delete", "resolve",
          "suspend", "resume", "status", "help", "ack", "mute", "filter", "confirm"})
        EXPECT_NE(heard.find(std::string(":") + verb), std::string::npos) << verb;
    rig.say("vera", "PRIVMSG postern :help hold");
    EXPECT_EQ(rig.take("vera").size(), 1U);
    rig.say("vera", "PRIVMSG postern :frobnicate");
    EXPECT_NE(all(rig.take("vera")).find("there is no \"frobnicate\"; say help"), std::string::npos);
}

}  // namespace
}  // namespace postern::chat
