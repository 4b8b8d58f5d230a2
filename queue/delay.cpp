// The walk to mail that waits for long, so that its sender learns of it before it is given up.

#include "queue/queue.h"

namespace postern::queue {

namespace {

// By id and so, in effect, by age; a settled item costs a look at its row, once. Who would be told is asked
// here, as kTakeDelayed in fate.cpp asks: a walk that begins again behind a long queue writes nothing for
// those that were told before.
constexpr char kNext[] = R"sql(
SELECT i.id,
       i.settled_ms IS NULL
       AND EXISTS (SELECT 1 FROM recipient r
                    WHERE r.item_id = i.id AND r.outcome = 'pending' AND r.reported = ''
                      AND (r.notify = '' OR instr(r.notify, 'delay') > 0)),
       m.received_ms
  FROM item i JOIN message m ON m.id = i.message_id
 WHERE i.id > ?1 ORDER BY i.id LIMIT ?2)sql";

struct Found {
    ItemId last;
    std::vector<ItemId> waiting;
    bool more = false;
};

Result<Found> look(store::ReadSession& session, ItemId examined, WallTime now, Millis after, int most) {
    Found found{examined, {}, false};
    int seen = 0;
    store::Statement rows = session.query(kNext, examined, most);
    while (rows.next()) {
        const WallTime received = fromMillis(rows.integer(2));
        // Of a clock that was set back: it must not stand in the way of those behind it.
        const bool fromTheFuture = received > now;
        if (!fromTheFuture && received + after > now) break;
        found.last = ItemId{rows.integer(0)};
        if (rows.integer(1) != 0 && !fromTheFuture) found.waiting.push_back(found.last);
        ++seen;
    }
    POSTERN_TRY(rows.finish());
    found.more = seen == most;
    return found;
}

}  // namespace

Result<bool> Queue::tellDelays(ItemId& examined, Millis after, int most) {
    const WallTime now = clock_.now();
    Found found;
    POSTERN_TRY(store_.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(looked, look(session, examined, now, after, most));
        found = std::move(looked);
        return {};
    }));
    // One at a time: a report that is large does not hold up the mail's commits together with others.
    for (const ItemId item : found.waiting)
        POSTERN_TRY(store_.write(
            [&](store::WriteSession& session) { return tellDelayed(session, options_.tell, item, now); }));
    examined = found.last;
    return found.more;
}

}  // namespace postern::queue
