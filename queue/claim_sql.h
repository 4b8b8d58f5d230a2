#pragma once
// The statements of a claim, apart from claim.cpp so that a test can ask the engine for their plans. Inside
// the room only.

namespace postern::queue {

// The compare-and-set that two watchers can not both win (KB Q184524): it looks and takes in one statement,
// and only what is still ready. The inner SELECT is told its index: it walks the entries of one adapter in
// due order and stops after a batch, so that a claim costs the same whatever waits behind. Attempts are
// committed before the message is touched: a mail that kills its worker is found out by counting. An adapter
// that a person suspended gets nothing: asked here, once a batch, so that no claim slips in beside the
// suspension.
inline constexpr char kClaimOrdinary[] = R"sql(
UPDATE item
   SET state = 'claimed', owner = ?4, lease_ms = ?5, epoch = epoch + 1, attempts = attempts + 1
 WHERE id IN (SELECT id FROM item INDEXED BY item_ready
               WHERE adapter = ?1 AND state = 'ready' AND deaths = 0 AND due_ms <= ?2
               ORDER BY due_ms, id LIMIT ?3)
   AND state = 'ready'
   AND NOT EXISTS (SELECT 1 FROM adapter_hold
                    WHERE adapter = ?1 AND (until_ms IS NULL OR until_ms > ?2))
RETURNING id, epoch, message_id, grp, attempts, deaths, expires_ms, doubted)sql";

// The same for suspects, which come one at a time (?3 is 1), so that a watcher has nothing else in hand.
// Those of one death may be in several watchers' hands: after a crash there are many of them. One of two
// deaths and more waits until no worker of ours, of whatever adapter, has another such item: if it kills its
// process again, the blame is certain (I7). So an innocent item never has more than two. (One whose adapter
// can not tell now, kUnanswered, is in nobody's hands until it is asked again.)
inline constexpr char kClaimSuspect[] = R"sql(
UPDATE item
   SET state = 'claimed', owner = ?4, lease_ms = ?5, epoch = epoch + 1, attempts = attempts + 1
 WHERE id IN (SELECT id FROM item INDEXED BY item_suspect
               WHERE adapter = ?1 AND state = 'ready' AND deaths > 0 AND due_ms <= ?2
                 AND (deaths = 1 OR NOT EXISTS
                      (SELECT 1 FROM item INDEXED BY item_held_by
                        WHERE state IN ('claimed', 'publishing') AND deaths > 1 AND owner = ?4
                          AND lease_ms > ?2 AND reason NOT LIKE 'not known yet: %'))
               ORDER BY due_ms, id LIMIT ?3)
   AND state = 'ready'
   AND NOT EXISTS (SELECT 1 FROM adapter_hold
                    WHERE adapter = ?1 AND (until_ms IS NULL OR until_ms > ?2))
RETURNING id, epoch, message_id, grp, attempts, deaths, expires_ms, doubted)sql";

// Whether the suspect that may be taken (?3 is our name) and is due for longest has waited longer than any
// ordinary item: two index look-ups, and what is in our hands once more where there are suspects.
inline constexpr char kSuspectsTurn[] = R"sql(
SELECT coalesce(
    (SELECT due_ms FROM item INDEXED BY item_suspect
      WHERE adapter = ?1 AND state = 'ready' AND deaths > 0 AND due_ms <= ?2
        AND (deaths = 1 OR NOT EXISTS
             (SELECT 1 FROM item INDEXED BY item_held_by
               WHERE state IN ('claimed', 'publishing') AND deaths > 1 AND owner = ?3 AND lease_ms > ?2
                 AND reason NOT LIKE 'not known yet: %'))
      ORDER BY due_ms, id LIMIT 1)
    <= coalesce(
        (SELECT due_ms FROM item INDEXED BY item_ready
          WHERE adapter = ?1 AND state = 'ready' AND deaths = 0 ORDER BY due_ms, id LIMIT 1),
        9223372036854775807), 0))sql";

}  // namespace postern::queue
