#include "connector/reports/check.h"

#include "base/text.h"

namespace postern::reports {

void checkReports(const config::Config& config, const routing::Router& router, config::Findings& findings) {
    const config::Reports& reports = config.reports;
    const config::Place place = reports.place.file.empty() ? config::Place{config.file, 1, 1} : reports.place;
    if (!reports.adapter.empty()) return;
    if (!reports.postmaster.empty()) {
        const auto routed = router.route(reports.postmaster);
        if (!routed.ok())
            findings.problem(place, "reports to the \"postmaster\" " + escapeLine(reports.postmaster, 300) +
                                        " would get nowhere: " + routed.error().text +
                                        "; add a route for it, or set \"adapter\" in [reports]");
    }
    // A name that nobody has (RFC 2606): only a route for everybody takes it.
    const auto anybody = router.route("somebody@elsewhere.invalid");
    if (!anybody.ok() && anybody.error().code == Errc::NotFound && !config.routes.empty())
        findings.warning(
            place,
            "senders outside of your routes will get no delivery reports: set \"adapter\" in [reports]");
}

}  // namespace postern::reports
