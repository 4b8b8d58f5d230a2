#pragma once
// The address lists of a message's header (From, To, Cc): an own scanner with a fixed depth, because a
// library's recursive one can be crashed with `g:g:g:...`. Never used for the envelope: who gets a mail is
// decided by the envelope alone. Thread rule: pure functions.

#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

struct Mailbox {
    std::string name;      // UTF-8, decoded, one line, no control or bidi characters; may be empty
    std::string address;   // as written, "local@domain"; empty for a group without members ("name" then says
                           // "undisclosed-recipients:;", KB Q176538) and for text that is no address
    bool guessed = false;  // words stand where a comma or brackets are missing: fit to show, not to send to

    // The name, or the address where there is no name (KB Q176465).
    const std::string& shown() const { return name.empty() ? address : name; }
    bool operator==(const Mailbox&) const = default;
};

// `value` is a raw header value, folded or not. At most `limit` mailboxes are made. Linear time; never fails:
// what can not be read is kept as text in `name`.
std::vector<Mailbox> parseMailboxes(std::string_view value, std::size_t limit = 10000);

// How deep groups (`g:` inside `g:`) go in a raw value, counted outside of quotes, comments and [literals].
int groupDepth(std::string_view value);

}  // namespace postern::mail
