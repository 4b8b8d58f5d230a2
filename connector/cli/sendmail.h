#pragma once
// The program `postern-sendmail`: what scripts, cron and mail readers call as /usr/sbin/sendmail. Callable
// in-process.

#include <string>
#include <vector>

#include "connector/cli/console.h"

namespace postern::cli {

// `program` is what we were called (argv[0]), `words` the rest. Returns the exit status: 75 for everything
// that another try may cure, so that no caller drops a mail too early. Reads POSTERN_CONFIG. Does not throw.
int runSendmail(const std::string& program, const std::vector<std::string>& words, Console& console);

}  // namespace postern::cli
