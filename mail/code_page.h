#pragma once
// One-byte code pages as tables, built through iconv at first use and never changed; and UTF-8 by character.
// Internal to this room. Thread rule: any thread.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace postern::mail {

class CodePage {
  public:
    // `iconvName` as canonicalCharset() gives it; null when it is no one-byte superset of US-ASCII, or when
    // this system's iconv lacks it.
    static const CodePage* find(std::string_view iconvName);

    // The byte for `character`, 0 when the page has none. Control characters have none but CR, LF, TAB.
    std::uint8_t byteFor(char32_t character) const {
        if (character > 0xffff) return 0;
        const auto& row = rows_[character >> 8];
        return row ? (*row)[character & 0xff] : std::uint8_t{0};
    }
    // The character of `byte`; 0 when the page leaves it undefined.
    char16_t characterOf(std::uint8_t byte) const { return characters_[byte]; }

    explicit CodePage(const char* iconvName);
    bool usable() const { return usable_; }

  private:
    bool learnUpperHalf(const char* iconvName);
    void learn(std::uint8_t byte, char32_t character);

    bool usable_ = false;
    std::array<char16_t, 256> characters_{};
    std::array<std::unique_ptr<std::array<std::uint8_t, 256>>, 256> rows_;
};

// The iconv name for a charset named in a message or a configuration, by our allow-list and its aliases in
// any case.
// Empty when unknown or refused.
std::string_view canonicalCharset(std::string_view name);

// Takes one character from the front of `text`: U+FFFD and one byte where it is not valid UTF-8.
// REQUIRES: text is not empty.
char32_t takeCharacter(std::string_view& text);
void appendUtf8(std::string& out, char32_t character);

// The length of the front of `text` that is printable US-ASCII, TAB, CR or LF.
std::size_t plainPrefix(std::string_view text);
// The same without TAB, CR and LF.
std::size_t printablePrefix(std::string_view text);
bool hasEightBit(std::string_view text);
// As validUtf8() of base, made for long texts that are mostly US-ASCII.
bool isUtf8(std::string_view text);

}  // namespace postern::mail
