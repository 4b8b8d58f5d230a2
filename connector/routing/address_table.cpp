#include "connector/routing/address_table.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace postern::routing {

namespace {

// As lowerAscii(), inlined: it is called for every byte of a table.
char fold(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool sameFolded(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return x == y || fold(x) == fold(y); });
}

// FNV-1a over the folded bytes, and its high bits mixed into the low ones.
class Hash {
  public:
    void add(char c) { state_ = (state_ ^ static_cast<unsigned char>(fold(c))) * 0x100000001b3ULL; }
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

// The bytes of mail::foldLegacyName() one by one, without making the name. REQUIRES: trimmed.
class FoldedName {
  public:
    explicit FoldedName(std::string_view name) : name_(name) {}
    bool atEnd() const { return at_ == name_.size(); }
    char next() {
        const char c = name_[at_++];
        if (!isBlank(c)) return fold(c);
        while (at_ < name_.size() && isBlank(name_[at_])) ++at_;
        return ' ';
    }

  private:
    std::string_view name_;
    std::size_t at_ = 0;
};

std::size_t hashLegacy(std::string_view name) {
    Hash hash;
    for (FoldedName folded(name); !folded.atEnd();) hash.add(folded.next());
    return hash.value();
}

bool sameLegacy(std::string_view a, std::string_view b) {
    FoldedName x(a), y(b);
    while (!x.atEnd() && !y.atEnd())
        if (x.next() != y.next()) return false;
    return x.atEnd() && y.atEnd();
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
                 [&](Offset record) { return sameFolded(addressAt(record), address); });
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
