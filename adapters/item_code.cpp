#include "adapters/item_code.h"

#include <algorithm>
#include <cstdint>

namespace postern::adapters {

namespace {

std::string base36(std::uint64_t number, int digits) {
    static constexpr char kDigits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::string out(static_cast<std::size_t>(digits), '0');
    for (auto digit = out.rbegin(); digit != out.rend(); ++digit, number /= 36) *digit = kDigits[number % 36];
    return out;
}

}  // namespace

std::string itemCode(ItemId item, int digits) {
    return base36(static_cast<std::uint64_t>(item.value), digits);
}

std::string networkId(std::string_view prefix, std::string_view storeId, ItemId item) {
    std::uint64_t sum = 14695981039346656037u;
    for (const char c : storeId) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return std::string(prefix) + base36(sum, 3) + itemCode(item, 7);
}

bool isIdPrefix(std::string_view text) {
    return text.size() == 2 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
           });
}

}  // namespace postern::adapters
