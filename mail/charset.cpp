#include "mail/charset.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "base/sync.h"
#include "base/text.h"
#include "mail/code_page.h"
#include "mail/fallback.h"
#include "mail/iconv.h"

namespace postern::mail {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

std::string replaceInvalid(std::string_view text, bool& clean) {
    if (isUtf8(text)) return std::string(text);
    clean = false;
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t plain = plainPrefix(text);
        out.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (!text.empty()) appendUtf8(out, takeCharacter(text));
    }
    return out;
}

std::string fromPage(std::string_view bytes, const CodePage& page, bool& clean) {
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 2);
    for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (byte < 0x80) {
            out += c;
        } else if (const char16_t character = page.characterOf(byte); character != 0) {
            appendUtf8(out, character);
        } else {
            out += kReplacement;
            clean = false;
        }
    }
    return out;
}

std::string undeclared(std::string_view bytes, bool& clean) {
    if (isUtf8(bytes)) return std::string(bytes);
    clean = false;
    const CodePage* latin = CodePage::find("CP1252");
    return latin == nullptr ? replaceInvalid(bytes, clean) : fromPage(bytes, *latin, clean);
}

// Bytes to leave out where something is illegal: half a unit would put all that follows out of step.
std::size_t unitOf(std::string_view charset) {
    if (charset.starts_with("UTF-16")) return 2;
    return charset.starts_with("UTF-32") ? 4 : 1;
}

std::string throughIconv(std::string_view bytes, std::string_view charset, Converter& converter,
                         bool& clean) {
    if (!converter.usable()) return undeclared(bytes, clean);
    std::string out;
    while (!converter.run(bytes, out)) {
        out += kReplacement;
        clean = false;
        bytes.remove_prefix(std::min(unitOf(charset), bytes.size()));
    }
    converter.reset(out);
    return replaceInvalid(out, clean);  // a converter that lets surrogates through must not reach us
}

// What people call ISO-8859-1 is windows-1252 whenever bytes 80-9F occur in it; likewise Latin-5 and Thai.
std::string_view readingCharset(std::string_view canonical) {
    if (canonical == "ISO-8859-1") return "CP1252";
    if (canonical == "ISO-8859-9") return "CP1254";
    if (canonical == "ISO-8859-11" || canonical == "TIS-620") return "CP874";
    return canonical;
}

// `converterOf` gives a converter from that charset to UTF-8.
template <class ConverterOf>
std::string decodeWith(std::string_view bytes, std::string_view charset, bool& clean,
                       const ConverterOf& converterOf) {
    const std::string_view name = readingCharset(canonicalCharset(charset));
    if (name == "UTF-8") return replaceInvalid(bytes, clean);
    if (name.empty() || name == "US-ASCII") {
        if (!hasEightBit(bytes)) {
            clean = !name.empty() || charset.empty();
            return std::string(bytes);
        }
        clean = charset.empty();
        return undeclared(bytes, clean);
    }
    if (const CodePage* page = CodePage::find(name)) return fromPage(bytes, *page, clean);
    return throughIconv(bytes, name, converterOf(name), clean);
}

// How one character that the target may lack is written. `write` takes a character and says whether the
// target has it; a whole text is written only when all of it fits, and ASCII always does.
template <class Write>
void writeCharacter(char32_t character, Encoded& result, const Write& write) {
    if (write(character)) return;
    if (character == 0x2014 && write(0x2015)) return;  // a set's long dash is the one or the other, by iconv
    if (isIgnorable(character)) return;
    if (const char32_t kin = kinLetter(character); kin != 0 && write(kin)) {
        ++result.changed;
        return;
    }
    for (char32_t base = baseLetter(character); base != 0; base = baseLetter(base)) {
        if (!write(base)) continue;
        ++result.changed;
        return;
    }
    char32_t root = character;
    while (const char32_t base = baseLetter(root)) root = base;
    const std::string_view own = fallbackText(character), text = own.empty() ? fallbackText(root) : own;
    for (const char c : text) write(static_cast<char32_t>(c));
    if (!text.empty()) {
        ++result.changed;
        return;
    }
    write(U'?');
    ++result.lost;
}

bool isDroppedControl(char32_t c) {
    return (c < 0x20 && c != '\t' && c != '\r' && c != '\n') || (c >= 0x7f && c < 0xa0);
}

// Characters of `utf8` one by one: composed where a mark follows its letter, controls left out.
template <class Visit>
void eachCharacter(std::string_view utf8, const Visit& visit) {
    std::optional<char32_t> held;
    while (!utf8.empty()) {
        const char32_t next = takeCharacter(utf8);
        if (isDroppedControl(next)) continue;
        if (held && isCombiningMark(next)) {
            if (const char32_t whole = compose(*held, next)) {
                held = whole;
                continue;
            }
        }
        if (held) visit(*held);
        held = next;
    }
    if (held) visit(*held);
}

// Plain runs go to `writePlain` whole, all else to `write` by character, after `begin` has seen the run.
template <class WritePlain, class Begin, class Write>
void writeText(std::string_view utf8, Encoded& result, const WritePlain& writePlain, const Begin& begin,
               const Write& write) {
    while (!utf8.empty()) {
        std::size_t plain = plainPrefix(utf8);
        if (plain > 0 && plain < utf8.size()) --plain;  // the last one may take a mark
        if (plain > 0) writePlain(utf8.substr(0, plain));
        utf8.remove_prefix(plain);
        std::size_t end = 0;  // the run up to where plain text goes on
        while (end < utf8.size() && (end == 0 || static_cast<unsigned char>(utf8[end]) >= 0x80)) ++end;
        begin(utf8.substr(0, end));
        eachCharacter(utf8.substr(0, end), [&](char32_t c) { writeCharacter(c, result, write); });
        utf8.remove_prefix(end);
    }
}

bool isGreek(char32_t c) {
    return c >= 0x0370 && c <= 0x03ff;
}

// Whether a word of Greek letters can not be written with those of the page. Some pages have a few of them
// for formulas; a word of both alphabets reads badly.
bool lacksGreek(std::string_view word, const CodePage& page) {
    bool lacks = false;
    eachCharacter(word, [&](char32_t c) {
        if (!isGreek(c)) return;
        while (c != 0 && page.byteFor(c) == 0) c = baseLetter(c);
        lacks = lacks || c == 0;
    });
    return lacks;
}

Encoded toPage(std::string_view utf8, const CodePage& page) {
    Encoded result;
    result.bytes.reserve(utf8.size());
    bool refusesGreek = false;
    const auto write = [&](char32_t character) {
        if (refusesGreek && isGreek(character)) return false;
        const std::uint8_t byte = page.byteFor(character);
        if (byte != 0) result.bytes += static_cast<char>(byte);
        return byte != 0;
    };
    const auto begin = [&](std::string_view word) { refusesGreek = lacksGreek(word, page); };
    const auto writePlain = [&](std::string_view plain) { result.bytes.append(plain); };
    writeText(utf8, result, writePlain, begin, write);
    return result;
}

Encoded toUtf8Target(std::string_view utf8) {
    Encoded result;
    result.bytes.reserve(utf8.size());
    while (!utf8.empty()) {
        const std::size_t plain = plainPrefix(utf8);
        result.bytes.append(utf8.substr(0, plain));
        utf8.remove_prefix(plain);
        if (utf8.empty()) break;
        const char32_t character = takeCharacter(utf8);
        if (!isDroppedControl(character)) appendUtf8(result.bytes, character);
    }
    return result;
}

// Whether US-ASCII stands in the charset as it is, whatever was written before; not all have all of it.
bool keepsAscii(std::string_view charset, Converter& converter) {
    if (charset.starts_with("ISO-2022")) return false;
    static constexpr std::string_view kAscii =
        "\t\n\r "
        "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    std::string_view rest = kAscii;
    std::string written;
    return converter.run(rest, written) && written == kAscii;
}

// What is known of a target that is no page of 256. Asking iconv costs as much as a short mail.
struct Multibyte {
    bool usable = false, keepsAscii = false;
};

// REQUIRES: `canonical` is a name of the allow-list.
Multibyte multibyteOf(std::string_view canonical) {
    static Mutex mutex;
    static std::map<std::string, Multibyte, std::less<>> known;
    const MutexLock lock(mutex);
    if (const auto found = known.find(canonical); found != known.end()) return found->second;
    Converter converter(canonical, "UTF-8");
    Multibyte target{converter.usable(), false};
    target.keepsAscii = target.usable && keepsAscii(canonical, converter);
    return known.emplace(canonical, target).first->second;
}

Encoded toMultibyte(std::string_view utf8, std::string_view charset) {
    const Multibyte target = multibyteOf(charset);
    if (target.keepsAscii && plainPrefix(utf8) == utf8.size()) return {std::string(utf8), 0, 0};
    Converter converter(charset, "UTF-8");
    if (!converter.usable()) return fromUtf8(utf8, "US-ASCII");
    Encoded result;
    const auto write = [&](char32_t character) {
        std::string one;
        appendUtf8(one, character);
        std::string_view rest = one;
        return converter.run(rest, result.bytes);
    };
    const auto writePlain = [&](std::string_view plain) {
        if (target.keepsAscii) {
            converter.reset(result.bytes);  // Big5-HKSCS holds a letter back that the next may change
            result.bytes.append(plain);
            return;
        }
        while (!converter.run(plain, result.bytes)) writeCharacter(takeCharacter(plain), result, write);
    };
    writeText(
        utf8, result, writePlain, [](std::string_view) {}, write);
    converter.reset(result.bytes);
    return result;
}

}  // namespace

std::string toUtf8(std::string_view bytes, std::string_view charset, bool* clean) {
    bool isClean = true;
    std::optional<Converter> converter;
    std::string text = decodeWith(bytes, trim(charset), isClean, [&](std::string_view name) -> Converter& {
        return converter.emplace("UTF-8", name);
    });
    if (clean != nullptr) *clean = isClean;
    return text;
}

Decoder::Decoder() = default;
Decoder::~Decoder() = default;

std::string Decoder::toUtf8(std::string_view bytes, std::string_view charset) {
    bool clean = true;
    return decodeWith(bytes, trim(charset), clean, [&](std::string_view name) -> Converter& {
        std::unique_ptr<Converter>& kept = converters_[std::string(name)];
        if (kept == nullptr) kept = std::make_unique<Converter>("UTF-8", name);
        return *kept;
    });
}

Encoded fromUtf8(std::string_view utf8, std::string_view codePage) {
    const std::string_view name = canonicalCharset(codePage);
    if (name == "UTF-8") return toUtf8Target(utf8);
    if (const CodePage* page = CodePage::find(name)) return toPage(utf8, *page);
    if (!knownCodePage(name)) return fromUtf8(utf8, "US-ASCII");
    return toMultibyte(utf8, name);
}

bool knownCodePage(std::string_view name) {
    const std::string_view canonical = canonicalCharset(name);
    // UTF-16 and -32 are no superset of US-ASCII: their bytes would be control characters in lines.
    if (canonical.empty() || canonical.starts_with("UTF-16") || canonical.starts_with("UTF-32")) return false;
    if (canonical == "UTF-8" || CodePage::find(canonical) != nullptr) return true;
    return multibyteOf(canonical).usable;
}

std::string toAscii(std::string_view utf8) {
    return fromUtf8(utf8, "US-ASCII").bytes;
}

std::string cleanLine(std::string_view utf8) {
    std::string out;
    out.reserve(utf8.size());
    while (!utf8.empty()) {
        const char32_t c = takeCharacter(utf8);
        if (c == '\r' || c == '\n' || c == '\t' || c == 0 || c == 0x2028 || c == 0x2029)
            out += ' ';
        else if (c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !isBidiControl(c))
            appendUtf8(out, c);
    }
    return out;
}

}  // namespace postern::mail
