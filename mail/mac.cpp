#include "mail/mac.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "mail/charset.h"

namespace postern::mail {
namespace {

Error malformed(const char* what) {
    return fail(Errc::Invalid, what);
}

// REQUIRES: at + 4 (or 2) <= bytes.size().
std::uint32_t big32(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

std::uint32_t big16(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at]) << 8U) |
           static_cast<unsigned char>(bytes[at + 1]);
}

std::string macText(std::string_view bytes) {
    return cleanLine(toUtf8(bytes, "macintosh"));
}

constexpr std::uint8_t kNoDigit = 0xff;

constexpr auto kBinHexDigits = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(kNoDigit);
    constexpr std::string_view kAlphabet =
        "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";
    for (std::size_t i = 0; i < kAlphabet.size(); ++i)
        table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
    return table;
}();

// CRC of BinHex: polynomial 0x1021, over the bytes with two zero bytes behind them.
std::uint32_t crc16(std::string_view bytes) {
    static const auto kTable = [] {
        std::array<std::uint32_t, 256> table{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i << 8U;
            for (int bit = 0; bit < 8; ++bit)
                value = (value & 0x8000U) != 0 ? (value << 1U ^ 0x1021U) & 0xffffU : value << 1U & 0xffffU;
            table[i] = value;
        }
        return table;
    }();
    std::uint32_t crc = 0;
    for (const char c : bytes)
        crc = (crc << 8U & 0xff00U) ^ kTable[(crc >> 8U ^ static_cast<unsigned char>(c)) & 0xffU];
    return crc;
}

// The characters between the colons, as bytes, runs expanded. "90 n" repeats the byte before it so that it
// stands n times; "90 00" is the byte 90 itself.
class BinHexDecoder {
  public:
    explicit BinHexDecoder(std::size_t limit) : limit_(limit) {}

    Result<std::string> decode(std::string_view text) {
        for (const char c : text) {
            if (c == ':') return finish();
            if (c == '\r' || c == '\n' || c == ' ' || c == '\t') continue;
            const std::uint8_t digit = kBinHexDigits[static_cast<unsigned char>(c)];
            if (digit == kNoDigit) return malformed("a character that BinHex does not have");
            bits_ = bits_ << 6U | digit;
            count_ += 6;
            if (count_ < 8) continue;
            count_ -= 8;
            byte(static_cast<char>(bits_ >> count_ & 0xffU));
            if (out_.size() > limit_) return malformed("it expands to more than it may");
        }
        return malformed("its end is missing");
    }

  private:
    Result<std::string> finish() {
        if (inRun_) return malformed("a run without a count");
        return std::move(out_);
    }

    void byte(char c) {
        constexpr char kRun = '\x90';
        if (!inRun_ && c == kRun) {
            inRun_ = true;
        } else if (!inRun_) {
            out_ += c;
        } else {
            inRun_ = false;
            const auto times = static_cast<unsigned char>(c);
            if (times == 0)
                out_ += kRun;
            else if (!out_.empty())
                out_.append(times - 1U, out_.back());
        }
    }

    std::size_t limit_;
    std::string out_;
    std::uint32_t bits_ = 0;
    unsigned count_ = 0;
    bool inRun_ = false;
};

// Header, data fork, resource fork, each with a checksum behind it.
Result<UnpackedFile> readForks(std::string decoded) {
    constexpr std::size_t kFixed = 1 + 4 + 4 + 2 + 4 + 4;  // what follows the name
    if (decoded.empty()) return malformed("it is empty");
    const std::size_t name = static_cast<unsigned char>(decoded[0]);
    const std::size_t header = 1 + name + kFixed;
    if (decoded.size() < header + 2) return malformed("its header is cut");
    const std::size_t data = big32(decoded, header - 8), resource = big32(decoded, header - 4);
    const std::size_t dataAt = header + 2;
    if (decoded.size() < dataAt + data + 2 + resource + 2) return malformed("a fork is cut");
    const std::string_view all = decoded;
    const auto holds = [&](std::size_t at, std::size_t size) {
        return crc16(all.substr(at, size)) == big16(all, at + size);
    };
    if (!holds(0, header) || !holds(dataAt, data) || !holds(dataAt + data + 2, resource))
        return malformed("a checksum is wrong");
    UnpackedFile file;
    file.name = macText(all.substr(1, name));
    file.bytes = {std::make_shared<const std::string>(std::move(decoded)), dataAt, dataAt + data};
    return file;
}

struct Entry {
    std::uint32_t id = 0;
    std::size_t offset = 0, length = 0;
};

// The entries of AppleSingle and AppleDouble, all inside of `bytes`.
Result<std::vector<Entry>> readEntries(std::string_view bytes, std::uint32_t magic) {
    constexpr std::size_t kHeader = 26, kEntry = 12;
    constexpr std::uint32_t kMost = 100;
    if (bytes.size() < kHeader || big32(bytes, 0) != magic)
        return malformed("it does not begin as it should");
    const std::uint32_t version = big32(bytes, 4);
    if (version != 0x00010000 && version != 0x00020000) return malformed("an unknown version");
    const std::uint32_t count = big16(bytes, 24);
    if (count > kMost || bytes.size() < kHeader + count * kEntry) return malformed("its table is cut");
    std::vector<Entry> entries;
    for (std::size_t at = kHeader; at < kHeader + count * kEntry; at += kEntry) {
        const Entry entry{big32(bytes, at), big32(bytes, at + 4), big32(bytes, at + 8)};
        if (entry.offset > bytes.size() || entry.length > bytes.size() - entry.offset)
            return malformed("a fork is cut");
        entries.push_back(entry);
    }
    return entries;
}

constexpr std::uint32_t kDataFork = 1, kRealName = 3;

std::string realName(std::string_view bytes, const std::vector<Entry>& entries) {
    for (const Entry& entry : entries)
        if (entry.id == kRealName && entry.length <= 255)
            return macText(bytes.substr(entry.offset, entry.length));
    return {};
}

}  // namespace

Result<UnpackedFile> readBinHex(std::string_view bytes, std::size_t limit) {
    constexpr std::string_view kPrologue = "(This file must be converted with BinHex";
    constexpr std::size_t kSearched = 8192;
    const auto prologue = bytes.substr(0, kSearched).find(kPrologue);
    if (prologue == std::string_view::npos) return malformed("the line that BinHex begins with is missing");
    bytes.remove_prefix(prologue);
    const auto colon = bytes.find(':', std::min(bytes.find('\n'), bytes.size()));
    if (colon == std::string_view::npos) return malformed("its data is missing");
    bytes.remove_prefix(colon + 1);
    POSTERN_LET(decoded, BinHexDecoder(std::min(limit, 4 * bytes.size() + 1024)).decode(bytes));
    return readForks(std::move(decoded));
}

Result<UnpackedFile> readAppleSingle(const std::shared_ptr<const std::string>& bytes) {
    POSTERN_LET(entries, readEntries(*bytes, 0x00051600));
    UnpackedFile file;
    file.name = realName(*bytes, entries);
    for (const Entry& entry : entries) {
        if (entry.id != kDataFork) continue;
        file.bytes = {bytes, entry.offset, entry.offset + entry.length};
        return file;
    }
    return malformed("it has no data fork");
}

Result<std::string> readAppleDoubleHeader(std::string_view bytes) {
    POSTERN_LET(entries, readEntries(bytes, 0x00051607));
    return realName(bytes, entries);
}

Result<UnpackedFile> readMacBinary(const std::shared_ptr<const std::string>& memory) {
    constexpr std::size_t kHeader = 128, kLongestName = 63;
    const std::string_view bytes = *memory;
    if (bytes.size() < kHeader || bytes[0] != 0 || bytes[74] != 0 || bytes[82] != 0)
        return malformed("it does not begin as it should");
    const std::size_t name = static_cast<unsigned char>(bytes[1]);
    if (name == 0 || name > kLongestName) return malformed("its name has an impossible length");
    const std::size_t data = big32(bytes, 83), resource = big32(bytes, 87);
    const std::size_t padded = (data + kHeader - 1) / kHeader * kHeader;
    const bool isCut = bytes.size() < kHeader + (resource == 0 ? data : padded + resource);
    if (isCut) return malformed("a fork is cut");
    UnpackedFile file;
    file.name = macText(bytes.substr(2, name));
    file.bytes = {memory, kHeader, kHeader + data};
    return file;
}

}  // namespace postern::mail
