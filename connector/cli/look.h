#pragma once
// The configured adapters and the router over them, made for asking what they are and take, not for
// delivering: no store is behind them.

#include <map>
#include <memory>
#include <string>

#include "adapters/adapter.h"
#include "connector/cli/verbs.h"
#include "connector/routing/router.h"

namespace postern::cli {

using LookAdapters = std::map<std::string, std::unique_ptr<adapters::Adapter>>;
Result<LookAdapters> makeLookAdapters(const config::Config& config);

struct LookRouter {
    LookAdapters adapters;
    std::unique_ptr<routing::Router> router;  // asks the adapters
};
// With the tables' files; their problems are printed, and the result is null.
Result<std::unique_ptr<LookRouter>> makeLookRouter(const Run& run, const config::Config& config);

}  // namespace postern::cli
