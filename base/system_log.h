#pragma once
// The list of events that the system keeps for all its programs, where operators look first: the Event Log
// on Windows, source "posternd", with the numbers of base/event_numbers.h. Elsewhere the service manager
// keeps all that the service says, and nothing is told twice. Thread rule: any thread.

#include <string_view>

#include "base/log.h"

namespace postern {

// A line as the log's sink gets it (base/log.h). Told are errors and warnings, and that the service starts,
// is ready, stops and has stopped; nothing else. A list that can not be written is no reason to fail.
void tellSystemLog(Severity severity, std::string_view line);

}  // namespace postern
