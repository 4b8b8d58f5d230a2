#include "mail/header_cut.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "mail/field_rewrite.h"
#include "mail/header.h"
#include "mail/mailboxes.h"

namespace postern::mail {
namespace {

constexpr std::size_t kKeptIds = 10;  // at each end

std::string_view nameOf(std::string_view field) {
    const auto colon = field.find(':');
    return colon == std::string_view::npos ? std::string_view() : trim(field.substr(0, colon));
}

std::string_view valueOf(std::string_view field) {
    const auto colon = field.find(':');
    return colon == std::string_view::npos ? std::string_view() : field.substr(colon + 1);
}

std::int64_t total(const std::vector<std::string>& fields) {
    std::int64_t sum = 0;
    for (const std::string& field : fields) sum += static_cast<std::int64_t>(field.size());
    return sum;
}

// Not needed to read or to answer the message. "Received" counts hops: it goes last of all.
int rank(std::string_view name) {
    const std::string lower = lowerAscii(name);
    static const std::set<std::string_view> kStay = {
        "from",       "sender",      "reply-to",       "to",         "cc",
        "bcc",        "subject",     "date",           "message-id", "in-reply-to",
        "references", "return-path", "auto-submitted", "precedence", "list-id"};
    if (kStay.contains(lower) || lower.starts_with("content-") || lower == "mime-version") return 0;
    if (lower == "received") return 3;
    if (lower.starts_with("list-") || lower.starts_with("resent-") || lower.starts_with("x-postern"))
        return 2;
    return 1;
}

void dropFields(std::vector<std::string>& fields, std::int64_t limit, std::vector<std::string>& notes) {
    std::set<std::string> dropped;
    std::int64_t left = total(fields);
    for (int going = 1; going <= 3; ++going)
        for (std::size_t i = fields.size(); i-- > 0 && left > limit;) {
            if (rank(nameOf(fields[i])) != going) continue;
            dropped.insert(std::string(nameOf(fields[i])));
            left -= static_cast<std::int64_t>(fields[i].size());
            fields[i].clear();
        }
    if (dropped.empty()) return;
    std::erase(fields, std::string());
    std::string names;
    for (const std::string& name : dropped)
        if (names.size() < 200) names += (names.empty() ? "" : ", ") + escapeLine(name, 40);
    notes.push_back("header fields left out, the header has a limit of " + std::to_string(limit) +
                    " bytes: " + names);
}

void cutReferences(std::vector<std::string>& fields, std::vector<std::string>& notes) {
    for (std::string& field : fields) {
        if (!equalsIgnoreCase(nameOf(field), "References")) continue;
        const std::string value = shortReferences(valueOf(field));
        if (value.empty()) continue;
        if (auto shorter = folded("References", value, 998)) {
            field = std::move(*shorter);
            notes.emplace_back("References was cut to its first and last ten");
        }
    }
}

bool isRecipientList(std::string_view name) {
    return equalsIgnoreCase(name, "To") || equalsIgnoreCase(name, "Cc") || equalsIgnoreCase(name, "Bcc");
}

// The list up to the last comma that leaves `room` bytes, "and N more" as a comment behind it.
std::string cutList(std::string_view field, std::size_t room) {
    const std::size_t all = parseMailboxes(valueOf(field)).size();
    std::string_view kept = field.substr(0, room);
    const auto comma = kept.rfind(',');
    kept = comma == std::string_view::npos ? std::string_view() : kept.substr(0, comma);
    // A comma inside quotes or a comment is no place to cut at.
    const auto quotes = std::count(kept.begin(), kept.end(), '"');
    const auto opened = std::count(kept.begin(), kept.end(), '(');
    if (kept.empty() || quotes % 2 != 0 || opened != std::count(kept.begin(), kept.end(), ')')) return {};
    const std::size_t left = parseMailboxes(valueOf(kept)).size();
    return std::string(kept) + "\r\n (and " + std::to_string(all - std::min(all, left)) + " more)\r\n";
}

void cutLists(std::vector<std::string>& fields, std::int64_t limit, std::vector<std::string>& notes) {
    constexpr std::size_t kShortest = 200;  // bytes of a list that is worth showing
    for (std::size_t i = fields.size(); i-- > 0 && total(fields) > limit;) {
        std::string& field = fields[i];
        if (!isRecipientList(nameOf(field)) || field.size() < kShortest) continue;
        const std::int64_t over = total(fields) - limit + 40;
        const auto size = static_cast<std::int64_t>(field.size());
        const auto room = static_cast<std::size_t>(std::max<std::int64_t>(kShortest, size - over));
        std::string shorter = cutList(field, room);
        if (shorter.empty()) shorter = std::string(nameOf(field)) + ": undisclosed-recipients:;\r\n";
        if (shorter.size() >= field.size()) continue;
        notes.push_back("the list in " + std::string(nameOf(field)) + " was cut: the header has a limit of " +
                        std::to_string(limit) + " bytes");
        field = std::move(shorter);
    }
}

}  // namespace

std::string shortReferences(std::string_view value) {
    const auto ids = parseIds(value);
    if (ids.size() <= 2 * kKeptIds) return {};
    std::string out;
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (i < kKeptIds || i >= ids.size() - kKeptIds) out += " " + ids[i];
    return out;
}

Result<void> cutHeader(std::vector<std::string>& fields, std::int64_t limit,
                       std::vector<std::string>& notes) {
    if (limit == 0 || total(fields) <= limit) return {};
    cutReferences(fields, notes);
    if (total(fields) > limit) dropFields(fields, limit, notes);
    if (total(fields) > limit) cutLists(fields, limit, notes);
    const std::int64_t left = total(fields);
    if (left <= limit) return {};
    return fail(Errc::Invalid,
                "the header has " + std::to_string(left) + " bytes, the limit is " + std::to_string(limit));
}

}  // namespace postern::mail
