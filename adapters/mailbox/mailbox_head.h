#pragma once
// What the mailbox formats put before a message, and how recipients become mailboxes. Thread rule: pure.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/adapter.h"
#include "adapters/message_format.h"
#include "adapters/registry.h"
#include "adapters/spool/staged_file.h"

namespace postern::adapters {

// "Return-Path: <...>" (RFC 5321 4.4) and a "Delivered-To:" for each recipient, each ended by `lineEnd`.
std::string mailboxHead(const Delivery& delivery, std::string_view lineEnd);

// Forms the job's message and lets `write` write it; rejected when it can never be formed so.
Result<std::optional<Outcome>> writeFormed(Job& job, const MessageFormat& format,
                                           const mail::Carrier& carrier,
                                           const std::function<Result<void>(const FormedMessage&)>& write);
// mailboxHead() and the message, as maildir and mh have them.
Result<std::optional<Outcome>> writeMailboxFile(Job& job, const MessageFormat& format, LineEnds lineEnds,
                                                StagedFile& file);

// The recipient's mailbox: folderName() of the legacy name, else of the local part in lower case, as local
// parts of one person differ in case only. Invalid: no such folder or file can be.
Result<std::string> mailboxOf(const Recipient& recipient);

// The mailbox of a delivery to one recipient; Invalid for several: they were accepted while all shared one.
Result<std::string> mailboxOf(const Delivery& delivery);

// Why the recipient has no mailbox here, or nothing.
std::optional<std::string> refusedMailbox(const Recipient& recipient);

// "layout": single, per-recipient.
Setting layoutSetting(const char* help);
bool perRecipient(const Settings& settings);

}  // namespace postern::adapters
