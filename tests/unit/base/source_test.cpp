#include "base/source.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/temp_folder.h"

namespace postern {
namespace {

std::string pattern(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + i / 251) & 0xFF);
    return bytes;
}

struct Written {
    tests::TempFolder folder;
    std::string path = folder / "body";
    explicit Written(std::string_view bytes) { EXPECT_TRUE(replaceFile(path, bytes).ok()); }
};

TEST(Source, AStringIsReadAtAnyPlace) {
    StringSource source("abcdef");
    char buffer[4];
    EXPECT_EQ(source.size(), 6);
    EXPECT_EQ(*source.readAt(4, buffer, 4), 2u);
    EXPECT_EQ(std::string_view(buffer, 2), "ef");
    EXPECT_EQ(*source.readAt(6, buffer, 4), 0u);
    EXPECT_EQ(*source.readAt(600, buffer, 4), 0u);
    EXPECT_EQ(*source.readAt(-1, buffer, 4), 0u);
    EXPECT_EQ(source.inMemory(), "abcdef");
}

TEST(Source, AFileIsReadAtAnyPlace) {
    const Written file("abcdef");
    const auto source = FileSource::open(file.path);
    ASSERT_TRUE(source.ok()) << source.error().text;
    char buffer[4];
    EXPECT_EQ((*source)->size(), 6);
    EXPECT_EQ(*(*source)->readAt(3, buffer, 4), 3u);
    EXPECT_EQ(std::string_view(buffer, 3), "def");
    EXPECT_TRUE((*source)->inMemory().empty());
}

TEST(Source, AMissingFileIsSaid) {
    EXPECT_EQ(FileSource::open("/nonexistent/body").error().code, Errc::NotFound);
}

TEST(Source, CopyingGoesInBoundedChunksAndInOrder) {
    const std::string bytes = pattern(200'001);
    const Written file(bytes);
    const auto source = FileSource::open(file.path);
    ASSERT_TRUE(source.ok());
    std::string copied;
    std::size_t largest = 0;
    const auto done = copyAll(**source, [&](std::string_view chunk) -> Result<void> {
        largest = std::max(largest, chunk.size());
        copied.append(chunk);
        return {};
    });
    EXPECT_TRUE(done.ok());
    EXPECT_TRUE(copied == bytes) << "got " << copied.size() << " bytes, wanted " << bytes.size();
    EXPECT_LE(largest, 65536u);
}

TEST(Source, CopyingStopsAtTheFirstErrorOfTheSink) {
    const Written file(pattern(200'000));
    const auto source = FileSource::open(file.path);
    ASSERT_TRUE(source.ok());
    int calls = 0;
    const auto done = copyAll(**source, [&](std::string_view) -> Result<void> {
        ++calls;
        return fail(Errc::NoSpace, "full");
    });
    EXPECT_EQ(done.error().code, Errc::NoSpace);
    EXPECT_EQ(calls, 1);
}

// A body file that was cut behind our back is an error, never a shorter mail.
TEST(Source, ABodyThatEndsEarlyIsAnError) {
    const Written file(pattern(100'000));
    const auto source = FileSource::open(file.path);
    ASSERT_TRUE(source.ok());
    std::filesystem::resize_file(file.path, 70'000);
    const auto got = readAll(**source, 1 << 20);
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().code, Errc::Io);
}

TEST(Source, ReadingAllHasALimit) {
    StringSource source("abcdef");
    EXPECT_EQ(*readAll(source, 6), "abcdef");
    EXPECT_EQ(readAll(source, 5).error().code, Errc::NoSpace);
    StringSource nothing("");
    EXPECT_EQ(*readAll(nothing, 0), "");
}

}  // namespace
}  // namespace postern
