#pragma once
// Names and passwords in the one form that both sides of a log-on compare (SASLprep, RFC 4013).

#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::accounts {

inline constexpr std::size_t kLongestName = 255;  // bytes, before and after
inline constexpr std::size_t kLongestPassword = 1024;

// NFKC, foreign blanks as " ", soft hyphens and their kin gone; as a "stored string" (RFC 3454 section 7):
// characters newer than Unicode 3.2 are refused, because programs disagree about them. Invalid, with a text
// that names what is wrong and never the word itself: control characters, no UTF-8, nothing left, too long,
// a mix of writing directions. `what` ("the password") begins the text. Any thread.
Result<std::string> saslPrep(std::string_view what, std::string_view text, std::size_t longest);

inline Result<std::string> prepareName(std::string_view name) {
    return saslPrep("the name", name, kLongestName);
}
inline Result<std::string> preparePassword(std::string_view password) {
    return saslPrep("the password", password, kLongestPassword);
}

}  // namespace postern::accounts
