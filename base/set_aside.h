#pragma once
// Puts a file that can not be taken where a person finds it, with the reason beside it. Nothing that stands
// there is ever replaced. Thread rule: any thread.

#include <string>
#include <string_view>

#include "base/file.h"

namespace postern {

// Moves `name` from `from` to `to` as `wanted`, or, where that is taken, "wanted~1", "wanted~2", ...; the
// reason is in "<that name>.reason.txt", which is there before the file. Both are on the disk when it
// returns. Result: the file's name in `to`. REQUIRES: one volume.
Result<std::string> setAside(const Folder& from, std::string_view name, const Folder& to,
                             std::string_view wanted, std::string_view reason);

}  // namespace postern
