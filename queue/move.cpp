#include "queue/move.h"

#include <algorithm>

#include "queue/history.h"
#include "queue/operate.h"
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
std::string_view openOutcome(State state) {
    return state == State::Failed ? "failed" : "pending";
}

std::string cameFrom(const NewItem& item, const Found& found) {
    return found.source == sourceOfAdapter(item.adapter)
               ? "came in by adapter " + item.adapter + " and does not go back there"
               : "";
}

// Groups of their own: the message may have items for that adapter already. An item is moved once and ids are
// never reused, so these names never meet.
Result<std::vector<ItemId>> insertMoved(store::WriteSession& session, const MoveOrder& order,
                                        const Found& found, std::vector<NewItem> items, WallTime now) {
    int number = 0;
    for (NewItem& item : items) {
        if (!order.adapter.empty()) item.adapter = order.adapter;
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

std::string listOf(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

void addOnce(std::vector<std::string>& names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

// Somebody said no to this item: the others of the transaction go on.
bool isRefusal(const Error& error) {
    return error.code != Errc::Io && error.code != Errc::Internal && error.code != Errc::Corrupt &&
           error.code != Errc::NoSpace;
}

std::string listOf(const std::vector<ItemId>& ids) {
    std::string text = ids.size() == 1 ? "item " : "items ";
    for (std::size_t i = 0; i < ids.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(ids[i].value);
    return text;
}

Result<void> endOld(store::WriteSession& session, const MoveOrder& order, const Found& found,
                    const Moved& moved, WallTime now) {
    const std::string why = order.reason.empty() ? "" : ", " + order.reason;
    POSTERN_LET(changed,
                session.run(kEnd, order.item, stateName(found.state), toMillis(now), moved.text + why));
    if (changed != 1) return fail(Errc::Internal, "an item changed inside the writer's own transaction");
    constexpr const char* kRest =
        "UPDATE recipient SET outcome = 'deleted', reason = ?3 WHERE item_id = ?1 AND outcome = ?2";
    POSTERN_TRY(session.run(kRest, order.item, openOutcome(found.state), moved.text));
    POSTERN_TRY(record(session, order.item, now, order.who, history::kMoved, moved.text + why));
    const std::string origin =
        "from adapter " + found.adapter + ", item " + std::to_string(order.item.value) + why;
    for (const ItemId id : moved.items) {
        POSTERN_TRY(carryReports(session, order.item, id));
        POSTERN_TRY(record(session, id, now, order.who, history::kMoved, origin));
    }
    return {};
}

}  // namespace

Result<Moved> moveItem(store::WriteSession& session, const MoveOrder& order, const Regroup& regroup,
                       WallTime now) {
    if (order.who.empty()) return fail(Errc::Invalid, "a move names who asked for it");
    POSTERN_LET(found, findItem(session, order.item));
    if (std::string why = refusal(order, found); !why.empty()) return Moved{{}, std::move(why), !found};
    POSTERN_LET(recipients, recipientsThat(session, order.item, openOutcome(found->state)));
    if (recipients.empty()) return Moved{{}, "has no recipient left to deliver to"};
    auto regrouped = regroup(recipients, found->received);
    if (!regrouped.ok() && isRefusal(regrouped.error())) return Moved{{}, regrouped.error().text};
    if (!regrouped.ok()) return regrouped.error();
    std::vector<NewItem> items = std::move(regrouped).value();
    if (items.empty()) return fail(Errc::Internal, "regrouping lost the recipients of an item");
    for (const NewItem& item : items)
        if (std::string why = cameFrom(item, *found); !why.empty()) return Moved{{}, std::move(why)};
    Moved moved;
    for (const NewItem& item : items)
        addOnce(moved.adapters, order.adapter.empty() ? item.adapter : order.adapter);
    POSTERN_LET(ids, insertMoved(session, order, *found, std::move(items), now));
    moved.items = ids;
    moved.text = "moved to adapter " + listOf(moved.adapters) + " as " + listOf(ids);
    POSTERN_TRY(endOld(session, order, *found, moved, now));
    return moved;
}

namespace {

Result<NewItem> copyOf(store::WriteSession& session, ItemId item, const Found& found, WallTime now) {
    constexpr const char* kEarlier =
        "SELECT count(*) FROM item WHERE message_id = ?1 AND adapter = ?2 AND grp GLOB ?3";
    const std::string stem = "again-" + std::to_string(item.value) + "-";
    POSTERN_LET(earlier, session.one(kEarlier, found.message, found.adapter, stem + "*"));
    POSTERN_LET(recipients, recipientsThat(session, item, "exported"));
    for (RecipientRow& recipient : recipients) {
        recipient.outcome = "pending";
        recipient.reason.clear();
        recipient.notify = "never";  // its sender was told what there was to tell
    }
    return NewItem{found.adapter, stem + std::to_string(earlier + 1), std::move(recipients),
                   now + kSecondLife};
}

}  // namespace

Result<Moved> replayItem(store::WriteSession& session, ItemId item, const std::string& who,
                         const std::string& reason, WallTime now) {
    if (who.empty()) return fail(Errc::Invalid, "a replay names who asked for it");
    POSTERN_LET(found, findItem(session, item));
    if (!found) return Moved{{}, "there is no such item", true};
    if (found->state != State::Exported)
        return Moved{{},
                     "is " + std::string(stateName(found->state)) + "; only exported items can be replayed"};
    POSTERN_LET(again, copyOf(session, item, *found, now));
    if (again.recipients.empty()) return Moved{{}, "has no recipient that was exported"};
    POSTERN_LET(ids, enqueue(session, found->message, {&again, 1}, now));
    const std::string why = reason.empty() ? "" : ", " + reason;
    Moved moved{ids, "exported again as " + listOf(ids), false, {found->adapter}};
    POSTERN_TRY(record(session, item, now, who, history::kReplayed, "as " + listOf(ids) + why));
    POSTERN_TRY(record(session, ids.front(), now, who, history::kReplayed,
                       "item " + std::to_string(item.value) + " once more" + why));
    return moved;
}

std::string sourceOfAdapter(std::string_view adapter) {
    return "adapter/" + std::string(adapter);
}

}  // namespace postern::queue
