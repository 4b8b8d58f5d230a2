#include "queue/envelope.h"

namespace postern::queue {

Result<std::set<std::string>> addressesOf(store::Session& session, MessageId message) {
    std::set<std::string> addresses;
    // Whoever has his end counts as well: his answer may be the one that was lost.
    auto row = session.query(
        "SELECT r.address FROM item i JOIN recipient r ON r.item_id = i.id WHERE i.message_id = ?1", message);
    while (row.next()) addresses.emplace(row.text(0));
    POSTERN_TRY(row.finish());
    return addresses;
}

}  // namespace postern::queue
