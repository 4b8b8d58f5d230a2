#include "adapters/ftn/ftn_address.h"

#include <algorithm>

#include "base/text.h"
#include "mail/address.h"
#include "mail/charset.h"

namespace postern::adapters::ftn {

namespace {

constexpr int kMostNumber = 32767;

// Decimal digits alone: no sign, no blank.
std::optional<int> number(std::string_view text) {
    if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    const auto value = parseInt(text);
    if (!value || *value > kMostNumber) return std::nullopt;
    return static_cast<int>(*value);
}

// "f2" of the letter f.
std::optional<int> labelled(std::string_view label, char letter) {
    if (label.empty() || lowerAscii(label.front()) != letter) return std::nullopt;
    return number(label.substr(1));
}

// What stands before ".<domain>"; nothing when the host is outside of it.
std::optional<std::string_view> inside(std::string_view host, std::string_view domain) {
    if (host.size() <= domain.size() + 1) return std::nullopt;
    const std::size_t border = host.size() - domain.size() - 1;
    if (host[border] != '.' || !equalsIgnoreCase(host.substr(border + 1), domain)) return std::nullopt;
    return host.substr(0, border);
}

// "p3.f2.n999.z2"; the point and the zone may be missing.
std::optional<Node> nodeOfLabels(std::string_view labels, int zone) {
    const auto all = split(labels, '.');
    std::size_t at = 0;
    const auto take = [&](char letter) {
        const auto value = at < all.size() ? labelled(all[at], letter) : std::nullopt;
        if (value) ++at;
        return value;
    };
    const auto point = take('p'), node = take('f'), net = take('n'), named = take('z');
    if (at != all.size() || !node || !net || *net == 0 || named == 0) return std::nullopt;
    return Node{named.value_or(zone), *net, *node, point.value_or(0)};
}

std::string nameOfLocalPart(std::string name) {
    if (name.find(' ') != std::string::npos) return name;
    for (char& c : name)
        if (c == '.' || c == '_') c = ' ';
    return name;
}

// "Name@2:999/2@fidonet": the node begins behind one of the "@".
std::optional<Person> personNamed(std::string_view text) {
    for (std::size_t at = text.rfind('@'); at != std::string_view::npos && at > 0;
         at = text.rfind('@', at - 1))
        if (const auto node = parseNode(text.substr(at + 1)))
            return Person{std::string(text.substr(0, at)), *node};
    return std::nullopt;
}

Result<void> checkName(std::string_view name) {
    const std::string shown = "'" + escapeLine(name, 60) + "'";
    if (trim(name).empty()) return fail(Errc::Invalid, "the recipient has no name");
    if (mail::cleanLine(name) != name || trim(name) != name || name.find('@') != std::string_view::npos)
        return fail(Errc::Invalid, shown +
                                       " is no FidoNet name: Name@zone:net/node.point or a name alone, or "
                                       "First.Last@fNODE.nNET.zZONE and the domain");
    // A gateway reads on whose behalf it shall send on in the first lines of the text: a stranger wrote
    // these.
    if (equalsIgnoreCase(name, "UUCP"))
        return fail(Errc::Invalid,
                    "'UUCP' is a gateway, which would send the mail on to whom its text names");
    return {};
}

}  // namespace

std::optional<Node> parseNode(std::string_view text) {
    text = text.substr(0, text.find('@'));
    const std::size_t colon = text.find(':'), slash = text.find('/');
    if (colon == std::string_view::npos || slash == std::string_view::npos || slash < colon)
        return std::nullopt;
    const std::size_t dot = text.find('.', slash);
    const auto zone = number(text.substr(0, colon)), net = number(text.substr(colon + 1, slash - colon - 1));
    const auto node = number(text.substr(slash + 1, dot == std::string_view::npos ? dot : dot - slash - 1));
    const auto point = dot == std::string_view::npos ? std::optional(0) : number(text.substr(dot + 1));
    if (!zone || !net || !node || !point || *zone == 0 || *net == 0) return std::nullopt;
    return Node{*zone, *net, *node, *point};
}

std::string nodeText(const Node& node) {
    std::string text =
        std::to_string(node.zone) + ":" + std::to_string(node.net) + "/" + std::to_string(node.node);
    if (node.point != 0) text += "." + std::to_string(node.point);
    return text;
}

std::optional<Person> personOf(std::string_view internetAddress, std::string_view domain, int zone) {
    const auto address = mail::parseAddress(internetAddress, {.utf8 = true});
    if (!address.ok()) return std::nullopt;
    const auto labels = inside(address->domain, domain);
    const auto node = labels ? nodeOfLabels(*labels, zone) : std::nullopt;
    if (!node) return std::nullopt;
    return Person{nameOfLocalPart(address->local), *node};
}

Result<Person> addressee(const Recipient& recipient, const AddressRules& rules) {
    std::optional<Person> person;
    // A route without a pattern hands the address on.
    if (!recipient.legacy.empty() && !equalsIgnoreCase(recipient.legacy, recipient.address)) {
        person = personNamed(recipient.legacy);
        if (!person) person = personOf(recipient.legacy, rules.domain, rules.home.zone);
        if (!person) person = Person{recipient.legacy, rules.home};
    } else {
        person = personOf(recipient.address, rules.domain, rules.home.zone);
        const auto at = recipient.address.rfind('@');
        if (!person && at != std::string::npos &&
            inside("x." + recipient.address.substr(at + 1), rules.domain))
            return fail(Errc::Invalid, "'" + escapeLine(recipient.address, 60) +
                                           "' names no node: First.Last@" + "fNODE.nNET.zZONE." +
                                           rules.domain);
        const auto address = mail::parseAddress(recipient.address, {.utf8 = true});
        if (!person)
            person = Person{nameOfLocalPart(address.ok() ? address->local : recipient.address.substr(0, at)),
                            rules.home};
    }
    POSTERN_TRY(checkName(person->name));
    return std::move(*person);
}

}  // namespace postern::adapters::ftn
