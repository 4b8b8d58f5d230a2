#pragma once
// What a command reads: the message as the other kinds hand it over, behind what its reader wants before it.
// A mail without a Message-ID is given one of the item's, the same at every attempt, so that a receiver that
// knows its mail by it can drop the second of two.
//
// Thread rule: pure.

#include <functional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/bsmtp/bsmtp_text.h"
#include "adapters/command/argument_template.h"
#include "adapters/message_format.h"
#include "adapters/registry.h"
#include "adapters/smtp/smtp_message_id.h"
#include "adapters/spool/staged_file.h"

namespace postern::adapters {

enum class TextHead {
    None,
    FromLine,  // "From sender date", and behind it `remote` if there is one
    Envelope,  // Return-Path and Delivered-To
    Bsmtp,     // all of it is a batch (bsmtp_text.h)
};

struct CommandText {
    MessageFormat format;
    TextHead head = TextHead::None;
    LineEnds lineEnds = LineEnds::Lf;
    BsmtpRules bsmtp;
    std::string nullSender = "MAILER-DAEMON";                   // in the From line
    std::string remote;                                         // "remote from" this name
    std::function<std::string(const std::string&)> senderForm;  // in the From line; empty: as it is
    std::function<std::string(const DeliveryKey&)> ownFields;   // before the header, CRLF ends
};

// The message with a Message-ID. An Error is the source's.
Result<IdentifiedMail> identified(const AdapterContext& context, const Delivery& delivery);

// line_ends, and the settings of messageSettings() and bsmtpSettings(). An error names the setting.
Result<void> readTextSettings(const AdapterContext& context, const Settings& settings, CommandText& rules);

// The arguments of one run. Errc::Invalid: this mail can never be handed over so, and why.
Result<std::vector<std::string>> argumentsFor(const AdapterContext& context, const CommandText& rules,
                                              const ArgumentTemplate& arguments, const Delivery& delivery);
// The most bytes that a recipient adds to them: Grouping::headerBytes.
int argumentCost(const Recipient& recipient);

// Writes it, as SpoolAdapter::write() does.
Result<std::optional<Outcome>> writeCommandText(const AdapterContext& context, const CommandText& rules,
                                                Job& job, StagedFile& file);

}  // namespace postern::adapters
