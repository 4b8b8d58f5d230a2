#pragma once
// Columns as the readers of a legacy target count them: of what stands there in its character set, where
// "EUR" may stand for one character. Internal to this room. Thread rule: one thread. Linear time; memory is
// bounded.

#include <string>
#include <string_view>
#include <unordered_map>

#include "mail/text.h"

namespace postern::mail {

class Ruler {
  public:
    explicit Ruler(std::string_view charset);  // as fromUtf8() takes it
    int columns(std::string_view utf8) const;  // of one line

  private:
    int widthOf(char32_t character, std::string_view utf8) const;

    const std::string charset_;
    const bool isUtf8_;
    const Letters letters_;
    // Of a set that is no page of 256: what it lacks is asked for once.
    mutable std::unordered_map<char32_t, int> widths_;
};

}  // namespace postern::mail
