#include "base/rotated_log.h"

#include <chrono>
#include <filesystem>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/fake_clock.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

std::set<std::string> namesIn(const std::string& folder) {
    std::set<std::string> names;
    EXPECT_TRUE(Folder::open(folder)
                    .value()
                    .list([&](std::string_view name) { return names.emplace(name), true; })
                    .ok());
    return names;
}

class Rotated : public testing::Test {
  protected:
    std::unique_ptr<RotatedLog> open() { return RotatedLog::open(where(), "posternd", clock_).value(); }
    std::string where() const { return folder_ / "log"; }
    std::string textOf(const std::string& name) {
        return readFile(joinPath(where(), name), 64 << 20).value();
    }

    tests::TempFolder folder_;
    tests::FakeClock clock_;
};

TEST_F(Rotated, GoesOnWhereItEnded) {
    open()->write("one\n");
    const std::string file = joinPath(where(), "posternd.log");
    std::filesystem::last_write_time(file, std::chrono::file_clock::from_sys(clock_.now()));
    open()->write("two\n");
    EXPECT_EQ(textOf("posternd.log"), "one\ntwo\n");
    EXPECT_EQ(namesIn(where()).size(), 1u);
}

TEST_F(Rotated, WhatIsFoundFromAnotherDayIsPutAside) {
    open()->write("one\n");
    const std::string file = joinPath(where(), "posternd.log");
    std::filesystem::last_write_time(
        file, std::chrono::file_clock::from_sys(clock_.now() - std::chrono::hours(24)));
    open()->write("two\n");
    EXPECT_EQ(textOf("posternd.log"), "two\n");
    EXPECT_EQ(namesIn(where()).size(), 2u);
}

TEST_F(Rotated, ADayThatIsOverIsPutAside) {
    const auto log = open();
    log->write("old\n");
    clock_.advance(Millis(24 * 3'600'000));
    log->write("new\n");
    log->write("newer\n");
    EXPECT_EQ(textOf("posternd.log"), "new\nnewer\n");
    const auto names = namesIn(where());
    ASSERT_EQ(names.size(), 2u);
    EXPECT_EQ(textOf(*names.begin()), "old\n");
    EXPECT_TRUE(names.begin()->starts_with("posternd-2")) << *names.begin();
    EXPECT_EQ(names.begin()->size(), std::string("posternd-20261122T235959Z.log").size());
}

TEST_F(Rotated, AFullOneIsPutAsideAndTheOldestAreRemoved) {
    const auto log = open();
    const std::string much(static_cast<std::size_t>(kLogLimit), 'x');
    for (int i = 0; i < kLogsKept + 3; ++i) {
        log->write(std::to_string(i) + much + "\n");
        clock_.advance(Millis(1000));
    }
    const auto names = namesIn(where());
    EXPECT_EQ(names.size(), kLogsKept + 1u);
    EXPECT_EQ(textOf(*names.begin()).substr(0, 2), "2x");  // 0 and 1 are gone
}

TEST_F(Rotated, WhatIsNotOursStays) {
    const auto log = open();
    for (const char* name : {"posternd-2026.log", "posternd-20261122T235959Z.txt", "other.log"})
        ASSERT_TRUE(replaceFile(joinPath(where(), name), "x").ok());
    log->write(std::string(static_cast<std::size_t>(kLogLimit), 'x'));
    log->write("y\n");
    EXPECT_EQ(namesIn(where()).size(), 5u);
}

// Two in one second: the name is taken, the file grows on, and goes aside a minute later.
TEST_F(Rotated, ATakenNameIsNoLoss) {
    const auto log = open();
    const std::string much(static_cast<std::size_t>(kLogLimit), 'x');
    for (const char* start : {"a", "b", "c"}) log->write(start + much);
    EXPECT_EQ(namesIn(where()).size(), 2u);
    EXPECT_EQ(textOf("posternd.log").size(), 2 * (much.size() + 1));
    clock_.advance(Millis(60'000));
    log->write("d\n");
    EXPECT_EQ(textOf("posternd.log"), "d\n");
    EXPECT_EQ(namesIn(where()).size(), 3u);
}

TEST_F(Rotated, WithoutAFolderThereIsNone) {
    ASSERT_TRUE(replaceFile(folder_ / "file", "x").ok());
    EXPECT_FALSE(RotatedLog::open(folder_ / "file/log", "posternd", clock_).ok());
}

}  // namespace
}  // namespace postern
