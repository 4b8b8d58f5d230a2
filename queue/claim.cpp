// Taking items, keeping them, announcing their publication and giving them back.

#include <algorithm>

#include "queue/queue.h"
#include "queue/recipients.h"

namespace postern::queue {

namespace {

// The compare-and-set that two watchers can not both win (KB Q184524): it looks and takes in one statement,
// and only what is still ready. The inner SELECT is told its index: it walks the entries of one adapter in
// due order and stops after a batch, so that a claim costs the same whatever waits behind. Attempts are
// committed before the message is touched: a mail that kills its worker is found out by counting.
constexpr char kClaimOrdinary[] = R"sql(
UPDATE item
   SET state = 'claimed', owner = ?4, lease_ms = ?5, epoch = epoch + 1, attempts = attempts + 1
 WHERE id IN (SELECT id FROM item INDEXED BY item_ready
               WHERE adapter = ?1 AND state = 'ready' AND deaths = 0 AND due_ms <= ?2
               ORDER BY due_ms, id LIMIT ?3)
   AND state = 'ready'
RETURNING id, epoch, message_id, grp, attempts, deaths, expires_ms)sql";

// The same for suspects, which come one at a time (?3 is 1): if this one kills its worker too, no other item
// is in its hands, and the blame is certain (I7).
constexpr char kClaimSuspect[] = R"sql(
UPDATE item
   SET state = 'claimed', owner = ?4, lease_ms = ?5, epoch = epoch + 1, attempts = attempts + 1
 WHERE id IN (SELECT id FROM item INDEXED BY item_suspect
               WHERE adapter = ?1 AND state = 'ready' AND deaths > 0 AND due_ms <= ?2
               ORDER BY due_ms, id LIMIT ?3)
   AND state = 'ready'
RETURNING id, epoch, message_id, grp, attempts, deaths, expires_ms)sql";

// Whether the suspect that is due for longest has waited longer than any ordinary item: two index look-ups.
constexpr char kSuspectsTurn[] = R"sql(
SELECT coalesce(
    (SELECT due_ms FROM item INDEXED BY item_suspect
      WHERE adapter = ?1 AND state = 'ready' AND deaths > 0 AND due_ms <= ?2 ORDER BY due_ms, id LIMIT 1)
    <= coalesce(
        (SELECT due_ms FROM item INDEXED BY item_ready
          WHERE adapter = ?1 AND state = 'ready' AND deaths = 0 ORDER BY due_ms, id LIMIT 1),
        9223372036854775807), 0))sql";

// A holder's own: the epoch is the proof that nobody claimed or took over the item since. The staged epoch is
// written down beside the evidence, because takeovers raise the epoch and the artifact keeps its name.
constexpr char kMark[] = R"sql(
UPDATE item SET state = 'publishing', evidence = ?3, staged_epoch = ?2, lease_ms = ?4, owner = ?5
 WHERE id = ?1 AND epoch = ?2 AND state = 'claimed')sql";
// Tests only: believes whoever comes, as the product of 1998 did.
constexpr char kMarkUnguarded[] = R"sql(
UPDATE item SET state = 'publishing', evidence = ?3, staged_epoch = ?2, lease_ms = ?4, owner = ?5,
                settled_ms = NULL
 WHERE id = ?1)sql";

// A late holder must not prolong the lease of the one who took over.
constexpr char kRenew[] = R"sql(
UPDATE item SET lease_ms = ?3 WHERE id = ?1 AND epoch = ?2 AND state IN ('claimed', 'publishing'))sql";
constexpr char kRenewUnguarded[] = R"sql(
UPDATE item SET lease_ms = ?3 WHERE id = ?1 AND ?2 > 0 AND state IN ('claimed', 'publishing'))sql";

// Only from claimed: what is publishing may have reached the legacy side and must be settled. The attempt was
// none, so it is not counted.
constexpr char kGiveBack[] = R"sql(
UPDATE item SET state = 'ready', owner = NULL, lease_ms = NULL, attempts = max(attempts - 1, 0)
 WHERE id = ?1 AND epoch = ?2 AND state = 'claimed')sql";
constexpr char kGiveBackUnguarded[] = R"sql(
UPDATE item SET state = 'ready', owner = NULL, lease_ms = NULL, attempts = max(attempts - 1, 0)
 WHERE id = ?1 AND ?2 > 0 AND state = 'claimed')sql";

Claim claimFrom(const store::Statement& row, const std::string& adapter, WallTime leaseUntil) {
    Claim claim;
    claim.item = ItemId{row.integer(0)};
    claim.epoch = Epoch{row.integer(1)};
    claim.message = MessageId{row.integer(2)};
    claim.adapter = adapter;
    claim.group = row.text(3);
    claim.attempts = static_cast<int>(row.integer(4));
    claim.deaths = static_cast<int>(row.integer(5));
    claim.expires = fromMillis(row.integer(6));
    claim.leaseUntil = leaseUntil;
    return claim;
}

}  // namespace

Result<std::vector<Claim>> Queue::claim(const std::string& adapter, int most) {
    std::vector<Claim> claims;
    if (most <= 0) return claims;
    const auto work = [&](store::WriteSession& session) -> Result<void> {
        claims.clear();
        const WallTime now = clock_.now();
        const WallTime lease = now + options_.lease;
        POSTERN_LET(suspect, session.one(kSuspectsTurn, adapter, toMillis(now)));
        {
            store::Statement taken =
                session.query(suspect != 0 ? kClaimSuspect : kClaimOrdinary, adapter, toMillis(now),
                              suspect != 0 ? 1 : most, options_.owner, toMillis(lease));
            while (taken.next()) claims.push_back(claimFrom(taken, adapter, lease));
            POSTERN_TRY(taken.finish());
        }
        // RETURNING promises no order.
        std::sort(claims.begin(), claims.end(),
                  [](const Claim& a, const Claim& b) { return a.item < b.item; });
        for (Claim& claim : claims) {
            POSTERN_LET(recipients, pendingRecipients(session, claim.item));
            claim.recipients = std::move(recipients);
        }
        return {};
    };
    POSTERN_TRY(store_.write(work));
    return claims;
}

Result<std::vector<ItemId>> Queue::renew(std::span<const Claim> claims) {
    std::vector<ItemId> ours;
    const char* sql = options_.guards.epoch ? kRenew : kRenewUnguarded;
    const auto work = [&](store::WriteSession& session) -> Result<void> {
        ours.clear();
        const std::int64_t lease = toMillis(clock_.now() + options_.lease);
        for (const Claim& claim : claims) {
            POSTERN_LET(changed, session.run(sql, claim.item, claim.epoch, lease));
            if (changed == 1) ours.push_back(claim.item);
        }
        return {};
    };
    POSTERN_TRY(store_.write(work));
    return ours;
}

Result<std::vector<ItemId>> Queue::markPublishing(std::span<const Mark> marks) {
    for (const Mark& mark : marks)
        if (mark.evidence.empty())
            return fail(Errc::Invalid, "item " + std::to_string(mark.item.value) + " has no evidence");
    std::vector<ItemId> ours;
    const char* sql = options_.guards.epoch ? kMark : kMarkUnguarded;
    const auto work = [&](store::WriteSession& session) -> Result<void> {
        ours.clear();
        const std::int64_t lease = toMillis(clock_.now() + options_.lease);
        for (const Mark& mark : marks) {
            POSTERN_LET(changed,
                        session.run(sql, mark.item, mark.epoch, mark.evidence, lease, options_.owner));
            if (changed == 1) ours.push_back(mark.item);
        }
        return {};
    };
    POSTERN_TRY(store_.write(work));
    return ours;
}

Result<void> Queue::giveBack(std::span<const Claim> claims) {
    const char* sql = options_.guards.epoch ? kGiveBack : kGiveBackUnguarded;
    return store_.write([&](store::WriteSession& session) -> Result<void> {
        for (const Claim& claim : claims) POSTERN_TRY(session.run(sql, claim.item, claim.epoch));
        return {};
    });
}

}  // namespace postern::queue
