#pragma once
// uuencode as Unix V7 had it, with the grave accent for a blank: lines of at most 45 bytes of a file.
// Internal to this room. Thread rule: pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::mail {

constexpr std::size_t kUuLineBytes = 45;

// The letters that `bytes` of a line become, its count before them. REQUIRES: at most 45.
constexpr std::size_t uuLineLength(std::size_t bytes) {
    return 1 + (bytes + 2) / 3 * 4;
}
void appendUuLine(std::string_view bytes, std::string& out);  // without a line end

std::string uuBegin(std::string_view name);  // "begin 644 name", without a line end

}  // namespace postern::mail
