#include "queue/inspect.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

namespace postern::queue {

namespace {

constexpr std::int64_t kPage = 500;
constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

const std::string kColumns = R"sql(
SELECT i.id, i.message_id, i.adapter, i.grp, i.state, i.epoch, i.owner, i.lease_ms, i.due_ms, i.expires_ms,
       i.attempts, i.deaths, i.evidence, i.target, i.reason, i.settled_ms,
       m.received_ms, m.sender, m.header_id, m.subject, m.size,
       (SELECT count(*) FROM recipient r WHERE r.item_id = i.id),
       (SELECT r.address FROM recipient r WHERE r.item_id = i.id ORDER BY r.ordinal LIMIT 1))sql";

// An empty parameter selects everything. lower() folds ASCII only, which is what addresses fold.
const std::string kMatches = R"sql(
   AND (?3 = '' OR i.adapter = ?3)
   AND (?4 = '' OR instr(?4, ' ' || i.state || ' ') > 0)
   AND (?5 = 0 OR i.settled_ms IS NULL)
   AND (?6 = '' OR instr(lower(m.sender), lower(?6)) > 0)
   AND (?7 = '' OR EXISTS (SELECT 1 FROM recipient r WHERE r.item_id = i.id
                            AND (instr(lower(r.address), lower(?7)) > 0 OR instr(lower(r.legacy), lower(?7)) > 0)))
   AND (?8 = 0 OR i.message_id = ?8)
   AND i.id <= ?9
   AND (?10 = '' OR instr(lower(i.reason), lower(?10)) > 0
        OR EXISTS (SELECT 1 FROM recipient r WHERE r.item_id = i.id AND instr(lower(r.reason), lower(?10)) > 0))
   AND (?11 = '' OR m.header_id IN (?11, '<' || ?11 || '>'))
   AND (?12 = 0 OR m.received_ms < ?12))sql";

bool waitForPeople(const std::vector<State>& states) {
    const auto waits = [](State state) { return state == State::Held || state == State::InDoubt; };
    return !states.empty() && std::all_of(states.begin(), states.end(), waits);
}

bool areInHands(const std::vector<State>& states) {
    const auto held = [](State state) { return state == State::Claimed || state == State::Publishing; };
    return !states.empty() && std::all_of(states.begin(), states.end(), held);
}

// " held in_doubt ": empty when any state will do.
std::string stateWords(const std::vector<State>& states) {
    std::string words;
    for (const State state : states)
        words += (words.empty() ? " " : "") + std::string(stateName(state)) + " ";
    return words;
}

// One page in id order, behind the last one seen. The four texts differ in where they look: everywhere, at
// the items of one message, at the few that wait for people, and at the few that are being worked on.
const char* pageSql(const Filter& filter) {
    static const std::string order = " ORDER BY i.id LIMIT ?2";
    static const std::string all =
        kColumns + " FROM item i CROSS JOIN message m ON m.id = i.message_id WHERE i.id > ?1" + kMatches +
        order;
    static const std::string message =
        kColumns +
        " FROM item i CROSS JOIN message m ON m.id = i.message_id WHERE i.message_id = ?8 AND i.id > ?1" +
        kMatches + order;
    static const std::string people =
        kColumns +
        " FROM item i INDEXED BY item_waiting_for_people CROSS JOIN message m ON m.id = i.message_id"
        " WHERE i.state IN ('held', 'in_doubt') AND i.id > ?1" +
        kMatches + order;
    static const std::string hands =
        kColumns +
        " FROM item i INDEXED BY item_held_by CROSS JOIN message m ON m.id = i.message_id"
        " WHERE i.state IN ('claimed', 'publishing') AND i.id > ?1" +
        kMatches + order;
    if (filter.message) return message.c_str();
    if (waitForPeople(filter.states)) return people.c_str();
    if (areInHands(filter.states)) return hands.c_str();
    return all.c_str();
}

std::optional<WallTime> timeAt(const store::Statement& row, int column) {
    if (row.isNull(column)) return std::nullopt;
    return fromMillis(row.integer(column));
}

ItemRow itemFrom(const store::Statement& row) {
    ItemRow item;
    item.id = ItemId{row.integer(0)};
    item.message = MessageId{row.integer(1)};
    item.adapter = row.text(2);
    item.group = row.text(3);
    item.state = stateOf(row.text(4)).value_or(State::Held);
    item.epoch = Epoch{row.integer(5)};
    item.owner = row.text(6);
    item.leaseUntil = timeAt(row, 7);
    item.due = fromMillis(row.integer(8));
    item.expires = fromMillis(row.integer(9));
    item.attempts = static_cast<int>(row.integer(10));
    item.deaths = static_cast<int>(row.integer(11));
    item.evidence = row.text(12);
    item.target = row.text(13);
    item.reason = row.text(14);
    item.settled = timeAt(row, 15);
    item.received = fromMillis(row.integer(16));
    item.sender = row.text(17);
    item.headerId = row.text(18);
    item.subject = row.text(19);
    item.size = row.integer(20);
    item.recipientCount = row.integer(21);
    item.firstRecipient = row.text(22);
    return item;
}

std::string_view bareId(std::string_view headerId) {
    if (headerId.size() > 2 && headerId.front() == '<' && headerId.back() == '>')
        return headerId.substr(1, headerId.size() - 2);
    return headerId;
}

// The rows are taken out before anyone looks at them, so that a slow visitor (a pager on a terminal) keeps no
// statement open.
Result<std::vector<ItemRow>> readPage(store::ReadSession& session, const Filter& filter, std::int64_t after,
                                      std::int64_t last, std::int64_t size) {
    const std::int64_t message = filter.message ? filter.message->value : 0;
    const std::int64_t before = filter.receivedBefore ? toMillis(*filter.receivedBefore) : 0;
    std::vector<ItemRow> page;
    store::Statement rows = session.query(
        pageSql(filter), after, size, filter.adapter, stateWords(filter.states), filter.waiting,
        filter.sender, filter.recipient, message, last, filter.reason, bareId(filter.headerId), before);
    while (rows.next()) page.push_back(itemFrom(rows));
    POSTERN_TRY(rows.finish());
    return page;
}

// The item of that id if it matches.
Result<std::vector<ItemRow>> readOne(store::ReadSession& session, const Filter& filter, ItemId id) {
    if (id.value <= 0) return std::vector<ItemRow>{};
    return readPage(session, filter, id.value - 1, id.value, 1);
}

// Those of `ids` that match, in order. Each is looked up by itself: a person names a handful.
Result<void> listNamed(store::ReadSession& session, const Filter& filter,
                       const std::function<bool(const ItemRow&)>& visit) {
    std::vector<ItemId> ids = filter.ids;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    std::int64_t left = filter.limit > 0 ? filter.limit : kNoLimit;
    for (const ItemId id : ids) {
        if (left == 0) break;
        if (id.value <= filter.after.value) continue;
        POSTERN_LET(page, readOne(session, filter, id));
        if (page.empty()) continue;
        --left;
        if (!visit(page.front())) break;
    }
    return {};
}

}  // namespace

Result<void> listItems(store::ReadSession& session, const Filter& filter,
                       const std::function<bool(const ItemRow&)>& visit) {
    if (!filter.ids.empty()) return listNamed(session, filter, visit);
    std::int64_t left = filter.limit > 0 ? filter.limit : kNoLimit;
    std::int64_t after = filter.after.value;
    while (left > 0) {
        const std::int64_t size = std::min(left, kPage);
        POSTERN_LET(page, readPage(session, filter, after, kNoLimit, size));
        for (const ItemRow& item : page)
            if (!visit(item)) return {};
        if (static_cast<std::int64_t>(page.size()) < size) return {};
        after = page.back().id.value;
        left -= size;
    }
    return {};
}

Result<ItemRow> readItem(store::ReadSession& session, ItemId id) {
    POSTERN_LET(page, readOne(session, Filter{}, id));
    if (page.empty()) return fail(Errc::NotFound, "there is no item " + std::to_string(id.value));
    return page.front();
}

Result<std::vector<RecipientRow>> readRecipients(store::ReadSession& session, ItemId id) {
    constexpr const char* kRecipients =
        "SELECT ordinal, address, legacy, outcome, reason, notify, original FROM recipient"
        " WHERE item_id = ?1 ORDER BY ordinal";
    std::vector<RecipientRow> recipients;
    store::Statement rows = session.query(kRecipients, id);
    while (rows.next()) {
        RecipientRow recipient;
        recipient.ordinal = static_cast<int>(rows.integer(0));
        recipient.address = rows.text(1);
        recipient.legacy = rows.text(2);
        recipient.outcome = rows.text(3);
        recipient.reason = rows.text(4);
        recipient.notify = rows.text(5);
        recipient.original = rows.text(6);
        recipients.push_back(std::move(recipient));
    }
    POSTERN_TRY(rows.finish());
    return recipients;
}

Result<std::vector<HistoryRow>> readHistory(store::ReadSession& session, ItemId id) {
    constexpr const char* kHistory =
        "SELECT at_ms, who, what, detail FROM history WHERE item_id = ?1 ORDER BY n";
    std::vector<HistoryRow> history;
    store::Statement rows = session.query(kHistory, id);
    while (rows.next()) {
        HistoryRow row;
        row.at = fromMillis(rows.integer(0));
        row.who = rows.text(1);
        row.what = rows.text(2);
        row.detail = rows.text(3);
        history.push_back(std::move(row));
    }
    POSTERN_TRY(rows.finish());
    return history;
}

Result<std::vector<WallTime>> endedSince(store::ReadSession& session, const std::string& adapter,
                                         WallTime since, std::int64_t most) {
    constexpr const char* kEnded =
        "SELECT settled_ms FROM item INDEXED BY item_settled WHERE settled_ms > ?2 AND adapter = ?1"
        " AND state IN ('exported', 'failed') ORDER BY settled_ms DESC LIMIT ?3";
    std::vector<WallTime> ended;
    store::Statement rows = session.query(kEnded, adapter, toMillis(since), most);
    while (rows.next()) ended.push_back(fromMillis(rows.integer(0)));
    POSTERN_TRY(rows.finish());
    std::reverse(ended.begin(), ended.end());
    return ended;
}

namespace {

// One statement, so that an item that changes meanwhile is counted once. What is not final is counted in the
// partial indexes alone, which together hold each such item once: the final items, most of the table, are not
// touched. Ids rise with acceptance, so the least id is the oldest mail.
constexpr char kCountWaiting[] = R"sql(
SELECT c.adapter, c.state, c.n, (SELECT m.received_ms FROM item i JOIN message m ON m.id = i.message_id WHERE i.id = c.first)
  FROM (SELECT adapter, 'ready' AS state, count(*) AS n, min(id) AS first
          FROM item INDEXED BY item_ready WHERE state = 'ready' AND deaths = 0 GROUP BY adapter
        UNION ALL
        SELECT adapter, 'ready', count(*), min(id)
          FROM item INDEXED BY item_suspect WHERE state = 'ready' AND deaths > 0 GROUP BY adapter
        UNION ALL
        SELECT adapter, state, count(*), min(id)
          FROM item INDEXED BY item_held_by WHERE state IN ('claimed', 'publishing') GROUP BY adapter, state
        UNION ALL
        SELECT adapter, state, count(*), min(id)
          FROM item INDEXED BY item_waiting_for_people WHERE state IN ('held', 'in_doubt') GROUP BY adapter, state) AS c)sql";
constexpr char kCountAll[] = R"sql(
SELECT c.adapter, c.state, c.n, (SELECT m.received_ms FROM item i JOIN message m ON m.id = i.message_id WHERE i.id = c.first)
  FROM (SELECT adapter, state, count(*) AS n, min(id) AS first FROM item GROUP BY adapter, state) AS c)sql";

}  // namespace

Result<std::vector<StateCount>> countItems(store::ReadSession& session, bool all) {
    std::map<std::pair<std::string, State>, StateCount> counts;
    store::Statement rows = session.query(all ? kCountAll : kCountWaiting);
    while (rows.next()) {
        const std::string adapter(rows.text(0));
        const std::optional<State> state = stateOf(rows.text(1));
        if (!state) continue;
        StateCount& count =
            counts.try_emplace({adapter, *state}, StateCount{adapter, *state, 0, {}}).first->second;
        count.count += rows.integer(2);
        const std::optional<WallTime> oldest = timeAt(rows, 3);
        if (oldest && (!count.oldest || *oldest < *count.oldest)) count.oldest = oldest;
    }
    POSTERN_TRY(rows.finish());
    std::vector<StateCount> list;
    for (auto& [key, count] : counts) list.push_back(std::move(count));
    return list;
}

namespace {

// The first message that came in at `since` or later; ids rise with acceptance.
Result<std::int64_t> firstMessageSince(store::ReadSession& session, WallTime since) {
    store::Statement rows = session.query("SELECT id, received_ms FROM message ORDER BY id DESC");
    std::int64_t first = INT64_MAX;
    while (rows.next() && rows.integer(1) >= toMillis(since)) first = rows.integer(0);
    POSTERN_TRY(rows.finish());
    return first;
}

}  // namespace

Result<std::vector<Flow>> flowSince(store::ReadSession& session, WallTime since) {
    std::map<std::string, Flow> flows;
    const auto add = [&](store::Statement rows, std::int64_t Flow::*count) -> Result<void> {
        while (rows.next()) {
            const std::string adapter(rows.text(0));
            flows.try_emplace(adapter, Flow{adapter}).first->second.*count = rows.integer(1);
        }
        return rows.finish();
    };
    POSTERN_LET(first, firstMessageSince(session, since));
    POSTERN_TRY(add(
        session.query("SELECT adapter, count(*) FROM item WHERE message_id >= ?1 GROUP BY adapter", first),
        &Flow::in));
    POSTERN_TRY(add(session.query("SELECT adapter, count(*) FROM item INDEXED BY item_settled"
                                  " WHERE settled_ms >= ?1 AND state = 'exported' GROUP BY adapter",
                                  toMillis(since)),
                    &Flow::out));
    std::vector<Flow> list;
    for (auto& [name, flow] : flows) list.push_back(std::move(flow));
    return list;
}

Result<std::string> lastTrouble(store::ReadSession& session, const std::string& adapter, WallTime since) {
    const auto first = [](store::Statement row) -> Result<std::string> {
        std::string text(row.next() ? row.text(0) : std::string_view());
        POSTERN_TRY(row.finish());
        return text;
    };
    POSTERN_LET(waiting,
                first(session.query("SELECT reason FROM item INDEXED BY item_ready WHERE adapter = ?1"
                                    " AND state = 'ready' AND deaths = 0 ORDER BY due_ms DESC LIMIT 1",
                                    adapter)));
    if (!waiting.empty()) return waiting;
    return first(
        session.query("SELECT reason FROM item INDEXED BY item_settled WHERE settled_ms >= ?2"
                      " AND adapter = ?1 AND state = 'failed' ORDER BY settled_ms DESC LIMIT 1",
                      adapter, toMillis(since)));
}

Result<ItemId> newestItem(store::ReadSession& session) {
    POSTERN_LET(id, session.one("SELECT coalesce(max(id), 0) FROM item"));
    return ItemId{id};
}

}  // namespace postern::queue
