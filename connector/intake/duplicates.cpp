#include "connector/intake/duplicates.h"

#include <cstring>
#include <set>

#include "base/digest.h"
#include "base/text.h"

namespace postern::intake {

namespace {

constexpr int kForgetAtOnce = 100;  // rows a mail's commit takes along

// With its length, so that no two lists of fields run into one another.
void add(Sha256& digest, std::string_view field) {
    digest.update(std::to_string(field.size()) + ":");
    digest.update(field);
}

// The local part may be case-sensitive, a domain never is (RFC 5321 2.4).
std::string foldedSender(const std::string& sender) {
    const std::size_t at = std::min(sender.rfind('@'), sender.size());
    return sender.substr(0, at) + lowerAscii(std::string_view(sender).substr(at));
}

void addEnvelope(Sha256& digest, const IncomingMail& mail) {
    std::set<std::string> recipients;
    for (const auto& each : mail.recipients) recipients.insert(lowerAscii(each.address));
    add(digest, foldedSender(mail.message.sender));
    add(digest, std::to_string(recipients.size()));
    for (const std::string& each : recipients) add(digest, each);
    add(digest, mail.digest);
}

std::uint64_t shortKey(std::string_view digest) {
    std::uint64_t key = 0;
    std::memcpy(&key, digest.data(), std::min(sizeof key, digest.size()));
    return key;
}

}  // namespace

Duplicates::Keys Duplicates::keysOf(const IncomingMail& mail) {
    Keys keys;
    if (mail.digest.empty()) return keys;
    if (!mail.confirmed) {
        Sha256 digest;
        add(digest, mail.message.source);
        addEnvelope(digest, mail);
        keys.exact = digest.finish();
    }
    if (mail.duplicatesWithin > Millis{0} && !mail.message.headerId.empty()) {
        Sha256 digest;
        add(digest, mail.message.headerId);
        addEnvelope(digest, mail);
        keys.wide = digest.finish();
        keys.within = mail.duplicatesWithin;
    }
    return keys;
}

void Duplicates::keep(std::uint64_t key, std::int64_t id, std::int64_t at) {
    byId_[id] = {key, at};
    byKey_[key] = id;
}

void Duplicates::drop(std::int64_t id) {
    const auto found = byId_.find(id);
    if (found == byId_.end()) return;
    const auto key = byKey_.find(found->second.key);
    if (key != byKey_.end() && key->second == id) byKey_.erase(key);
    byId_.erase(found);
}

Result<void> Duplicates::load(store::WriteSession& session, WallTime now) {
    if (loaded_) return {};
    POSTERN_TRY(session.run("DELETE FROM seen WHERE until_ms <= ?1", toMillis(now)));
    POSTERN_TRY(session.run("DELETE FROM unconfirmed WHERE at_ms <= ?1", toMillis(now - kUnconfirmedFor)));
    auto row = session.query("SELECT message_id, digest, at_ms FROM unconfirmed ORDER BY message_id");
    while (row.next()) keep(shortKey(row.text(1)), row.integer(0), row.integer(2));
    POSTERN_TRY(row.finish());
    loaded_ = true;
    return {};
}

Result<std::optional<MessageId>> Duplicates::find(store::WriteSession& session, const Keys& keys,
                                                  WallTime now) {
    POSTERN_TRY(load(session, now));
    const auto found = keys.exact.empty() ? byKey_.end() : byKey_.find(shortKey(keys.exact));
    if (found != byKey_.end()) {
        const auto row = session.one(
            "SELECT message_id FROM unconfirmed WHERE message_id = ?1 AND digest = ?2 AND at_ms > ?3",
            found->second, store::Blob{keys.exact}, toMillis(now - kUnconfirmedFor));
        if (row.ok()) return std::optional(MessageId{*row});
        if (row.error().code != Errc::NotFound) return row.error();
    }
    return findWide(session, keys, now);
}

Result<std::optional<MessageId>> Duplicates::findWide(store::WriteSession& session, const Keys& keys,
                                                      WallTime now) {
    if (keys.wide.empty()) return std::optional<MessageId>();
    const auto row = session.one("SELECT message_id FROM seen WHERE digest = ?1 AND until_ms > ?2",
                                 store::Blob{keys.wide}, toMillis(now));
    if (row.ok()) return std::optional(MessageId{*row});
    if (row.error().code != Errc::NotFound) return row.error();
    return std::optional<MessageId>();
}

Result<void> Duplicates::remember(store::WriteSession& session, const Keys& keys, MessageId id,
                                  WallTime now) {
    if (!keys.wide.empty()) {
        POSTERN_TRY(
            session.run("INSERT OR REPLACE INTO seen (digest, message_id, until_ms) VALUES (?1, ?2, ?3)",
                        store::Blob{keys.wide}, id, toMillis(now + keys.within)));
        // Each mail takes two old rows along, so the table never grows beyond its windows.
        POSTERN_TRY(
            session.run("DELETE FROM seen WHERE digest IN (SELECT digest FROM seen WHERE "
                        "until_ms <= ?1 ORDER BY until_ms LIMIT 2)",
                        toMillis(now)));
    }
    if (keys.exact.empty()) return {};
    POSTERN_TRY(session.run("INSERT INTO unconfirmed (message_id, digest, at_ms) VALUES (?1, ?2, ?3)", id,
                            store::Blob{keys.exact}, toMillis(now)));
    keep(shortKey(keys.exact), id.value, toMillis(now));
    return {};
}

void Duplicates::settled(const Keys& keys, MessageId id, bool stored) {
    const auto found = byId_.find(id.value);
    // An id whose work was undone may be another mail's by now.
    if (!stored && found != byId_.end() && found->second.key == shortKey(keys.exact)) drop(id.value);
}

void Duplicates::confirm(MessageId id) {
    if (!id) return;
    MutexLock lock(mutex_);
    confirmed_.push_back(id.value);
}

bool Duplicates::due() const {
    MutexLock lock(mutex_);
    return !confirmed_.empty();
}

Result<void> Duplicates::write(store::WriteSession& session, WallTime now, Ids& written) {
    {
        MutexLock lock(mutex_);
        written.swap(confirmed_);
    }
    for (const std::int64_t id : written) drop(id);
    for (const std::int64_t id : written)
        POSTERN_TRY(session.run("DELETE FROM unconfirmed WHERE message_id = ?1", id));
    return forgetOldest(session, now, written);
}

Result<void> Duplicates::forgetOldest(store::WriteSession& session, WallTime now, Ids& written) {
    const std::int64_t before = toMillis(now - kUnconfirmedFor);
    for (int i = 0; i < kForgetAtOnce && !byId_.empty(); ++i) {
        const auto [id, entry] = *byId_.begin();
        if (entry.at > before && byId_.size() <= most_) break;
        written.push_back(id);
        drop(id);
        POSTERN_TRY(session.run("DELETE FROM unconfirmed WHERE message_id = ?1", id));
    }
    return {};
}

void Duplicates::giveBack(const Ids& written) {
    MutexLock lock(mutex_);
    confirmed_.insert(confirmed_.end(), written.begin(), written.end());
}

}  // namespace postern::intake
