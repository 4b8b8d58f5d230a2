#pragma once
// Who and where somebody is in FidoNet, and on the Internet (FORMATS.md 6.4). Thread rule: pure.
//
//   2:999/2.3            zone, net, node and point; point 0 is the node itself
//   Bob Sysop@2:999/2.3  a person there, as a route names one
//   Bob.Sysop@p3.f2.n999.z2.fidonet.org   the same person, as the Internet writes it

#include <optional>
#include <string>
#include <string_view>

#include "adapters/adapter.h"
#include "base/result.h"

namespace postern::adapters::ftn {

inline constexpr std::size_t kLongestName = 35;  // bytes of a name in a packet (FTS-0001)

struct Node {
    int zone = 0, net = 0, node = 0, point = 0;
    bool operator==(const Node&) const = default;
};

// "2:999/2", "2:999/2.3", "2:999/2@fidonet": the domain is not kept. Nothing for anything else; numbers are
// from 0 (zone and net: 1) to 32767.
std::optional<Node> parseNode(std::string_view text);
std::string nodeText(const Node& node);  // "2:999/2.3", without ".0"

struct Person {
    std::string name;  // UTF-8
    Node node;
    bool operator==(const Person&) const = default;
};

// "Bob.Sysop@f2.n999.z2.<domain>". Dots and underscores of the local part are the blanks of the name, unless
// it has blanks of its own. Without a zone: `zone`. Nothing when it is no such address.
std::optional<Person> personOf(std::string_view internetAddress, std::string_view domain, int zone);

struct AddressRules {
    std::string domain;  // "fidonet.org"
    Node home;           // where those are whose route or address names no node
};

// Whom a delivery is for: the legacy name, "Name@2:999/2" or "Name", else the Internet address.
// Errc::Invalid: nobody in FidoNet; the text says what would be right.
Result<Person> addressee(const Recipient& recipient, const AddressRules& rules);

}  // namespace postern::adapters::ftn
