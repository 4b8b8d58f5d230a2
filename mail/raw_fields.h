#pragma once
// Header blocks cut into fields as they stand. Thread rule: pure. Linear.

#include <string_view>

namespace postern::mail {

// Views into the block.
struct RawField {
    std::string_view whole;  // its line and those that continue it, with their ends
    std::string_view name;   // all before the colon, blanks too; all of a line that has none
    std::string_view value;  // behind the colon, folds and line ends too; empty where there is none
    bool hasColon = false;
};

// The next field off the front of `block`, whatever stands there: what is no field, and the blank line behind
// the header, come out as one without a colon. REQUIRES: `block` is not empty.
RawField takeField(std::string_view& block);

}  // namespace postern::mail
