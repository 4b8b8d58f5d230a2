#include "base/digest.h"

#include <array>
#include <new>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace postern {

namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto kValues = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < kDigits.size(); ++i)
        table[static_cast<unsigned char>(kDigits[i])] = static_cast<std::int8_t>(i);
    return table;
}();

void must(bool done) {
    if (!done) throw std::bad_alloc();
}

// Fetched once: EVP_sha256() looks the implementation up again at each start.
const EVP_MD* algorithm() {
    static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    must(fetched != nullptr);
    return fetched;
}

unsigned char* raw(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

const unsigned char* raw(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

struct Sha256::Impl {
    Impl() { must(context != nullptr); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() { EVP_MD_CTX_free(context); }

    EVP_MD_CTX* context = EVP_MD_CTX_new();
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
    must(EVP_DigestInit_ex(impl_->context, algorithm(), nullptr) == 1);
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
    must(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::finish() {
    std::string digest(kSha256Bytes, '\0');
    must(EVP_DigestFinal_ex(impl_->context, raw(digest), nullptr) == 1);
    must(EVP_DigestInit_ex(impl_->context, algorithm(), nullptr) == 1);
    return digest;
}

std::string sha256(std::string_view bytes) {
    std::string digest(kSha256Bytes, '\0');
    must(EVP_Digest(bytes.data(), bytes.size(), raw(digest), nullptr, algorithm(), nullptr) == 1);
    return digest;
}

std::string hmacSha256(std::string_view key, std::string_view bytes) {
    std::string digest(kSha256Bytes, '\0');
    // A null key pointer would mean "the key of last time" to the library.
    const char* const start = key.empty() ? "" : key.data();
    must(HMAC(algorithm(), start, static_cast<int>(key.size()), raw(bytes), bytes.size(), raw(digest),
              nullptr) != nullptr);
    return digest;
}

std::string hmacMd5(std::string_view key, std::string_view bytes) {
    std::string digest(16, '\0');
    const char* const start = key.empty() ? "" : key.data();
    must(HMAC(EVP_md5(), start, static_cast<int>(key.size()), raw(bytes), bytes.size(), raw(digest),
              nullptr) != nullptr);
    return digest;
}

std::string pbkdf2Sha256(std::string_view password, std::string_view salt, std::int64_t iterations) {
    std::string key(kSha256Bytes, '\0');
    must(PKCS5_PBKDF2_HMAC(password.empty() ? "" : password.data(), static_cast<int>(password.size()),
                           raw(salt), static_cast<int>(salt.size()), static_cast<int>(iterations),
                           algorithm(), static_cast<int>(key.size()), raw(key)) == 1);
    return key;
}

bool equalConstantTime(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string base64Encode(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8U | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[group >> (18U - 6U * k) & 63U] : '=';
    }
    return text;
}

std::optional<std::string> base64Decode(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t group = 0;
    int bits = 0;
    for (const char c : text.substr(0, text.size() - padding)) {
        const std::int8_t value = kValues[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        group = (group << 6U | static_cast<std::uint32_t>(value)) & 0xffffffU;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>(group >> static_cast<unsigned>(bits) & 0xffU);
    }
    if ((group & ((1U << static_cast<unsigned>(bits)) - 1U)) != 0) return std::nullopt;
    return bytes;
}

}  // namespace postern
