#include "connector/disk/room.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/fake_clock.h"
#include "tests/unit/store/open_store.h"

namespace postern::disk {
namespace {

constexpr std::int64_t kMiB = 1 << 20, kGiB = 1 << 30;

class RoomTest : public testing::Test {
  protected:
    static constexpr std::int64_t kReserve = 64 * kMiB;

    // What the next look finds, on the store's volume and on the bodies'.
    void found(std::int64_t freeBytes, std::int64_t freeFiles = 100'000) {
        store_volume = bodies_volume = {10 * kGiB, freeBytes, 200'000, freeFiles, 1};
        clock_.advance(Millis(1'001));
    }
    bool takes(std::int64_t announced) { return room_.check(announced).ok(); }
    std::string why(std::int64_t announced) {
        const auto checked = room_.check(announced);
        return checked.ok() ? "" : checked.error().text;
    }

    tests::TempFolder folder_;
    tests::FakeClock clock_;
    std::unique_ptr<store::Store> store_ = tests::openStore(tests::optionsFor(folder_));
    Volume store_volume, bodies_volume;
    int looks_ = 0;
    Room room_{*store_, clock_, Limits{{kReserve}, {kGiB}},
               [this](const std::string& path) -> Result<Volume> {
                   ++looks_;
                   return path.ends_with("bodies") ? bodies_volume : store_volume;
               }};
};

TEST_F(RoomTest, AMailNeedsHalfAsMuchAgainBesideTheReserve) {
    found(kReserve + 30 * kMiB);
    EXPECT_TRUE(takes(0));
    EXPECT_TRUE(takes(20 * kMiB));
    EXPECT_FALSE(takes(20 * kMiB + 4));
    EXPECT_FALSE(takes(std::numeric_limits<std::int64_t>::max()));
    found(kReserve - 1);
    EXPECT_FALSE(takes(0));
    EXPECT_EQ(room_.check(0).error().code, Errc::NoSpace);
    EXPECT_NE(why(0).find("64 MiB are kept (reserve)"), std::string::npos) << why(0);
}

TEST_F(RoomTest, WhatOthersAnnouncedIsTheirs) {
    found(kReserve + 90 * kMiB);
    auto first = room_.claim(20 * kMiB);
    auto second = room_.claim(20 * kMiB);
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_TRUE(takes(20 * kMiB));
    auto third = room_.claim(20 * kMiB);
    ASSERT_TRUE(third.ok());
    EXPECT_FALSE(takes(1 * kMiB)) << "three of 30 MiB fill it";
    EXPECT_EQ(room_.state()->claimed, 90 * kMiB);
    { const Claim ended = std::move(*second); }
    EXPECT_TRUE(takes(20 * kMiB)) << "one is over";
    first->add(std::move(*third));
    *third = Claim();
    EXPECT_EQ(room_.state()->claimed, 60 * kMiB) << "two became one";
    *first = Claim();
    EXPECT_EQ(room_.state()->claimed, 0);
}

TEST_F(RoomTest, NobodyMakesRoomByAnnouncingLessThanNothing) {
    found(kReserve + kMiB);
    for (const std::int64_t announced : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
        const auto claimed = room_.claim(announced);
        ASSERT_TRUE(claimed.ok());
        EXPECT_EQ(room_.state()->claimed, 0) << announced;
    }
    EXPECT_FALSE(takes(kMiB));
}

TEST_F(RoomTest, BetweenTwoLooksWhatWasTakenCounts) {
    found(kReserve + 300 * kMiB);
    EXPECT_TRUE(takes(0));
    int before = looks_;
    room_.took(299 * kMiB);
    EXPECT_TRUE(takes(0));
    EXPECT_FALSE(takes(kMiB));
    EXPECT_EQ(looks_, before) << "once a second is enough";
    clock_.advance(Millis(1'001));
    EXPECT_TRUE(takes(200 * kMiB)) << "the next look knows better";
    found(kReserve + 100 * kMiB);
    EXPECT_TRUE(takes(0));
    before = looks_;
    EXPECT_TRUE(takes(0));
    EXPECT_GT(looks_, before) << "so close to the limit each look is a fresh one";
}

TEST_F(RoomTest, TheSmallerOfTheStoresAndTheBodiesVolumeDecides) {
    found(10 * kGiB);
    bodies_volume = {kGiB, kReserve + 3 * kMiB, 1000, 900, 2};
    EXPECT_TRUE(takes(2 * kMiB));
    EXPECT_FALSE(takes(3 * kMiB));
    clock_.advance(Millis(1'001));
    bodies_volume.freeFiles = 10;
    EXPECT_NE(why(0).find("10 inodes are free, 50 are kept"), std::string::npos) << why(0);
}

// A share is one of each volume's own size: 5 % of a large store are more than small bodies could ever have.
TEST_F(RoomTest, AShareIsOneOfEachVolume) {
    room_.setLimits({{0, 5}, {0, 10}});
    found(0);
    store_volume = {1000 * kGiB, 900 * kGiB, 200'000, 100'000, 1};
    bodies_volume = {10 * kGiB, 2 * kGiB, 200'000, 100'000, 2};
    const auto state = room_.state();
    EXPECT_EQ(state->tight().reserve, 10 * kGiB / 100 * 5);
    EXPECT_FALSE(state->low());
    EXPECT_TRUE(takes(kGiB / 2));
    EXPECT_NE(why(2 * kGiB).find("the volume of the store's bodies has no room"), std::string::npos)
        << why(2 * kGiB);
    clock_.advance(Millis(1'001));
    bodies_volume.freeBytes = kGiB / 4;
    EXPECT_NE(why(0).find("256 MiB are free on the volume of the store's bodies; 512.0 MiB are kept"),
              std::string::npos)
        << why(0);
    EXPECT_TRUE(room_.state()->low());
    clock_.advance(Millis(1'001));
    store_volume.freeBytes = 40 * kGiB;
    EXPECT_NE(why(0).find("40 GiB are free on the store's volume; 50 GiB are kept"), std::string::npos)
        << why(0);
}

// The log breathes by its limit: neither is told each time.
TEST_F(RoomTest, FullIsToldOnceAndRoomOnlyWhereTheLogCanNotUndoIt) {
    std::vector<std::string> said;
    setLogSink([&](Severity, std::string_view line) {
        for (const char* event : {"store.full", "store.room"})
            if (line.find(std::string(event) + " ") != std::string_view::npos) said.emplace_back(event);
    });
    const std::int64_t swing = store_->checkpointBytes();
    for (int i = 0; i < 5; ++i)
        for (const std::int64_t more : {-kMiB, kMiB, swing - kMiB}) {
            found(kReserve + more);
            EXPECT_EQ(takes(0), more > 0) << "mail itself is taken as soon as there is room";
        }
    EXPECT_EQ(said, std::vector<std::string>{"store.full"});
    found(kReserve + swing + store_->logBytes());
    EXPECT_TRUE(takes(0));
    EXPECT_EQ(said, (std::vector<std::string>{"store.full", "store.room"}));
    setLogSink({});
}

TEST_F(RoomTest, MailThatOnlyTheLogKeepsOutHasItFolded) {
    const std::string large(kMiB, 'x');
    ASSERT_TRUE(store_->write([&](store::WriteSession& s) { return tests::addNote(s, large); }).ok());
    const std::int64_t log = store_->logBytes();
    ASSERT_GT(log, kMiB);
    found(kReserve - 1);
    EXPECT_FALSE(takes(0));
    EXPECT_EQ(store_->logBytes(), log) << "its bytes would not do";
    found(kReserve + log / 2);
    EXPECT_FALSE(takes(0));
    EXPECT_TRUE(tests::eventually([&] { return store_->logBytes() == 0; }));
    EXPECT_TRUE(takes(0));
}

TEST_F(RoomTest, InodesRunOutToo) {
    found(10 * kGiB, 101);
    EXPECT_TRUE(takes(0));
    EXPECT_TRUE(room_.state()->low());
    found(10 * kGiB, 100);
    EXPECT_EQ(room_.check(0).error().code, Errc::NoSpace);
    found(10 * kGiB, 10'000);
    EXPECT_FALSE(room_.state()->low());
    store_volume = bodies_volume = {10 * kGiB, 10 * kGiB, 0, std::int64_t{1} << 62, 1};
    clock_.advance(Millis(1'001));
    EXPECT_TRUE(takes(0)) << "a volume without a limit";
    EXPECT_FALSE(room_.state()->low());
}

TEST_F(RoomTest, LimitsMayBeSharesAndChangeWhileItRuns) {
    found(2 * kGiB);
    room_.setLimits({{0, 10}, {0, 25}});
    EXPECT_EQ(room_.state()->store.reserve, 10 * kGiB / 100 * 10);
    EXPECT_TRUE(room_.state()->low()) << "2 of 10 GiB are less than 25 %";
    EXPECT_TRUE(takes(500 * kMiB));
    EXPECT_FALSE(takes(kGiB));
    room_.setLimits({{kReserve}, {kGiB}});
    EXPECT_FALSE(room_.state()->low());
    EXPECT_TRUE(takes(kGiB));
}

TEST_F(RoomTest, ABallastThatIsGoneKeepsNewMailOut) {
    found(10 * kGiB);
    ASSERT_TRUE(store_->ballast().fill(kMiB).ok());
    EXPECT_TRUE(takes(0));
    ASSERT_TRUE(store_->ballast().release().ok());
    EXPECT_NE(why(0).find("ballast"), std::string::npos) << why(0);
    ASSERT_TRUE(store_->ballast().fill(kMiB).ok());
    EXPECT_TRUE(takes(0));
}

TEST_F(RoomTest, AVolumeThatCanNotBeAskedIsAnErrorAndNoLackOfRoom) {
    Room blind(*store_, clock_, {},
               [](const std::string&) -> Result<Volume> { return fail(Errc::Io, "gone"); });
    EXPECT_EQ(blind.check(0).error().code, Errc::Io);
    EXPECT_FALSE(blind.state().ok());
}

}  // namespace
}  // namespace postern::disk
