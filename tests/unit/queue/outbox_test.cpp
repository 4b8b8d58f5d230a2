#include "queue/outbox.h"

#include "queue/history.h"
#include "queue/hold.h"
#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

class OutboxTest : public QueueTest {
  protected:
    void follow(const std::vector<std::string>& adapters, const std::vector<std::string_view>& words) {
        inWrite([&](store::WriteSession& session) { return followEvents(session, adapters, words); });
    }
    std::vector<Event> events() {
        std::vector<Event> found;
        inRead([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(read, readEvents(session, 1000));
            found = std::move(read);
            return {};
        });
        return found;
    }
    // "word adapter item" of each.
    std::vector<std::string> told() {
        std::vector<std::string> lines;
        for (const Event& event : events())
            lines.push_back(event.word + " " + event.adapter +
                            (event.item ? " " + std::to_string(event.item->value) : ""));
        return lines;
    }
    void state(const std::string& adapter, bool suspended) {
        inWrite([&](store::WriteSession& session) {
            AdapterState now;
            now.adapter = adapter;
            now.suspended = suspended;
            now.since = clock_.now();
            now.who = "postern";
            now.reason = suspended ? "the disk is full" : "";
            return writeAdapterState(session, now);
        });
    }
};

using Lines = std::vector<std::string>;

TEST_F(OutboxTest, WithoutAFollowerNothingIsRecorded) {
    post();
    state("maildir", true);
    EXPECT_EQ(number("SELECT count(*) FROM event"), 0);
    EXPECT_EQ(number("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"), 0);
}

TEST_F(OutboxTest, OnlyChosenWordsAreRecordedWithWhatHistorySays) {
    follow({"hook"}, {history::kHeld, verbName(Verb::Hold)});
    const ItemId item = post();
    operate(Verb::Hold, {item});
    operate(Verb::Release, {item});
    const auto found = events();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].word, "hold");
    EXPECT_EQ(found[0].adapter, "maildir");
    EXPECT_EQ(found[0].item, item);
    const HistoryRow row = history(item).at(1);
    EXPECT_EQ(found[0].who, row.who);
    EXPECT_EQ(found[0].detail, row.detail);
    EXPECT_EQ(found[0].at, row.at);
}

TEST_F(OutboxTest, AnEventIsUndoneWithItsChange) {
    follow({"hook"}, {"queued"});
    EXPECT_FALSE(store_
                     ->write([&](store::WriteSession& session) -> Result<void> {
                         store::NewMessage message;
                         message.received = clock_.now();
                         message.source = "smtp";
                         POSTERN_LET(id, store::insertMessage(session, message, "x"));
                         RecipientRow bob;
                         bob.address = "bob@x";
                         const NewItem item{"maildir", "1", {bob}, clock_.now()};
                         POSTERN_TRY(enqueue(session, id, {&item, 1}, clock_.now()));
                         return fail(Errc::Internal, "the test says no");
                     })
                     .ok());
    EXPECT_TRUE(events().empty());
    post();
    EXPECT_EQ(events().size(), 1u);
}

TEST_F(OutboxTest, AdaptersOwnEventsAreRecordedWhenTheyChange) {
    follow({"hook"}, {adapter_event::kSuspended, adapter_event::kRunning, adapter_event::kHeld,
                      adapter_event::kReleased});
    state("maildir", true);
    state("maildir", true);  // looked at again
    state("maildir", false);
    state("maildir", true);
    state("drop", false);
    state("hook", true);  // its own
    const auto hold = [&](const std::string& adapter) {
        inWrite([&](store::WriteSession& session) {
            return holdAdapter(session, {adapter, clock_.now(), "anna", "new disk", std::nullopt});
        });
    };
    hold("drop");
    hold("hook");
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_TRY(releaseAdapter(session, "drop"));
        POSTERN_TRY(releaseAdapter(session, "hook"));
        return {};
    });
    EXPECT_EQ(told(), (Lines{"adapter suspended maildir", "adapter running maildir",
                             "adapter suspended maildir", "adapter held drop", "adapter released drop"}));
    EXPECT_EQ(events()[0].detail, "the disk is full");
    EXPECT_EQ(events()[3].who, "anna");
    EXPECT_EQ(events()[4].detail, "was suspended by anna: new disk");
}

TEST_F(OutboxTest, WhoeverEndsASuspensionIsNamed) {
    follow({"hook"}, {adapter_event::kReleased});
    const auto suspendAndRelease = [&](std::string_view who) {
        inWrite([&](store::WriteSession& session) -> Result<void> {
            POSTERN_TRY(holdAdapter(session, {"drop", clock_.now(), "anna", "new disk", std::nullopt}));
            POSTERN_TRY(releaseAdapter(session, "drop", who));
            POSTERN_TRY(releaseAdapter(session, "drop", "nobody"));  // there is none any more
            return {};
        });
    };
    suspendAndRelease("bert");
    suspendAndRelease("carl");
    const auto found = events();
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].who, "bert");
    EXPECT_EQ(found[1].who, "carl");
}

TEST_F(OutboxTest, TriggersOfAnOlderVersionAreReplaced) {
    follow({"hook"}, {"queued"});
    sql("DROP TRIGGER event_of_item");
    sql("CREATE TRIGGER event_of_item AFTER INSERT ON history BEGIN INSERT INTO event (at_ms, word, who, "
        "detail, adapter) VALUES (1, 'old', 'old', '', 'old'); END");
    post();
    EXPECT_EQ(told(), (Lines{"old old"}));
    follow({"hook"}, {"queued"});
    post();
    EXPECT_EQ(told(), (Lines{"old old", "queued maildir 2"}));
}

TEST_F(OutboxTest, WhatTellsOfAnEventIsNone) {
    follow({"hook"}, {"queued", "hold"});
    const ItemId item = post();
    sql("UPDATE message SET protocol = 'event'");
    operate(Verb::Hold, {item});
    EXPECT_EQ(told(), (Lines{"queued maildir 1"}));
}

TEST_F(OutboxTest, AFollowerBeginsWithThePresentAndEndsWithItsName) {
    const auto after = [&](const std::string& adapter) -> std::int64_t {
        std::int64_t found = -1;
        inRead([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(followers, readFollowers(session));
            for (const Follower& each : followers)
                if (each.adapter == adapter) found = each.after;
            return {};
        });
        return found;
    };
    follow({"a"}, {"queued"});
    EXPECT_EQ(after("a"), 0);
    postMany(3);
    follow({"a", "b"}, {"queued"});
    EXPECT_EQ(after("a"), 0);
    EXPECT_EQ(after("b"), 3);
    inWrite([](store::WriteSession& session) { return dropEvents(session, 2); });
    EXPECT_EQ(events().size(), 1u);
    EXPECT_EQ(events()[0].id, 3);
    inWrite([](store::WriteSession& session) { return dropEvents(session, 3); });
    follow({"b", "c"}, {"queued"});
    EXPECT_EQ(after("a"), -1);
    EXPECT_EQ(after("c"), 3) << "numbers are not given twice";
    post();
    follow({}, {});
    EXPECT_TRUE(events().empty());
    EXPECT_EQ(number("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"), 0);
    post();
    EXPECT_TRUE(events().empty());
}

}  // namespace
}  // namespace postern::queue
