#pragma once
// Mails through readMessage() and convert().

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "mail/charset.h"
#include "mail/convert.h"
#include "tests/unit/mail/samples.h"

namespace postern::mail::tests {

// With everything a Converted refers to.
struct Conversion {
    std::unique_ptr<ByteSource> source;
    std::unique_ptr<Readable> read;
    Converted out;
};

inline Result<Conversion> conversion(const std::string& mail, const Profile& profile) {
    Conversion made;
    made.source = std::make_unique<StringSource>(wire(mail));
    POSTERN_LET(read, readMessage(*made.source, readingFor(profile)));
    made.read = std::make_unique<Readable>(std::move(read));
    const WallTime received = *parseTime("2026-11-21T12:00:00Z");
    POSTERN_LET(out, convert(*made.read, {"envelope@example.org", received}, profile));
    made.out = std::move(out);
    return made;
}

inline Conversion converted(const std::string& mail, const Profile& profile) {
    auto made = conversion(mail, profile);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().text);
    return made.ok() ? std::move(*made) : Conversion();
}

inline std::string repeated(std::string_view what, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += what;
    return out;
}

// All texts, uuencoded files and all.
inline std::string joined(const Converted& converted) {
    std::string all;
    EXPECT_TRUE(converted
                    .writeTexts([&](std::string_view bytes) -> Result<void> {
                        all += bytes;
                        return {};
                    })
                    .ok());
    return all;
}

}  // namespace postern::mail::tests
