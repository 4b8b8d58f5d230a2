#pragma once
// What the system keeps of files in its memory. Thread rule: any thread.

#include <string>

#include "base/result.h"

namespace postern {

// What is read of the file from here on comes from the device. What was written and not synced is synced
// first; that what had failed to get there before is gone is the purpose: Linux calls such pages clean, shows
// them to every reader, and ext4 can lose even what is written over them and synced (RELIABILITY 2.4).
// Windows has no such call, and nothing is done there. Io: the sync failed.
Result<void> forgetCached(const std::string& path);

}  // namespace postern
