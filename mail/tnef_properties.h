#pragma once
// The MAPI properties inside TNEF (MS-OXTNEF 2.1.3.4). Internal to this room. Linear time. Thread rule: pure.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::mail {

// Reads little-endian numbers and runs of bytes from the front; every step is checked.
class LittleEndian {
  public:
    explicit LittleEndian(std::string_view bytes) : bytes_(bytes) {}
    bool empty() const { return at_ >= bytes_.size(); }
    std::size_t position() const { return at_; }
    Result<std::uint32_t> number(std::size_t size);  // of 1, 2 or 4 bytes
    Result<std::string_view> take(std::size_t size);

  private:
    std::string_view bytes_;
    std::size_t at_ = 0;
};

struct MapiProperty {
    std::uint32_t id = 0, type = 0;
    std::string_view value;  // the first where there are several
};

// Calls `each` for every property without a name of its own. `left` counts down; Errc::Invalid where it
// would pass zero, or where the block is damaged.
Result<void> readProperties(std::string_view block, int& left,
                            const std::function<Result<void>(const MapiProperty&)>& each);

// A text property as UTF-8: UTF-16 or `charset`, without the NUL at its end.
std::string propertyText(const MapiProperty& property, std::string_view charset);

// "cp1252", "utf-8": the charset of a Windows code page number.
std::string charsetOfCodePage(std::uint32_t number);

}  // namespace postern::mail
