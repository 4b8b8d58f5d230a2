#include "connector/reports/reporter.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "connector/reports/wants.h"
#include "mail/address.h"
#include "queue/history.h"
#include "queue/outbox.h"
#include "queue/queue.h"

namespace postern::reports {

namespace {

using Kind = queue::Fate::Kind;

constexpr std::int64_t kHeaderLimit = 64 * 1024;  // bytes of a header that come back

// Reads up to `size` bytes from the front.
Result<std::string> front(ByteSource& source, std::int64_t size) {
    std::string bytes(static_cast<std::size_t>(std::min(size, source.size())), '\0');
    for (std::size_t at = 0; at < bytes.size();) {
        POSTERN_LET(got, source.readAt(static_cast<std::int64_t>(at), bytes.data() + at, bytes.size() - at));
        if (got == 0) return fail(Errc::Io, "the message body ends early");
        at += got;
    }
    return bytes;
}

std::string_view kindWord(Kind kind) {
    return kind == Kind::Failed ? "failure" : kind == Kind::Delayed ? "delay" : "success";
}

bool sameAddress(std::string_view a, std::string_view b) {
    return equalsIgnoreCase(a, b);
}

// "a@b, c@d and 448 more": for a line of history.
std::string namesOf(const std::vector<queue::RecipientRow>& rows) {
    constexpr std::size_t kShown = 5;
    std::string text;
    for (std::size_t i = 0; i < std::min(kShown, rows.size()); ++i)
        text += (i == 0 ? "" : ", ") + escapeLine(rows[i].address, 300);
    if (rows.size() > kShown) text += " and " + std::to_string(rows.size() - kShown) + " more";
    return text;
}

}  // namespace

// The mail that a report is about. Without `found` it is gone; without `header` its bytes are.
struct Reporter::Original {
    bool found = false;
    store::MessageRow row;
    std::string header, body;
    bool whole = false;  // `body` is there, and may come back
    std::string remark;
};

// One report on its way to one addressee.
struct Reporter::Mailing {
    std::string to;
    std::vector<queue::RecipientRow> recipients;
    bool copy = false;
};

Reporter::Reporter(store::Store& store, store::Notifier& notifier) : store_(store), notifier_(notifier) {}

void Reporter::use(std::shared_ptr<const routing::Router> router, const config::Config& config) {
    auto rules = std::make_shared<Rules>();
    rules->router = std::move(router);
    rules->reports = config.reports;
    rules->hostname = config.hostname;
    // One author for every report, whichever way (KB Q182010).
    const std::string address =
        config.reports.postmaster.empty() ? "postmaster@" + config.hostname : config.reports.postmaster;
    rules->from =
        config.reports.from.empty() ? "Mail Delivery System <" + address + ">" : config.reports.from;
    MutexLock lock(mutex_);
    rules_ = std::move(rules);
}

std::shared_ptr<const Reporter::Rules> Reporter::rules() const {
    MutexLock lock(mutex_);
    return rules_;
}

Result<void> Reporter::tell(store::WriteSession& session, const queue::Fate& fate) {
    const auto rules = this->rules();
    if (!rules) return notMade(session, fate, "there are no routes yet");
    const Original original = readOriginal(session, *rules, fate);
    if (!original.found) return notMade(session, fate, original.remark);
    POSTERN_TRY(tellSender(session, *rules, fate, original));
    if (fate.kind != Kind::Failed) return {};
    return tellPostmaster(session, *rules, fate, original);
}

// A body that is gone or can not be read makes a report without it (KB Q193761), not none.
Reporter::Original Reporter::readOriginal(store::WriteSession& session, const Rules& rules,
                                          const queue::Fate& fate) const {
    Original original;
    auto row = store::readMessage(session, fate.message);
    if (!row.ok()) {
        original.remark = row.error().text;
        return original;
    }
    original.found = true;
    original.row = std::move(row).value();
    const std::int64_t limit = rules.reports.returnLimit;
    const bool fits = original.row.size <= limit;
    original.whole = fits && original.row.ret != "hdrs" && fate.kind == Kind::Failed;
    if (!fits && original.row.ret != "hdrs" && fate.kind == Kind::Failed)
        original.remark = "It has " + formatSize(original.row.size) + "; mail over " + formatSize(limit) +
                          " does not come back whole.";
    const auto source = store::openBody(session, store_.folder(), fate.message);
    const std::int64_t wanted = original.whole ? original.row.size : kHeaderLimit;
    auto bytes = source.ok() ? front(**source, wanted) : Result<std::string>(source.error());
    if (!bytes.ok()) {
        original.whole = false;
        original.remark = "It can not be read any more.";
        return original;
    }
    const std::size_t end = bytes->starts_with("\r\n") ? 0 : bytes->find("\r\n\r\n");
    const bool open = end == std::string::npos;
    original.header = open ? *bytes : bytes->substr(0, end == 0 ? 0 : end + 2);
    if (original.whole && !open) original.body = bytes->substr(end + (end == 0 ? 2 : 4));
    return original;
}

Result<void> Reporter::tellSender(store::WriteSession& session, const Rules& rules, const queue::Fate& fate,
                                  const Original& original) {
    const std::string& sender = original.row.sender;
    // RFC 5321 4.5.5, 6.1: nothing is ever sent about mail from the null sender, our own reports among it.
    if (sender.empty()) {
        if (fate.kind != Kind::Failed) return {};
        return queue::record(session, fate.item, fate.at, queue::history::kService,
                             queue::history::kUnreported, "the mail has no sender");
    }
    Mailing mailing{sender, {}, false};
    const bool automatic = mail::isAutomatic(original.header);
    for (const queue::RecipientRow& row : fate.recipients)
        if (wants(row.notify, fate.kind, automatic)) mailing.recipients.push_back(row);
    if (!mailing.recipients.empty()) return send(session, rules, fate, original, mailing);
    if (fate.kind != Kind::Failed) return {};
    return queue::record(session, fate.item, fate.at, queue::history::kService, queue::history::kUnreported,
                         "the sender asked not to be told");
}

// Copies end here: about the postmaster's own mail nobody is told, so no report breeds another (KB Q178436,
// Q175447).
Result<void> Reporter::tellPostmaster(store::WriteSession& session, const Rules& rules,
                                      const queue::Fate& fate, const Original& original) {
    const std::string& postmaster = rules.reports.postmaster;
    if (postmaster.empty() || sameAddress(original.row.sender, postmaster)) return {};
    Mailing mailing{postmaster, {}, true};
    for (const queue::RecipientRow& row : fate.recipients)
        if (!sameAddress(row.address, postmaster)) mailing.recipients.push_back(row);
    if (mailing.recipients.empty()) return {};
    return send(session, rules, fate, original, mailing);
}

namespace {

// An adapter that throws over an address must not undo the settlement that is being reported (I7).
Result<routing::Destination> routeTo(const routing::Router& router, const std::string& address) {
    try {
        return router.route(address);
    } catch (const std::exception& error) {
        return fail(Errc::Internal, std::string("it can not be routed: ") + error.what());
    }
}

// Senders: reports.adapter, else the routes. The postmaster is one of ours: the routes, else reports.adapter.
Result<routing::Destination> destinationOf(const routing::Router& router, const std::string& carrier,
                                           const std::string& address, bool routesFirst) {
    const auto routed = routeTo(router, address);
    if (carrier.empty() || (routesFirst && routed.ok())) return routed;
    if (!router.knows(carrier))
        return fail(Errc::Unavailable, "there is no adapter " + carrier + " for reports");
    const bool sameWay = routed.ok() && routed->adapter == carrier;
    return routing::Destination{carrier, sameWay ? routed->legacy : std::string(), "reports.adapter"};
}

mail::ReportKind reportKind(const routing::Router& router, const queue::Fate& fate) {
    switch (fate.kind) {
        case Kind::Failed: return mail::ReportKind::Failed;
        case Kind::Delayed: return mail::ReportKind::Delayed;
        case Kind::Exported: break;
    }
    return router.deliversFinally(fate.adapter) ? mail::ReportKind::Delivered : mail::ReportKind::Relayed;
}

}  // namespace

namespace {

// What the last attempt met is the gateway's own affair, with its paths and host names; the postmaster reads
// it.
std::string outward(Kind kind, const std::string& reason) {
    return kind == Kind::Delayed ? std::string() : reason.substr(0, reason.find("; last: "));
}

}  // namespace

mail::Report Reporter::describe(const Rules& rules, const queue::Fate& fate, const Original& original,
                                const Mailing& mailing) const {
    mail::Report report;
    report.kind = reportKind(*rules.router, fate);
    report.hostname = rules.hostname;
    report.from = rules.from;
    report.to = mailing.to;
    report.id = "report." + std::to_string(fate.item.value) + "." + std::to_string(fate.serial) +
                (mailing.copy ? "c." : ".") + store_.id().substr(0, 12);
    report.date = fate.at;
    report.copy = mailing.copy;
    report.sender = original.row.sender;
    report.arrival = original.row.received;
    report.envelopeId = original.row.envelopeId;
    report.utf8 = original.row.utf8;
    for (const queue::RecipientRow& row : mailing.recipients)
        report.recipients.push_back({row.address, row.original, row.status,
                                     mailing.copy ? row.reason : outward(fate.kind, row.reason)});
    report.until = fate.until;
    report.header = original.header;
    const bool whole = original.whole && !mailing.copy;  // the postmaster need not read people's mail
    if (whole) report.body = original.body;
    report.returned = original.header.empty() ? mail::Returned::Nothing
                      : whole                 ? mail::Returned::Whole
                                              : mail::Returned::Header;
    if (!mailing.copy) report.remark = original.remark;
    return report;
}

namespace {

// A mail that our writer can not cope with must not keep its item from failing for ever (I7).
Result<mail::WrittenReport> write(const mail::Report& report) {
    try {
        return mail::writeReport(report);
    } catch (const std::exception& error) {
        return fail(Errc::Internal, std::string("the report can not be written: ") + error.what());
    }
}

// A report about a mail that tells of an event is no news for webhooks either: they would go round.
store::NewMessage messageFor(const queue::Fate& fate, const std::string& hostname, std::string_view reported,
                             const mail::WrittenReport& written) {
    store::NewMessage message;
    message.received = fate.at;
    message.source = "report";
    message.helo = hostname;
    message.protocol = reported == queue::kEventProtocol ? reported : "local";
    message.headerId = written.messageId;
    message.subject = written.subject.substr(0, 200);
    message.eightBit = written.eightBit;
    message.utf8 = written.utf8;
    message.reportsItem = fate.item;
    return message;
}

}  // namespace

Result<void> Reporter::send(store::WriteSession& session, const Rules& rules, const queue::Fate& fate,
                            const Original& original, const Mailing& mailing) {
    const auto destination = destinationOf(*rules.router, rules.reports.adapter, mailing.to, mailing.copy);
    if (!destination.ok())
        return notMade(session, fate, "to " + escapeLine(mailing.to, 300) + ": " + destination.error().text);
    const auto made = write(describe(rules, fate, original, mailing));
    if (!made.ok()) return notMade(session, fate, made.error().text);

    POSTERN_LET(id,
                store::insertMessage(session, messageFor(fate, rules.hostname, original.row.protocol, *made),
                                     made->bytes));
    routing::Router::Routed routed;
    routed.address = mailing.to;
    routed.destination = *destination;
    POSTERN_TRY(queue::enqueue(session, id, rules.router->items({routed}, fate.at), fate.at));

    const std::string text = std::string(kindWord(fate.kind)) + " of " + namesOf(mailing.recipients) +
                             " to " + escapeLine(mailing.to, 300) + ", by m" + std::to_string(id.value) +
                             " " + made->messageId;
    POSTERN_TRY(queue::record(session, fate.item, fate.at, queue::history::kService,
                              queue::history::kReported, text));
    const auto look = [id, headerId = made->messageId](store::WriteSession& later) -> Result<void> {
        // Not when our transaction was undone, whatever took the number since.
        POSTERN_LET(row, store::readMessage(later, id));
        if (row.headerId != headerId) return fail(Errc::NotFound, "undone");
        return {};
    };
    afterCommit(look, {LogEvent::ReportQueued, fate.item, destination->adapter, text});
    return {};
}

Result<void> Reporter::notMade(store::WriteSession& session, const queue::Fate& fate,
                               const std::string& why) {
    const std::string text =
        std::string(kindWord(fate.kind)) + " of " + namesOf(fate.recipients) + ": " + why;
    POSTERN_TRY(queue::record(session, fate.item, fate.at, queue::history::kService,
                              queue::history::kUnreported, text));
    afterCommit([](store::WriteSession&) -> Result<void> { return {}; },
                {LogEvent::ReportFailed, fate.item, {}, text});
    return {};
}

// Commit first, then tell: this write stands behind the one in hand, so its answer comes after our commit.
void Reporter::afterCommit(store::Store::Work look, News news) {
    store_.write(std::move(look), [notifier = &notifier_, news = std::move(news)](const Result<void>& there) {
        if (!there.ok()) return;
        if (!news.adapter.empty()) notifier->notify(news.adapter);
        LogLine(news.event, news.item).with("what", news.text);
    });
}

}  // namespace postern::reports
