#pragma once
// What shows only when the routes are asked: whether reports can get anywhere.

#include "connector/config/check.h"
#include "connector/routing/router.h"

namespace postern::reports {

// A postmaster that no route and no reports.adapter takes is a problem (KB Q163643); senders that nothing
// takes are a warning. REQUIRES: `router` is made of `config`.
void checkReports(const config::Config& config, const routing::Router& router, config::Findings& findings);

}  // namespace postern::reports
