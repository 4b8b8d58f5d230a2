#include "queue/hold.h"

namespace postern::queue {

Result<std::vector<AdapterHold>> readHolds(store::ReadSession& session) {
    std::vector<AdapterHold> holds;
    store::Statement rows =
        session.query("SELECT adapter, since_ms, who, reason, until_ms FROM adapter_hold ORDER BY adapter");
    while (rows.next()) {
        AdapterHold hold;
        hold.adapter = rows.text(0);
        hold.since = fromMillis(rows.integer(1));
        hold.who = rows.text(2);
        hold.reason = rows.text(3);
        if (!rows.isNull(4)) hold.until = fromMillis(rows.integer(4));
        holds.push_back(std::move(hold));
    }
    POSTERN_TRY(rows.finish());
    return holds;
}

Result<void> holdAdapter(store::WriteSession& session, const AdapterHold& hold) {
    if (hold.adapter.empty() || hold.who.empty())
        return fail(Errc::Invalid, "a suspension names its adapter and who asked for it");
    if (hold.until && *hold.until <= hold.since)
        return fail(Errc::Invalid, "the end of a suspension must be in the future");
    constexpr const char* kHold =
        "INSERT INTO adapter_hold (adapter, since_ms, who, reason, until_ms) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (adapter) DO UPDATE SET since_ms = excluded.since_ms, who = excluded.who,"
        " reason = excluded.reason, until_ms = excluded.until_ms";
    std::optional<std::int64_t> until;
    if (hold.until) until = toMillis(*hold.until);
    POSTERN_TRY(session.run(kHold, hold.adapter, toMillis(hold.since), hold.who, hold.reason, until));
    return {};
}

Result<bool> releaseAdapter(store::WriteSession& session, const std::string& adapter, std::string_view who) {
    POSTERN_LET(newest, session.one("SELECT coalesce(max(id), 0) FROM event"));
    POSTERN_LET(gone, session.run("DELETE FROM adapter_hold WHERE adapter = ?1", adapter));
    // The trigger on the row that goes (outbox.h) can not know it.
    POSTERN_TRY(
        session.run("UPDATE event SET who = ?1 WHERE id > ?2 AND adapter = ?3", who, newest, adapter));
    return gone > 0;
}

Result<bool> releaseExpired(store::WriteSession& session, const std::string& adapter, WallTime now) {
    POSTERN_LET(gone, session.run("DELETE FROM adapter_hold WHERE adapter = ?1 AND until_ms <= ?2", adapter,
                                  toMillis(now)));
    return gone > 0;
}

}  // namespace postern::queue
