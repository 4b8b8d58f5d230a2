#include "connector/addresses/name_pattern.h"

#include <algorithm>

#include "base/text.h"
#include "connector/addresses/address_pattern.h"
#include "connector/addresses/capsule.h"
#include "connector/addresses/fido_node.h"
#include "mail/address.h"

namespace postern::addresses {

namespace {

constexpr const char* kTokens =
    "knows %g, %s, %i, %d, %m and %e, cuts such as %3s, %rxy, and %% for a percent sign";

bool isSeparator(char c) {
    return std::string_view(" .,_-").find(c) != std::string_view::npos;
}

std::string_view firstCharacters(std::string_view text, std::size_t most) {
    if (most == 0) return text;
    std::size_t at = 0;
    for (std::size_t seen = 0; at < text.size(); ++at) {
        const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
        if (begins && seen++ == most) break;
    }
    return text.substr(0, at);
}

void stripEnd(std::string& text) {
    while (!text.empty() && isSeparator(text.back())) text.pop_back();
}

std::string_view withoutLeadingSeparators(std::string_view text) {
    while (!text.empty() && isSeparator(text.front())) text.remove_prefix(1);
    return text;
}

}  // namespace

void NamePattern::addLiteral(char c) {
    if (pieces_.empty() || pieces_.back().field != Field::Literal) pieces_.push_back({});
    std::string& text = pieces_.back().text;
    if (c == ' ' && text.ends_with(' ')) return;  // names fold them
    text += c;
}

Result<void> NamePattern::readBrace(std::string_view& rest) {
    static constexpr std::pair<std::string_view, Field> kFields[] = {{"local", Field::Local},
                                                                     {"domain", Field::Domain},
                                                                     {"address", Field::Address},
                                                                     {"node", Field::Node}};
    const auto close = rest.find('}');
    const std::string_view name =
        rest.substr(1, close == std::string_view::npos ? rest.size() - 1 : close - 1);
    const auto* const found = std::find_if(std::begin(kFields), std::end(kFields),
                                           [&](const auto& each) { return each.first == name; });
    if (close == std::string_view::npos || found == std::end(kFields))
        return fail(Errc::Invalid, "knows {local}, {domain}, {address} and {node}, not \"{" +
                                       escapeLine(name, 40) + "\"; write \"{{\" for a brace");
    pieces_.push_back({found->second});
    rest.remove_prefix(close + 1);
    return {};
}

Result<void> NamePattern::readPercent(std::string_view& rest, Swaps& swaps) {
    static constexpr std::pair<char, Field> kFields[] = {{'g', Field::Given},    {'s', Field::Surname},
                                                         {'i', Field::Initials}, {'d', Field::Display},
                                                         {'m', Field::Local},    {'e', Field::Capsule}};
    const std::string shown = escapeLine(rest.substr(0, 4), 8);
    const Error wrong = fail(Errc::Invalid, std::string(kTokens) + ", not \"" + shown + "\"");
    std::size_t at = 1;
    while (at < rest.size() && rest[at] >= '0' && rest[at] <= '9') ++at;
    const auto count = parseInt(at > 1 && at < 5 ? rest.substr(1, at - 1) : "0");
    if (at >= rest.size() || at >= 5 || (at > 1 && *count == 0)) return wrong;
    if (rest[at] == 'r' && at == 1) {
        const std::string_view pair = rest.substr(2, 2);
        if (pair.size() < 2 ||
            std::any_of(pair.begin(), pair.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; }))
            return fail(Errc::Invalid, "needs two ASCII characters behind %r, as in \"%r._\"");
        swaps.emplace_back(pair[0], pair[1]);
        rest.remove_prefix(4);
        return {};
    }
    const auto* const found = std::find_if(std::begin(kFields), std::end(kFields),
                                           [&](const auto& each) { return each.first == rest[at]; });
    if (found == std::end(kFields)) return wrong;
    if (found->second == Field::Capsule && at > 1)
        return fail(Errc::Invalid, "can not cut %e: it holds the whole address");
    pieces_.push_back({found->second,
                       {},
                       static_cast<std::size_t>(*count),
                       found->second == Field::Capsule ? Swaps{} : swaps});
    rest.remove_prefix(at + 1);
    return {};
}

Result<NamePattern> NamePattern::parse(std::string_view text) {
    NamePattern pattern;
    Swaps swaps;
    while (!text.empty()) {
        if (text.starts_with("{{") || text.starts_with("%%")) {
            pattern.addLiteral(text.front());
            text.remove_prefix(2);
        } else if (text.front() == '{') {
            POSTERN_TRY(pattern.readBrace(text));
            pattern.pieces_.back().swaps = swaps;
        } else if (text.front() == '%') {
            POSTERN_TRY(pattern.readPercent(text, swaps));
        } else {
            pattern.addLiteral(text.front());
            text.remove_prefix(1);
        }
    }
    return pattern;
}

bool NamePattern::has(Field field) const {
    return std::any_of(pieces_.begin(), pieces_.end(),
                       [&](const Piece& piece) { return piece.field == field; });
}

void NamePattern::splitLocal(Parts& parts) const {
    const char separator = parts.local.find('.') != std::string::npos ? '.' : '_';
    const std::vector<std::string_view> words = split(parts.local, separator);
    const bool anyEmpty =
        std::any_of(words.begin(), words.end(), [](std::string_view word) { return word.empty(); });
    const bool initial =
        has(Field::Initials) && words.size() == 3 && firstCharacters(words[1], 1).size() == words[1].size();
    if (anyEmpty || (words.size() != 2 && !initial)) {
        parts.surname = parts.local;
        return;
    }
    parts.given = words.front();
    parts.surname = words.back();
    if (initial) parts.initials = words[1];
}

NamePattern::Parts NamePattern::partsOf(std::string_view address) const {
    Parts parts;
    const auto parsed = mail::parseAddress(address, {true, true, {}});
    const Halves raw = halves(address);
    parts.local = parsed.ok() ? parsed->local : std::string(raw.local);
    parts.domain = raw.domain;
    parts.address = address;
    parts.node = fidoNode(parts.domain);
    splitLocal(parts);
    return parts;
}

std::string NamePattern::valueOf(const Piece& piece, const Parts& parts) {
    std::string value;
    switch (piece.field) {
        case Field::Literal: return piece.text;
        case Field::Capsule: return encapsulate(parts.address);
        case Field::Node: return parts.node;
        case Field::Local: value = parts.local; break;
        case Field::Given: value = parts.given; break;
        case Field::Initials: value = parts.initials; break;
        case Field::Surname: value = parts.surname; break;
        case Field::Domain: value = parts.domain; break;
        case Field::Address: value = parts.address; break;
        case Field::Display:
            value = parts.given + (parts.given.empty() ? "" : " ") + parts.initials +
                    (parts.initials.empty() ? "" : " ") + parts.surname;
            break;
    }
    std::string out;
    for (const char c : firstCharacters(value, piece.most)) {
        const auto swap = std::find_if(piece.swaps.begin(), piece.swaps.end(),
                                       [&](const auto& each) { return each.first == c; });
        if (swap == piece.swaps.end()) {
            out += c;
        } else if (swap->second != c) {
            out += swap->second;
        }
    }
    return out;
}

// Where a field is empty, the separators before it go when they joined it to a field; else those behind it.
std::vector<NamePattern::Segment> NamePattern::segments(const Parts& parts) const {
    std::vector<Segment> out;
    bool anyField = false, dropNext = false;
    for (const Piece& piece : pieces_) {
        const std::string value = valueOf(piece, parts);
        if (piece.field == Field::Literal) {
            const std::string_view kept = dropNext ? withoutLeadingSeparators(value) : value;
            dropNext = false;
            if (!kept.empty()) out.push_back({&piece, std::string(kept)});
        } else if (!value.empty()) {
            out.push_back({&piece, value});
            anyField = true;
            dropNext = false;
        } else if (anyField && out.back().piece->field == Field::Literal &&
                   isSeparator(out.back().text.back())) {
            stripEnd(out.back().text);
            if (out.back().text.empty()) out.pop_back();
        } else {
            dropNext = true;
        }
    }
    return out;
}

std::string NamePattern::refuses(std::string_view address) const {
    if (!has(Field::Node) || !fidoNode(halves(address).domain).empty()) return {};
    return "its domain names no FidoNet node with its zone, as f1.n2.z3 does";
}

std::string NamePattern::expand(std::string_view address) const {
    if (!refuses(address).empty()) return {};
    std::string out;
    for (const Segment& segment : segments(partsOf(address))) out += segment.text;
    return out;
}

}  // namespace postern::addresses
