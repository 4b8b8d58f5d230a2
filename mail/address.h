#pragma once
// Internet addresses of the envelope, as RFC 5321 section 4.1.2 has them. Nothing is edited in place and
// nothing is guessed: an address is taken as it stands or refused with a text fit for an SMTP reply.
// Thread rule: pure functions.

#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::mail {

struct Address {
    std::string local;   // without quotes: `Full Name` for `"Full Name"@x` (KB Q156703)
    std::string domain;  // as written; an address literal with its brackets; empty only for "postmaster"

    // "local@domain", the local part quoted where RFC 5321 asks for it; parseAddress() gives back the same.
    std::string text() const;
    bool operator==(const Address&) const = default;  // byte for byte; see foldAddress()
};

struct AddressOptions {
    bool utf8 = false;     // SMTPUTF8 (RFC 6531): 8-bit local parts and domains, valid UTF-8 only
    bool relaxed = false;  // blanks in an unquoted local part, as old gateways send them (KB Q191262)
    std::string_view bareDomain = {};  // domain for a local part alone; empty: such addresses are refused
};

// A Mailbox: dot-string or quoted local part of at most 64 bytes, domain or [literal] of at most 255,
// together at most 254. Errors are Errc::Invalid.
Result<Address> parseAddress(std::string_view text, const AddressOptions& options = {});

enum class PathUse { MailFrom, RcptTo };

struct Path {
    Address address;        // empty when isNull
    bool isNull = false;    // "<>", the null reverse path; MailFrom only
    std::string_view rest;  // what follows ">", trimmed: the ESMTP parameters. A view into `line`
};

// What follows "MAIL FROM:" or "RCPT TO:". A source route "@a,@b:" is stripped (RFC 5321 appendix C, KB
// Q140940), "<postmaster>" is taken for RCPT in any case, blanks before "<" are skipped, brackets are
// required. Errors are Errc::Invalid with a text for a 501 or 553 reply.
Result<Path> parsePath(std::string_view line, PathUse use, const AddressOptions& options = {});

// Syntactically fine, but the local part asks some host to relay: it holds "%", "!" or "@", or looks like
// "user@[ip]" or a source route. Such a recipient is refused unless a route maps it literally.
bool looksRelayed(const Address& address);

// For equality: ASCII lower case on both sides of "@". Never for sending.
std::string foldAddress(const Address& address);

// For equality of names on the legacy side, everywhere: ASCII lower case, blanks and tabs at the ends taken
// away, runs of them one blank (KB Q237588, Q216492).
std::string foldLegacyName(std::string_view name);

}  // namespace postern::mail
