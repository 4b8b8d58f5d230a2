// What each wants to hear in the channel of the queue, and who looks after what. Whether there are such items
// and adapters is asked of the queue; the test answers.

#include <gtest/gtest.h>

#include "tests/unit/chat/steward_rig.h"

namespace postern::chat {
namespace {

class StewardTastes : public StewardTest {
  protected:
    // Says ack; the queue has these items, in these states.
    void lookAfter(const std::string& name, const std::string& what,
                   const std::vector<std::pair<std::int64_t, std::string>>& there) {
        const auto asked = orderOf(name, "PRIVMSG postern :ack " + what);
        ASSERT_NE(asked, nullptr);
        EXPECT_EQ(asked->request.verb, "queue.list");
        std::vector<admin::Record> rows;
        for (const auto& [id, state] : there)
            rows.push_back(admin::Record().add("id", id).add("state", state));
        answer(*asked, std::move(rows));
    }
};

TEST_F(StewardTastes, EachChoosesWhatToHear) {
    enter("vera");
    enter("anna");
    const auto asked = orderOf("vera", "PRIVMSG postern :filter adapter=fax events=failed,doubt");
    ASSERT_NE(asked, nullptr);
    answer(*asked, {});
    EXPECT_NE(all(rig.take("vera")).find("events=failed,doubt of adapter=fax"), std::string::npos);
    happens(LogEvent::ItemFailed, 1, "adapter=fax");
    happens(LogEvent::ItemFailed, 2, "adapter=other");
    happens(LogEvent::ItemExported, 3, "adapter=fax");
    EXPECT_EQ(rig.take("vera").size(), 1U);
    EXPECT_EQ(rig.take("anna").size(), 3U);
    rig.say("vera", "PRIVMSG postern :filter events=failure");
    EXPECT_NE(all(rig.take("vera")).find("events are exported, deferred, failed"), std::string::npos);
    rig.say("vera", "PRIVMSG postern :filter off");
    rig.take("vera");
    happens(LogEvent::ItemExported, 4, "adapter=other");
    EXPECT_EQ(rig.take("vera").size(), 1U);
}

TEST_F(StewardTastes, MutedForATime) {
    enter("vera");
    rig.say("vera", "PRIVMSG postern :mute 30m");
    rig.take("vera");
    happens(LogEvent::ItemFailed, 1, "adapter=fax");
    EXPECT_TRUE(rig.take("vera").empty());
    for (int i = 0; i < 31; ++i) {
        rig.say("vera", "PING x");
        rig.pass(Millis(60'000));
    }
    rig.take("vera");
    happens(LogEvent::ItemFailed, 2, "adapter=fax");
    EXPECT_EQ(rig.take("vera").size(), 1U);
    rig.say("vera", "PRIVMSG postern :mute tomorrow");
    EXPECT_NE(all(rig.take("vera")).find("mute wants a time"), std::string::npos);
}

TEST_F(StewardTastes, WhoLooksAfterAnItemIsTold) {
    enter("anna");
    enter("vera");
    rig.take("anna");
    rig.say("vera", "PRIVMSG #queue :!ack 17");
    EXPECT_NE(all(rig.take("vera")).find("ack needs the role operator"), std::string::npos);
    rig.take("anna");
    lookAfter("anna", "17 calling them", {{17, "ready"}});
    EXPECT_NE(all(rig.take("vera")).find("17: anna looks after it: calling them"), std::string::npos);
    happens(LogEvent::ItemDeferred, 17, "adapter=fax");
    EXPECT_TRUE(rig.take("vera").empty());
    happens(LogEvent::ItemFailed, 17, "adapter=fax");
    EXPECT_EQ(rig.take("vera").size(), 1U);
    happens(LogEvent::ItemDeferred, 17, "adapter=fax");
    EXPECT_EQ(rig.take("vera").size(), 1U) << "its end ended that";
}

// Whoever ended it: what happens to the item later is told again.
TEST_F(StewardTastes, AnItemThatAPersonEndedIsLookedAfterNoMore) {
    enter("anna");
    const auto heard = [&](const char* change) {
        lookAfter("anna", "17", {{17, "held"}});
        happens(LogEvent::ItemChanged, 17, std::string("who=olaf change=") + change + " what=done");
        rig.take("anna");
        happens(LogEvent::ItemDeferred, 17, "adapter=fax");
        rig.pass(Millis(1'000));
        return rig.take("anna").size();
    };
    for (const char* change : {"delete", "bounce", "move", "resolve-exported", "resolve-failed"})
        EXPECT_EQ(heard(change), 1U) << change;
    for (const char* change : {"hold", "release", "retry", "resolve-resend"})
        EXPECT_EQ(heard(change), 0U) << change;
    happens(LogEvent::ItemPartly, 17, "adapter=fax");
    rig.take("anna");
    happens(LogEvent::ItemDeferred, 17, "adapter=fax");
    EXPECT_TRUE(rig.take("anna").empty()) << "the rest of it is still to be delivered";
}

TEST_F(StewardTastes, NobodyLooksAfterWhatIsNotThereOrOver) {
    enter("anna");
    enter("vera");
    rig.take("anna");
    lookAfter("anna", "99", {});
    EXPECT_EQ(all(rig.take("anna")), ":postern!postern@chat.test NOTICE anna :there is no item 99\n");
    EXPECT_TRUE(rig.take("vera").empty());
    lookAfter("anna", "12,98,17,13,99 calling them", {{12, "deleted"}, {13, "exported"}, {17, "failed"}});
    const std::string heard = all(rig.take("anna"));
    EXPECT_NE(heard.find("there is no item 98, 99\n"), std::string::npos) << heard;
    EXPECT_NE(heard.find("12 is deleted, 13 is exported: nothing is left to look after\n"), std::string::npos)
        << heard;
    EXPECT_EQ(all(rig.take("vera")),
              ":postern!postern@chat.test PRIVMSG #queue :17: anna looks after it: calling them\n");
    happens(LogEvent::ItemDeferred, 12, "adapter=fax");
    EXPECT_EQ(rig.take("vera").size(), 1U) << "it was not taken";
    const auto asked = orderOf("anna", "PRIVMSG #queue :!ack 20");
    ASSERT_NE(asked, nullptr);
    rig.take("anna");
    answer(*asked, {}, fail(Errc::Busy, "too much waits to be done"));
    EXPECT_NE(all(rig.take("anna")).find("too much waits"), std::string::npos);
    EXPECT_EQ(orders("anna", "PRIVMSG #queue :!ack 3-7"), 0U);
    EXPECT_NE(all(rig.take("anna")).find("one by one"), std::string::npos);
}

TEST_F(StewardTastes, AFilterOfAnAdapterThatIsNotThereIsRefused) {
    enter("vera");
    const auto asked = orderOf("vera", "PRIVMSG postern :filter adapter=nope");
    ASSERT_NE(asked, nullptr);
    EXPECT_EQ(asked->request.field("adapter"), "nope");
    answer(*asked, {}, fail(Errc::NotFound, "there is no adapter \"nope\""));
    EXPECT_EQ(all(rig.take("vera")),
              ":postern!postern@chat.test NOTICE vera :there is no adapter \"nope\"; "
              "'status' names those that there are\n");
    happens(LogEvent::ItemFailed, 1, "adapter=fax");
    EXPECT_EQ(rig.take("vera").size(), 1U) << "what he is told is as it was";
}

TEST_F(StewardTastes, TheFilterSaidLastCounts) {
    enter("vera");
    const auto first = orderOf("vera", "PRIVMSG postern :filter adapter=fax");
    ASSERT_NE(first, nullptr);
    rig.say("vera", "PRIVMSG postern :filter off");
    rig.take("vera");
    answer(*first, {});
    EXPECT_TRUE(rig.take("vera").empty());
    happens(LogEvent::ItemFailed, 1, "adapter=other");
    EXPECT_EQ(rig.take("vera").size(), 1U);

    const auto muted = orderOf("vera", "PRIVMSG postern :filter adapter=fax");
    ASSERT_NE(muted, nullptr);
    rig.say("vera", "PRIVMSG postern :mute 1h");
    rig.take("vera");
    answer(*muted, {});
    rig.take("vera");
    happens(LogEvent::ItemFailed, 2, "adapter=fax");
    EXPECT_TRUE(rig.take("vera").empty()) << "a filter ends no mute";
}

}  // namespace
}  // namespace postern::chat
