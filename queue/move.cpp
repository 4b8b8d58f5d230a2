#include "queue/move.h"

#include <algorithm>

#include "queue/history.h"
#include "queue/queue.h"
#include "queue/recipients.h"

namespace postern::queue {

namespace {

struct Found {
    State state = State::Ready;
    Epoch epoch;
    MessageId message;
    std::string adapter, source;
    WallTime received, expires;
};

Result<std::optional<Found>> findItem(store::WriteSession& session, ItemId id) {
    constexpr const char* kFind =
        "SELECT i.state, i.epoch, i.message_id, i.adapter, m.source, m.received_ms, i.expires_ms"
        " FROM item i JOIN message m ON m.id = i.message_id WHERE i.id = ?1";
    std::optional<Found> found;
    store::Statement row = session.query(kFind, id);
    while (row.next()) {
        found = Found{stateOf(row.text(0)).value_or(State::Publishing),
                      Epoch{row.integer(1)},
                      MessageId{row.integer(2)},
                      std::string(row.text(3)),
                      std::string(row.text(4)),
                      fromMillis(row.integer(5)),
                      fromMillis(row.integer(6))};
    }
    POSTERN_TRY(row.finish());
    return found;
}

std::string refusal(const MoveOrder& order, const std::optional<Found>& found) {
    if (!found) return "there is no such item";
    const bool takes =
        found->state == State::Ready || found->state == State::Held || found->state == State::Failed;
    if (!takes)
        return "is " + std::string(stateName(found->state)) +
               "; only ready, held and failed items can be moved";
    if (order.epoch && (*order.epoch != found->epoch || found->state != State::Ready))
        return "was changed in the meantime";
    if (found->source == sourceOfAdapter(order.adapter))
        return "came in by adapter " + order.adapter + " and does not go back there";
    return {};
}

// What is still to be delivered: of a failed item, what failed.
Result<std::vector<RecipientRow>> openRecipients(store::WriteSession& session, ItemId item, State state) {
    if (state == State::Failed) {
        constexpr const char* kAgain =
            "UPDATE recipient SET outcome = 'pending', reason = '' WHERE item_id = ?1 AND outcome = 'failed'";
        POSTERN_TRY(session.run(kAgain, item));
    }
    return pendingRecipients(session, item);
}

// Groups of their own: the message may have items for that adapter already. An item is moved once and ids are
// never reused, so these names never meet.
Result<std::vector<ItemId>> insertMoved(store::WriteSession& session, const MoveOrder& order,
                                        const Found& found, std::vector<NewItem> items, WallTime now) {
    int number = 0;
    for (NewItem& item : items) {
        item.adapter = order.adapter;
        item.group = "from-" + std::to_string(order.item.value) + "-" + std::to_string(++number);
        item.expires = std::max({item.expires, found.expires, now + order.atLeast});
    }
    return enqueue(session, found.message, items, now);
}

// What a sender was told of a recipient is told of the same recipient in its new item.
Result<void> carryReports(store::WriteSession& session, ItemId from, ItemId to) {
    constexpr const char* kCarry =
        "UPDATE recipient SET reported = 'delayed' WHERE item_id = ?2 AND address IN"
        " (SELECT address FROM recipient WHERE item_id = ?1 AND reported = 'delayed')";
    POSTERN_TRY(session.run(kCarry, from, to));
    return {};
}

// Guarded by what findItem saw; nobody else writes in this transaction.
constexpr char kEnd[] = R"sql(
UPDATE item SET state = 'deleted', settled_ms = ?3, reason = ?4 WHERE id = ?1 AND state = ?2)sql";

std::string listOf(const std::vector<ItemId>& ids) {
    std::string text = ids.size() == 1 ? "item " : "items ";
    for (std::size_t i = 0; i < ids.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(ids[i].value);
    return text;
}

}  // namespace

Result<Moved> moveItem(store::WriteSession& session, const MoveOrder& order, const Regroup& regroup,
                       WallTime now) {
    if (order.who.empty() || order.adapter.empty())
        return fail(Errc::Invalid, "a move names its adapter and who asked for it");
    POSTERN_LET(found, findItem(session, order.item));
    if (std::string why = refusal(order, found); !why.empty()) return Moved{{}, std::move(why)};
    POSTERN_LET(recipients, openRecipients(session, order.item, found->state));
    if (recipients.empty()) return Moved{{}, "has no recipient left to deliver to"};
    POSTERN_LET(items, regroup(recipients, found->received));
    if (items.empty()) return fail(Errc::Internal, "regrouping lost the recipients of an item");
    POSTERN_LET(ids, insertMoved(session, order, *found, std::move(items), now));

    Moved moved{ids, "moved to adapter " + order.adapter + " as " + listOf(ids)};
    const std::string why = order.reason.empty() ? "" : ", " + order.reason;
    POSTERN_LET(changed,
                session.run(kEnd, order.item, stateName(found->state), toMillis(now), moved.text + why));
    if (changed != 1) return fail(Errc::Internal, "an item changed inside the writer's own transaction");
    POSTERN_TRY(endPendingRecipients(session, order.item, "deleted", moved.text));
    POSTERN_TRY(record(session, order.item, now, order.who, history::kMoved, moved.text + why));
    const std::string origin =
        "from adapter " + found->adapter + ", item " + std::to_string(order.item.value) + why;
    for (const ItemId id : ids) {
        POSTERN_TRY(carryReports(session, order.item, id));
        POSTERN_TRY(record(session, id, now, order.who, history::kMoved, origin));
    }
    return moved;
}

std::string sourceOfAdapter(std::string_view adapter) {
    return "adapter/" + std::string(adapter);
}

}  // namespace postern::queue
