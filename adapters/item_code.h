#pragma once
// Short names made of an item's id, for systems whose names have eight or twelve characters. Thread rule:
// pure.

#include <string>
#include <string_view>

#include "base/ids.h"

namespace postern::adapters {

// The number in base 36, upper case, exactly `digits` of them: the lowest. Seven digits repeat after 78
// billion items, six after two billion.
std::string itemCode(ItemId item, int digits);

// Twelve characters for networks in which everybody's ids must differ, "GWK3F0000001": the prefix, of two
// characters, three that stand for the store, so that another gateway or a store made anew gives other ids,
// and the item.
std::string networkId(std::string_view prefix, std::string_view storeId, ItemId item);

// Two upper case letters or digits.
bool isIdPrefix(std::string_view text);

}  // namespace postern::adapters
