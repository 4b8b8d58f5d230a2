#pragma once
// Internet addresses by number, for who may send and for counting clients. Pure; no name is ever looked up.
// Thread rule: values; const functions from any thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern {

// An IPv4 or IPv6 address. An IPv4-mapped one (::ffff:192.0.2.1, RFC 4291 2.5.5.2) is the IPv4 address: it is
// the same client, seen by another socket.
struct IpAddress {
    bool v6 = false;
    std::array<std::uint8_t, 16> bytes{};  // in network order; IPv4 has the first four

    // "192.0.2.1", "2001:db8::1", also with a zone ("fe80::1%eth0"), which is left out. Nothing else is one.
    static std::optional<IpAddress> parse(std::string_view text);
    std::string text() const;
    bool operator==(const IpAddress&) const = default;
};

// Whether a host, as it stands in a configuration, is this machine alone: 127.0.0.0/8, ::1 or "localhost".
bool namesLoopback(std::string_view host);

// By what the sessions of one client are counted: an IPv4 address; of an IPv6 address its /64, since every
// customer has at least one of those. Text that is no address counts by itself.
std::string countingKey(std::string_view address);

// A list of networks in CIDR notation (RFC 4632, RFC 4291 2.3).
class Networks {
  public:
    // "192.0.2.0/24", "2001:db8::/32", or a single address. Invalid names the entry and what would be right;
    // bits behind the prefix are an error, for one of the two is a mistake.
    static Result<Networks> parse(const std::vector<std::string>& entries);

    bool contains(const IpAddress& address) const;
    bool contains(std::string_view address) const;  // false for text that is no address
    bool empty() const { return networks_.empty(); }

  private:
    struct Network {
        IpAddress address;
        int bits = 0;
    };
    static Result<Network> parseOne(std::string_view entry);
    std::vector<Network> networks_;
};

}  // namespace postern
