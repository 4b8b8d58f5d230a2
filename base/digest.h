#pragma once
// SHA-256 and what is built from it (FIPS 180-4, RFC 2104, RFC 8018), on the system's OpenSSL, and base64 as
// protocols use it. Digests and keys are strings of raw bytes.
//
// The library fails here only when it has no memory: then std::bad_alloc is thrown, as by any string.
// Thread rule: functions from any thread; a Sha256 belongs to one.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

inline constexpr std::size_t kSha256Bytes = 32;

class Sha256 {
  public:
    Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    ~Sha256();

    void update(std::string_view bytes);
    // 32 bytes; the next update() begins anew.
    std::string finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

std::string sha256(std::string_view bytes);
std::string hmacSha256(std::string_view key, std::string_view bytes);
// For CRAM-MD5 (RFC 2195) towards old servers, and for nothing else: 16 bytes.
std::string hmacMd5(std::string_view key, std::string_view bytes);
// 32 bytes: Hi() of RFC 5802. Takes as long as `iterations` asks, about 2.5 ms for 10,000. REQUIRES:
// iterations > 0.
std::string pbkdf2Sha256(std::string_view password, std::string_view salt, std::int64_t iterations);

// Compares all bytes whatever they are, so that the time says nothing about where they differ.
bool equalConstantTime(std::string_view a, std::string_view b);

std::string base64Encode(std::string_view bytes);  // RFC 4648 section 4, padded, one line
// Strict: only what base64Encode() makes; no blanks, no missing padding, no stray bits (RFC 4648 3.2-3.5).
std::optional<std::string> base64Decode(std::string_view text);

}  // namespace postern
