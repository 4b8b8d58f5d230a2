#include "queue/operate.h"
#include "store/messages.h"

namespace postern::queue {

namespace {

// Messages with an item settled long enough ago and none that is not: an item without settled_ms is not final
// (a CHECK says so), and its message must stay readable for it.
constexpr char kSettledMessages[] = R"sql(
SELECT DISTINCT i.message_id FROM item i INDEXED BY item_settled
 WHERE i.settled_ms IS NOT NULL AND i.settled_ms < ?1
   AND NOT EXISTS (SELECT 1 FROM item o
                    WHERE o.message_id = i.message_id AND (o.settled_ms IS NULL OR o.settled_ms >= ?1))
 LIMIT ?2)sql";

Result<std::vector<MessageId>> settledMessages(store::WriteSession& session, WallTime before, int most) {
    std::vector<MessageId> messages;
    store::Statement rows = session.query(kSettledMessages, toMillis(before), most);
    while (rows.next()) messages.push_back(MessageId{rows.integer(0)});
    POSTERN_TRY(rows.finish());
    return messages;
}

}  // namespace

Result<std::int64_t> purgeSettled(store::WriteSession& session, WallTime before, int most,
                                  std::vector<std::string>& files) {
    POSTERN_LET(messages, settledMessages(session, before, most));
    for (const MessageId message : messages) {
        // Recipients and history go with their item (ON DELETE CASCADE). The guard says once more what the
        // choice above said: an item in anybody's hands can not vanish.
        constexpr const char* kDelete = "DELETE FROM item WHERE message_id = ?1 AND settled_ms IS NOT NULL";
        POSTERN_TRY(session.run(kDelete, message));
        POSTERN_TRY(store::deleteMessage(session, message, files));
    }
    return static_cast<std::int64_t>(messages.size());
}

}  // namespace postern::queue
