// An address table of any bytes: it is refused with places, or each of its addresses is found in it, both
// ways.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "connector/routing/address_table.h"

namespace {

using namespace postern;

void mustHold(bool holds, const char* what, std::string_view text) {
    if (holds) return;
    std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

// Whatever may be an address or a name of the table's: its fields, as far as they need no rules.
void checkWord(const routing::AddressTable& table, std::string_view word) {
    if (const auto legacy = table.legacyOf(word)) {
        mustHold(!legacy->empty(), "an address without a name", word);
        const auto back = table.addressOf(*legacy);
        mustHold(back.has_value(), "a name without its address", *legacy);
        mustHold(table.legacyOf(*back).has_value(), "the way back leads nowhere", *back);
    }
    if (const auto address = table.addressOf(word)) {
        const auto legacy = table.legacyOf(*address);
        mustHold(legacy.has_value(), "a way back that is none", word);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    const auto read = routing::AddressTable::parse(bytes, "people.csv");
    mustHold((read.table != nullptr) == read.problems.empty(), "a table and problems", bytes);
    for (const config::Problem& problem : read.problems)
        mustHold(!problem.text.empty(), "a problem without words", bytes);
    if (!read.table) return 0;
    for (const auto& line : split(bytes, '\n'))
        for (const auto& word : split(line, ',')) checkWord(*read.table, trim(word));
    return 0;
}
