#pragma once
// A strict reader of FidoNet packets of type 2+ (FTS-0001, FSC-0048, FTS-4000; FORMATS.md section 6), written
// from the description and not from the adapter: every byte must be accounted for, every control line in its
// place.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern::tests {

struct FtnPlace {
    int zone = 0, net = 0, node = 0, point = 0;
    bool operator==(const FtnPlace&) const = default;
};

struct FtnMessage {
    FtnPlace from, to;  // zones from INTL, points from FMPT and TOPT
    int attributes = 0;
    std::string date, toName, fromName, subject;
    std::vector<std::string> controls;  // "MSGID: 2:999/1 2bdf4368", in order, those behind the text too
    std::string text;                   // lines end with LF, without the control lines
    std::size_t begin = 0, end = 0;     // where it stands in the packet

    // What stands behind "NAME " or "NAME: "; empty when there is none.
    std::string control(std::string_view name) const;
    bool isLaterPart() const;  // "[part 2] ...", "[part 3] ..."
};

struct FtnPacket {
    FtnPlace from, to;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;  // month from 1
    std::string password;
    std::vector<FtnMessage> messages;
};

// Errors name the byte offset.
Result<FtnPacket> readFtnPacket(std::string_view bytes);

}  // namespace postern::tests
