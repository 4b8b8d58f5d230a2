#pragma once
// Mails made up in a regression test, and what is read from them.

#include <algorithm>
#include <memory>
#include <regex>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/source.h"
#include "mail/downgrade.h"
#include "mail/encoding.h"
#include "mail/mime.h"

namespace postern::tests {

// "\n" to CRLF, as on the wire.
inline std::string wire(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
    return out;
}

// A mail with the fields every mail has, `fields` (each ended by "\n") and `body`, as on the wire.
inline std::string mailOf(std::string_view fields, std::string_view body) {
    return wire(
        "From: Alice Example <alice@example.org>\nTo: bob@legacy.example\n"
        "Date: Tue, 14 Nov 2023 22:13:20 +0000\n" +
        std::string(fields) + "\n" + std::string(body));
}

// GoogleTest's own expressions know no "[" and no "|" on Windows.
inline bool found(const std::string& text, const std::string& expression) {
    return std::regex_search(text, std::regex(expression));
}

// A mail read, with its bytes: attachments refer to them.
struct ReadMail {
    explicit ReadMail(std::string bytes, const mail::ReadOptions& options = {})
        : source(std::make_unique<StringSource>(std::move(bytes))) {
        auto read = mail::readMessage(*source, options);
        EXPECT_TRUE(read.ok());
        if (read.ok()) message = std::move(*read);
    }
    bool hasNote(std::string_view part) const {
        return std::any_of(message.notes.begin(), message.notes.end(),
                           [&](const std::string& note) { return note.find(part) != std::string::npos; });
    }
    // The bytes of attachment `index`, or an explanation.
    std::string bytes(std::size_t index) const {
        if (index >= message.attachments.size()) return "no such attachment";
        const auto read = message.attachments[index].read(1 << 24);
        return read.ok() ? *read : "unreadable";
    }

    std::unique_ptr<StringSource> source;
    mail::Readable message;
};

// 7-bit, in the lines of RFC 5322 2.1.1.
inline mail::Carrier oldHost() {
    mail::Carrier carrier;
    carrier.eightBit = carrier.utf8Header = carrier.binary = false;
    carrier.lineLimit = 998;
    return carrier;
}

// `message` as `carrier` takes it.
inline std::string carried(const std::string& message, const mail::Carrier& carrier) {
    StringSource source(message);
    const auto made = mail::Downgraded::make(source, carrier);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().text);
    std::string out;
    if (!made.ok()) return out;
    EXPECT_TRUE(made->writeTo([&](std::string_view piece) -> Result<void> {
                        out += piece;
                        return {};
                    })
                    .ok());
    return out;
}

inline std::string base64Of(std::string_view bytes) {
    static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::string_view three = bytes.substr(i, 3);
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8U | (k < three.size() ? static_cast<unsigned char>(three[k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            out += k <= three.size() ? kDigits[bits >> (18 - 6 * k) & 63U] : '=';
        if (i % 54 == 51) out += "\n";
    }
    return out;
}

inline std::string encodedWord(std::string_view bytes, std::string_view charset) {
    std::string digits = base64Of(bytes);
    digits.erase(std::remove(digits.begin(), digits.end(), '\n'), digits.end());
    return "=?" + std::string(charset) + "?B?" + digits + "?=";
}

}  // namespace postern::tests
