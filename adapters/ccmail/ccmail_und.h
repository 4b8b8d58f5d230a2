#pragma once
// What IMPORT gives back: a file "msgXXXX.und" beside the import file (KB Q202178, Q168680). Its exact form
// is not public. What is known: it holds undeliverable messages in the form of the import file, grows by one
// report for each failing attempt (KB Q223772), errors are text between asterisks (KB Q180641, Q193864), and
// a router's words begin with "Not deliverable to" (KB Q228743). So this reader refuses nothing: it takes
// what it recognises from bytes that may be anything.
//
// What stands in the contents of a returned message was written by its sender, who may well write "*** Dear
// Bob ***": it is skipped by its size. Contents whose size leads nowhere (blank, too large: KB Q234745,
// Q287056) reach to the next "Message:" line.
//
// Thread rule: pure. Linear in the text, of which the first part is enough.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/ccmail/ccmail_format.h"

namespace postern::adapters::ccmail {

inline constexpr std::size_t kMostUndeliverable = 256 << 10;  // bytes that are read of one; then come files

// All texts UTF-8, one line each.
struct Undeliverable {
    std::vector<std::string> reasons;  // each once, the first few; if none was recognised, unknown lines
    std::vector<std::string> names;    // of To:, cc: and Bcc: lines in front of contents, folded
};

Undeliverable readUndeliverable(std::string_view bytes, const std::string& charset);

// The first reasons as one line; a text of ours when there is none.
std::string reasonOf(const Undeliverable& given);

// Who of `recipients` is given back: those whom a reason names; else those whom its header names; and when it
// names none of them, all: it is better to tell a sender too much than nothing.
std::vector<RecipientVerdict> givenBack(const Undeliverable& given, std::span<const Recipient> recipients,
                                        const Options& options);

}  // namespace postern::adapters::ccmail
