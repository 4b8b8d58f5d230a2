#pragma once
// No duplicates from upstream (RFC 1047, RELIABILITY 1.8). A sender whose "250" was lost sends again: the
// same mail by the same way in as a stored one whose "250" was never confirmed is that mail. Once confirmed,
// a second copy is a wanted one. Beside that, a listener may ask for a window in which copies are dropped
// also when confirmed.
//
// Same mail: same source, sender, set of recipients (ASCII case ignored) and content as received. For the
// window: same sender, recipients, Message-ID field and content; a mail without that field has none.
//
// LMTP answers for each recipient, so its client may have read some of the answers and come again for the
// others (RFC 2033 4.2), in one mail or in several: there fewer recipients are the same mail too. That such a
// part is confirmed shows nothing of the others, so it confirms nothing.
//
// The table `unconfirmed` is the truth and is loaded by the first mail; the map beside it only saves looking
// there for mail that is new, and each hit is verified in the table. A crash within the second before
// confirmations are written forgets them: a second copy within five days is then taken for a resend.
//
// Thread rule: confirm() and due() from any thread, keysOf() is pure; all else on the store's writer thread.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/sync.h"
#include "connector/intake/door.h"

namespace postern::intake {

inline constexpr Millis kUnconfirmedFor{5LL * 24 * 3'600'000};  // as long as senders try (RFC 5321 4.5.4.1)
inline constexpr std::size_t kMostUnconfirmed = 200'000;  // about 30 MB; beyond it the oldest are forgotten

class Duplicates {
  public:
    struct Keys {
        // The first half of a SHA-256 of the content, then of one of the recipients; empty: this mail is not
        // looked for.
        std::string exact;
        std::string wide;
        Millis within{0};
        std::set<std::string> parts{};  // over LMTP: the recipients, in lower case
        bool wanted() const { return !exact.empty() || !wide.empty(); }
    };
    static Keys keysOf(const IncomingMail& mail);

    explicit Duplicates(std::size_t most = kMostUnconfirmed) : most_(most) {}

    struct Copy {
        MessageId of;
        bool part = false;  // for some of the recipients
    };
    // Inside the work that would store the mail: what it is a copy of, also when that one is stored by the
    // same commit.
    Result<std::optional<Copy>> find(store::WriteSession& session, const Keys& keys, WallTime now);
    // Last in the work that stored it.
    Result<void> remember(store::WriteSession& session, const Keys& keys, MessageId id, WallTime now);
    // The answer of the work that called remember(). After a commit that failed, it is forgotten; when the
    // outcome is unknown, the store takes no more writes, and the next start reads what surfaced.
    void settled(const Keys& keys, MessageId id, bool stored);

    void confirm(MessageId id) EXCLUDES(mutex_);
    bool due() const EXCLUDES(mutex_);  // confirmations wait to be written
    // Writes them, inside any work, and says in `written` which; a work that fails gives them back.
    using Ids = std::vector<std::int64_t>;
    Result<void> write(store::WriteSession& session, WallTime now, Ids& written) EXCLUDES(mutex_);
    void giveBack(const Ids& written) EXCLUDES(mutex_);

    std::size_t size() const { return byId_.size(); }

  private:
    struct Entry {
        std::uint64_t key = 0;
        std::int64_t at = 0;
        std::optional<std::uint64_t> content{};  // a part of it may come again
    };
    Result<void> load(store::WriteSession& session, WallTime now);
    Result<std::optional<MessageId>> findWhole(store::WriteSession& session, const Keys& keys, WallTime now);
    Result<std::optional<MessageId>> findPart(store::WriteSession& session, const Keys& keys, WallTime now);
    Result<std::optional<MessageId>> findWide(store::WriteSession& session, const Keys& keys, WallTime now);
    Result<void> forgetOldest(store::WriteSession& session, WallTime now, Ids& written);
    void keep(std::int64_t id, Entry entry);
    void drop(std::int64_t id);

    const std::size_t most_;
    bool loaded_ = false;
    std::map<std::int64_t, Entry> byId_;
    std::unordered_map<std::uint64_t, std::int64_t> byKey_;  // eight bytes: enough to ask the table
    std::unordered_multimap<std::uint64_t, std::int64_t> byContent_;

    mutable Mutex mutex_;
    Ids confirmed_ GUARDED_BY(mutex_);
};

}  // namespace postern::intake
