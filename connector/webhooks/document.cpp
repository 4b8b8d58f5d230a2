#include "connector/webhooks/document.h"

#include <algorithm>

#include "base/text.h"
#include "connector/admin/look.h"
#include "connector/admin/wire.h"
#include "mail/field_text.h"

namespace postern::webhooks {

namespace {

constexpr std::size_t kNamedRecipients = 100;
constexpr std::size_t kLongestText = 900;  // bytes of a value as JSON

struct Meaning {
    std::string_view word, event;
};

// Words of queue/history.h, verbs of queue/operate.h, and queue::adapter_event.
constexpr Meaning kMeanings[] = {
    {"queued", "item.queued"},
    {"exported", "item.exported"},
    {"resolve-exported", "item.exported"},
    {"partly exported", "item.partly_exported"},
    {"recipient", "item.recipient"},
    {"deferred", "item.deferred"},
    {"failed", "item.failed"},
    {"bounce", "item.failed"},
    {"resolve-failed", "item.failed"},
    {"held", "item.held"},
    {"hold", "item.held"},
    {"in doubt", "item.in_doubt"},
    {"release", "item.released"},
    {"retry", "item.released"},
    {"resolve-resend", "item.released"},
    {"delete", "item.deleted"},
    {"moved", "item.moved"},
    {"replayed", "item.replayed"},
    {"returned", "item.returned"},
    {queue::adapter_event::kSuspended, "adapter.suspended"},
    {queue::adapter_event::kHeld, "adapter.suspended"},
    {queue::adapter_event::kRunning, "adapter.resumed"},
    {queue::adapter_event::kReleased, "adapter.resumed"},
};

admin::Record itemRecord(const EventItem& item) {
    const queue::ItemRow& row = item.row;
    return admin::Record()
        .add("id", row.id.value)
        .add("state", queue::stateName(row.state))
        .add("adapter", row.adapter)
        .add("message", admin::messageName(row.message))
        .add("received", row.received)
        .add("attempts", row.attempts)
        .add("target", row.target)
        .add("reason", row.reason)
        .add("sender", row.sender.empty() ? "<>" : row.sender)
        .add("subject", mail::decodeText(row.subject))
        .add("message_id", row.headerId)
        .add("size", admin::Value::size(row.size))
        .add("source", item.source)
        .add("recipients", row.recipientCount);
}

// As much as one line of a mail (998 bytes) takes beside its name.
std::string_view shortened(std::string_view text) {
    std::size_t most = kLongestText;
    while (admin::jsonString(cutUtf8(text, most)).size() > kLongestText + 2) most -= most / 8;
    return cutUtf8(text, most);
}

// A field a line: a reason or a subject may be long.
std::string fieldLines(const admin::Record& record) {
    std::string text = "{";
    for (const auto& field : record.fields) {
        admin::Record single;
        single.fields.push_back(field);
        std::string& value = single.fields.back().second.text;
        value = std::string(shortened(value));
        const std::string one = admin::recordJson(single);
        text += (text.size() > 1 ? ",\r\n" : "") + one.substr(1, one.size() - 2);
    }
    return text + "}";
}

std::string recipientList(const EventItem& item) {
    std::string text = "[";
    for (std::size_t i = 0; i < std::min(kNamedRecipients, item.recipients.size()); ++i) {
        const queue::RecipientRow& each = item.recipients[i];
        text += (i == 0 ? "\r\n" : ",\r\n") + fieldLines(admin::Record()
                                                             .add("recipient", each.address)
                                                             .add("legacy", each.legacy)
                                                             .add("outcome", each.outcome)
                                                             .add("reason", each.reason));
    }
    return text + "]";
}

std::string member(std::string_view name, const std::string& value) {
    return admin::jsonString(name) + ":" + value;
}

std::string memberText(std::string_view name, std::string_view value) {
    return member(name, admin::jsonString(shortened(value)));
}

// "2026-11-22T01:10:00Z" as RFC 5322 wants it, in UTC.
std::string mailDate(WallTime time) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::string utc = formatUtc(time);
    const auto days =
        std::chrono::floor<std::chrono::days>(std::chrono::sys_time<Millis>(Millis(toMillis(time))));
    const std::chrono::weekday weekday(days);
    const auto month = parseInt(utc.substr(5, 2)).value_or(1);
    return std::string(kDays[weekday.c_encoding()]) + ", " + utc.substr(8, 2) + " " +
           kMonths[std::clamp<std::int64_t>(month, 1, 12) - 1] + " " + utc.substr(0, 4) + " " +
           utc.substr(11, 8) + " +0000";
}

std::string subjectOf(const queue::Event& event) {
    std::string subject(eventOf(event.word));
    if (event.item) subject += " of item " + std::to_string(event.item->value);
    return subject + ", adapter " + event.adapter;
}

}  // namespace

std::vector<std::string_view> wordsOf(std::string_view event) {
    std::vector<std::string_view> words;
    for (const Meaning& each : kMeanings)
        if (each.event == event) words.push_back(each.word);
    return words;
}

std::string_view eventOf(std::string_view word) {
    for (const Meaning& each : kMeanings)
        if (each.word == word) return each.event;
    return {};
}

std::string document(const queue::Event& event, const std::optional<EventItem>& item,
                     const EventContext& context) {
    std::string text = "{" + memberText("type", eventOf(event.word)) + ",\r\n" +
                       memberText("timestamp", formatUtc(event.at)) + ",\r\n\"data\":{\r\n" +
                       member("event", std::to_string(event.id)) + ",\r\n" +
                       memberText("host", context.hostname) + ",\r\n" + memberText("store", context.storeId) +
                       ",\r\n" + memberText("adapter", event.adapter) + ",\r\n" +
                       memberText("who", event.who) + ",\r\n" + memberText("what", event.word) + ",\r\n" +
                       memberText("detail", event.detail) + ",\r\n";
    text += member("id", event.item ? std::to_string(event.item->value) : "null") + ",\r\n";
    text += member("item", item ? fieldLines(itemRecord(*item)) : "null") + ",\r\n";
    return text + member("recipient_rows", item ? recipientList(*item) : "[]") + "}}\r\n";
}

EventMail mailOf(const queue::Event& event, std::string_view document, const std::string& adapter,
                 WallTime now, const EventContext& context) {
    EventMail mail;
    const bool eightBit =
        std::any_of(document.begin(), document.end(), [](unsigned char c) { return c >= 0x80; });
    store::NewMessage& message = mail.message;
    message.received = now;
    message.source = "webhook";
    message.helo = context.hostname;
    message.protocol = std::string(queue::kEventProtocol);
    message.headerId = "<event." + std::to_string(event.id) + "." + adapter + "." + context.storeId + "@" +
                       context.hostname + ">";
    message.subject = subjectOf(event);
    message.eightBit = eightBit;
    mail.bytes = "From: Postern <postmaster@" + context.hostname + ">\r\nTo: " + adapter +
                 "@webhook.invalid\r\nSubject: " + message.subject + "\r\nDate: " + mailDate(now) +
                 "\r\nMessage-ID: " + message.headerId +
                 "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                 "Content-Type: application/json\r\nContent-Transfer-Encoding: " +
                 (eightBit ? "8bit" : "7bit") + "\r\n\r\n";
    mail.bytes += document;
    mail.recipient.address = adapter + "@webhook.invalid";
    return mail;
}

}  // namespace postern::webhooks
