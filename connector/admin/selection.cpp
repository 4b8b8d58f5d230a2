#include "connector/admin/selection.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "queue/inspect.h"

namespace postern::admin {

namespace {

constexpr std::int64_t kLongestRange = 100'000;
constexpr std::int64_t kAtOnce = 500;

std::optional<std::int64_t> idOf(std::string_view text) {
    const auto id = parseInt(text);
    return id && *id > 0 ? id : std::nullopt;
}

Result<Selection::Part> parsePart(std::string_view text) {
    const Error none =
        fail(Errc::Invalid, "\"" + escapeLine(text, 60) + "\" is no item: write 3, 3-7 or m12");
    if (text.starts_with('m')) {
        const auto id = idOf(text.substr(1));
        if (!id) return none;
        return Selection::Part{0, 0, MessageId{*id}};
    }
    const auto dash = text.find('-');
    const auto first = idOf(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : idOf(text.substr(dash + 1));
    if (!first || !last || *last < *first) return none;
    if (*last - *first >= kLongestRange)
        return fail(Errc::Invalid,
                    std::string(text) + " is more than " + std::to_string(kLongestRange) + " items");
    return Selection::Part{*first, *last, {}};
}

Result<void> collect(store::ReadSession& session, const queue::Filter& filter, std::vector<ItemId>& into) {
    return queue::listItems(session, filter, [&](const queue::ItemRow& row) {
        into.push_back(row.id);
        return true;
    });
}

Result<void> collectRange(store::ReadSession& session, const Selection::Part& part,
                          std::vector<ItemId>& into) {
    for (std::int64_t from = part.first; from <= part.last; from += kAtOnce) {
        queue::Filter filter;
        for (std::int64_t id = from; id <= std::min(part.last, from + kAtOnce - 1); ++id)
            filter.ids.push_back(ItemId{id});
        POSTERN_TRY(collect(session, filter, into));
    }
    return {};
}

Result<void> collectMessage(store::ReadSession& session, MessageId message, std::vector<ItemId>& into) {
    queue::Filter filter;
    filter.message = message;
    const std::size_t before = into.size();
    POSTERN_TRY(collect(session, filter, into));
    if (into.size() == before)
        return fail(Errc::NotFound, "there is no message m" + std::to_string(message.value));
    return {};
}

}  // namespace

Result<Selection> parseSelection(std::string_view text) {
    Selection selection;
    std::string plain(text);
    std::replace_if(
        plain.begin(), plain.end(), [](char c) { return c == ',' || c == '\t' || c == '\n'; }, ' ');
    for (const std::string_view word : split(plain, ' ')) {
        if (word.empty()) continue;
        POSTERN_LET(part, parsePart(word));
        selection.parts.push_back(part);
    }
    if (selection.parts.empty()) return fail(Errc::Invalid, "no item is named");
    return selection;
}

Result<std::vector<ItemId>> selectItems(store::ReadSession& session, const Selection& selection) {
    std::vector<ItemId> found;
    for (const Selection::Part& part : selection.parts) {
        if (part.message) {
            POSTERN_TRY(collectMessage(session, part.message, found));
        } else if (part.first == part.last) {
            found.push_back(ItemId{part.first});
        } else {
            POSTERN_TRY(collectRange(session, part, found));
        }
    }
    std::set<ItemId> seen;
    std::erase_if(found, [&](ItemId id) { return !seen.insert(id).second; });
    return found;
}

}  // namespace postern::admin
