#pragma once
// Writes files of a Macintosh for tests: BinHex 4, AppleSingle, AppleDouble headers, MacBinary.

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::tests {

inline std::string big(std::size_t value, std::size_t bytes) {
    std::string out;
    for (std::size_t i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i));
    return out;
}

inline std::string withCrc(std::string bytes) {
    std::uint32_t crc = 0;
    for (const char c : bytes) {
        crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 8U;
        for (int bit = 0; bit < 8; ++bit)
            crc = ((crc & 0x8000U) != 0 ? crc << 1U ^ 0x1021U : crc << 1U) & 0xffffU;
    }
    return bytes + big(crc, 2);
}

// Bytes between the colons, runs already written, as lines of 64 characters.
inline std::string binHexLines(std::string_view bytes) {
    static constexpr std::string_view kAlphabet =
        "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";
    std::string digits = ":";
    std::uint32_t bits = 0;
    unsigned count = 0;
    const auto put = [&](std::uint32_t digit) {
        if (digits.size() % 66 == 64) digits += "\r\n";
        digits += kAlphabet[digit & 63U];
    };
    for (const char c : bytes) {
        bits = bits << 8U | static_cast<unsigned char>(c);
        count += 8;
        for (; count >= 6; count -= 6) put(bits >> (count - 6));
    }
    if (count > 0) put(bits << (6 - count));
    return digits + ":\r\n";
}

inline std::string escapedRuns(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        out += c;
        if (c == '\x90') out += '\0';
    }
    return out;
}

inline std::string binHexForks(std::string_view name, std::string_view data, std::string_view resource) {
    const std::string header = big(name.size(), 1) + std::string(name) + std::string(1, '\0') + "TEXTttxt" +
                               big(0, 2) + big(data.size(), 4) + big(resource.size(), 4);
    return withCrc(header) + withCrc(std::string(data)) + withCrc(std::string(resource));
}

inline std::string binHex(std::string_view name, std::string_view data, std::string_view resource = "") {
    return "(This file must be converted with BinHex 4.0)\r\n\r\n" +
           binHexLines(escapedRuns(binHexForks(name, data, resource)));
}

inline std::string appleFile(bool isDouble, std::string_view name, std::string_view data,
                             std::string_view resource) {
    const std::size_t entries = isDouble ? 2 : 3;
    std::size_t at = 26 + 12 * entries;
    std::string out = big(isDouble ? 0x00051607 : 0x00051600, 4) + big(0x00020000, 4) +
                      std::string(16, '\0') + big(entries, 2);
    std::string rest;
    const auto entry = [&](std::size_t id, std::string_view bytes) {
        out += big(id, 4) + big(at, 4) + big(bytes.size(), 4);
        at += bytes.size();
        rest += bytes;
    };
    entry(3, name);
    entry(2, resource);
    if (!isDouble) entry(1, data);
    return out + rest;
}

inline std::string macBinary(std::string_view name, std::string_view data, std::string_view resource) {
    std::string out = std::string(1, '\0') + big(name.size(), 1) + std::string(name);
    out.resize(65, '\0');
    out += "TEXTttxt";
    out.resize(83, '\0');
    out += big(data.size(), 4) + big(resource.size(), 4);
    out.resize(128, '\0');
    out += data;
    out.resize((out.size() + 127) / 128 * 128, '\0');
    out += resource;
    out.resize((out.size() + 127) / 128 * 128, '\0');
    return out;
}

}  // namespace postern::tests
