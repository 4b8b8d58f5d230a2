#pragma once
// What comes out of a file that holds others: TNEF, BinHex, AppleSingle, MacBinary. Internal to this room.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

// A run of bytes with the memory it stands in.
struct OwnedRange {
    std::shared_ptr<const std::string> memory;
    std::size_t begin = 0, end = 0;

    std::string_view view() const { return std::string_view(*memory).substr(begin, end - begin); }
};

struct UnpackedFile {
    std::string name;  // UTF-8, as written: see safeFileName(); may be empty
    std::string type;  // "image/png" where the container says so; else empty
    OwnedRange bytes;
};

}  // namespace postern::mail
