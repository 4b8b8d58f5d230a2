#include "queue/waited_for.h"

#include <algorithm>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/text.h"
#include "queue/history.h"
#include "queue/operate.h"

namespace postern::queue {

namespace {

constexpr std::size_t kPortion = 100;  // of one write: others write in between

constexpr char kDueLater[] = R"sql(
SELECT id, reason FROM item INDEXED BY item_ready
 WHERE adapter = ?1 AND state = 'ready' AND deaths = 0 AND due_ms > ?2
UNION ALL
SELECT id, reason FROM item INDEXED BY item_suspect
 WHERE adapter = ?1 AND state = 'ready' AND deaths > 0 AND due_ms > ?2)sql";
// Guarded: who was claimed, tried or held in between goes his own way.
constexpr char kDueNow[] =
    "UPDATE item SET due_ms = ?2 WHERE id = ?1 AND state = 'ready' AND due_ms > ?2"
    " AND reason = ?3 COLLATE NOCASE";

Result<std::vector<ItemId>> waitingFor(store::Store& store, const std::string& adapter,
                                       const std::string& reason, WallTime now,
                                       const std::function<Result<void>()>& goOn) {
    std::vector<ItemId> found;
    const auto look = [&](store::ReadSession& session) -> Result<void> {
        store::Statement rows = session.query(kDueLater, adapter, toMillis(now));
        while (rows.next()) {
            POSTERN_TRY(goOn());
            if (equalsIgnoreCase(rows.text(1), reason)) found.push_back(ItemId{rows.integer(0)});
        }
        return rows.finish();
    };
    POSTERN_TRY(store.read(look));
    return found;
}

}  // namespace

Result<std::size_t> dueForReason(store::Store& store, const std::string& adapter, const std::string& reason,
                                 const std::string& why, WallTime now,
                                 const std::function<Result<void>()>& goOn) {
    POSTERN_LET(found, waitingFor(store, adapter, reason, now, goOn));
    std::size_t done = 0;
    for (std::size_t next = 0; next < found.size(); next += kPortion) {
        POSTERN_TRY(goOn());
        const auto portion =
            std::span<const ItemId>(found).subspan(next, std::min(kPortion, found.size() - next));
        std::size_t changed = 0;
        const auto hasten = [&](store::WriteSession& session) -> Result<void> {
            changed = 0;
            for (const ItemId item : portion) {
                POSTERN_LET(rows, session.run(kDueNow, item, toMillis(now), reason));
                if (rows != 1) continue;
                ++changed;
                POSTERN_TRY(record(session, item, now, history::kService, verbName(Verb::Retry), why));
            }
            return {};
        };
        POSTERN_TRY(store.write(hasten));
        done += changed;
    }
    return done;
}

}  // namespace postern::queue
