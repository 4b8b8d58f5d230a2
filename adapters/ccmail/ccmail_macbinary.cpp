// MacBinary II, as IMPORT reads file items with /FILES/MACBIN2: 128 bytes of header, the data fork padded to
// a multiple of 128, no resource fork. (MacBinary II Standard, 1987; numbers are big-endian.)

#include <algorithm>

#include "adapters/ccmail/ccmail_format.h"

namespace postern::adapters::ccmail {

namespace {

constexpr std::int64_t kBlock = 128;
constexpr std::size_t kMostName = 63;
constexpr std::int64_t kFrom1904To1970 = 2'082'844'800;  // seconds

std::int64_t padding(std::int64_t size) {
    return (kBlock - size % kBlock) % kBlock;
}

void put(std::string& header, std::size_t at, std::int64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
        header[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
}

// CRC-16 of XMODEM.
std::uint32_t checksum(std::string_view bytes) {
    std::uint32_t sum = 0;
    for (const char c : bytes) {
        sum ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 8U;
        for (int bit = 0; bit < 8; ++bit)
            sum = ((sum & 0x8000U) != 0 ? sum << 1U ^ 0x1021U : sum << 1U) & 0xffffU;
    }
    return sum;
}

std::string macBinaryHeader(const mail::ConvertedFile& file, WallTime date) {
    std::string header(kBlock, '\0');
    const std::string name = file.name.substr(0, kMostName);
    const std::int64_t seconds = toMillis(date) / 1000 + kFrom1904To1970;
    put(header, 1, static_cast<std::int64_t>(name.size()), 1);
    header.replace(2, name.size(), name);
    header.replace(65, 8, "????????");  // type and creator
    put(header, 83, file.size(), 4);
    put(header, 91, seconds, 4);  // made
    put(header, 95, seconds, 4);  // changed
    put(header, 122, 129, 1);     // the version that wrote it, and the oldest that can read it
    put(header, 123, 129, 1);
    put(header, 124, checksum(std::string_view(header).substr(0, 124)), 2);
    return header;
}

}  // namespace

std::int64_t fileLength(const mail::ConvertedFile& file, const Options& options) {
    if (options.fileForm == FileForm::Raw) return file.size();
    return kBlock + file.size() + padding(file.size());
}

Result<void> writeFileItem(const mail::ConvertedFile& file, WallTime date, const Options& options,
                           const mail::Sink& sink) {
    if (options.fileForm == FileForm::Raw) return file.writeTo(sink);
    POSTERN_TRY(sink(macBinaryHeader(file, date)));
    POSTERN_TRY(file.writeTo(sink));
    return sink(std::string(static_cast<std::size_t>(padding(file.size())), '\0'));
}

}  // namespace postern::adapters::ccmail
