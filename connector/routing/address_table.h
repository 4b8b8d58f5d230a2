#pragma once
// A table of Internet addresses and their names on the legacy side, both ways, read from a CSV file (UTF-8,
// RFC 4180): a line "internet address,legacy address" each; quotes around a field with a comma, "#" begins a
// remark, a first line "internet address,legacy address" is a header. Blanks around a field without quotes
// are not part of it.
//
// An Internet address stands once; one legacy name may stand for several addresses, and the first of them is
// the way back. Both are found in any ASCII case, legacy names in any runs of blanks (mail::foldLegacyName).
//
// Immutable once read. Thread rule: any thread. A million lines take the size of the file and 16 MiB.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connector/config/config.h"

namespace postern::routing {

class AddressTable {
  public:
    struct Read {
        std::shared_ptr<const AddressTable> table;  // null when there are problems
        std::vector<config::Problem> problems;      // the first twenty with their lines, then how many more
        std::vector<config::Problem> warnings;      // the same: names that stand twice
    };
    static Read read(const std::string& path);
    // `bytes` as if they stood in the file `path`.
    static Read parse(std::string bytes, const std::string& path);

    // Views live as long as the table; as written in the file, the address in its plain form.
    std::optional<std::string_view> legacyOf(std::string_view address) const;
    std::optional<std::string_view> addressOf(std::string_view legacy) const;
    std::size_t size() const { return size_; }

  private:
    friend class TableReader;
    using Offset = std::uint32_t;

    // Open addressing; 0 is free, others are one more than the offset of a record "address NUL name NUL".
    struct Index {
        std::vector<Offset> slots;
        void prepare(std::size_t records);
    };
    std::string_view addressAt(Offset record) const;
    std::string_view legacyAt(Offset record) const;
    const Offset* findAddress(std::string_view address) const;
    const Offset* findLegacy(std::string_view legacy) const;

    std::string bytes_;
    Index byAddress_, byLegacy_;
    std::size_t size_ = 0;
};

}  // namespace postern::routing
