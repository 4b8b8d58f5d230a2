#pragma once

namespace postern {

inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kReleased = "November 22, 2026";  // the day of it, in the manual pages

}  // namespace postern
