#pragma once
// Who sends and who gets a file of a pickup folder. Leading "X-Sender:" and "X-Receiver:" lines say so
// (Exchange's Replay, IIS' Pickup; KB Q201314), else the header's own fields. Thread rule: pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connector/intake/local_header.h"

namespace postern::pickup {

struct Receiver {
    std::string address;
    std::string notify, original;  // as in queue::RecipientRow
};

struct FileEnvelope {
    std::string sender;  // empty: the null reverse path
    std::vector<Receiver> receivers;
    std::string ret, envelopeId;             // RFC 3461, from X-Sender's parameters
    std::vector<intake::LocalField> header;  // what is left without the envelope's lines; views into `block`
};

// Invalid with a text that says what to mend. Envelope lines count only before all other fields; behind them
// X-Sender is a field like any other. "X-Sender: <a@b> BODY=8bitmime RET=HDRS ENVID=x" and
// "X-Receiver: <c@d> NOTIFY=NEVER ORCPT=rfc822;c@d" may have parameters; unknown ones are not looked at, nor
// the other lines of Exchange's Replay, which are taken off as well.
Result<FileEnvelope> readEnvelope(std::string_view block, const std::string& hostname);

}  // namespace postern::pickup
