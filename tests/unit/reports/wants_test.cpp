#include "connector/reports/wants.h"

#include <gtest/gtest.h>

namespace postern::reports {
namespace {

using Kind = queue::Fate::Kind;

// RFC 3461 4.1. What is asked is told, what is not asked is told of failures, and of delays to people.
TEST(Wants, NotifyIsTheSendersWord) {
    struct Case {
        const char* notify;
        bool automatic, failed, delayed, exported;
    };
    const Case cases[] = {
        {"", false, true, true, false},
        {"", true, true, false, false},
        {"never", false, false, false, false},
        {"failure", false, true, false, false},
        {"delay", false, false, true, false},
        {"delay", true, false, true, false},
        {"success", false, false, false, true},
        {"success", true, false, false, true},
        {"success,failure", false, true, false, true},
        {"success,failure,delay", true, true, true, true},
    };
    for (const Case& each : cases) {
        SCOPED_TRACE(std::string(each.notify) + (each.automatic ? " automatic" : ""));
        EXPECT_EQ(wants(each.notify, Kind::Failed, each.automatic), each.failed);
        EXPECT_EQ(wants(each.notify, Kind::Delayed, each.automatic), each.delayed);
        EXPECT_EQ(wants(each.notify, Kind::Exported, each.automatic), each.exported);
    }
}

}  // namespace
}  // namespace postern::reports
