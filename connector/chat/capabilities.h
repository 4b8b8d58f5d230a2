#pragma once
// What a client may ask for beyond RFC 2812 (IRCv3 capability negotiation, version 302). Pure; any thread.

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

namespace postern::chat {

enum class Cap {
    AccountTag,
    AwayNotify,
    Batch,
    CapNotify,
    EchoMessage,
    ExtendedJoin,
    LabeledResponse,
    MessageTags,
    MultiPrefix,
    Sasl,
    ServerTime,
    UserhostInNames,
};
inline constexpr std::size_t kCaps = 12;

class Caps {
  public:
    bool has(Cap cap) const { return bits_[static_cast<std::size_t>(cap)]; }
    void set(Cap cap, bool on = true) { bits_[static_cast<std::size_t>(cap)] = on; }
    bool operator==(const Caps&) const = default;

  private:
    std::bitset<kCaps> bits_;
};

// All there are, with blanks between; "sasl" bears `saslValue` when that is not empty.
std::string offeredCaps(std::string_view saslValue);
std::string capNames(const Caps& caps);
// What `caps` becomes by "a -b c": all of it, or nothing when one is not known, or when "cap-notify" is to
// be taken back from a client that speaks version 302, for whom it is always on.
std::optional<Caps> requestedCaps(const Caps& caps, std::string_view request, bool version302);

}  // namespace postern::chat
