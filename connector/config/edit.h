#pragma once
// Changes of a TOML file that a person wrote: line by line, so that comments, order and blank lines stay.
// What can not be changed so is refused, never guessed: the result is read again and must differ in nothing
// else.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/registry.h"
#include "base/result.h"

namespace postern::config {

struct KeyChange {
    std::string key;
    std::optional<std::string> value;  // as it stands in the file; nothing: the key goes
};

// `table` is "" for the keys above the first table, or a header such as "adapter.fax". Invalid when the table
// is not there, a key to be taken away is not, or the file is written in a way that lines do not show.
Result<std::string> editKeys(std::string_view text, std::string_view table,
                             const std::vector<KeyChange>& changes);
// Without a whole table, its header and the comments right above it.
Result<std::string> removeTable(std::string_view text, std::string_view table);

// Values as a person types them, as they stand in the file: one for most types, any number for a List
// (a single empty one: none).
// Invalid for a second value of anything else.
Result<std::string> valueText(adapters::SettingType type, const std::vector<std::string>& values);

}  // namespace postern::config
