#include "adapters/spool/staged_file.h"

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"

namespace postern::adapters {

namespace {

// Hands out a text in pieces of any size, so that line ends fall on every border.
class InPieces final : public ByteSource {
  public:
    InPieces(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}
    std::int64_t size() const override { return static_cast<std::int64_t>(text_.size()); }
    Result<std::size_t> readAt(std::int64_t offset, char* into, std::size_t size) override {
        return text_.copy(into, std::min(size, piece_), static_cast<std::size_t>(offset));
    }

  private:
    std::string text_;
    std::size_t piece_;
};

std::string written(ByteSource& source, LineEnds lineEnds) {
    const tests::TempFolder temp;
    const auto folder = Folder::open(temp.path());
    std::string buffer;
    const std::function<void()> beat = [] {};
    StagedFile file(folder->create("f").value(), buffer, beat);
    EXPECT_TRUE(file.writeMessage(source, lineEnds).ok());
    EXPECT_TRUE(file.flush().ok());
    const std::string bytes = tests::slurp(temp / "f");
    EXPECT_EQ(file.position(), static_cast<std::int64_t>(bytes.size()));
    return bytes;
}

std::string withoutCr(std::string text) {
    for (std::size_t at = 0; (at = text.find("\r\n", at)) != std::string::npos;) text.erase(at, 1);
    return text;
}

}  // namespace

TEST(StagedFile, LineEndsAreConvertedAcrossEveryBorder) {
    const std::vector<std::string> texts = {
        "",      "\r\n",     "a\r\nb\r\n", "a\r\n\r\nb",   "bare\rcr\r\n", "bare\nlf\r\n",
        "end\r", "\r\r\n\r", "\n\r\n\r\r", "a\r\nb\rc\nd", "\r",           "\r\r\r",
    };
    for (const std::string& text : texts)
        for (std::size_t piece = 1; piece <= text.size() + 1; ++piece) {
            InPieces source(text, piece);
            EXPECT_EQ(written(source, LineEnds::Lf), withoutCr(text))
                << testing::PrintToString(text) << piece;
            EXPECT_EQ(written(source, LineEnds::Crlf), text) << testing::PrintToString(text) << piece;
        }
}

TEST(StagedFile, LongMessagesAreWrittenWholeFromMemoryAndFromPieces) {
    std::string text;
    for (int line = 0; text.size() < 300'000; ++line)
        text += std::string(static_cast<std::size_t>(line % 997), 'x') + "\r\n";
    StringSource memory(text);
    InPieces pieces(text, 65536);
    EXPECT_EQ(written(memory, LineEnds::Lf), withoutCr(text));
    EXPECT_EQ(written(pieces, LineEnds::Lf), withoutCr(text));
    EXPECT_EQ(written(memory, LineEnds::Crlf), text);
    EXPECT_EQ(written(pieces, LineEnds::Crlf), text);
}

// A 50 MB mail on a slow share must not lose its lease between two looks at the clock.
TEST(StagedFile, EveryPieceThatGoesToTheDiskKeepsTheLeaseAlive) {
    const tests::TempFolder temp;
    const auto folder = Folder::open(temp.path());
    ASSERT_TRUE(folder.ok());
    std::string buffer;
    int beats = 0;
    const std::function<void()> beat = [&] { ++beats; };
    StagedFile file(folder->create("f").value(), buffer, beat);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(file.write(std::string(10'000, 'x')).ok());
    EXPECT_GE(beats, 10);
}

}  // namespace postern::adapters
