#pragma once
// The value of an address field in US-ASCII. Internal to this room. Thread rule: pure. Linear time.

#include <string>
#include <string_view>

#include "mail/encoded_words.h"

namespace postern::mail {

struct RewrittenAddresses {
    std::string value;            // separated by a comma and a blank
    bool addressRemoved = false;  // some mailbox's address is not US-ASCII: a group stands in its place
};

// `value` is unfolded. Names and comments become encoded words; what is US-ASCII stays as written.
RewrittenAddresses rewriteAddresses(std::string_view value, const WordStyle& words);

// A phrase with comments in it, as encoded words where it is not US-ASCII.
std::string rewritePhrase(std::string_view text, const WordStyle& words);

// `text` with the comments that are not US-ASCII as encoded words; the rest as written.
std::string rewriteComments(std::string_view text, const WordStyle& words);

}  // namespace postern::mail
