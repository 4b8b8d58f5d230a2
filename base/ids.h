#pragma once
// Strong ids: a message, an item and an epoch can not be mixed up. All are 64-bit and never reused (I2).

#include <cstdint>
#include <functional>

namespace postern {

template <class Tag>
struct Id {
    std::int64_t value = 0;
    auto operator<=>(const Id&) const = default;
    explicit operator bool() const { return value != 0; }
};

using MessageId = Id<struct MessageTag>;  // one accepted mail
using ItemId = Id<struct ItemTag>;        // one artifact to be made of it for one adapter
using Epoch = Id<struct EpochTag>;        // counts the claims of one item; the fencing token

}  // namespace postern

template <class Tag>
struct std::hash<postern::Id<Tag>> {
    std::size_t operator()(const postern::Id<Tag>& id) const noexcept {
        return std::hash<std::int64_t>()(id.value);
    }
};
