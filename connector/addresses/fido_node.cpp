#include "connector/addresses/fido_node.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/text.h"

namespace postern::addresses {

namespace {

std::optional<std::int64_t> number(std::string_view text) {
    constexpr std::int64_t kMost = 32767;
    if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    const auto value = parseInt(text);
    return value && *value <= kMost ? std::optional<std::int64_t>(*value) : std::nullopt;
}

// What stands in `text` before `end`, which is taken off as well; all of it where `end` is not there.
std::string_view takeTo(std::string_view& text, char end) {
    const auto at = std::min(text.find(end), text.size());
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return taken;
}

}  // namespace

std::string fidoNode(std::string_view domain) {
    std::int64_t point = 0, place[3] = {};
    const auto isOf = [](std::string_view label, char letter) {
        return !label.empty() && lowerAscii(label.front()) == letter;
    };
    std::string_view label = takeTo(domain, '.');
    if (isOf(label, 'p')) {
        const auto value = number(label.substr(1));
        if (!value) return {};
        point = *value;
        label = takeTo(domain, '.');
    }
    for (int i = 0; i < 3; ++i) {
        const auto value = isOf(label, "fnz"[i]) ? number(label.substr(1)) : std::nullopt;
        if (!value || (i > 0 && *value == 0)) return {};
        place[i] = *value;
        if (i < 2) label = takeTo(domain, '.');
    }
    return std::to_string(place[2]) + ":" + std::to_string(place[1]) + "/" + std::to_string(place[0]) +
           (point == 0 ? "" : "." + std::to_string(point));
}

std::string fidoLabels(std::string_view node) {
    if (node.find(':') == std::string_view::npos || node.find('/') == std::string_view::npos) return {};
    const bool hasPoint = node.find('.') != std::string_view::npos;
    const auto zone = number(takeTo(node, ':')), net = number(takeTo(node, '/'));
    const auto place = number(takeTo(node, '.'));
    const auto point = hasPoint ? number(node) : std::optional<std::int64_t>(0);
    if (!zone || !net || !place || !point || *zone == 0 || *net == 0) return {};
    return (*point == 0 ? "" : "p" + std::to_string(*point) + ".") + "f" + std::to_string(*place) + ".n" +
           std::to_string(*net) + ".z" + std::to_string(*zone);
}

}  // namespace postern::addresses
