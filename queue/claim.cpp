// Taking items, keeping them, announcing their publication and giving them back.

#include <algorithm>

#include "queue/claim_sql.h"
#include "queue/queue.h"
#include "queue/recipients.h"

namespace postern::queue {

namespace {

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
    claim.doubted = row.integer(7) != 0;
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
        POSTERN_LET(suspect, session.one(kSuspectsTurn, adapter, toMillis(now), options_.owner));
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
