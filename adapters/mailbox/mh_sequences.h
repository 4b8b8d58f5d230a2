#pragma once
// The index file of an MH folder: ".mh_sequences", a line "name: 1-3 7" for each sequence. Several readers
// want it to be there, if only empty. Thread rule: any thread; programs that lock the file are respected.

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace postern::adapters {

// A letter, then letters and digits; "cur", "all", "next" and the like belong to the readers.
bool isSequenceName(std::string_view name);

// `text` with `numbers` added to `sequence`; other lines stay as they are. Invalid when `text` is no such
// file.
Result<std::string> withNumbers(std::string_view text, std::string_view sequence,
                                const std::vector<std::string>& numbers);

// Makes the file when it is missing, and adds `numbers` to `sequence` unless that is empty. Takes the lock
// that nmh takes (fcntl) and does not wait for it: Busy. An interrupted change leaves the file longer, never
// shorter.
Result<void> addToSequence(const Folder& folder, std::string_view sequence,
                           const std::vector<std::string>& numbers);

}  // namespace postern::adapters
