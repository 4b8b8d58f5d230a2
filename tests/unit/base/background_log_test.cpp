#include "base/background_log.h"

#include <algorithm>
#include <chrono>
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

// Under load it writes a hundred times a second at most, or when 32 KiB have come together.
TEST(BackgroundLog, WritesTogetherWhatComesTogether) {
    std::size_t writes = 0, lines = 0, bytes = 0;
    const auto begun = std::chrono::steady_clock::now();
    {
        const BackgroundLog log({.write = [&](std::string_view text) {
            ++writes;
            bytes += text.size();
            lines += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        }});
        for (int i = 0; i < 500; ++i) {
            LogLine(LogEvent::ItemExported, ItemId{1}).with("n", std::int64_t{i});
            std::this_thread::yield();  // the log's thread could write each of them now
        }
    }
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    EXPECT_EQ(lines, 500u);
    EXPECT_LE(writes, static_cast<std::size_t>(took.count()) / 10 + bytes / (32 * 1024) + 2);
}

TEST(BackgroundLog, GivesTheLogBackAtItsEnd) {
    Captured captured;
    { const BackgroundLog log; }
    LogLine(LogEvent::ItemExported, ItemId{3});
    EXPECT_EQ(captured.lines().size(), 1u);
}

}  // namespace
}  // namespace postern
