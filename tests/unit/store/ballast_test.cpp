// The space that the store gives away when the disk is full.

#include "store/ballast.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/volume.h"
#include "tests/kit/platform.h"
#include "tests/unit/store/notes_on_faulty_disk.h"
#ifndef _WIN32
#include <csignal>
#include <sys/resource.h>
#endif

namespace postern::tests {
namespace {

namespace fs = std::filesystem;
using store::Ballast;

constexpr std::int64_t kSize = 1 << 20;

std::int64_t ownedBy(const std::string& path) {
    auto file = File::openRead(path);
    if (!file.ok()) return -1;
    return allocatedBytes(*file).value();
}

#ifndef _WIN32
// Files may be at most so long meanwhile.
class FileLimit {
  public:
    explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    rlimit before_{};
    void (*handler_)(int);
};
#endif

TEST(Ballast, OwnsItsSpaceAndGivesAllOfItAway) {
    const TempFolder folder;
    Ballast ballast(folder.path());
    EXPECT_EQ(ballast.held(), 0);
    EXPECT_FALSE(ballast.released()) << "there never was one";
    EXPECT_EQ(ballast.release().value(), 0);
    ASSERT_TRUE(ballast.fill(kSize).ok());
    EXPECT_EQ(ballast.held(), kSize);
    EXPECT_GE(ownedBy(folder / "ballast"), kSize);
    EXPECT_EQ(ballast.release().value(), kSize);
    EXPECT_EQ(ballast.held(), 0);
    EXPECT_TRUE(ballast.released());
    EXPECT_EQ(ownedBy(folder / "ballast"), 0);
    EXPECT_EQ(ballast.release().value(), 0) << "once";
    ASSERT_TRUE(ballast.fill(kSize).ok());
    EXPECT_FALSE(ballast.released());
    EXPECT_GE(ownedBy(folder / "ballast"), kSize);
}

TEST(Ballast, TheNextProcessKnowsHowItStands) {
    const TempFolder folder;
    ASSERT_TRUE(Ballast(folder.path()).fill(kSize).ok());
    Ballast second(folder.path());
    EXPECT_EQ(second.held(), kSize);
    EXPECT_FALSE(second.released());
    EXPECT_EQ(second.release().value(), kSize);
    Ballast third(folder.path());
    EXPECT_EQ(third.held(), 0);
    EXPECT_TRUE(third.released());
    ASSERT_TRUE(third.fill(0).ok());
    EXPECT_FALSE(third.released()) << "none is wanted any more";
    EXPECT_FALSE(fs::exists(folder / "ballast"));
}

TEST(Ballast, GrowsAndShrinksAndIsNeverSparse) {
    const TempFolder folder;
    Ballast ballast(folder.path());
    for (const std::int64_t size : {kSize, 3 * kSize, kSize / 2, kSize}) {
        ASSERT_TRUE(ballast.fill(size).ok()) << size;
        EXPECT_EQ(ballast.held(), size);
        EXPECT_EQ(static_cast<std::int64_t>(fs::file_size(folder / "ballast")), size);
        EXPECT_GE(ownedBy(folder / "ballast"), size);
    }
    // As a copy that makes holes leaves it.
    fs::resize_file(folder / "ballast", 0);
    fs::resize_file(folder / "ballast", kSize);
    Ballast copied(folder.path());
    EXPECT_EQ(copied.held(), 0);
    EXPECT_FALSE(copied.released());
    ASSERT_TRUE(copied.fill(kSize).ok());
    EXPECT_GE(ownedBy(folder / "ballast"), kSize);
}

#ifndef _WIN32  // no limit that a process sets itself
TEST(Ballast, WithoutRoomItIsAsItWas) {
    const TempFolder folder;
    Ballast ballast(folder.path());
    {
        const FileLimit limit(kSize);
        const auto refused = ballast.fill(2 * kSize);
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().code, Errc::NoSpace) << refused.error().text;
        EXPECT_NE(refused.error().text.find(folder / "ballast"), std::string::npos) << refused.error().text;
        EXPECT_TRUE(fs::is_empty(folder.path())) << "an empty file would say that it was given away";
        ASSERT_TRUE(ballast.fill(kSize / 2).ok());
        EXPECT_FALSE(ballast.fill(2 * kSize).ok());
        EXPECT_EQ(ballast.held(), kSize / 2);
        EXPECT_EQ(static_cast<std::int64_t>(fs::file_size(folder / "ballast")), kSize / 2);
        ASSERT_TRUE(ballast.release().ok());
        EXPECT_FALSE(ballast.fill(2 * kSize).ok());
        EXPECT_TRUE(ballast.released()) << "and so it stays";
    }
    ASSERT_TRUE(ballast.fill(2 * kSize).ok());
}

// Who meets the full disk meanwhile does not wait for the end, and does not see its room taken again.
#endif

TEST(Ballast, ARoomNeededWhileItIsFilledIsThereAtOnce) {
    const TempFolder folder;
    Ballast ballast(folder.path());
    int pieces = 0;
    std::int64_t given = 0;
    const auto filled = ballast.fill(40 * kSize, [&] {
        if (++pieces == 3) given = ballast.release().value();
        return false;
    });
    ASSERT_FALSE(filled.ok());
    EXPECT_EQ(filled.error().code, Errc::Stopped) << filled.error().text;
    EXPECT_EQ(pieces, 3);
    EXPECT_EQ(given, 16 * kSize) << "two pieces";
    EXPECT_EQ(ballast.held(), 0);
    EXPECT_TRUE(ballast.released());
    EXPECT_EQ(ownedBy(folder / "ballast"), 0);
}

TEST(Ballast, WhoStopsWaitsForOnePieceAndTheRestFollowsLater) {
    const TempFolder folder;
    Ballast ballast(folder.path());
    ASSERT_TRUE(ballast.fill(kSize).ok());
    ASSERT_TRUE(ballast.release().ok());
    int pieces = 0;
    const auto filled = ballast.fill(40 * kSize, [&] { return ++pieces == 2; });
    ASSERT_FALSE(filled.ok());
    EXPECT_EQ(filled.error().code, Errc::Stopped) << filled.error().text;
    EXPECT_EQ(ballast.held(), 8 * kSize);
    EXPECT_TRUE(ballast.released()) << "new mail comes when it is whole";
    EXPECT_GE(ownedBy(folder / "ballast"), 8 * kSize);
    ASSERT_TRUE(ballast.fill(40 * kSize).ok());
    EXPECT_FALSE(ballast.released());
    EXPECT_EQ(ballast.held(), 40 * kSize);
}

TEST(Ballast, WhatSomebodyRemovedOrCutIsNotHeld) {
    const TempFolder folder;
    Ballast ballast(folder.path());
    ASSERT_TRUE(ballast.fill(kSize).ok());
    ballast.look();
    EXPECT_EQ(ballast.held(), kSize);
    fs::resize_file(folder / "ballast", kSize / 2);
    ballast.look();
    EXPECT_EQ(ballast.held(), kSize / 2);
    fs::remove(folder / "ballast");
    EXPECT_EQ(ballast.release().value(), 0) << "and that is no error";
    EXPECT_EQ(ballast.held(), 0);
    ballast.look();
    EXPECT_FALSE(ballast.released());
    ASSERT_TRUE(ballast.fill(kSize).ok());
    EXPECT_GE(ownedBy(folder / "ballast"), kSize);
}

TEST(Ballast, WhatAKilledProcessLeftIsSweptAtTheStart) {
    const TempFolder folder;
    const auto options = optionsFor(folder);
    ASSERT_TRUE(openStore(options));
    const std::string left = joinPath(options.folder, "ballast.new");
    ASSERT_TRUE(replaceFile(left, std::string(5000, 'x')).ok());
    ASSERT_TRUE(openStore(options));
    EXPECT_FALSE(fs::exists(left));
}

#ifndef _WIN32  // the C++ library makes no links there
TEST(Ballast, ALinkIsNotFollowed) {
    const TempFolder folder;
    ASSERT_TRUE(replaceFile(folder / "precious", std::string(5000, 'p')).ok());
    fs::create_symlink(folder / "precious", folder / "ballast");
    Ballast ballast(folder.path());
    EXPECT_EQ(ballast.held(), 0);
    EXPECT_FALSE(ballast.fill(kSize).ok());
    EXPECT_EQ(fs::file_size(folder / "precious"), 5000u);
}
#endif

TEST(Ballast, IsGivenAwayWhenACommitMeetsAFullDisk) {
    const TempFolder folder;
    FaultyDisk disk;
    const auto store = openStore(optionsOn(disk, folder));
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->ballast().fill(kSize).ok());
    ASSERT_TRUE(write(*store, "before").ok());
    EXPECT_EQ(store->ballast().held(), kSize);
    disk.failWrites(Fault::Full, "-wal", 0, 1);
    EXPECT_EQ(write(*store, "refused").error().code, Errc::NoSpace);
    EXPECT_TRUE(store->ballast().released());
    const auto after = write(*store, "after");
    EXPECT_TRUE(after.ok()) << describe(after);
    EXPECT_FALSE(store->broken());
}

TEST(Ballast, IsGivenAwayWhenTheLogCanNotBeFolded) {
    const TempFolder folder;
    FaultyDisk disk;
    auto options = optionsOn(disk, folder);
    options.checkpointBytes = 64 << 10;
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->ballast().fill(kSize).ok());
    disk.failWrites(Fault::Full, "postern.db");
    for (int i = 0; i < 30 && !store->ballast().released(); ++i)
        ASSERT_TRUE(write(*store, std::to_string(i) + std::string(8000, 'x')).ok());
    EXPECT_TRUE(store->ballast().released());
    EXPECT_GT(store->counters().logBytes, 64 << 10) << "what still has to be brought home is counted";
    disk.heal();
}

TEST(Ballast, AFullDiskAtTheStartIsMadeRoomOn) {
    const TempFolder folder;
    const auto options = optionsFor(folder);
    { ASSERT_TRUE(openStore(options)); }
    ASSERT_TRUE(Ballast(options.folder).fill(kSize).ok());
    FaultyDisk disk;
    auto on = optionsOn(disk, folder);
    on.migrations.push_back({3, "more", "CREATE TABLE more (x INTEGER PRIMARY KEY) STRICT;"});
    disk.failWrites(Fault::Full, "-wal", 0, 1);
    const auto store = openStore(on);
    ASSERT_TRUE(store);
    EXPECT_EQ(disk.failures(), 1);
    EXPECT_TRUE(store->ballast().released());
    EXPECT_TRUE(write(*store, "goes on").ok());
}

}  // namespace
}  // namespace postern::tests
