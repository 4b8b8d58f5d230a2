#include <gmock/gmock.h>

#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

using EnqueueTest = QueueTest;

NewItem itemFor(const std::string& adapter, const std::string& group, WallTime expires) {
    NewItem item;
    item.adapter = adapter;
    item.group = group;
    item.recipients.push_back({0, "user@example.org", "USER", "pending", ""});
    item.expires = expires;
    return item;
}

TEST_F(EnqueueTest, AnItemStartsReadyAndDueWithItsRecipientsAndHistory) {
    const ItemId item = post(3);
    const ItemRow stored = row(item);
    EXPECT_EQ(stored.state, State::Ready);
    EXPECT_EQ(stored.due, clock_.now());
    EXPECT_EQ(stored.attempts, 0);
    EXPECT_EQ(stored.recipientCount, 3);
    EXPECT_EQ(stored.firstRecipient, "user1@example.org");
    ASSERT_EQ(recipients(item).size(), 3u);
    EXPECT_EQ(recipients(item)[2].ordinal, 3);
    EXPECT_EQ(recipients(item)[2].legacy, "USER3");
    EXPECT_EQ(recipients(item)[2].outcome, "pending");
    ASSERT_EQ(history(item).size(), 1u);
    EXPECT_EQ(history(item)[0].what, "queued");
}

TEST_F(EnqueueTest, Q184524_enqueue_is_idempotent) {
    const MessageId mail = message();
    const std::vector<NewItem> first = {itemFor("maildir", "1", clock_.now())};
    // The second call brings a new item too: it must not be stored when the other one exists.
    const std::vector<NewItem> second = {itemFor("maildir", "2", clock_.now()),
                                         itemFor("maildir", "1", clock_.now())};
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(ids, enqueue(session, mail, first, clock_.now()));
        EXPECT_EQ(ids.size(), 1u);
        const auto again = enqueue(session, mail, second, clock_.now());
        EXPECT_FALSE(again.ok());
        if (!again.ok()) {
            EXPECT_EQ(again.error().code, Errc::Exists) << again.error().text;
        }
        return {};  // the error is swallowed on purpose: nothing may have been stored by the refused call
    });
    EXPECT_EQ(number("SELECT count(*) FROM item"), 1);
    EXPECT_EQ(number("SELECT count(*) FROM recipient"), 1);
    EXPECT_EQ(number("SELECT count(*) FROM history"), 1);
}

TEST_F(EnqueueTest, OneGroupTwiceInOneCallIsRefused) {
    const MessageId mail = message();
    const std::vector<NewItem> twice = {itemFor("maildir", "1", clock_.now()),
                                        itemFor("maildir", "1", clock_.now())};
    const auto refused = store_->write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(ids, enqueue(session, mail, twice, clock_.now()));
        return {};
    });
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Exists);
    EXPECT_EQ(number("SELECT count(*) FROM item"), 0);
}

TEST_F(EnqueueTest, OneMessageMayHaveAnItemPerAdapterAndGroup) {
    const MessageId mail = message();
    const std::vector<NewItem> items = {itemFor("maildir", "1", clock_.now()),
                                        itemFor("maildir", "2", clock_.now()),
                                        itemFor("ccmail", "1", clock_.now())};
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(ids, enqueue(session, mail, items, clock_.now()));
        EXPECT_EQ(ids.size(), 3u);
        return {};
    });
    EXPECT_EQ(number("SELECT count(*) FROM item"), 3);
}

TEST_F(EnqueueTest, AnItemWithoutRecipientsIsRefused) {
    const MessageId mail = message();
    std::vector<NewItem> items = {itemFor("maildir", "1", clock_.now())};
    items.front().recipients.clear();
    const auto refused = store_->write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(ids, enqueue(session, mail, items, clock_.now()));
        return {};
    });
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Invalid);
}

// What the C++ above promises, the schema enforces by itself.
TEST_F(EnqueueTest, TheSchemaRefusesImpossibleRows) {
    const ItemId item = post();
    ASSERT_EQ(item.value, 1);
    const struct {
        const char* what;
        const char* text;
    } impossible[] = {
        {"an unknown state", "UPDATE item SET state = 'queued' WHERE id = 1"},
        {"claimed by nobody", "UPDATE item SET state = 'claimed', lease_ms = 1 WHERE id = 1"},
        {"claimed without a lease", "UPDATE item SET state = 'claimed', owner = 'us' WHERE id = 1"},
        {"ready with an owner", "UPDATE item SET owner = 'us' WHERE id = 1"},
        {"publishing without evidence",
         "UPDATE item SET state = 'publishing', owner = 'us', lease_ms = 1 WHERE id = 1"},
        {"in doubt without evidence", "UPDATE item SET state = 'in_doubt' WHERE id = 1"},
        {"evidence without its epoch", "UPDATE item SET state = 'in_doubt', evidence = 'e' WHERE id = 1"},
        {"evidence of an epoch to come",
         "UPDATE item SET state = 'in_doubt', evidence = 'e', staged_epoch = 9 WHERE id = 1"},
        {"ready with evidence", "UPDATE item SET epoch = 1, evidence = 'e', staged_epoch = 1 WHERE id = 1"},
        {"exported at no time", "UPDATE item SET state = 'exported' WHERE id = 1"},
        {"ready and settled", "UPDATE item SET settled_ms = 1 WHERE id = 1"},
        {"a second item of the group",
         "INSERT INTO item (message_id, adapter, grp, due_ms, expires_ms) VALUES (1, 'maildir', '1', 1, 1)"},
        {"an item of no message",
         "INSERT INTO item (message_id, adapter, grp, due_ms, expires_ms) VALUES (99, 'maildir', '1', 1, 1)"},
        {"an unknown outcome", "UPDATE recipient SET outcome = 'sent' WHERE item_id = 1"},
        {"history by nobody",
         "INSERT INTO history (item_id, n, at_ms, who, what) VALUES (1, 99, 1, '', 'x')"},
        {"a message deleted under its item", "DELETE FROM message WHERE id = 1"},
    };
    for (const auto& row : impossible) EXPECT_FALSE(trySql(row.text).ok()) << row.what << " was stored";
    EXPECT_EQ(state(item), State::Ready);
}

}  // namespace
}  // namespace postern::queue
