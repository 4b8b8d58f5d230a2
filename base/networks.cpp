#include "base/networks.h"

#include <algorithm>
#ifdef _WIN32
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#endif

#include "base/text.h"

namespace postern {

namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

int widthOf(const IpAddress& address) {
    return address.v6 ? 128 : 32;
}

std::uint8_t maskOf(int byte, int bits) {
    const int left = std::clamp(bits - byte * 8, 0, 8);
    return static_cast<std::uint8_t>(0xff00 >> left);
}

IpAddress masked(IpAddress address, int bits) {
    for (int i = 0; i < 16; ++i) address.bytes[static_cast<std::size_t>(i)] &= maskOf(i, bits);
    return address;
}

// ::ffff:0:0/96 and longer are written by people who mean the IPv4 network.
bool isMappedText(std::string_view text, const IpAddress& address) {
    return !address.v6 && text.find(':') != std::string_view::npos;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    IpAddress address;
    const std::string plain(text.substr(0, text.find('%')));
    if (plain.find('\0') != std::string::npos) return std::nullopt;
    if (::inet_pton(AF_INET, plain.c_str(), address.bytes.data()) == 1)
        return plain.size() == text.size() ? std::optional(address) : std::nullopt;
    address.bytes.fill(0);
    if (::inet_pton(AF_INET6, plain.c_str(), address.bytes.data()) != 1) return std::nullopt;
    address.v6 = true;
    if (std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin())) {
        IpAddress inner;
        std::copy(address.bytes.begin() + 12, address.bytes.end(), inner.bytes.begin());
        return inner;
    }
    return address;
}

std::string IpAddress::text() const {
    char buffer[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer);
    return buffer;
}

bool namesLoopback(std::string_view host) {
    if (host == "localhost") return true;
    const auto address = IpAddress::parse(host);
    if (!address) return false;
    return address->v6 ? address->text() == "::1" : address->bytes[0] == 127;
}

std::string countingKey(std::string_view address) {
    const auto parsed = IpAddress::parse(address);
    if (!parsed) return std::string(address);
    return parsed->v6 ? masked(*parsed, 64).text() + "/64" : parsed->text();
}

Result<Networks::Network> Networks::parseOne(std::string_view entry) {
    const auto bad = [&](const std::string& why) {
        return fail(Errc::Invalid, "\"" + escapeLine(entry, 100) + "\" is not a network: " + why);
    };
    const std::size_t slash = std::min(entry.find('/'), entry.size());
    const auto address = IpAddress::parse(entry.substr(0, slash));
    if (!address || entry.find('%') != std::string_view::npos)
        return bad("write \"192.0.2.0/24\", \"2001:db8::/32\" or an address");
    const int width = widthOf(*address);
    int bits = width;
    if (slash < entry.size()) {
        const std::string_view digits = entry.substr(slash + 1);
        const int shift = isMappedText(entry.substr(0, slash), *address) ? 96 : 0;
        const auto number = parseInt(digits);
        if (!number || digits.front() < '0' || digits.front() > '9' || *number < shift ||
            *number > width + shift)
            return bad("behind the slash stands a number of bits, at most " + std::to_string(width + shift));
        bits = static_cast<int>(*number) - shift;
    }
    const IpAddress network = masked(*address, bits);
    if (network != *address)
        return bad("it has bits behind its prefix; write \"" + network.text() + "/" + std::to_string(bits) +
                   "\", or \"" + address->text() + "\" for that address only");
    return Network{network, bits};
}

Result<Networks> Networks::parse(const std::vector<std::string>& entries) {
    Networks networks;
    for (const std::string& entry : entries) {
        POSTERN_LET(network, parseOne(entry));
        networks.networks_.push_back(network);
    }
    return networks;
}

bool Networks::contains(const IpAddress& address) const {
    return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
        return network.address.v6 == address.v6 && masked(address, network.bits) == network.address;
    });
}

bool Networks::contains(std::string_view address) const {
    const auto parsed = IpAddress::parse(address);
    return parsed && contains(*parsed);
}

}  // namespace postern
