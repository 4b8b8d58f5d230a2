#include "connector/reports/check.h"

#include <gtest/gtest.h>

#include "tests/kit/drive.h"
#include "tests/kit/post_office.h"

namespace postern::reports {
namespace {

std::pair<std::size_t, std::size_t> found(const std::string& pattern, const std::string& carrier,
                                          const std::string& postmaster) {
    const auto drop = tests::makeAdapter("drop", "drop", {{"folder", tests::onDrive("/nowhere")}});
    config::Config config;
    config.routes = {{pattern, "drop", "", {}}};
    config.reports.adapter = carrier;
    config.reports.postmaster = postmaster;
    config::Findings findings;
    checkReports(config, routing::Router(config.routes, {{"drop", drop.get()}}), findings);
    return {findings.problems.size(), findings.warnings.size()};
}

// KB Q163643: the alert address is tried with the real router.
TEST(CheckReports, Q163643_the_postmaster_must_be_routable) {
    using Counts = std::pair<std::size_t, std::size_t>;
    EXPECT_EQ(found("*@legacy.example", "", ""), (Counts{0, 1}));
    EXPECT_EQ(found("*@legacy.example", "", "postmaster@legacy.example"), (Counts{0, 1}));
    EXPECT_EQ(found("*@legacy.example", "", "postmaster@elsewhere.example"), (Counts{1, 1}));
    EXPECT_EQ(found("*@legacy.example", "drop", "postmaster@elsewhere.example"), (Counts{0, 0}));
    EXPECT_EQ(found("*", "", "postmaster@elsewhere.example"), (Counts{0, 0}));
}

}  // namespace
}  // namespace postern::reports
