#pragma once
// How much of a volume: so many bytes, or a share of it.

#include <cstdint>

namespace postern::config {

struct Amount {
    std::int64_t bytes = 0;
    int percent = 0;  // 1 to 99 of the volume; 0: `bytes` counts

    std::int64_t of(std::int64_t volumeBytes) const {
        return percent == 0 ? bytes : volumeBytes / 100 * percent;
    }
    bool operator==(const Amount&) const = default;
};

}  // namespace postern::config
