#include "queue/queue.h"

#include <algorithm>
#include <set>
#include <utility>

#include "queue/history.h"
#include "queue/recipients.h"
#include "schema_0002_queue.h"
#include "schema_0003_returned.h"
#include "schema_0004_events.h"
#include "store/newest_key.h"

namespace postern::queue {

const std::vector<store::Migration>& queueMigrations() {
    static const std::vector<store::Migration> migrations = {{2, "queue", kSchema0002Queue},
                                                             {3, "returned", kSchema0003Returned},
                                                             {4, "events", kSchema0004Events}};
    return migrations;
}

namespace {

Result<void> checkItem(store::WriteSession& session, MessageId message, const NewItem& item) {
    if (item.recipients.empty())
        return fail(Errc::Invalid, "an item for adapter " + item.adapter + " has no recipients");
    // The unique constraint says the same; asked first, so that nothing is stored when the answer is no.
    constexpr const char* kThere =
        "SELECT EXISTS (SELECT 1 FROM item WHERE message_id = ?1 AND adapter = ?2 AND grp = ?3)";
    POSTERN_LET(there, session.one(kThere, message, item.adapter, item.group));
    if (there == 0) return {};
    return fail(Errc::Exists, "message m" + std::to_string(message.value) + " is queued for adapter " +
                                  item.adapter + " already (group " + item.group + ")");
}

Result<void> insertRecipients(store::WriteSession& session, ItemId item,
                              const std::vector<RecipientRow>& recipients) {
    constexpr const char* kInsert =
        "INSERT INTO recipient (item_id, ordinal, address, legacy, notify, original)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    int ordinal = 0;
    for (const RecipientRow& recipient : recipients)
        POSTERN_TRY(session.run(kInsert, item, ++ordinal, recipient.address, recipient.legacy,
                                recipient.notify, recipient.original));
    return {};
}

Result<ItemId> insertItem(store::WriteSession& session, MessageId message, const NewItem& item,
                          WallTime now) {
    constexpr const char* kInsert =
        "INSERT INTO item (message_id, adapter, grp, due_ms, expires_ms, state, reason)"
        " VALUES (?1, ?2, ?3, ?4, ?5, iif(?6 = '', 'ready', 'held'), ?6)";
    POSTERN_TRY(session.run(kInsert, message, item.adapter, item.group, toMillis(now), toMillis(item.expires),
                            item.hold));
    POSTERN_LET(number, store::newestKey(session));
    const ItemId id{number};
    POSTERN_TRY(insertRecipients(session, id, item.recipients));
    const std::string detail =
        "for " + item.adapter + ", recipients: " + std::to_string(item.recipients.size());
    POSTERN_TRY(record(session, id, now, history::kService, history::kQueued, detail));
    if (!item.hold.empty())
        POSTERN_TRY(record(session, id, now, history::kService, history::kHeld, item.hold));
    return id;
}

}  // namespace

Result<std::vector<ItemId>> enqueue(store::WriteSession& session, MessageId message,
                                    std::span<const NewItem> items, WallTime now) {
    std::set<std::pair<std::string_view, std::string_view>> groups;
    for (const NewItem& item : items) {
        POSTERN_TRY(checkItem(session, message, item));
        if (!groups.emplace(item.adapter, item.group).second)
            return fail(Errc::Exists, "group " + item.group + " of adapter " + item.adapter + " came twice");
    }
    std::vector<ItemId> ids;
    ids.reserve(items.size());
    for (const NewItem& item : items) {
        POSTERN_LET(id, insertItem(session, message, item, now));
        ids.push_back(id);
    }
    return ids;
}

Queue::Queue(store::Store& store, Clock& clock, QueueOptions options)
    : store_(store), clock_(clock), options_(std::move(options)) {}

Result<std::optional<WallTime>> Queue::nextDue(const std::string& adapter) {
    // The first entry of each partial index: two look-ups, however many wait. A suspect that may not be taken
    // yet is nothing to wake for; whoever has the other one in hand, or the next poll, comes back to it.
    constexpr const char* kOrdinary =
        "SELECT due_ms FROM item INDEXED BY item_ready"
        " WHERE adapter = ?1 AND state = 'ready' AND deaths = 0 ORDER BY due_ms, id LIMIT 1";
    constexpr const char* kSuspect =
        "SELECT due_ms FROM item INDEXED BY item_suspect"
        " WHERE adapter = ?1 AND state = 'ready' AND deaths > 0"
        "   AND (deaths = 1 OR NOT EXISTS (SELECT 1 FROM item INDEXED BY item_held_by"
        "                                   WHERE state IN ('claimed', 'publishing') AND deaths > 1"
        "                                     AND owner = ?2 AND lease_ms > ?3))"
        " ORDER BY due_ms, id LIMIT 1";
    std::optional<WallTime> earliest;
    const auto work = [&](store::ReadSession& session) -> Result<void> {
        for (const auto& due : {session.one(kOrdinary, adapter),
                                session.one(kSuspect, adapter, options_.owner, toMillis(clock_.now()))}) {
            if (!due.ok() && due.error().code != Errc::NotFound) return due.error();
            if (!due.ok()) continue;
            const WallTime when = fromMillis(*due);
            earliest = earliest ? std::min(*earliest, when) : when;
        }
        return {};
    };
    POSTERN_TRY(store_.read(work));
    return earliest;
}

Result<bool> needsArtifact(store::ReadSession& session, ItemId item, Epoch staged) {
    // A claim of that very epoch may be about to publish it; a row in publishing or in doubt has it as its
    // evidence. A missing row, another epoch or an ended attempt makes it a leftover.
    constexpr const char* kNeeded =
        "SELECT EXISTS (SELECT 1 FROM item WHERE id = ?1 AND ((state = 'claimed' AND epoch = ?2)"
        " OR (state IN ('publishing', 'in_doubt') AND staged_epoch = ?2)))";
    POSTERN_LET(needed, session.one(kNeeded, item, staged));
    return needed != 0;
}

Millis retryDelay(const RetryPolicy& policy, int attempts, double jitter) {
    Millis delay = std::min(policy.first, policy.longest);
    for (int made = 1; made < attempts && delay < policy.longest; ++made)
        delay = delay > policy.longest / 2 ? policy.longest : delay * 2;
    const double share = std::clamp(jitter, 0.0, 1.0) / 8.0;
    return delay + Millis(static_cast<std::int64_t>(static_cast<double>(delay.count()) * share));
}

Result<std::vector<RecipientRow>> pendingRecipients(store::Session& session, ItemId item) {
    return recipientsThat(session, item, "pending");
}

Result<std::vector<RecipientRow>> recipientsThat(store::Session& session, ItemId item,
                                                 std::string_view outcome) {
    constexpr const char* kThat =
        "SELECT ordinal, address, legacy, reason, notify, original FROM recipient"
        " WHERE item_id = ?1 AND outcome = ?2 ORDER BY ordinal";
    std::vector<RecipientRow> rows;
    store::Statement statement = session.query(kThat, item, outcome);
    while (statement.next()) {
        RecipientRow row;
        row.ordinal = static_cast<int>(statement.integer(0));
        row.address = statement.text(1);
        row.legacy = statement.text(2);
        row.reason = statement.text(3);
        row.notify = statement.text(4);
        row.original = statement.text(5);
        rows.push_back(std::move(row));
    }
    POSTERN_TRY(statement.finish());
    return rows;
}

Result<void> endPendingRecipients(store::WriteSession& session, ItemId item, std::string_view outcome,
                                  std::string_view reason) {
    // OR FAIL: without a copy of the pages for an undoing of its own. Half of it can not stay, because the
    // writer takes back all that a failed work did.
    constexpr const char* kEnd =
        "UPDATE OR FAIL recipient SET outcome = ?2, reason = ?3 WHERE item_id = ?1 AND outcome = 'pending'";
    POSTERN_TRY(session.run(kEnd, item, outcome, reason));
    return {};
}

Result<bool> anyExported(store::Session& session, ItemId item) {
    constexpr const char* kAny =
        "SELECT EXISTS (SELECT 1 FROM recipient WHERE item_id = ?1 AND outcome = 'exported')";
    POSTERN_LET(any, session.one(kAny, item));
    return any != 0;
}

}  // namespace postern::queue
