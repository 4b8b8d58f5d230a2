#include "queue/set_back.h"

#include <vector>

#include "base/ids.h"

namespace postern::queue {

namespace {

constexpr Millis kUnnoticed{1000};  // clocks are slewed all the time; so much later nobody minds

constexpr char kOfTheFuture[] = R"sql(
SELECT id FROM item INDEXED BY item_ready
 WHERE adapter = ?1 AND state = 'ready' AND deaths = 0 AND due_ms > ?2
   AND EXISTS (SELECT 1 FROM history WHERE item_id = item.id AND at_ms > ?2)
UNION ALL
SELECT id FROM item INDEXED BY item_suspect
 WHERE adapter = ?1 AND state = 'ready' AND deaths > 0 AND due_ms > ?2
   AND EXISTS (SELECT 1 FROM history WHERE item_id = item.id AND at_ms > ?2)
 LIMIT ?3)sql";
constexpr char kDueNow[] = "UPDATE item SET due_ms = ?2 WHERE id = ?1 AND state = 'ready' AND due_ms > ?2";

}  // namespace

Result<int> dueAfterSetBack(store::Store& store, const std::string& adapter, WallTime now, int most) {
    std::vector<ItemId> found;
    POSTERN_TRY(store.read([&](store::ReadSession& session) -> Result<void> {
        store::Statement rows = session.query(kOfTheFuture, adapter, toMillis(now), most);
        while (rows.next()) found.push_back(ItemId{rows.integer(0)});
        return rows.finish();
    }));
    if (found.empty()) return 0;
    const auto hasten = [&](store::WriteSession& session) -> Result<void> {
        for (const ItemId item : found) POSTERN_TRY(session.run(kDueNow, item, toMillis(now)));
        return {};
    };
    POSTERN_TRY(store.write(hasten));
    return static_cast<int>(found.size());
}

bool SetBack::since(const Clock& clock) {
    const Millis steady = std::chrono::duration_cast<Millis>(clock.steady().time_since_epoch());
    const Millis ahead = Millis(toMillis(clock.now())) - steady;
    const bool back = !asked_ || ahead < ahead_ - kUnnoticed;
    asked_ = true;
    ahead_ = ahead;
    return back;
}

}  // namespace postern::queue
