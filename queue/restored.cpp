#include "queue/restored.h"

#include "queue/history.h"
#include "store/messages.h"

namespace postern::queue {

namespace {

// The next number of each item's history, for all of them in one statement.
constexpr char kHistory[] = R"sql(
INSERT INTO history (item_id, n, at_ms, who, what, detail)
SELECT i.id, 1 + coalesce((SELECT max(h.n) FROM history h WHERE h.item_id = i.id), 0), ?1, ?2, ?3, ?4
  FROM item i WHERE i.state IN ('ready', 'claimed', 'held'))sql";

constexpr char kHold[] = R"sql(
UPDATE item SET state = 'held', owner = NULL, lease_ms = NULL, epoch = epoch + ?1,
                reason = ?2 || CASE WHEN state = 'held' AND reason <> '' THEN '; held before: ' || reason ELSE '' END
 WHERE state IN ('ready', 'claimed', 'held'))sql";

// Theirs to be asked about at once: no holder of before lives.
constexpr char kOthers[] = R"sql(
UPDATE item SET epoch = epoch + ?1 WHERE state IN ('publishing', 'in_doubt', 'failed', 'exported'))sql";

}  // namespace

std::string restoredReason(WallTime backupOf) {
    return "restored from a backup of " + formatUtc(backupOf) + ": may have been exported since";
}

Result<Restored> markRestored(store::WriteSession& session, WallTime backupOf, const std::string& who,
                              WallTime now) {
    const std::string reason = restoredReason(backupOf);
    Restored marked;
    POSTERN_TRY(session.run(kHistory, toMillis(now), who, history::kHeld, reason));
    POSTERN_LET(held, session.run(kHold, kRestoredEpochs, reason));
    marked.held = held;
    POSTERN_TRY(session.run(kOthers, kRestoredEpochs));
    POSTERN_LET(publishing, session.one("SELECT count(*) FROM item WHERE state = 'publishing'"));
    POSTERN_LET(inDoubt, session.one("SELECT count(*) FROM item WHERE state = 'in_doubt'"));
    marked.publishing = publishing;
    marked.inDoubt = inDoubt;
    return marked;
}

Result<void> forgetMessage(store::WriteSession& session, MessageId message) {
    POSTERN_TRY(session.run("DELETE FROM item WHERE message_id = ?1", message));
    std::vector<std::string> files;  // of the store that was copied: it removed them itself
    return store::deleteMessage(session, message, files);
}

}  // namespace postern::queue
