#include "connector/admin/look.h"

#include <map>

#include "base/sync.h"
#include "base/text.h"
#include "base/thread.h"
#include "connector/admin/filter.h"
#include "connector/admin/selection.h"
#include "mail/field_text.h"

namespace postern::admin {

namespace {

constexpr std::int64_t kRows = 100, kMostRows = 1000;
constexpr std::size_t kMostItems = 200;    // shown with all they have, in one answer
constexpr std::size_t kMostGroups = 5000;  // of a summary; what comes behind them is one group
constexpr const char* kOthers = "(others)";

std::string groupOf(const queue::ItemRow& item, std::string_view by) {
    if (by == "sender") return item.sender.empty() ? "<>" : item.sender;
    if (by == "error") return item.reason;
    const auto at = item.firstRecipient.rfind('@');
    return at == std::string::npos ? item.firstRecipient : item.firstRecipient.substr(at + 1);
}

struct Sum {
    std::int64_t items = 0, bytes = 0;
    WallTime oldest;
};

}  // namespace

std::string messageName(MessageId id) {
    return "m" + std::to_string(id.value);
}

Record listRow(const queue::ItemRow& item, const Waits& waits) {
    const Wait wait = waits.ofItem(item);
    return Record()
        .add("id", item.id.value)
        .add("state", queue::stateName(item.state))
        .add("adapter", item.adapter)
        .add("received", item.received)
        .add("due", item.state == queue::State::Ready ? std::optional(item.due) : std::nullopt)
        .add("attempts", item.attempts)
        .add("size", Value::size(item.size))
        .add("sender", item.sender.empty() ? "<>" : item.sender)
        .add("recipient", item.firstRecipient)
        .add("recipients", item.recipientCount)
        .add("message", messageName(item.message))
        .add("subject", mail::decodeText(item.subject))
        .add("reason", item.reason)
        .add("target", item.target)
        .add("waits", wait.text)
        .add("waits_until", wait.until);
}

Record itemFacts(const queue::ItemRow& item, const store::MessageRow& message, const Waits& waits) {
    const Wait wait = waits.ofItem(item);
    return Record()
        .add("type", "item")
        .add("id", item.id.value)
        .add("state", queue::stateName(item.state))
        .add("adapter", item.adapter)
        .add("message", messageName(item.message))
        .add("group", item.group)
        .add("received", item.received)
        .add("due", item.due)
        .add("expires", item.expires)
        .add("settled", item.settled)
        .add("attempts", item.attempts)
        .add("deaths", item.deaths)
        .add("lease_until", item.leaseUntil)
        .add("target", item.target)
        .add("reason", item.reason)
        .add("evidence", item.evidence)
        .add("sender", item.sender.empty() ? "<>" : item.sender)
        .add("subject", mail::decodeText(item.subject))
        .add("message_id", item.headerId)
        .add("size", Value::size(item.size))
        .add("source", message.source)
        .add("client", message.client)
        .add("helo", message.helo)
        .add("protocol", message.protocol)
        .add("waits", wait.text)
        .add("waits_until", wait.until);
}

Record recipientRow(ItemId id, const queue::RecipientRow& recipient) {
    return Record()
        .add("type", "recipient")
        .add("id", id.value)
        .add("recipient", recipient.address)
        .add("legacy", recipient.legacy)
        .add("outcome", recipient.outcome)
        .add("reason", recipient.reason);
}

Record historyRow(ItemId id, const queue::HistoryRow& row) {
    return Record()
        .add("type", "history")
        .add("id", id.value)
        .add("at", row.at)
        .add("who", row.who)
        .add("what", row.what)
        .add("detail", row.detail);
}

Result<void> summaryRows(store::ReadSession& session, const queue::Filter& filter, std::string_view by,
                         const RowSink& row) {
    const bool byAdapter = by.empty() || by == "adapter";
    if (!byAdapter && by != "sender" && by != "domain" && by != "error")
        return fail(Errc::Invalid, "by must be adapter, sender, domain or error");
    std::map<std::pair<std::string, std::string>, Sum> sums;
    POSTERN_TRY(queue::listItems(session, filter, [&](const queue::ItemRow& item) {
        lookedAtOne();
        std::pair<std::string, std::string> key{byAdapter ? item.adapter : groupOf(item, by),
                                                byAdapter ? queue::stateName(item.state) : ""};
        if (sums.size() >= kMostGroups && !sums.contains(key)) key = {kOthers, ""};
        Sum& sum = sums[key];
        if (sum.items++ == 0 || item.received < sum.oldest) sum.oldest = item.received;
        sum.bytes += item.size;
        return true;
    }));
    for (const auto& [key, sum] : sums) {
        Record record;
        record.add(byAdapter ? "adapter" : std::string(by), key.first);
        if (byAdapter) record.add("state", key.second);
        record.add("items", sum.items).add("bytes", Value::size(sum.bytes)).add("oldest", sum.oldest);
        POSTERN_TRY(row(record));
    }
    return {};
}

namespace {

// Half of the store's readers are never taken by those who look: the mail's own reads do not queue behind
// four long lists.
class LookPlace {
  public:
    LookPlace() {
        MutexLock lock(mutex());
        const SteadyTime deadline = std::chrono::steady_clock::now() + kPatience;
        while (taken() >= kLooksAtOnce && freed().waitUntil(mutex(), deadline)) {
        }
        got_ = taken() < kLooksAtOnce;
        if (got_) ++taken();
    }
    ~LookPlace() {
        if (!got_) return;
        MutexLock lock(mutex());
        --taken();
        freed().notifyOne();
    }
    LookPlace(const LookPlace&) = delete;
    LookPlace& operator=(const LookPlace&) = delete;
    bool got() const { return got_; }

  private:
    static constexpr int kLooksAtOnce = 2;
    static constexpr Millis kPatience{30'000};
    static Mutex& mutex() {
        static Mutex one;
        return one;
    }
    static Condition& freed() {
        static Condition one;
        return one;
    }
    static int& taken() {
        static int count = 0;
        return count;
    }
    bool got_ = false;
};

}  // namespace

void lookedAtOne(Pace pace) {
    constexpr int kShort = 1000;
    static thread_local int items = 0;
    if (items < kShort) return void(++items);
    if (pace == Pace::InSlices)
        workInSlices();
    else
        giveWay();
}

Result<void> readThenHandOn(const ServiceView& view, const RowSink& row, const ReadRows& read) {
    std::vector<Record> rows;
    const RowSink keep = [&](const Record& record) -> Result<void> {
        rows.push_back(record);
        return {};
    };
    {
        const LookPlace place;
        if (!place.got()) return fail(Errc::Busy, "others are looking at the store, for long: try again");
        POSTERN_TRY(view.store.read([&](store::ReadSession& session) { return read(session, keep); }));
    }
    for (const Record& each : rows) POSTERN_TRY(row(each));
    return {};
}

Result<void> listCommand(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    return readThenHandOn(view, row, [&](store::ReadSession& session, const RowSink& keep) -> Result<void> {
        const auto config = view.config();
        const WallTime now = view.clock.now();
        POSTERN_LET(filter, filterFrom(session, *config, request, now));
        if (filter.limit > kMostRows)
            return fail(Errc::Invalid, "limit is at most 1000: ask again with after=, the last id");
        if (filter.limit == 0) filter.limit = kRows;
        POSTERN_LET(waits, Waits::read(session, *config, now));
        return queue::listItems(session, filter, [&](const queue::ItemRow& item) {
            lookedAtOne();
            return keep(listRow(item, waits)).ok();
        });
    });
}

Result<void> summaryCommand(const ServiceView& view, const Request& request, ByteStream&,
                            const RowSink& row) {
    return readThenHandOn(view, row, [&](store::ReadSession& session, const RowSink& keep) -> Result<void> {
        POSTERN_LET(filter, filterFrom(session, *view.config(), request, view.clock.now()));
        return summaryRows(session, filter, request.field("by"), keep);
    });
}

Result<void> historyRows(store::ReadSession& session, const Waits&, ItemId id, const RowSink& row) {
    POSTERN_TRY(queue::readItem(session, id));
    POSTERN_LET(history, queue::readHistory(session, id));
    for (const queue::HistoryRow& each : history) POSTERN_TRY(row(historyRow(id, each)));
    return {};
}

Result<void> itemRows(store::ReadSession& session, const Waits& waits, ItemId id, const RowSink& row) {
    POSTERN_LET(item, queue::readItem(session, id));
    POSTERN_LET(message, store::readMessage(session, item.message));
    POSTERN_TRY(row(itemFacts(item, message, waits)));
    POSTERN_LET(recipients, queue::readRecipients(session, id));
    for (const queue::RecipientRow& each : recipients) POSTERN_TRY(row(recipientRow(id, each)));
    return historyRows(session, waits, id, row);
}

namespace {

using Look = Result<void> (*)(store::ReadSession&, const Waits&, ItemId, const RowSink&);

Result<void> lookAtEach(const ServiceView& view, const Request& request, Look look, const RowSink& row) {
    return readThenHandOn(view, row, [&](store::ReadSession& session, const RowSink& keep) -> Result<void> {
        const auto config = view.config();
        POSTERN_LET(selection, parseSelection(request.field("ids")));
        POSTERN_LET(ids, selectItems(session, selection));
        if (ids.size() > kMostItems)
            return fail(Errc::Invalid, "at most 200 items can be shown in one answer");
        POSTERN_LET(waits, Waits::read(session, *config, view.clock.now()));
        for (const ItemId id : ids) POSTERN_TRY(look(session, waits, id, keep));
        return {};
    });
}

}  // namespace

Result<void> showCommand(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    return lookAtEach(view, request, itemRows, row);
}

Result<void> logCommand(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    return lookAtEach(view, request, historyRows, row);
}

}  // namespace postern::admin
