#include "mail/code_page.h"

#include <cstring>
#include <iconv.h>
#include <iterator>
#include <mutex>

#include "base/text.h"
#include "mail/iconv.h"

namespace postern::mail {
namespace {

struct Charset {
    const char* iconvName;
    bool oneByte;
    const char* aliases;  // lower case, each between blanks
};

// Everything iconv is ever asked for. Left out on purpose: UTF-7, ISO-2022-CN-EXT (glibc CVE-2024-2961),
// EBCDIC and whatever else iconv might know: a name in a message does not choose code to run.
constexpr Charset kCharsets[] = {
    {"UTF-8", false, " utf-8 utf8 unicode-1-1-utf-8 cp65001 x-utf-8 "},
    {"US-ASCII", true, " us-ascii ascii ansi_x3.4-1968 ansi_x3.4-1986 iso646-us iso-646-us 646 us cp367 "},
    {"ISO-8859-1", true, " iso-8859-1 iso8859-1 iso_8859-1 iso_8859-1:1987 latin1 latin-1 l1 cp819 8859-1 "},
    {"ISO-8859-2", true, " iso-8859-2 iso8859-2 iso_8859-2 latin2 latin-2 l2 "},
    {"ISO-8859-3", true, " iso-8859-3 iso8859-3 iso_8859-3 latin3 l3 "},
    {"ISO-8859-4", true, " iso-8859-4 iso8859-4 iso_8859-4 latin4 l4 "},
    {"ISO-8859-5", true, " iso-8859-5 iso8859-5 iso_8859-5 cyrillic "},
    {"ISO-8859-6", true, " iso-8859-6 iso8859-6 iso_8859-6 iso-8859-6-i iso-8859-6-e arabic "},
    {"ISO-8859-7", true, " iso-8859-7 iso8859-7 iso_8859-7 greek elot_928 "},
    {"ISO-8859-8", true, " iso-8859-8 iso8859-8 iso_8859-8 iso-8859-8-i iso-8859-8-e hebrew visual "},
    {"ISO-8859-9", true, " iso-8859-9 iso8859-9 iso_8859-9 latin5 latin-5 l5 "},
    {"ISO-8859-10", true, " iso-8859-10 iso8859-10 latin6 l6 "},
    {"ISO-8859-11", true, " iso-8859-11 iso8859-11 "},
    {"ISO-8859-13", true, " iso-8859-13 iso8859-13 latin7 "},
    {"ISO-8859-14", true, " iso-8859-14 iso8859-14 latin8 "},
    {"ISO-8859-15", true, " iso-8859-15 iso8859-15 iso_8859-15 latin9 latin-9 "},
    {"ISO-8859-16", true, " iso-8859-16 iso8859-16 latin10 "},
    {"CP1250", true, " windows-1250 cp1250 cp-1250 x-cp1250 win1250 "},
    {"CP1251", true, " windows-1251 cp1251 cp-1251 x-cp1251 win1251 "},
    {"CP1252", true, " windows-1252 cp1252 cp-1252 x-cp1252 win1252 x-ansi ansi "},
    {"CP1253", true, " windows-1253 cp1253 x-cp1253 "},
    {"CP1254", true, " windows-1254 cp1254 x-cp1254 "},
    {"CP1255", true, " windows-1255 cp1255 x-cp1255 "},
    {"CP1256", true, " windows-1256 cp1256 x-cp1256 "},
    {"CP1257", true, " windows-1257 cp1257 x-cp1257 "},
    {"CP1258", true, " windows-1258 cp1258 x-cp1258 "},
    {"CP437", true, " cp437 ibm437 437 dos-437 cspc8codepage437 "},
    {"CP737", true, " cp737 ibm737 737 "},
    {"CP775", true, " cp775 ibm775 775 "},
    {"CP850", true, " cp850 ibm850 850 dos-850 cspc850multilingual "},
    {"CP852", true, " cp852 ibm852 852 "},
    {"CP855", true, " cp855 ibm855 855 "},
    {"CP857", true, " cp857 ibm857 857 "},
    {"CP858", true, " cp858 ibm858 ibm00858 858 "},
    {"CP860", true, " cp860 ibm860 860 "},
    {"CP861", true, " cp861 ibm861 861 "},
    {"CP862", true, " cp862 ibm862 862 "},
    {"CP863", true, " cp863 ibm863 863 "},
    {"CP865", true, " cp865 ibm865 865 "},
    {"CP866", true, " cp866 ibm866 866 dos-866 csibm866 "},
    {"CP869", true, " cp869 ibm869 869 "},
    {"CP874", true, " cp874 windows-874 ibm874 874 dos-874 "},
    {"TIS-620", true, " tis-620 tis620 "},
    {"KOI8-R", true, " koi8-r koi8r koi8 cskoi8r x-koi8-r "},
    {"KOI8-U", true, " koi8-u koi8u koi8-ru "},
    {"MACINTOSH", true, " macintosh mac x-mac-roman macroman x-mac csmacintosh "},
    {"MAC-CYRILLIC", true, " x-mac-cyrillic mac-cyrillic maccyrillic x-mac-ukrainian "},
    {"HP-ROMAN8", true, " hp-roman8 roman8 r8 x-roman8 "},
    {"ISO-2022-JP", false, " iso-2022-jp iso2022-jp csiso2022jp "},
    {"ISO-2022-JP-2", false, " iso-2022-jp-2 "},
    {"CP932", false, " shift_jis shift-jis sjis x-sjis ms_kanji windows-31j cp932 csshiftjis ms932 932 "},
    {"EUC-JP", false, " euc-jp eucjp x-euc-jp x-euc "},
    {"ISO-2022-KR", false, " iso-2022-kr iso2022-kr "},
    {"CP949", false,
     " euc-kr euckr ks_c_5601-1987 ks_c_5601 ksc5601 ksc_5601 korean cp949 windows-949 uhc 949 "},
    {"GBK", false, " gb2312 gbk gb_2312-80 gb_2312 euc-cn x-gbk chinese cp936 windows-936 936 "},
    {"GB18030", false, " gb18030 "},
    {"BIG5-HKSCS", false, " big5 big-5 big5-hkscs x-x-big5 cn-big5 "},
    {"CP950", false, " cp950 windows-950 950 ms950 "},
    {"UTF-16", false, " utf-16 utf16 "},
    {"UTF-16LE", false, " utf-16le "},
    {"UTF-16BE", false, " utf-16be "},
};

const Charset* findCharset(std::string_view name) {
    if (name.empty() || name.size() > 40 || name.find(' ') != std::string_view::npos) return nullptr;
    const std::string wanted = ' ' + lowerAscii(name) + ' ';
    for (const Charset& charset : kCharsets)
        if (std::strstr(charset.aliases, wanted.c_str()) != nullptr) return &charset;
    return nullptr;
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

// Whether eight bytes are all 20-7E: the tricks of "Bit Twiddling Hacks", each finding some bytes that are
// not.
bool eightPrintable(const char* bytes) {
    constexpr std::uint64_t kOnes = 0x0101010101010101U;
    std::uint64_t x = 0;
    std::memcpy(&x, bytes, sizeof(x));
    const std::uint64_t del = x ^ (kOnes * 0x7f);
    const std::uint64_t found = x | ((x - kOnes * 0x20) & ~x) | ((del - kOnes) & ~del);
    return (found & (kOnes * 0x80)) == 0;
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
    for (int byte = 0x80; byte < 0x100; ++byte)
        learn(static_cast<std::uint8_t>(byte), convertByte(converter, static_cast<char>(byte)));
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
    static std::array<std::once_flag, std::size(kCharsets)> once;
    static std::array<std::unique_ptr<const CodePage>, std::size(kCharsets)> pages;
    for (std::size_t i = 0; i < std::size(kCharsets); ++i) {
        if (!kCharsets[i].oneByte || iconvName != kCharsets[i].iconvName) continue;
        std::call_once(once[i], [i] { pages[i] = std::make_unique<CodePage>(kCharsets[i].iconvName); });
        return pages[i]->usable() ? pages[i].get() : nullptr;
    }
    return nullptr;
}

std::string_view canonicalCharset(std::string_view name) {
    const Charset* charset = findCharset(trim(name));
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
    const auto isPlain = [](unsigned char c) {
        return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
    };
    std::size_t i = 0;
    while (i < text.size()) {
        i += printablePrefix(text.substr(i));
        if (i == text.size() || !isPlain(static_cast<unsigned char>(text[i]))) break;
        ++i;
    }
    return i;
}

std::size_t printablePrefix(std::string_view text) {
    std::size_t i = 0;
    while (i + 8 <= text.size() && eightPrintable(text.data() + i)) i += 8;
    while (i < text.size() && text[i] >= 0x20 && text[i] < 0x7f) ++i;
    return i;
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
