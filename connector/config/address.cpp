#include "connector/config/address.h"

#include <algorithm>

#include "base/file.h"
#include "base/networks.h"
#include "base/text.h"
#include "net/system_sockets.h"

namespace postern::config {

namespace {

Error wrong(std::string_view text, std::string_view why) {
    const std::string like = net::hasLocalSockets()
                                 ? "\"127.0.0.1:2525\", \"[::1]:25\" or \"unix:/run/postern/lmtp.sock\""
                                 : "\"127.0.0.1:2525\" or \"[::1]:25\"";
    return fail(Errc::Invalid, "\"address\" must be like " + like + ", not \"" + escapeLine(text, 100) +
                                   "\": " + std::string(why));
}

bool onlyHostCharacters(std::string_view host, std::string_view also) {
    return !host.empty() && std::all_of(host.begin(), host.end(), [&](char c) {
        const char low = lowerAscii(c);
        return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || also.find(c) != std::string_view::npos;
    });
}

Result<void> readSocketPath(std::string_view text, std::string_view path, Listener& listener) {
    if (!net::hasLocalSockets())
        return wrong(text, "there are no Unix sockets on this system; say 127.0.0.1 and a port");
    if (!isAbsolutePath(path)) return wrong(text, "the path is not absolute");
    if (path.size() > kSocketPathLimit)
        return wrong(text, "the path is longer than " + std::to_string(kSocketPathLimit) + " bytes");
    if (listener.protocol != Protocol::Lmtp) return wrong(text, "only lmtp listens on a Unix socket");
    listener.socketPath = path;
    return {};
}

}  // namespace

Result<void> readAddress(std::string_view text, Listener& listener) {
    if (text.starts_with("unix:")) return readSocketPath(text, text.substr(5), listener);
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return wrong(text, "the port is missing");
    const auto port = parseInt(text.substr(colon + 1));
    if (!port || *port < 0 || *port > 65535) return wrong(text, "the port is not a number up to 65535");
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        if (!onlyHostCharacters(host, ":.%") || !IpAddress::parse(host))
            return wrong(text, "there is no IPv6 address in the brackets");
    } else if (host.find(':') != std::string_view::npos) {
        return wrong(text, "an IPv6 address stands in brackets");
    } else if (!onlyHostCharacters(host, ".-")) {
        return wrong(text, "say which address: 127.0.0.1 for this machine only, 0.0.0.0 or [::] for all");
    }
    if (std::count(host.begin(), host.end(), '.') == 3 && !IpAddress::parse(host) &&
        host.find_first_not_of("0123456789.") == std::string_view::npos)
        return wrong(text, "there is no such IPv4 address");
    listener.host = host;
    listener.port = static_cast<int>(*port);
    return {};
}

std::string addressText(const Listener& listener) {
    if (!listener.socketPath.empty()) return "unix:" + listener.socketPath;
    const bool six = listener.host.find(':') != std::string::npos;
    return (six ? "[" + listener.host + "]" : listener.host) + ":" + std::to_string(listener.port);
}

}  // namespace postern::config
