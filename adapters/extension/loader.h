#pragma once
// Finds adapters that were built outside this tree: shared libraries in a folder, each with one or more kinds
// (include/postern/adapter.h). Thread rule: any thread; a library is loaded once and never unloaded.

#include <string>
#include <string_view>
#include <vector>

namespace postern::adapters {

struct Refused {
    std::string path;
    std::string reason;  // one line: what is wrong and what to do
};

// Loads every *.so (*.dll) of `folder` that was not loaded before, in the order of their names, and adds its
// kinds to the registry. What does not fit is refused as a whole and left alone; a missing folder holds
// nothing. A file that was replaced after it was loaded counts when the program starts again.
// Not loaded, and looked at anew by each call: what others than root and our user could write to, itself or
// by its folder. `reserved` are keys that no kind may have as a setting: every adapter has them.
std::vector<Refused> loadExtensions(const std::string& folder, const std::vector<std::string_view>& reserved);

}  // namespace postern::adapters
