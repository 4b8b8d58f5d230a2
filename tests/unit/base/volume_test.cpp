#include "base/volume.h"

#include <gtest/gtest.h>

#include "tests/kit/platform.h"
#include "tests/temp_folder.h"
#ifndef _WIN32
#include <csignal>
#include <sys/resource.h>
#endif

namespace postern {
namespace {

TEST(Volume, SaysWhatIsFreeAndWhichOneItIs) {
    tests::TempFolder folder;
    const auto volume = lookAtVolume(folder.path());
    ASSERT_TRUE(volume.ok()) << volume.error().text;
    EXPECT_GT(volume->bytes, 0);
    EXPECT_GT(volume->freeBytes, 0);
    EXPECT_LE(volume->freeBytes, volume->bytes);
    EXPECT_GT(volume->freeFiles, 0);
    const auto parent = lookAtVolume(parentPath(folder.path()));
    ASSERT_TRUE(parent.ok());
    EXPECT_EQ(parent->id, volume->id);
    if (!tests::kOnWindows) {
        const auto other = lookAtVolume("/proc");
        ASSERT_TRUE(other.ok());
        EXPECT_NE(other->id, volume->id);
    }
    EXPECT_EQ(lookAtVolume(folder / "none").error().code, Errc::NotFound);
}

// NTFS gives a file its space with its size; where Wine keeps its files a larger size leaves a hole.
const bool kSizeIsSpace = tests::kOnWindows && !tests::isWine();

TEST(Volume, AnAllocatedFileOwnsEachOfItsBytes) {
    constexpr std::int64_t kSize = (3 << 20) + 17;
    tests::TempFolder folder;
    auto file = File::openAppend(folder / "a");
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(allocate(*file, 0, kSize).ok());
    EXPECT_EQ(file->size().value(), kSize);
    EXPECT_GE(allocatedBytes(*file).value(), kSize);
    ASSERT_TRUE(allocate(*file, kSize, 2 * kSize).ok()) << "it grows";
    EXPECT_EQ(file->size().value(), 2 * kSize);
    EXPECT_GE(allocatedBytes(*file).value(), 2 * kSize);

    auto sparse = File::openAppend(folder / "b");
    ASSERT_TRUE(sparse.ok());
    ASSERT_TRUE(sparse->truncate(kSize).ok());
    EXPECT_EQ(allocatedBytes(*sparse).value() < kSize, !kSizeIsSpace) << "the test knows a hole from space";
}

// Where the file system can not promise space, and where it says so and leaves a hole (OpenZFS).
TEST(Volume, WithoutAPromiseThatHoldsItIsWritten) {
    constexpr std::int64_t kFrom = 10'000, kSize = (1 << 20) + 17;
    for (const bool claims : {false, true}) {
        if (claims && kSizeIsSpace) continue;
        tests::TempFolder folder;
        auto file = Folder::open(folder.path())->create("a", 0600);
        ASSERT_TRUE(file.ok());
        ASSERT_TRUE(file->writeAt(0, std::string(kFrom, 'k')).ok());
        const auto allocated =
            allocate(*file, kFrom, kSize, [&](File& it, std::int64_t, std::int64_t size) -> Result<bool> {
                if (claims) POSTERN_TRY(it.truncate(size));
                return claims;
            });
        ASSERT_TRUE(allocated.ok()) << allocated.error().text;
        EXPECT_EQ(file->size().value(), kSize) << claims;
        EXPECT_GE(allocatedBytes(*file).value(), kSize) << claims;
        std::string bytes(kSize, '\0');
        auto reading = File::openRead(folder / "a");
        ASSERT_TRUE(reading.ok());
        ASSERT_EQ(reading->readAt(0, bytes.data(), bytes.size()).value(), bytes.size());
        EXPECT_EQ(bytes.substr(0, kFrom), std::string(kFrom, 'k')) << "what stood there stays";
        std::size_t counts[256] = {};
        for (std::size_t i = kFrom; i < bytes.size(); ++i) ++counts[static_cast<unsigned char>(bytes[i])];
        const std::size_t even = (kSize - kFrom) / 256;
        for (const std::size_t count : counts) EXPECT_NEAR(count, even, even / 5) << "it would compress";
    }
}

#ifndef _WIN32  // no limit that a process sets itself
TEST(Volume, WhatDoesNotFitLeavesTheFileAsItWas) {
    tests::TempFolder folder;
    auto file = File::openAppend(folder / "a");
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(allocate(*file, 0, 4096).ok());
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{65536, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto refused = allocate(*file, 4096, 1 << 20);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, handler);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::NoSpace) << refused.error().text;
    EXPECT_EQ(file->size().value(), 4096);
}
#endif

}  // namespace
}  // namespace postern
