#pragma once
// After a file of the configuration was written: the service, if one runs, reads it at once.

#include "connector/cli/verbs.h"

namespace postern::cli {

// Each row of the service's answer goes to `answer`, and `output` is finished before a complaint: that it
// kept the old configuration is complained of and gives its exit status. Without a service that is no error:
// it reads the file when it starts.
Result<int> reloadService(const Run& run, const config::Config& config, Output& output,
                          const admin::RowSink& answer);

}  // namespace postern::cli
