#pragma once
// Others have our files open for a moment: virus scanners, indexers, backups, and whoever reads what we give
// him. Windows refuses then what POSIX would do, so we wait a little. Thread rule: any thread.

#include <chrono>
#include <functional>

#include "base/windows/system.h"

namespace postern::windows {

// Makes the call again, with growing pauses, while it says that another program stands in the way, for 3 s at
// most. `call` gives the system's error number, 0 when it went well. Result: its last answer.
DWORD patiently(const std::function<DWORD()>& call);

bool isInUse(DWORD number);  // what patiently() waits for
// The error number as an Error; one that patiently() waited for says what to do about it.
Error fileError(DWORD number, std::string_view context);

// For tests. Result: what it was.
std::chrono::milliseconds setPatience(std::chrono::milliseconds most);

}  // namespace postern::windows
