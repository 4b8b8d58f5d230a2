#pragma once
// The bytes of a FidoNet packet of type 2+ (FTS-0001.016, FSC-0048; FORMATS.md 6.1): a header of 58 bytes,
// any number of messages, two bytes zero. Numbers are little endian. Thread rule: pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/ftn/ftn_address.h"
#include "base/clock.h"

namespace postern::adapters::ftn {

inline constexpr std::size_t kPacketHeadBytes = 58;
inline constexpr std::size_t kLongestSubject = 71;
inline constexpr std::size_t kLongestPassword = 8;

enum Attribute : unsigned {
    kPrivate = 0x0001,
    kCrash = 0x0002,
    kInTransit = 0x0020,
    kKillSent = 0x0080,
    kLocal = 0x0100,
    kHold = 0x0200,
};

struct PacketHead {
    Node from, to;
    CivilTime time{};      // when it was made, local
    std::string password;  // at most 8 bytes
};
std::string packetHead(const PacketHead& head);

struct MessageHead {
    Node from, to;  // their zones and points stand in control lines, not here
    unsigned attributes = kPrivate;
    CivilTime time{};      // local
    std::string toName;    // no NUL, at most 35 bytes
    std::string fromName;  // likewise
    std::string subject;   // no NUL, at most 71 bytes
};
// Everything before the text, which ends with a NUL.
std::string messageHead(const MessageHead& head);

// Behind the last message.
std::string packetEnd();

// "14 Nov 23  22:13:20"
std::string dateText(const CivilTime& time);

// Of ISO 3309, as zip and PNG have it: MSGID serials are made with it.
std::uint32_t crc32(std::string_view bytes);

}  // namespace postern::adapters::ftn
