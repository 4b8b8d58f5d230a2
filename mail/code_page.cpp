#include "mail/code_page.h"

#include <algorithm>
#include <cstring>
#include <iconv.h>
#include <mutex>
#include <unordered_map>

#include "base/text.h"
#include "mail/charset_names.h"
#include "mail/iconv.h"

namespace postern::mail {
namespace {

using CharsetsByName = std::unordered_map<std::string_view, const CharsetName*>;

CharsetsByName charsetsByAlias() {
    CharsetsByName found;
    for (const CharsetName& charset : charsetNames())
        for (const std::string_view alias : split(charset.aliases, ' '))
            if (!alias.empty()) found.emplace(alias, &charset);
    return found;
}

CharsetsByName pagesByIconvName() {
    CharsetsByName found;
    for (const CharsetName& charset : charsetNames())
        if (charset.oneByte) found.emplace(charset.iconvName, &charset);
    return found;
}

const CharsetName* findCharset(std::string_view name) {
    static const CharsetsByName kKnown = charsetsByAlias();
    if (name.empty() || name.size() > 40) return nullptr;
    const auto found = kKnown.find(lowerAscii(name));
    return found == kKnown.end() ? nullptr : found->second;
}

// The one character of one byte, or 0.
char32_t convertByte(Converter& converter, char byte) {
    std::string utf8;
    std::string_view in(&byte, 1);
    if (!converter.run(in, utf8)) return 0;
    converter.reset(utf8);  // CP1255 and CP1258 hold a letter back
    std::string_view text = utf8;
    return text.empty() ? 0 : takeCharacter(text);
}

// Where the iconvs differ: libiconv's is the set as it was before it got the euro.
constexpr char32_t macintoshCharacter(int byte) {
    return byte == 0xbd ? 0x3a9 : byte == 0xc6 ? 0x394 : byte == 0xdb ? 0x20ac : 0;
}

constexpr std::size_t kBlock = 32;

// Whether each of kBlock bytes is 20-7E, or one of TAB, CR and LF where `withLines`. Without branches: the
// compiler makes a few instructions of it.
template <bool withLines>
bool allPlain(const char* bytes) {
    unsigned char others = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
        const auto c = static_cast<unsigned char>(bytes[i]);
        const bool isPrintable = static_cast<unsigned char>(c - 0x20U) < 0x5fU;
        const bool isLine = withLines && static_cast<bool>(static_cast<unsigned>(c == '\n') |
                                                           static_cast<unsigned>(c == '\r') |
                                                           static_cast<unsigned>(c == '\t'));
        others |= static_cast<unsigned char>(!isPrintable & !isLine);
    }
    return others == 0;
}

template <bool withLines>
std::size_t plainLength(std::string_view text) {
    std::size_t i = 0;
    while (i + kBlock <= text.size() && allPlain<withLines>(text.data() + i)) i += kBlock;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        const bool isLine = withLines && (c == '\n' || c == '\r' || c == '\t');
        if (!isLine && (c < 0x20 || c >= 0x7f)) break;
    }
    return i;
}

}  // namespace

CodePage::CodePage(const char* iconvName) {
    for (const char32_t c : {U'\t', U'\r', U'\n'}) learn(static_cast<std::uint8_t>(c), c);
    for (int byte = 0x20; byte < 0x7f; ++byte) learn(static_cast<std::uint8_t>(byte), byte);
    usable_ = std::string_view(iconvName) == "US-ASCII" || learnUpperHalf(iconvName);
}

bool CodePage::learnUpperHalf(const char* iconvName) {
    Converter converter("UTF-8", iconvName);
    if (!converter.usable()) return false;
    const bool isMacintosh = std::string_view(iconvName) == "MACINTOSH";
    for (int byte = 0x80; byte < 0x100; ++byte) {
        const char32_t fixed = isMacintosh ? macintoshCharacter(byte) : 0;
        learn(static_cast<std::uint8_t>(byte),
              fixed != 0 ? fixed : convertByte(converter, static_cast<char>(byte)));
    }
    return true;
}

void CodePage::learn(std::uint8_t byte, char32_t character) {
    // C1 controls and private characters of a page are no text: nobody behind us could show them.
    if (character == 0 || character > 0xffff || (character >= 0x7f && character < 0xa0)) return;
    characters_[byte] = static_cast<char16_t>(character);
    auto& row = rows_[character >> 8];
    if (!row) row = std::make_unique<std::array<std::uint8_t, 256>>();
    (*row)[character & 0xff] = byte;
}

const CodePage* CodePage::find(std::string_view iconvName) {
    constexpr std::size_t kMost = 128;
    static std::array<std::once_flag, kMost> once;
    static std::array<std::unique_ptr<const CodePage>, kMost> pages;
    static const CharsetsByName kPages = pagesByIconvName();
    const auto found = kPages.find(iconvName);
    if (found == kPages.end()) return nullptr;
    const auto i = static_cast<std::size_t>(found->second - charsetNames().data());
    if (i >= kMost) return nullptr;
    std::call_once(once[i], [&] { pages[i] = std::make_unique<CodePage>(found->second->iconvName); });
    return pages[i]->usable() ? pages[i].get() : nullptr;
}

std::string_view canonicalCharset(std::string_view name) {
    const CharsetName* charset = findCharset(trim(name));
    return charset == nullptr ? std::string_view() : charset->iconvName;
}

char32_t takeCharacter(std::string_view& text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    char32_t character = length < 2 ? lead : lead & (0x7fU >> length);
    bool valid = length != 0 && length <= text.size();
    for (std::size_t i = 1; valid && i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        valid = (byte & 0xc0U) == 0x80;
        character = (character << 6U) | (byte & 0x3fU);
    }
    // Overlong forms, surrogates, beyond Unicode.
    if (valid && ((length == 3 && character < 0x800) || (length == 4 && character < 0x10000) ||
                  (character >= 0xd800 && character < 0xe000) || character > 0x10ffff))
        valid = false;
    text.remove_prefix(valid ? length : 1);
    return valid ? character : 0xfffd;
}

void appendUtf8(std::string& out, char32_t c) {
    const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((c >> shift) & 0x3fU)); };
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xc0U | (c >> 6U));
        tail(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xe0U | (c >> 12U));
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xf0U | (c >> 18U));
        tail(12);
        tail(6);
        tail(0);
    }
}

std::size_t plainPrefix(std::string_view text) {
    return plainLength<true>(text);
}

std::size_t printablePrefix(std::string_view text) {
    return plainLength<false>(text);
}

bool hasEightBit(std::string_view text) {
    constexpr std::uint64_t kHighBits = 0x8080808080808080U;
    std::size_t i = 0;
    for (std::uint64_t eight = 0; i + 8 <= text.size(); i += 8) {
        std::memcpy(&eight, text.data() + i, sizeof(eight));
        if ((eight & kHighBits) != 0) return true;
    }
    for (; i < text.size(); ++i)
        if (static_cast<unsigned char>(text[i]) >= 0x80) return true;
    return false;
}

bool isUtf8(std::string_view text) {
    while (!text.empty()) {
        text.remove_prefix(plainPrefix(text));
        if (text.empty()) return true;
        const bool isReplacement = text.starts_with("\xef\xbf\xbd");
        if (takeCharacter(text) == 0xfffd && !isReplacement) return false;
    }
    return true;
}

}  // namespace postern::mail
