// Delivery reports: golden files that a person has read (POSTERN_UPDATE_GOLDEN=1 writes them anew; reports.py
// reads them with Python's email package).

#include "mail/report.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "mail/report_lines.h"
#include "tests/unit/mail/sample_reports.h"

namespace postern::mail {
namespace {

using tests::goldenReports;

TEST(Report, GoldenFiles) {
    for (const auto& [name, report] : goldenReports()) {
        const std::string got = writeReport(report).bytes;
        const std::string path = std::string(POSTERN_GOLDEN_REPORTS) + "/" + name + ".eml";
        if (std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << got;
        const auto wanted = readFile(path, 1 << 20);
        EXPECT_EQ(got, wanted.ok() ? *wanted : wanted.error().text) << name;
        EXPECT_TRUE(isLines(got)) << name;
    }
}

TEST(Report, AutomaticMail) {
    const std::pair<const char*, bool> cases[] = {{"", false},
                                                  {"Auto-Submitted: no\r\n", false},
                                                  {"Auto-Submitted: No ; x=y\r\n", false},
                                                  {"Auto-Submitted: auto-generated\r\n", true},
                                                  {"X: y\r\nauto-submitted: Auto-Replied (x)\r\n", true}};
    for (const auto& [header, wanted] : cases) EXPECT_EQ(isAutomatic(header), wanted) << header;
}

}  // namespace
}  // namespace postern::mail
