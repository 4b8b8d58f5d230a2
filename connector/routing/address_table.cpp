#include "connector/routing/address_table.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "mail/address.h"

namespace postern::routing {

namespace {

// FNV-1a over the folded bytes, and its high bits mixed into the low ones.
class Hash {
  public:
    void add(char c) { state_ = (state_ ^ static_cast<unsigned char>(lowerAscii(c))) * 0x100000001b3ULL; }
    std::size_t value() const { return static_cast<std::size_t>(state_ ^ (state_ >> 29U)); }

  private:
    std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

bool isBlank(char c) {
    return c == ' ' || c == '\t';
}

std::size_t hashAddress(std::string_view address) {
    Hash hash;
    for (const char c : address) hash.add(c);
    return hash.value();
}

// As mail::foldLegacyName() has it, without making the name. REQUIRES: trimmed.
std::size_t hashLegacy(std::string_view name) {
    Hash hash;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (isBlank(name[i]) && i > 0 && isBlank(name[i - 1])) continue;
        hash.add(isBlank(name[i]) ? ' ' : name[i]);
    }
    return hash.value();
}

bool sameLegacy(std::string_view a, std::string_view b) {
    return equalsIgnoreCase(a, b) || mail::foldLegacyName(a) == mail::foldLegacyName(b);
}

// The slot of what `isIt` knows, or the free one where it would stand. Null in a table that was not prepared.
template <class IsIt>
const std::uint32_t* probe(const std::vector<std::uint32_t>& slots, std::size_t hash, IsIt isIt) {
    if (slots.empty()) return nullptr;
    const std::size_t mask = slots.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask)
        if (slots[at] == 0 || isIt(slots[at] - 1)) return &slots[at];
}

}  // namespace

void AddressTable::Index::prepare(std::size_t records) {
    std::size_t size = 16;
    while (size < 2 * records) size *= 2;
    slots.assign(size, 0);
}

std::string_view AddressTable::addressAt(Offset record) const {
    return bytes_.c_str() + record;
}

std::string_view AddressTable::legacyAt(Offset record) const {
    const char* address = bytes_.c_str() + record;
    return address + std::strlen(address) + 1;
}

const AddressTable::Offset* AddressTable::findAddress(std::string_view address) const {
    return probe(byAddress_.slots, hashAddress(address),
                 [&](Offset record) { return equalsIgnoreCase(addressAt(record), address); });
}

const AddressTable::Offset* AddressTable::findLegacy(std::string_view legacy) const {
    return probe(byLegacy_.slots, hashLegacy(legacy),
                 [&](Offset record) { return sameLegacy(legacyAt(record), legacy); });
}

std::optional<std::string_view> AddressTable::legacyOf(std::string_view address) const {
    const Offset* slot = findAddress(address);
    if (slot == nullptr || *slot == 0) return std::nullopt;
    return legacyAt(*slot - 1);
}

std::optional<std::string_view> AddressTable::addressOf(std::string_view legacy) const {
    const Offset* slot = findLegacy(trim(legacy));
    if (slot == nullptr || *slot == 0) return std::nullopt;
    return addressAt(*slot - 1);
}

}  // namespace postern::routing
