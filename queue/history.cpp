#include "queue/history.h"

namespace postern::queue {

Result<void> record(store::WriteSession& session, ItemId item, WallTime at, std::string_view who,
                    std::string_view what, std::string_view detail) {
    constexpr const char* kInsert =
        "INSERT INTO history (item_id, n, at_ms, who, what, detail) "
        "VALUES (?1, (SELECT coalesce(max(n), 0) + 1 FROM history WHERE item_id = ?1), ?2, ?3, ?4, ?5)";
    POSTERN_TRY(session.run(kInsert, item, toMillis(at), who, what, detail));
    return {};
}

}  // namespace postern::queue
