#include "store/log_file.h"

#include <algorithm>

#include "base/file.h"

namespace postern::store {

namespace {

constexpr std::size_t kHeaderBytes = 32, kFrameHeaderBytes = 24, kSummedOfFrameHeader = 8;
constexpr std::uint32_t kSmallestPage = 512, kLargestPage = 65536;

std::uint32_t littleEndian(std::string_view bytes) {
    std::string turned(bytes);
    std::reverse(turned.begin(), turned.end());
    return bigEndian(turned);
}

bool isMagic(std::uint32_t number) {
    return (number | 1U) == 0x377f0683;
}

// Section 4.2: of the header, and on from there over each frame.
class Checksum {
  public:
    explicit Checksum(std::uint32_t magic) : number_((magic & 1U) != 0 ? bigEndian : littleEndian) {}
    void add(std::string_view bytes) {
        for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
            first_ += number_(bytes.substr(at, 4)) + second_;
            second_ += number_(bytes.substr(at + 4, 4)) + first_;
        }
    }
    bool is(std::string_view stored) const {
        return bigEndian(stored.substr(0, 4)) == first_ && bigEndian(stored.substr(4, 4)) == second_;
    }

  private:
    std::uint32_t (*number_)(std::string_view);
    std::uint32_t first_ = 0, second_ = 0;
};

// Goes on until the first frame that is not of this log: it is an older one's, or was cut off.
Result<LogHolds> readFrames(File& file, std::string_view header, Checksum sum, std::int64_t page) {
    const std::string_view salts = header.substr(16, 8);
    std::string frame(kFrameHeaderBytes + bigEndian(header.substr(8, 4)), '\0');
    const std::string_view bytes = frame;
    LogHolds holds = LogHolds::Nothing;
    bool found = false;
    for (std::int64_t at = kHeaderBytes;; at += static_cast<std::int64_t>(frame.size())) {
        POSTERN_LET(got, file.readAt(at, frame.data(), frame.size()));
        if (got < frame.size() || bytes.substr(8, 8) != salts) return holds;
        sum.add(bytes.substr(0, kSummedOfFrameHeader));
        sum.add(bytes.substr(kFrameHeaderBytes));
        if (!sum.is(bytes.substr(16, 8))) return holds;
        found = found || bigEndian(bytes.substr(0, 4)) == page;
        const bool commits = bigEndian(bytes.substr(4, 4)) != 0;
        if (commits && found) return LogHolds::ThePage;
        if (commits) holds = LogHolds::OtherPages;
    }
}

}  // namespace

std::uint32_t bigEndian(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

Result<bool> beginsAsLog(const std::string& path) {
    auto file = File::openRead(path);
    if (!file.ok() && file.error().code == Errc::NotFound) return false;
    if (!file.ok()) return file.error();
    char magic[4];
    POSTERN_LET(got, file->readAt(0, magic, sizeof magic));
    return got == sizeof magic && isMagic(bigEndian({magic, got}));
}

Result<LogHolds> lookIntoLog(const std::string& path, std::int64_t page) {
    auto file = File::openRead(path);
    if (!file.ok() && file.error().code == Errc::NotFound) return LogHolds::Nothing;
    if (!file.ok()) return file.error();
    std::string header(kHeaderBytes, '\0');
    POSTERN_LET(got, file->readAt(0, header.data(), header.size()));
    const std::string_view bytes = header;
    const std::uint32_t magic = bigEndian(bytes.substr(0, 4)), size = bigEndian(bytes.substr(8, 4));
    if (got < kHeaderBytes || !isMagic(magic) || size < kSmallestPage || size > kLargestPage)
        return LogHolds::Nothing;
    Checksum sum(magic);
    sum.add(bytes.substr(0, 24));
    if (!sum.is(bytes.substr(24, 8))) return LogHolds::Nothing;
    return readFrames(*file, bytes, sum, page);
}

}  // namespace postern::store
