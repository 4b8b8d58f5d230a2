// The way back from a legacy name: every reading of the name by the pattern is tried, and counts only when
// the pattern makes the same name of it again. Two readings are none, but a reading that fills all fields
// comes before those where one is empty: john.doe before "Doe, John" as a quoted local part.

#include <algorithm>

#include "base/text.h"
#include "connector/addresses/address_pattern.h"
#include "connector/addresses/capsule.h"
#include "connector/addresses/fido_node.h"
#include "connector/addresses/name_pattern.h"
#include "mail/address.h"

namespace postern::addresses {

namespace {

constexpr int kMostReadings = 1000;  // a name with so many dots and blanks is nobody's

bool isWild(std::string_view takes) {
    return takes == "*" || takes.starts_with("*@*.");
}

// The domain of whose sub-domains a route takes mail.
std::string_view networkOf(std::string_view takes) {
    return takes.starts_with("*@*.") ? takes.substr(4) : std::string_view();
}

bool isExact(std::string_view takes) {
    return takes != "*" && !takes.starts_with("*@");
}

std::string collapsed(std::string_view text) {
    std::string out;
    for (const char c : trim(text))
        if (c != ' ' || !out.ends_with(' ')) out += c;
    return out;
}

}  // namespace

struct NamePattern::Search {
    std::string name;  // in its own case, blanks collapsed
    std::string_view takes;
    std::vector<Segment> segments = {};  // field segments get the text that was read for them
    std::vector<std::string> found = {};
    int readings = 0;
};

std::string NamePattern::oneWay(std::string_view takes) const {
    if (pieces_.empty() || isExact(takes)) return {};
    const Piece* before = nullptr;
    for (const Piece& piece : pieces_) {
        if (piece.most > 0) return "it cuts a field";
        if (piece.field == Field::Display) return "%d does not tell how the address was written";
        for (const auto& [from, to] : piece.swaps)
            if (from == to) return std::string("it leaves out each \"") + from + "\"";
        const bool joined = before != nullptr && before->field != Field::Literal;
        if (joined && piece.field != Field::Literal) return "nothing stands between two of its fields";
        before = &piece;
    }
    const bool whole = has(Field::Address) || has(Field::Capsule);
    if (!whole && !has(Field::Local) && !(has(Field::Given) && has(Field::Surname)))
        return "it does not hold the local part";
    const bool domain = has(Field::Domain) || (has(Field::Node) && !networkOf(takes).empty());
    if (!whole && isWild(takes) && !domain) return "it does not tell the domain";
    return {};
}

// What the fields that were read come to; empty when it is no address.
std::string NamePattern::addressFrom(const Search& search) const {
    mail::Address address;
    std::string given, initials, surname;
    if (!isWild(search.takes)) address.domain = halves(search.takes).domain;
    for (const Segment& segment : search.segments) {
        std::string text = segment.text;
        for (char& c : text) {
            const Swaps& swaps = segment.piece->swaps;
            const auto swap =
                std::find_if(swaps.begin(), swaps.end(), [&](const auto& each) { return each.second == c; });
            if (swap != swaps.end() && segment.piece->field != Field::Capsule &&
                segment.piece->field != Field::Node)
                c = swap->first;
        }
        switch (segment.piece->field) {
            case Field::Address: return text;
            case Field::Capsule: return decapsulate(text);
            case Field::Local: address.local = text; break;
            case Field::Domain: address.domain = text; break;
            case Field::Node:
                if (const auto labels = fidoLabels(text);
                    !has(Field::Domain) && isWild(search.takes) && !labels.empty())
                    address.domain = labels + "." + std::string(networkOf(search.takes));
                break;
            case Field::Given: given = text + "."; break;
            case Field::Initials: initials = text + "."; break;
            case Field::Surname: surname = text; break;
            case Field::Display:
            case Field::Literal: break;
        }
    }
    if (address.local.empty()) address.local = given + initials + surname;
    return address.local.empty() || address.domain.empty() ? std::string() : address.text();
}

void NamePattern::consider(Search& search) const {
    const auto address = mail::parseAddress(addressFrom(search), {true, false, {}});
    if (!address.ok() || !patternMatches(search.takes, address->text())) return;
    // A capsule may be typed with less escaping than we write; it still stands for one address only.
    const bool capsuleOnly = std::all_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) {
        return piece.field == Field::Literal || piece.field == Field::Capsule;
    });
    if (!capsuleOnly && mail::foldLegacyName(expand(address->text())) != mail::foldLegacyName(search.name))
        return;
    const bool known = std::any_of(search.found.begin(), search.found.end(), [&](const std::string& each) {
        return equalsIgnoreCase(each, address->text());
    });
    if (!known) search.found.push_back(address->text());
}

// Reads segments from `segment` on out of the name from `at` on.
void NamePattern::match(Search& search, std::size_t segment, std::size_t at) const {
    if (++search.readings > kMostReadings || search.found.size() > 1) return;
    const std::string_view rest = std::string_view(search.name).substr(at);
    if (segment == search.segments.size()) {
        if (rest.empty()) consider(search);
        return;
    }
    Segment& now = search.segments[segment];
    if (now.piece->field == Field::Literal) {
        if (equalsIgnoreCase(rest.substr(0, now.text.size()), now.text))
            match(search, segment + 1, at + now.text.size());
        return;
    }
    if (segment + 1 == search.segments.size()) {
        now.text = rest;
        if (!rest.empty()) match(search, segment + 1, search.name.size());
        return;
    }
    const std::string& border = search.segments[segment + 1].text;
    if (search.segments[segment + 1].piece->field != Field::Literal) return;
    for (std::size_t end = 1; end < rest.size(); ++end) {
        if (!equalsIgnoreCase(rest.substr(end, border.size()), border)) continue;
        now.text = rest.substr(0, end);
        match(search, segment + 1, at + end);
    }
}

// `shape` says which fields stand in the name at all.
void NamePattern::searchWith(Search& search, const Parts& shape) const {
    search.segments = segments(shape);
    if (search.segments.empty()) return;
    Segment& first = search.segments.front();
    Segment& last = search.segments.back();
    if (first.piece->field == Field::Literal) first.text.erase(0, first.text.find_first_not_of(' '));
    if (last.piece->field == Field::Literal) last.text.erase(last.text.find_last_not_of(' ') + 1);
    match(search, 0, 0);
}

std::optional<std::string> NamePattern::invert(std::string_view legacy, std::string_view takes) const {
    Search search{collapsed(legacy), takes};
    if (isExact(takes)) {
        const std::string made = pieces_.empty() ? std::string(takes) : expand(takes);
        if (mail::foldLegacyName(made) == mail::foldLegacyName(legacy)) return std::string(takes);
        return std::nullopt;
    }
    if (!oneWay(takes).empty()) return std::nullopt;
    if (pieces_.empty()) {
        const auto address = mail::parseAddress(search.name, {true, false, {}});
        if (!address.ok() || !patternMatches(takes, address->text())) return std::nullopt;
        return address->text();
    }
    searchWith(search, {"l", "d", "g", "i", "s", "a@d", "n"});
    if (search.found.empty() && has(Field::Initials))
        searchWith(search, {"l", "d", "g", "", "s", "a@d", "n"});
    if (search.found.empty() && has(Field::Given)) searchWith(search, {"l", "d", "", "", "s", "a@d", "n"});
    if (search.found.size() != 1 || search.readings > kMostReadings) return std::nullopt;
    return search.found.front();
}

}  // namespace postern::addresses
