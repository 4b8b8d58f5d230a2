#include <algorithm>
#include <map>

#include <gmock/gmock.h>

#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class InspectTest : public QueueTest {
  protected:
    std::vector<std::int64_t> list(const Filter& filter) {
        std::vector<std::int64_t> ids;
        inRead([&](store::ReadSession& session) {
            return listItems(session, filter, [&](const ItemRow& item) {
                ids.push_back(item.id.value);
                return true;
            });
        });
        return ids;
    }
    std::vector<StateCount> counts(bool all) {
        std::vector<StateCount> found;
        inRead([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(read, countItems(session, all));
            found = read;
            return {};
        });
        return found;
    }
    // Items 1 to 8, one in each state in the order of kAllStates.
    void oneOfEach() {
        for (const State state : kAllStates) force(post(), state);
    }
};

TEST_F(InspectTest, Q147051_queue_list_whole_and_in_order) {
    constexpr int kItems = 25'001;
    postMany(kItems);
    sql("UPDATE item SET due_ms = due_ms - id");  // another order than the ids'
    const std::vector<std::int64_t> ids = list({});
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(kItems));
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
    EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end()) << "one is listed twice";
    ASSERT_EQ(counts(false).size(), 1u);
    EXPECT_EQ(counts(false)[0].count, kItems);
}

TEST_F(InspectTest, AListIsWholeAcrossPagesOfAnyState) {
    postMany(1501);
    sql("UPDATE item SET state = 'held' WHERE id % 3 <> 0");
    Filter held, ready;
    held.states = {State::Held};
    ready.states = {State::Ready};
    EXPECT_EQ(list(held).size(), 1001u);
    EXPECT_EQ(list(ready).size(), 500u);
    EXPECT_EQ(list({}).size(), 1501u);
}

TEST_F(InspectTest, FiltersSelectAndCombine) {
    oneOfEach();
    post(2, "ccmail");  // 9
    const MessageId ninth = row(ItemId{9}).message;
    const auto with = [](auto set) {
        Filter filter;
        set(filter);
        return filter;
    };
    EXPECT_THAT(list({}), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
    EXPECT_THAT(list(with([](Filter& f) { f.adapter = "ccmail"; })), ElementsAre(9));
    EXPECT_THAT(list(with([](Filter& f) { f.adapter = "CCMAIL"; })), IsEmpty());
    EXPECT_THAT(list(with([](Filter& f) { f.waiting = true; })), ElementsAre(1, 2, 3, 6, 7, 9));
    EXPECT_THAT(list(with([](Filter& f) { f.limit = 2; })), ElementsAre(1, 2));
    EXPECT_THAT(list(with([&](Filter& f) { f.message = ninth; })), ElementsAre(9));
    EXPECT_THAT(list(with([](Filter& f) {
                    f.ids = {ItemId{7}, ItemId{99}, ItemId{2}, ItemId{7}, ItemId{-1}};
                })),
                ElementsAre(2, 7));
    EXPECT_THAT(list(with([](Filter& f) {
                    f.ids = {ItemId{7}, ItemId{2}};
                    f.states = {State::InDoubt};
                })),
                ElementsAre(7));
    EXPECT_THAT(list(with([](Filter& f) { f.sender = "sender@EXAMPLE"; })),
                ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
    EXPECT_THAT(list(with([](Filter& f) { f.sender = "%"; })), IsEmpty()) << "no pattern letters";
    EXPECT_THAT(list(with([](Filter& f) { f.recipient = "USER2@"; })), ElementsAre(9))
        << "the Internet address";
    EXPECT_THAT(list(with([](Filter& f) { f.recipient = "user2"; })), ElementsAre(9)) << "the legacy name";
    for (std::size_t i = 0; i < std::size(kAllStates); ++i) {
        Filter filter;
        filter.states = {kAllStates[i]};
        filter.adapter = "maildir";
        EXPECT_THAT(list(filter), ElementsAre(static_cast<std::int64_t>(i + 1))) << stateName(kAllStates[i]);
    }
}

TEST_F(InspectTest, FiltersByAgeReasonMessageIdAndPage) {
    oneOfEach();
    sql("UPDATE item SET reason = 'Disk full on POST OFFICE' WHERE id = 3");
    sql("UPDATE recipient SET reason = '550 nobody of that name' WHERE item_id = 5");
    sql("UPDATE message SET header_id = '<a.b@c>' WHERE id = (SELECT message_id FROM item WHERE id = 4)");
    sql("UPDATE message SET received_ms = received_ms - 5000 WHERE id <= (SELECT message_id FROM item WHERE "
        "id = 2)");
    Filter reason, refused, id, bare, old, some, page;
    reason.reason = "post office";
    refused.reason = "NOBODY";
    id.headerId = "<a.b@c>";
    bare.headerId = "a.b@c";
    old.receivedBefore = row(ItemId{3}).received;
    some.states = {State::Held, State::Failed};
    page.after = ItemId{6};
    EXPECT_THAT(list(reason), ElementsAre(3));
    EXPECT_THAT(list(refused), ElementsAre(5)) << "of a recipient";
    EXPECT_THAT(list(id), ElementsAre(4));
    EXPECT_THAT(list(bare), ElementsAre(4));
    EXPECT_THAT(list(old), ElementsAre(1, 2));
    EXPECT_THAT(list(some), ElementsAre(5, 6));
    EXPECT_THAT(list(page), ElementsAre(7, 8));
    page.ids = {ItemId{2}, ItemId{8}};
    EXPECT_THAT(list(page), ElementsAre(8));
}

TEST_F(InspectTest, AVisitorMayStop) {
    postMany(10);
    int seen = 0;
    inRead([&](store::ReadSession& session) {
        return listItems(session, {}, [&](const ItemRow&) { return ++seen < 3; });
    });
    EXPECT_EQ(seen, 3);
}

// The rows of a page are taken before they are shown: what the visitor does to the queue can not disturb the
// list.
TEST_F(InspectTest, AListGoesOnWhileItsItemsChange) {
    postMany(1200);
    std::vector<std::int64_t> ids;
    inRead([&](store::ReadSession& session) {
        return listItems(session, {}, [&](const ItemRow& item) {
            ids.push_back(item.id.value);
            if (item.id.value % 100 == 0) {
                EXPECT_EQ(queue_->claim("maildir", 50)->size(), 50u);
            }
            return true;
        });
    });
    EXPECT_EQ(ids.size(), 1200u);
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

TEST_F(InspectTest, ARowTellsOfItsMailAndItsRecipients) {
    const ItemId item = post(3);
    const ItemRow found = row(item);
    EXPECT_EQ(found.sender, "Sender@Example.Com");
    EXPECT_EQ(found.subject, "hello");
    EXPECT_EQ(found.headerId, "<1@example.com>");
    EXPECT_GT(found.size, 0);
    EXPECT_EQ(found.received, clock_.now());
    EXPECT_EQ(found.recipientCount, 3);
    EXPECT_EQ(found.firstRecipient, "user1@example.org");
    inRead([&](store::ReadSession& session) -> Result<void> {
        const auto missing = readItem(session, ItemId{99});
        EXPECT_FALSE(missing.ok());
        if (!missing.ok()) {
            EXPECT_EQ(missing.error().code, Errc::NotFound);
        }
        return {};
    });
}

// Counts are queries: whatever was done to the queue, they say what the list says.
TEST_F(InspectTest, Q199258_counts_equal_the_list) {
    for (int round = 0; round < 40; ++round) {
        const State state = kAllStates[static_cast<std::size_t>(round * 5 % 8)];
        const ItemId item = post(1, round % 3 == 0 ? "ccmail" : "maildir");
        force(item, state);
        clock_.advance(Millis(1000));
    }
    sql("UPDATE item SET deaths = 1 WHERE state = 'ready' AND id % 3 = 0");
    ASSERT_GT(number("SELECT count(*) FROM item WHERE deaths > 0"), 0);
    for (const bool all : {false, true}) {
        std::map<std::pair<std::string, State>, std::int64_t> listed;
        std::map<std::pair<std::string, State>, WallTime> oldest;
        Filter filter;
        filter.waiting = !all;
        inRead([&](store::ReadSession& session) {
            return listItems(session, filter, [&](const ItemRow& item) {
                ++listed[{item.adapter, item.state}];
                oldest.emplace(std::pair(item.adapter, item.state), item.received);
                return true;
            });
        });
        std::map<std::pair<std::string, State>, std::int64_t> counted;
        for (const StateCount& count : counts(all)) {
            const bool fresh = counted.emplace(std::pair(count.adapter, count.state), count.count).second;
            EXPECT_TRUE(fresh) << count.adapter << " " << stateName(count.state) << " came twice";
            EXPECT_EQ(count.oldest, oldest[std::pair(count.adapter, count.state)]) << stateName(count.state);
        }
        EXPECT_EQ(counted, listed) << "all: " << all;
        EXPECT_EQ(counted.size(), all ? 16u : 10u)
            << "the test itself must reach every state of both adapters";
    }
}

}  // namespace
}  // namespace postern::queue
