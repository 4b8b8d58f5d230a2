#include "base/background_log.h"

#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/log.h"
#include "base/text.h"

namespace postern {
namespace {

// What went to standard error, line by line, since it was made.
class Captured {
  public:
    Captured() { testing::internal::CaptureStderr(); }
    std::vector<std::string> lines() {
        std::vector<std::string> all;
        const std::string text = testing::internal::GetCapturedStderr();
        for (const std::string_view line : split(text, '\n'))
            if (!line.empty()) all.emplace_back(line);
        return all;
    }
};

TEST(BackgroundLog, WritesEveryLineWholeAndEachThreadsInOrder) {
    Captured captured;
    {
        const BackgroundLog log;
        std::vector<std::jthread> threads;
        for (int t = 1; t <= 4; ++t)
            threads.emplace_back([t] {
                for (int i = 0; i < 500; ++i)
                    LogLine(LogEvent::ItemExported, ItemId{t}).with("n", std::int64_t{i});
            });
    }
    const auto lines = captured.lines();
    ASSERT_EQ(lines.size(), 2000u);
    std::map<std::string, std::int64_t> next;
    for (const std::string& line : lines) {
        const auto at = line.find(" item.exported n=");
        ASSERT_NE(at, std::string::npos) << line;
        EXPECT_EQ(parseInt(line.substr(at + 17)), next[line.substr(at - 1, 1)]++) << line;
    }
}

TEST(BackgroundLog, WhatAnOperatorMustSeeIsWrittenWhenItIsSaid) {
    Captured captured;
    std::optional<BackgroundLog> log(std::in_place);
    LogLine(LogEvent::ItemExported, ItemId{1});
    LogLine(LogEvent::ItemFailed, ItemId{2});
    const auto lines = captured.lines();  // while the log's thread lives on
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_NE(lines[0].find("1 item.exported"), std::string::npos) << lines[0];
    EXPECT_NE(lines[1].find("2 item.failed"), std::string::npos) << lines[1];
}

TEST(BackgroundLog, GivesTheLogBackAtItsEnd) {
    Captured captured;
    { const BackgroundLog log; }
    LogLine(LogEvent::ItemExported, ItemId{3});
    EXPECT_EQ(captured.lines().size(), 1u);
}

}  // namespace
}  // namespace postern
