#pragma once
// A mail as batch SMTP (RFC 2442): what an SMTP client would have said, with nobody answering. One mail in
// one batch, as a reader that fails in its middle would otherwise repeat or lose the others (FORMATS 7.2).
//
//   HELO gw.example.org
//   MAIL FROM:<alice@example.org>
//   RCPT TO:<bob@old.example>
//   DATA
//   (the text, a dot more before each line that begins with one)
//   .
//   QUIT
//
// Thread rule: pure.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/adapter.h"
#include "adapters/message_format.h"
#include "adapters/registry.h"

namespace postern::adapters {

struct BsmtpRules {
    std::string helo;       // what we call ourselves
    bool extended = false;  // EHLO, and BODY=8BITMIME where the text needs it
};

// What a batch can carry: lines of 998 bytes, no NUL, no bare CR or LF, headers in ASCII.
mail::Carrier bsmtpCarrier();

// Why the recipient, or the sender, can not stand in a batch.
std::optional<std::string> refusedInBsmtp(const Recipient& recipient);
std::optional<std::string> senderRefusedInBsmtp(std::string_view sender);

// The whole batch; lines end with CRLF. `head` is put before the message's header: whole fields, CRLF ends.
using BsmtpSink = std::function<Result<void>(std::string_view)>;
Result<void> writeBsmtp(const Delivery& delivery, const BsmtpRules& rules, std::string_view head,
                        const FormedMessage& message, const BsmtpSink& sink);

// The settings `helo_name` and `greeting`, and the rules they make.
std::vector<Setting> bsmtpSettings();
Result<BsmtpRules> bsmtpRules(const AdapterContext& context, const Settings& settings);

}  // namespace postern::adapters
