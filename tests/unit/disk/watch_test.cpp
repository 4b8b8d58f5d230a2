#include "connector/disk/watch.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/log.h"
#include "tests/fake_clock.h"
#include "tests/unit/store/open_store.h"

namespace postern::disk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr std::int64_t kMiB = 1 << 20, kGiB = 1 << 30;

class WatchTest : public testing::Test {
  protected:
    static constexpr std::int64_t kReserve = 64 * kMiB, kBallast = 2 * kMiB;

    WatchTest() {
        setLogSink([this](Severity, std::string_view line) {
            for (const char* event : {"store.full", "store.room", "store.ballast_out", "store.ballast_in",
                                      "store.ballast_missing", "disk.low", "disk.ample"})
                if (line.find(std::string(event) + " ") != std::string_view::npos) said_.emplace_back(event);
        });
    }
    ~WatchTest() override { setLogSink({}); }

    void look(std::int64_t freeBytes, std::int64_t freeFiles = 100'000) {
        volume_ = {10 * kGiB, freeBytes, 200'000, freeFiles, 1};
        clock_.advance(Millis(60'000));
        watch_.runOnce();
    }
    std::vector<std::string> said() { return std::exchange(said_, {}); }
    Overview overview() const { return watch_.overview(); }

    tests::TempFolder folder_;
    tests::FakeClock clock_;
    std::unique_ptr<store::Store> store_ = tests::openStore(tests::optionsFor(folder_));
    Volume volume_;
    std::int64_t wanted_ = kBallast;
    std::vector<FolderSpace> folders_;
    std::vector<std::string> said_;
    Room room_{*store_, clock_, Limits{{kReserve}, {kGiB}},
               [this](const std::string&) -> Result<Volume> { return volume_; }};
    Watch watch_{room_, store_->ballast(), clock_,
                 WatchOptions{[this] { return wanted_; }, [this] { return folders_; }}, false};
};

TEST_F(WatchTest, MakesTheBallastWhenThereIsRoom) {
    look(5 * kGiB);
    EXPECT_EQ(store_->ballast().held(), kBallast);
    EXPECT_EQ(overview().ballastHeld, kBallast);
    EXPECT_THAT(overview().troubles(), IsEmpty());
    EXPECT_THAT(said(), ElementsAre("store.ballast_in"));
    look(5 * kGiB);
    EXPECT_THAT(said(), IsEmpty()) << "once";
    wanted_ = 0;
    look(5 * kGiB);
    EXPECT_EQ(store_->ballast().held(), 0);
    EXPECT_FALSE(store_->ballast().released());
    EXPECT_THAT(said(), IsEmpty());
}

TEST_F(WatchTest, WithoutRoomForItItsAbsenceIsSaidOnceAndShown) {
    look(kReserve + kBallast - 1);
    EXPECT_EQ(store_->ballast().held(), 0);
    EXPECT_THAT(said(), ElementsAre("store.ballast_missing", "disk.low"));
    ASSERT_EQ(overview().troubles().size(), 2u);
    EXPECT_THAT(overview().troubles()[1], Pair("ballast", HasSubstr("66 MiB are needed")));
    EXPECT_TRUE(room_.check(0).ok()) << "mail is taken: it never was given away";
    look(kReserve + kBallast - 1);
    EXPECT_THAT(said(), IsEmpty());
    look(kReserve + kBallast);
    EXPECT_EQ(store_->ballast().held(), kBallast);
    EXPECT_THAT(said(), ElementsAre("store.ballast_in"));
}

TEST_F(WatchTest, WhatWasGivenAwayComesBackWithRoomAndMailWithIt) {
    look(5 * kGiB);
    ASSERT_TRUE(store_->ballast().release().ok());
    said();
    look(kReserve + kBallast - 1);
    EXPECT_FALSE(room_.check(0).ok());
    EXPECT_THAT(said(), ElementsAre("store.full", "disk.low"));
    EXPECT_THAT(overview().troubles(), ElementsAre(Pair("disk", HasSubstr("new mail is refused")),
                                                   Pair("ballast", HasSubstr("given away"))));
    look(kReserve + kBallast - 1);
    EXPECT_THAT(said(), IsEmpty());
    look(5 * kGiB);
    EXPECT_TRUE(room_.check(0).ok());
    EXPECT_EQ(store_->ballast().held(), kBallast);
    EXPECT_THAT(said(), testing::UnorderedElementsAre("store.ballast_in", "store.room", "disk.ample"));
    EXPECT_THAT(overview().troubles(), IsEmpty());
}

// Without a reserve the space that it just gave away would do, and the disk would be full again.
TEST_F(WatchTest, ItIsNotFilledFromItself) {
    look(5 * kGiB);
    room_.setLimits({{0}, {kGiB}});
    ASSERT_TRUE(store_->ballast().release().ok());
    look(kBallast);
    EXPECT_TRUE(store_->ballast().released());
    look(kBallast + kBallast / 4);
    EXPECT_FALSE(store_->ballast().released());
}

// A quota, a limit on file sizes: the volume says that there is room, and the next commit has none.
TEST_F(WatchTest, WhatIsGivenAwayAgainAndAgainComesBackMoreAndMoreSeldom) {
    look(5 * kGiB);
    ASSERT_TRUE(store_->ballast().release().ok());
    look(5 * kGiB);
    EXPECT_EQ(store_->ballast().held(), kBallast) << "the first time at once";
    for (int minutes = 1; minutes <= 60; minutes = std::min(60, minutes * 2)) {
        ASSERT_TRUE(store_->ballast().release().ok());
        watch_.runOnce();
        EXPECT_THAT(overview().troubles(),
                    testing::Contains(Pair("ballast", HasSubstr("the next try is in"))));
        for (int i = 1; i < minutes; ++i) look(5 * kGiB);
        EXPECT_EQ(store_->ballast().held(), 0) << minutes;
        look(5 * kGiB);
        EXPECT_EQ(store_->ballast().held(), kBallast) << minutes;
        if (minutes == 60) break;
    }
    clock_.advance(Millis(61 * 60'000));
    ASSERT_TRUE(store_->ballast().release().ok());
    look(5 * kGiB);
    EXPECT_EQ(store_->ballast().held(), kBallast) << "after a quiet hour it is the first time again";
}

TEST_F(WatchTest, ABallastThatCanNotBeMadeIsNotTriedEachTime) {
    std::filesystem::create_directory(joinPath(store_->folder(), "ballast"));
    look(5 * kGiB);
    EXPECT_THAT(overview().troubles(), ElementsAre(Pair("ballast", HasSubstr("is not there"))));
    std::filesystem::remove(joinPath(store_->folder(), "ballast"));
    watch_.runOnce();
    EXPECT_THAT(overview().troubles(), ElementsAre(Pair("ballast", HasSubstr("the next try is in 1m"))));
    look(5 * kGiB);
    EXPECT_EQ(store_->ballast().held(), kBallast);
}

TEST_F(WatchTest, ABallastThatSomebodyRemovedIsMadeAgain) {
    look(5 * kGiB);
    std::filesystem::remove(joinPath(store_->folder(), "ballast"));
    look(kReserve);
    EXPECT_EQ(overview().ballastHeld, 0);
    EXPECT_THAT(overview().troubles(), testing::Contains(Pair("ballast", HasSubstr("is not there"))));
    look(5 * kGiB);
    EXPECT_EQ(store_->ballast().held(), kBallast);
    EXPECT_TRUE(std::filesystem::exists(joinPath(store_->folder(), "ballast")));
}

// With the ballast given away there seems to be more than there is.
TEST_F(WatchTest, WhatTheBallastWillTakeIsNotAmple) {
    look(5 * kGiB);
    EXPECT_EQ(store_->ballast().held(), kBallast);
    said();
    look(kGiB - 1);
    ASSERT_TRUE(store_->ballast().release().ok());
    wanted_ = 200 * kMiB;
    room_.setLimits({{kGiB}, {kGiB}});
    look(kGiB + 190 * kMiB);
    EXPECT_THAT(said(), ElementsAre("disk.low", "store.full")) << "and not disk.ample";
    EXPECT_TRUE(overview().room->low());
    wanted_ = 0;
    room_.setLimits({{kReserve}, {kGiB}});
    look(kGiB + 190 * kMiB);
    EXPECT_THAT(said(), testing::IsSupersetOf({"disk.ample", "store.room"}));
}

TEST_F(WatchTest, InodesBecomeAmpleOnlyWithALittleMoreToo) {
    look(5 * kGiB);
    said();
    for (const std::int64_t files : {9'999, 10'000, 9'999, 10'624}) look(5 * kGiB, files);
    EXPECT_THAT(said(), ElementsAre("disk.low"));
    look(5 * kGiB, 10'625);
    EXPECT_THAT(said(), ElementsAre("disk.ample"));
}

TEST_F(WatchTest, LowIsSaidOnceAndAmpleOnlyWithALittleMore) {
    look(5 * kGiB);
    said();
    for (const std::int64_t free : {kGiB - 1, kGiB, kGiB - 1, kGiB + kMiB}) look(free);
    EXPECT_THAT(said(), ElementsAre("disk.low"));
    look(kGiB + kGiB / 16);
    EXPECT_THAT(said(), ElementsAre("disk.ample"));
    look(5 * kGiB, 9'999);
    EXPECT_THAT(said(), ElementsAre("disk.low")) << "of inodes";
    EXPECT_THAT(overview().troubles(), ElementsAre(Pair("disk", HasSubstr("9999 inodes"))));
}

TEST_F(WatchTest, AnAdaptersVolumeIsAnotherOnesTrouble) {
    folders_ = {{"near", "/srv/near", {10 * kGiB, 0, 100, 0, 1}},  // the store's own volume
                {"share", "/mnt/share", {kGiB, kGiB / 20, 100'000, 90'000, 2}},
                {"floppy", "/mnt/floppy", {kMiB, kMiB / 2, 112, 100, 3}},
                {"inodes", "/mnt/inodes", {kGiB, kGiB, 1000, 99, 4}}};
    look(5 * kGiB);
    EXPECT_THAT(said(), ElementsAre("store.ballast_in", "disk.low", "disk.low"));
    EXPECT_THAT(overview().troubles(), ElementsAre(Pair("adapter share", HasSubstr("/mnt/share runs low")),
                                                   Pair("adapter inodes", HasSubstr("99 inodes"))));
    EXPECT_TRUE(room_.check(kGiB).ok()) << "new mail is not refused for it";
}

TEST_F(WatchTest, SaysHowLongTheSpaceWillLast) {
    EXPECT_EQ(overview().outlook.kind, Outlook::Kind::Unknown);
    for (int minute = 0; minute <= 60; ++minute) look(5 * kGiB - minute * 10 * kMiB);
    const Overview seen = overview();
    ASSERT_EQ(seen.outlook.kind, Outlook::Kind::Filling);
    const auto left = static_cast<double>(5 * kGiB - 600 * kMiB - kReserve) / (600.0 * kMiB);
    EXPECT_NEAR(static_cast<double>(seen.outlook.left.count()) / 3'600'000, left, 0.2)
        << "until new mail is refused, and not until the last byte is gone";
    EXPECT_THAT(seen.troubles(), ElementsAre(Pair("disk", HasSubstr("will be refused in"))))
        << "within a day, though there is more than warn_below";
}

TEST_F(WatchTest, AVolumeThatCanNotBeAskedIsATrouble) {
    Room blind(*store_, clock_, {},
               [](const std::string&) -> Result<Volume> { return fail(Errc::Io, "gone"); });
    Watch watch(blind, store_->ballast(), clock_, WatchOptions{[] { return std::int64_t{0}; }}, false);
    EXPECT_THAT(watch.overview().troubles(), IsEmpty()) << "before the first look";
    watch.runOnce();
    EXPECT_THAT(watch.overview().troubles(), ElementsAre(Pair("disk", HasSubstr("gone"))));
}

TEST_F(WatchTest, ItsThreadLooksAtOnceAndEndsWithIt) {
    volume_ = {10 * kGiB, 5 * kGiB, 200'000, 100'000, 1};
    Room room(*store_, Clock::system(), Limits{{kReserve}, {kGiB}},
              [this](const std::string&) -> Result<Volume> { return volume_; });
    const Watch watch(room, store_->ballast(), Clock::system(), WatchOptions{[] { return kBallast; }});
    EXPECT_TRUE(tests::eventually([&] { return watch.overview().room.has_value(); }));
    EXPECT_EQ(store_->ballast().held(), kBallast);
}

}  // namespace
}  // namespace postern::disk
