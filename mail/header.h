#pragma once
// Header blocks: fields, unfolding, encoded words (RFC 2047), parameters (RFC 2231), dates. Internal to this
// room. All of it is linear in its input and bounded by what readStructure() lets through. Thread rule: pure.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "mail/field_text.h"

namespace postern::mail {

class HeaderBlock {
  public:
    explicit HeaderBlock(std::string bytes);
    HeaderBlock(const HeaderBlock&) = delete;
    HeaderBlock& operator=(const HeaderBlock&) = delete;

    int count() const { return static_cast<int>(fields_.size()); }
    // The raw value of the first field of that name, any case; empty when missing. The first wins where
    // several stand (KB Q134371).
    std::string_view first(std::string_view name) const;
    bool has(std::string_view name) const;
    std::size_t times(std::string_view name) const;

  private:
    std::string bytes_;
    std::vector<std::pair<std::string_view, std::string_view>> fields_;  // views into bytes_
};

// Whether `line` can begin a field: printable name, colon. A mailbox file's "From " counts when `isFirst`.
bool isFieldLine(std::string_view line, bool isFirst);

// Takes line breaks out, nothing else (KB Q176045).
std::string unfold(std::string_view value);

// "multipart/mixed; boundary=x": the leading token in lower case and its parameters.
struct ContentField {
    std::string value;
    std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case, values in UTF-8
    int pieces = 0;                                               // most RFC 2231 pieces of one parameter

    std::string_view parameter(std::string_view name) const;  // empty when missing
    std::string token(std::string_view name) const;           // without blanks and comments behind it
};
ContentField parseContent(std::string_view rawValue);

// RFC 5322 dates with their obsolete forms: zone names, years of two digits (00-49 are 20xx, KB Q182040),
// "-7", "+05:30". Nothing when it is no date, no day of the calendar, or not from 1970 to 2199.
std::optional<WallTime> parseDate(std::string_view rawValue);

// "<a@b> <c@d>": the bracketed ids, without control characters (KB Q275598).
std::vector<std::string> parseIds(std::string_view rawValue);

}  // namespace postern::mail
