#include "connector/chat/capabilities.h"

#include <array>

#include "base/text.h"

namespace postern::chat {

namespace {

// In the order of Cap.
constexpr std::array<std::string_view, kCaps> kNames = {
    "account-tag",      "away-notify",  "batch",        "cap-notify", "echo-message", "extended-join",
    "labeled-response", "message-tags", "multi-prefix", "sasl",       "server-time",  "userhost-in-names"};

std::optional<Cap> capNamed(std::string_view name) {
    for (std::size_t i = 0; i < kCaps; ++i) {
        if (kNames[i] == name) return static_cast<Cap>(i);
    }
    return std::nullopt;
}

}  // namespace

std::string offeredCaps(std::string_view saslValue) {
    std::string out;
    for (std::size_t i = 0; i < kCaps; ++i) {
        if (i > 0) out += ' ';
        out += kNames[i];
        if (static_cast<Cap>(i) == Cap::Sasl && !saslValue.empty()) out += "=" + std::string(saslValue);
    }
    return out;
}

std::string capNames(const Caps& caps) {
    std::string out;
    for (std::size_t i = 0; i < kCaps; ++i) {
        if (!caps.has(static_cast<Cap>(i))) continue;
        if (!out.empty()) out += ' ';
        out += kNames[i];
    }
    return out;
}

std::optional<Caps> requestedCaps(const Caps& caps, std::string_view request, bool version302) {
    Caps next = caps;
    for (std::string_view name : split(request, ' ')) {
        if (name.empty()) continue;
        const bool off = name.front() == '-';
        if (off) name.remove_prefix(1);
        const auto cap = capNamed(name);
        if (!cap || (off && version302 && *cap == Cap::CapNotify)) return std::nullopt;
        next.set(*cap, !off);
    }
    return next;
}

}  // namespace postern::chat
