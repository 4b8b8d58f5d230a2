#include "tests/unit/queue/fixture.h"

#include <cstdio>
#include <cstdlib>

#include "base/log.h"

namespace postern::queue {

namespace {

[[noreturn]] void give(const Error& error) {
    std::fprintf(stderr, "the test's own step failed: %s\n", error.text.c_str());
    std::abort();
}

template <class T>
T must(Result<T> result) {
    if (!result.ok()) give(result.error());
    return std::move(result).value();
}

void must(const Result<void>& result) {
    if (!result.ok()) give(result.error());
}

}  // namespace

QueueTest::QueueTest() {
    setLogLevel(Severity::Warning);
    store::StoreOptions options;
    options.folder = folder_ / "store";
    options.migrations = store::messageMigrations();
    for (const store::Migration& migration : queueMigrations()) options.migrations.push_back(migration);
    store_ = must(store::Store::open(std::move(options)));
    queue_ = std::make_unique<Queue>(queueOf("us"));
}

Queue QueueTest::queueOf(const std::string& owner, Guards guards) {
    QueueOptions options;
    options.owner = owner;
    options.guards = guards;
    return Queue(*store_, clock_, options);
}

void QueueTest::inRead(const std::function<Result<void>(store::ReadSession&)>& work) {
    must(store_->read(work));
}

void QueueTest::inWrite(const std::function<Result<void>(store::WriteSession&)>& work) {
    must(store_->write(work));
}

MessageId QueueTest::message() {
    store::BodyWriter body(*store_);
    must(body.append("Subject: hello\r\n\r\nhello\r\n"));
    must(body.seal());
    store::NewMessage mail;
    mail.received = clock_.now();
    mail.sender = "Sender@Example.Com";
    mail.source = "smtp";
    mail.headerId = "<1@example.com>";
    mail.subject = "hello";
    MessageId id;
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(made, store::insertMessage(session, mail, body));
        id = made;
        return {};
    });
    body.keep();
    return id;
}

ItemId QueueTest::post(int recipients, const std::string& adapter) {
    const MessageId mail = message();
    NewItem item;
    item.adapter = adapter;
    item.group = "1";
    item.expires = clock_.now() + Millis(5LL * 24 * 3'600'000);
    for (int i = 1; i <= recipients; ++i) {
        RecipientRow recipient;
        recipient.address = "user" + std::to_string(i) + "@example.org";
        recipient.legacy = "USER" + std::to_string(i);
        item.recipients.push_back(recipient);
    }
    ItemId id;
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(ids, enqueue(session, mail, std::span<const NewItem>(&item, 1), clock_.now()));
        id = ids.front();
        return {};
    });
    return id;
}

void QueueTest::postMany(int count, const std::string& adapter) {
    NewItem item;
    item.adapter = adapter;
    item.group = "1";
    item.recipients.push_back({0, "user@example.org", "USER", "pending", ""});
    item.expires = clock_.now() + Millis(5LL * 24 * 3'600'000);
    constexpr const char* kMessage =
        "INSERT INTO message (received_ms, sender, source, client, helo, protocol, header_id, subject, size,"
        " eight_bit) VALUES (?1, 's@example.com', 'smtp', '', '', 'SMTP', '', 'hello', 10, 0) RETURNING id";
    inWrite([&](store::WriteSession& session) -> Result<void> {
        for (int i = 0; i < count; ++i) {
            POSTERN_LET(mail, session.one(kMessage, toMillis(clock_.now())));
            POSTERN_LET(ids,
                        enqueue(session, MessageId{mail}, std::span<const NewItem>(&item, 1), clock_.now()));
        }
        return {};
    });
}

Claim QueueTest::claimOne() {
    std::vector<Claim> claims = must(queue_->claim("maildir", 1));
    if (claims.size() != 1) give(fail(Errc::Internal, "nothing to claim"));
    return claims.front();
}

Queue::Mark QueueTest::markOf(const Claim& claim) {
    return {claim.item, claim.epoch, "stage/" + std::to_string(claim.item.value)};
}

Settlement QueueTest::settlementOf(const Claim& claim, Settlement::Kind kind) {
    Settlement settlement;
    settlement.kind = kind;
    settlement.item = claim.item;
    settlement.epoch = claim.epoch;
    settlement.reason = kind == Settlement::Kind::Exported ? "" : "the reason";
    settlement.target = kind == Settlement::Kind::Exported ? "new/1" : "";
    settlement.due = fromMillis(1'700'000'600'000);
    return settlement;
}

Claim QueueTest::publishing(ItemId& item) {
    item = post();
    Claim claim = claimOne();
    const Queue::Mark mark = markOf(claim);
    if (must(queue_->markPublishing(std::span(&mark, 1))).empty()) give(fail(Errc::Internal, "not marked"));
    return claim;
}

void QueueTest::force(ItemId item, State state, int epoch, const std::string& owner) {
    const bool held = state == State::Claimed || state == State::Publishing;
    const bool published = state == State::Publishing || state == State::InDoubt || state == State::Exported;
    std::optional<std::string> holder, evidence;
    std::optional<std::int64_t> lease, staged, settled;
    if (held) {
        holder = owner;
        lease = toMillis(clock_.now() + Millis(60'000));
    }
    if (published) {
        evidence = "stage/" + std::to_string(item.value);
        staged = epoch;
    }
    if (isFinal(state)) settled = toMillis(clock_.now());
    constexpr const char* kForce =
        "UPDATE item SET state = ?2, epoch = ?3, owner = ?4, lease_ms = ?5, evidence = ?6, staged_epoch = ?7,"
        " settled_ms = ?8 WHERE id = ?1";
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_TRY(
            session.run(kForce, item, stateName(state), epoch, holder, lease, evidence, staged, settled));
        const char* outcome = state == State::Exported  ? "exported"
                              : state == State::Failed  ? "failed"
                              : state == State::Deleted ? "deleted"
                                                        : "pending";
        POSTERN_TRY(session.run("UPDATE recipient SET outcome = ?2 WHERE item_id = ?1", item, outcome));
        return {};
    });
}

ItemRow QueueTest::row(ItemId item) {
    ItemRow found;
    inRead([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(read, readItem(session, item));
        found = read;
        return {};
    });
    return found;
}

std::vector<RecipientRow> QueueTest::recipients(ItemId item) {
    std::vector<RecipientRow> found;
    inRead([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(read, readRecipients(session, item));
        found = read;
        return {};
    });
    return found;
}

std::vector<HistoryRow> QueueTest::history(ItemId item) {
    std::vector<HistoryRow> found;
    inRead([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(read, readHistory(session, item));
        found = read;
        return {};
    });
    return found;
}

std::string QueueTest::everything(ItemId item) {
    constexpr const char* kItem =
        "SELECT state || '|' || epoch || '|' || quote(owner) || '|' || quote(lease_ms) || '|' || due_ms || "
        "'|' ||"
        " expires_ms || '|' || attempts || '|' || deaths || '|' || quote(evidence) || '|' || "
        "quote(staged_epoch)"
        " || '|' || target || '|' || reason || '|' || quote(settled_ms) FROM item WHERE id = ?1";
    constexpr const char* kRecipients =
        "SELECT group_concat(ordinal || outcome || reason, ',') FROM recipient WHERE item_id = ?1";
    constexpr const char* kHistory = "SELECT count(*) || ' history' FROM history WHERE item_id = ?1";
    std::string text;
    inRead([&](store::ReadSession& session) -> Result<void> {
        for (const char* query : {kItem, kRecipients, kHistory}) {
            store::Statement rows = session.query(query, item);
            while (rows.next()) text += std::string(rows.text(0)) + "\n";
            POSTERN_TRY(rows.finish());
        }
        return {};
    });
    return text;
}

Result<void> QueueTest::trySql(const char* text) {
    return store_->write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_TRY(session.run(text));
        return {};
    });
}

void QueueTest::sql(const char* text) {
    must(trySql(text));
}

std::int64_t QueueTest::number(const char* text) {
    std::int64_t value = 0;
    inRead([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(one, session.one(text));
        value = one;
        return {};
    });
    return value;
}

std::vector<VerbResult> QueueTest::operate(Verb verb, std::vector<ItemId> ids) {
    std::vector<VerbResult> results;
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(done, queue::operate(session, verb, ids, "anna", "because", clock_.now()));
        results = done;
        return {};
    });
    return results;
}

std::vector<std::int64_t> idsOf(const std::vector<Claim>& claims) {
    std::vector<std::int64_t> ids;
    for (const Claim& claim : claims) ids.push_back(claim.item.value);
    return ids;
}

}  // namespace postern::queue
