#pragma once
// After a file of the configuration was written: the service, if one runs, reads it at once.

#include "connector/cli/verbs.h"

namespace postern::cli {

struct Reloading {
    bool refused = false;  // it keeps the old configuration
    std::string text;      // why the service did not take it; "" when it did, or when there is none
    int exit = 0;
};
Reloading tellService(const config::Config& config, const admin::RowSink& answer);

// The same, for a file that stays as it was written. Each row of the service's answer goes to `answer`, and
// `output` is finished before a complaint: that it kept the old configuration is complained of and gives its
// exit status. Without a service that is no error: it reads the file when it starts.
Result<int> reloadService(const Run& run, const config::Config& config, Output& output,
                          const admin::RowSink& answer);

}  // namespace postern::cli
