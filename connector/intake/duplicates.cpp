#include "connector/intake/duplicates.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/digest.h"
#include "base/text.h"
#include "queue/envelope.h"

namespace postern::intake {

namespace {

constexpr int kForgetAtOnce = 100;  // rows a mail's commit takes along
constexpr int kMostAlike = 400;     // mails of one content that a part is looked for in: a list's, in pieces
constexpr std::size_t kHalfKey = 16;  // bytes

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

std::set<std::string> recipientsOf(const IncomingMail& mail) {
    std::set<std::string> recipients;
    for (const auto& each : mail.recipients) recipients.insert(lowerAscii(each.address));
    return recipients;
}

void addRecipients(Sha256& digest, const std::set<std::string>& recipients) {
    add(digest, std::to_string(recipients.size()));
    for (const std::string& each : recipients) add(digest, each);
}

std::uint64_t shortKey(std::string_view digest) {
    std::uint64_t key = 0;
    std::memcpy(&key, digest.data(), std::min(sizeof key, digest.size()));
    return key;
}

std::uint64_t contentKey(std::string_view exact) {
    return shortKey(exact.substr(0, kHalfKey));
}
std::uint64_t wholeKey(std::string_view exact) {
    return contentKey(exact) ^ shortKey(exact.substr(std::min(kHalfKey, exact.size())));
}

}  // namespace

Duplicates::Keys Duplicates::keysOf(const IncomingMail& mail) {
    Keys keys;
    if (mail.digest.empty()) return keys;
    std::set<std::string> recipients = recipientsOf(mail);
    const std::string sender = foldedSender(mail.message.sender);
    if (mail.duplicatesWithin > Millis{0} && !mail.message.headerId.empty()) {
        Sha256 digest;
        add(digest, mail.message.headerId);
        add(digest, sender);
        addRecipients(digest, recipients);
        add(digest, mail.digest);
        keys.wide = digest.finish();
        keys.within = mail.duplicatesWithin;
    }
    if (!mail.confirmed) {
        Sha256 content, envelope;
        for (const std::string& each : {mail.message.source, sender, mail.digest}) add(content, each);
        addRecipients(envelope, recipients);
        keys.exact = content.finish().substr(0, kHalfKey) + envelope.finish().substr(0, kHalfKey);
        if (mail.message.protocol.starts_with("LMTP")) keys.parts = std::move(recipients);
    }
    return keys;
}

void Duplicates::keep(std::int64_t id, Entry entry) {
    drop(id);  // the id of a work that was undone is given again
    byKey_[entry.key] = id;
    if (entry.content) byContent_.emplace(*entry.content, id);
    byId_[id] = entry;
}

void Duplicates::drop(std::int64_t id) {
    const auto found = byId_.find(id);
    if (found == byId_.end()) return;
    const auto key = byKey_.find(found->second.key);
    if (key != byKey_.end() && key->second == id) byKey_.erase(key);
    if (found->second.content) {
        const auto [first, last] = byContent_.equal_range(*found->second.content);
        const auto alike = std::find_if(first, last, [&](const auto& each) { return each.second == id; });
        if (alike != last) byContent_.erase(alike);
    }
    byId_.erase(found);
}

Result<void> Duplicates::load(store::WriteSession& session, WallTime now) {
    if (loaded_) return {};
    POSTERN_TRY(session.run("DELETE FROM seen WHERE until_ms <= ?1", toMillis(now)));
    POSTERN_TRY(session.run("DELETE FROM unconfirmed WHERE at_ms <= ?1", toMillis(now - kUnconfirmedFor)));
    auto row = session.query(
        "SELECT u.message_id, u.digest, u.at_ms, coalesce(m.protocol LIKE 'LMTP%', 0) FROM unconfirmed u "
        "LEFT JOIN message m ON m.id = u.message_id ORDER BY u.message_id");
    while (row.next()) {
        const std::string_view exact = row.text(1);
        Entry entry{wholeKey(exact), row.integer(2)};
        if (row.integer(3) != 0) entry.content = contentKey(exact);
        keep(row.integer(0), entry);
    }
    POSTERN_TRY(row.finish());
    loaded_ = true;
    return {};
}

Result<std::optional<Duplicates::Copy>> Duplicates::find(store::WriteSession& session, const Keys& keys,
                                                         WallTime now) {
    POSTERN_TRY(load(session, now));
    if (!keys.exact.empty()) {
        POSTERN_LET(whole, findWhole(session, keys, now));
        if (whole) return std::optional(Copy{*whole});
        POSTERN_LET(part, findPart(session, keys, now));
        if (part) return std::optional(Copy{*part, true});
    }
    POSTERN_LET(wide, findWide(session, keys, now));
    if (wide) return std::optional(Copy{*wide});
    return std::optional<Copy>();
}

Result<std::optional<MessageId>> Duplicates::findWhole(store::WriteSession& session, const Keys& keys,
                                                       WallTime now) {
    const auto found = byKey_.find(wholeKey(keys.exact));
    if (found == byKey_.end()) return std::optional<MessageId>();
    const auto row =
        session.one("SELECT message_id FROM unconfirmed WHERE message_id = ?1 AND digest = ?2 AND at_ms > ?3",
                    found->second, store::Blob{keys.exact}, toMillis(now - kUnconfirmedFor));
    if (row.ok()) return std::optional(MessageId{*row});
    if (row.error().code != Errc::NotFound) return row.error();
    return std::optional<MessageId>();
}

// Among the mails of its content one that has all of its recipients.
Result<std::optional<MessageId>> Duplicates::findPart(store::WriteSession& session, const Keys& keys,
                                                      WallTime now) {
    if (keys.parts.empty()) return std::optional<MessageId>();
    const std::string_view content = std::string_view(keys.exact).substr(0, kHalfKey);
    int looks = kMostAlike;
    const auto [first, last] = byContent_.equal_range(contentKey(keys.exact));
    for (auto each = first; each != last && looks-- > 0; ++each) {
        const auto row = session.one(
            "SELECT message_id FROM unconfirmed WHERE message_id = ?1 AND substr(digest, 1, 16) = ?2 AND "
            "at_ms > ?3",
            each->second, store::Blob{content}, toMillis(now - kUnconfirmedFor));
        if (!row.ok() && row.error().code == Errc::NotFound) continue;
        if (!row.ok()) return row.error();
        POSTERN_LET(addresses, queue::addressesOf(session, MessageId{*row}));
        std::set<std::string> there;
        for (const std::string& address : addresses) there.insert(lowerAscii(address));
        if (std::includes(there.begin(), there.end(), keys.parts.begin(), keys.parts.end()))
            return std::optional(MessageId{*row});
    }
    return std::optional<MessageId>();
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
    Entry entry{wholeKey(keys.exact), toMillis(now)};
    if (keys.parts.size() > 1) entry.content = contentKey(keys.exact);
    keep(id.value, entry);
    return {};
}

void Duplicates::settled(const Keys& keys, MessageId id, bool stored) {
    const auto found = byId_.find(id.value);
    // An id whose work was undone may be another mail's by now.
    if (!stored && found != byId_.end() && found->second.key == wholeKey(keys.exact)) drop(id.value);
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
