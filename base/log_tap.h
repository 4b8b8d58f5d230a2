#pragma once
// Somebody who hears of log lines besides the sink (connector/admin/feed.h). One at a time.

#include <functional>
#include <string_view>

#include "base/log.h"

namespace postern {

// Called for every line of severity Info or worse, whatever the log level is, by the thread that logs: it
// must be quick, must not log and must not throw. An empty one ends it; when that returns, the old one is
// not called any more. Thread rule: any thread.
using LogTap = std::function<void(LogEvent event, ItemId item, std::string_view line)>;
void setLogTap(LogTap tap);

}  // namespace postern
