#pragma once
// The header of a file for a pickup folder (FORMATS 11). Exchange's Pickup sends to whoever stands in To, Cc
// and Bcc, from whoever stands in Sender or From; Replay and IIS read an envelope from lines before the
// header. A stranger wrote the header that we got: nobody gets a copy because of it.
//
//   pickup        To, Cc and Bcc are written anew and hold the envelope's recipients alone: in To and Cc
//   those
//                 that stood there, with their names; all others in Bcc. A field that named anybody else, or
//                 that can not be read, is kept as X-Original-To (or -Cc) for people. The original Bcc is
//                 dropped: it was never meant to be seen. Sender is the envelope's sender where From is not.
//   replay, iis   the envelope's lines come first; the header stays as it is.
//   all           fields that such a server takes for its own (X-Sender, X-Receiver, ...; Resent-To in
//   pickup)
//                 become X-Original-...; lines that are no field are left out.
//
// Every address is US-ASCII: no such server on somebody's own machine takes others (RFC 6531), and what it
// made of one nobody can say.
//
// Thread rule: pure.

#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"

namespace postern::adapters {

enum class PickupMode { Pickup, Replay, Iis };

struct PickupRules {
    PickupMode mode = PickupMode::Replay;
    std::string nullSender;     // stands for the null sender where that can not be written: in Pickup
    std::size_t limit = 65536;  // bytes of the result
};

// The envelope's lines and the header, with the empty line behind it. `block` is whole fields that end with
// CRLF, without the empty line. Invalid: it can not be made to fit the limit, or the sender is not US-ASCII.
// What was changed goes to `notes`.
Result<std::string> pickupHeader(std::string_view block, const Delivery& delivery, const PickupRules& rules,
                                 std::vector<std::string>& notes);

// The address to which the folder's server is to send: the legacy name or the Internet address. Invalid when
// it is no address that can stand in a header.
Result<std::string> pickupAddress(const Recipient& recipient);

}  // namespace postern::adapters
