#pragma once
// Writes delivery status notifications: one RFC 5322 message of type multipart/report (RFC 6522) with a text
// for people, one message/delivery-status (RFC 3464) and what comes back of the original; the "global" types
// of RFC 6533 where an address, or the original by declaration, is not ASCII. Everything that others chose
// (reasons, addresses, subjects) may hold any bytes: it is cleaned, cut and folded here.
//
// Thread rule: pure; the same facts give the same bytes.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace postern::mail {

enum class ReportKind { Failed, Delayed, Delivered, Relayed };

struct ReportedRecipient {
    std::string address;        // as in the envelope
    std::string original = {};  // ORCPT as given, "rfc822;xtext" (RFC 3461 4.2); may be empty
    std::string status = {};    // RFC 3463; empty or malformed: the kind's own ("5.0.0")
    std::string reason = {};    // what happened, for people; may be empty
};

enum class Returned { Nothing, Header, Whole };

struct Report {
    ReportKind kind = ReportKind::Failed;
    std::string hostname;  // the reporting MTA
    std::string from;      // the author, "Name <address>", ASCII
    std::string to;        // the address it goes to
    std::string id;        // unique, without brackets and "@hostname"; Message-ID and boundary derive from it
    WallTime date;         // now, also the time of the last attempt
    bool copy = false;     // for the postmaster: not the author of the mail

    std::string sender;      // of the original; empty: the null reverse path
    WallTime arrival;        // when it came in
    std::string envelopeId;  // ENVID, decoded; may be empty
    bool utf8 = false;       // it came with SMTPUTF8
    std::vector<ReportedRecipient> recipients;
    std::optional<WallTime> until;  // Delayed: when it is given up; nothing: it waits for a person

    std::string header;     // the original's header block, CRLF, without the empty line; may be empty
    std::string body = {};  // what follows the empty line; Whole only
    Returned returned = Returned::Header;
    std::string remark = {};  // why less comes back than might be expected, a sentence; may be empty
};

struct WrittenReport {
    std::string bytes;  // CRLF, no line over 998 bytes
    std::string messageId, subject;
    bool eightBit = false;  // for BODY=8BITMIME
    bool utf8 = false;      // the header needs SMTPUTF8
};

// REQUIRES: at least one recipient.
WrittenReport writeReport(const Report& report);

// The "Auto-Submitted" of a header block says other than "no" (RFC 3834 5): a program sent it.
bool isAutomatic(std::string_view header);

}  // namespace postern::mail
