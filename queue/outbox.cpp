#include "queue/outbox.h"

#include <algorithm>

#include "queue/history.h"

namespace postern::queue {

namespace {

// The item's adapter as it was when it happened; the message says whether it is itself a telling.
constexpr char kOfItem[] = R"sql(
CREATE TRIGGER event_of_item AFTER INSERT ON history
WHEN EXISTS (SELECT 1 FROM event_word WHERE word = NEW.what)
BEGIN
    INSERT INTO event (at_ms, word, who, detail, adapter, item_id)
    SELECT NEW.at_ms, NEW.what, NEW.who, NEW.detail, item.adapter, item.id
      FROM item JOIN message ON message.id = item.message_id
     WHERE item.id = NEW.item_id AND message.protocol <> 'event';
END)sql";

// The row is written at each look at a suspended adapter: only a change of state is news.
constexpr char kOfState[] = R"sql(
CREATE TRIGGER event_of_state AFTER UPDATE OF state ON adapter_state
WHEN NEW.state <> OLD.state AND EXISTS (SELECT 1 FROM event_word WHERE word = 'adapter ' || NEW.state)
 AND NOT EXISTS (SELECT 1 FROM event_follower WHERE adapter = NEW.adapter)
BEGIN
    INSERT INTO event (at_ms, word, who, detail, adapter)
    VALUES (NEW.since_ms, 'adapter ' || NEW.state, NEW.who, NEW.reason, NEW.adapter);
END)sql";

constexpr char kOfFirstState[] = R"sql(
CREATE TRIGGER event_of_first_state AFTER INSERT ON adapter_state
WHEN NEW.state = 'suspended' AND EXISTS (SELECT 1 FROM event_word WHERE word = 'adapter suspended')
 AND NOT EXISTS (SELECT 1 FROM event_follower WHERE adapter = NEW.adapter)
BEGIN
    INSERT INTO event (at_ms, word, who, detail, adapter)
    VALUES (NEW.since_ms, 'adapter suspended', NEW.who, NEW.reason, NEW.adapter);
END)sql";

constexpr char kOfHold[] = R"sql(
CREATE TRIGGER event_of_hold AFTER INSERT ON adapter_hold
WHEN EXISTS (SELECT 1 FROM event_word WHERE word = 'adapter held')
 AND NOT EXISTS (SELECT 1 FROM event_follower WHERE adapter = NEW.adapter)
BEGIN
    INSERT INTO event (at_ms, word, who, detail, adapter)
    VALUES (NEW.since_ms, 'adapter held', NEW.who, NEW.reason, NEW.adapter);
END)sql";

// The row that goes does not say when: the system's clock does. Nor who ended it: releaseAdapter() does.
constexpr char kOfRelease[] = R"sql(
CREATE TRIGGER event_of_release AFTER DELETE ON adapter_hold
WHEN EXISTS (SELECT 1 FROM event_word WHERE word = 'adapter released')
 AND NOT EXISTS (SELECT 1 FROM event_follower WHERE adapter = OLD.adapter)
BEGIN
    INSERT INTO event (at_ms, word, who, detail, adapter)
    VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 'adapter released', 'postern',
            'was suspended by ' || OLD.who || CASE OLD.reason WHEN '' THEN '' ELSE ': ' || OLD.reason END,
            OLD.adapter);
END)sql";

constexpr const char* kTriggers[] = {kOfItem, kOfState, kOfFirstState, kOfHold, kOfRelease};
constexpr const char* kDrops[] = {
    "DROP TRIGGER IF EXISTS event_of_item", "DROP TRIGGER IF EXISTS event_of_state",
    "DROP TRIGGER IF EXISTS event_of_first_state", "DROP TRIGGER IF EXISTS event_of_hold",
    "DROP TRIGGER IF EXISTS event_of_release"};

Result<std::vector<Follower>> followersIn(store::Session& session) {
    std::vector<Follower> found;
    store::Statement rows = session.query("SELECT adapter, after_id FROM event_follower ORDER BY adapter");
    while (rows.next()) found.push_back({std::string(rows.text(0)), rows.integer(1)});
    POSTERN_TRY(rows.finish());
    return found;
}

Result<void> dropTriggers(store::WriteSession& session) {
    for (const char* drop : kDrops) POSTERN_TRY(session.run(drop));
    return {};
}

Result<void> nobodyFollows(store::WriteSession& session) {
    POSTERN_TRY(dropTriggers(session));
    POSTERN_TRY(session.run("DELETE FROM event"));
    POSTERN_TRY(session.run("DELETE FROM event_follower"));
    POSTERN_TRY(session.run("DELETE FROM event_word"));
    return {};
}

Result<void> writeFollowers(store::WriteSession& session, const std::vector<std::string>& adapters) {
    POSTERN_LET(before, followersIn(session));
    const auto wanted = [&](const std::string& adapter) {
        return std::find(adapters.begin(), adapters.end(), adapter) != adapters.end();
    };
    for (const Follower& old : before)
        if (!wanted(old.adapter))
            POSTERN_TRY(session.run("DELETE FROM event_follower WHERE adapter = ?1", old.adapter));
    // AUTOINCREMENT remembers the newest id, also when its row is gone.
    constexpr const char* kBegin =
        "INSERT OR IGNORE INTO event_follower (adapter, after_id)"
        " SELECT ?1, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)";
    for (const std::string& adapter : adapters) POSTERN_TRY(session.run(kBegin, adapter));
    return {};
}

}  // namespace

Result<void> followEvents(store::WriteSession& session, const std::vector<std::string>& adapters,
                          const std::vector<std::string_view>& words) {
    if (adapters.empty()) return nobodyFollows(session);
    POSTERN_TRY(writeFollowers(session, adapters));
    POSTERN_TRY(session.run("DELETE FROM event_word"));
    for (const std::string_view word : words)
        POSTERN_TRY(session.run("INSERT OR IGNORE INTO event_word (word) VALUES (?1)", word));
    POSTERN_TRY(dropTriggers(session));  // those of an older version may say something else
    for (const char* trigger : kTriggers) POSTERN_TRY(session.run(trigger));
    return {};
}

Result<bool> hasFollowers(store::ReadSession& session) {
    POSTERN_LET(there, session.one("SELECT EXISTS (SELECT 1 FROM event_follower)"));
    return there != 0;
}

Result<std::vector<Follower>> readFollowers(store::ReadSession& session) {
    return followersIn(session);
}

Result<std::vector<Event>> readEvents(store::ReadSession& session, int most) {
    std::vector<Event> events;
    store::Statement rows = session.query(
        "SELECT id, at_ms, word, who, detail, adapter, item_id FROM event ORDER BY id LIMIT ?1", most);
    while (rows.next()) {
        Event event;
        event.id = rows.integer(0);
        event.at = fromMillis(rows.integer(1));
        event.word = rows.text(2);
        event.who = rows.text(3);
        event.detail = rows.text(4);
        event.adapter = rows.text(5);
        if (!rows.isNull(6)) event.item = ItemId{rows.integer(6)};
        events.push_back(std::move(event));
    }
    POSTERN_TRY(rows.finish());
    return events;
}

Result<void> dropEvents(store::WriteSession& session, std::int64_t last) {
    POSTERN_TRY(session.run("DELETE FROM event WHERE id <= ?1", last));
    return {};
}

Result<void> setEventAside(store::WriteSession& session, const Event& event, const std::string& reason,
                           WallTime now) {
    if (event.item) {
        POSTERN_LET(there,
                    session.one("SELECT EXISTS (SELECT 1 FROM item WHERE id = ?1)", event.item->value));
        if (there != 0)
            POSTERN_TRY(record(session, *event.item, now, history::kService, history::kNote,
                               "no webhook is told of its \"" + event.word + "\": " + reason));
    }
    return dropEvents(session, event.id);
}

}  // namespace postern::queue
