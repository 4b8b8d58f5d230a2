#include "mail/names.h"

#include <array>

#include "base/text.h"
#include "mail/charset.h"
#include "mail/code_page.h"

namespace postern::mail {
namespace {

constexpr std::size_t kDosBase = 8;
constexpr std::size_t kDosExtension = 3;
constexpr std::size_t kLongest = 1024;  // bytes looked at

struct Split {
    std::string_view base, extension;  // the extension without its dot
};

// The last dot divides; a dot in front is part of the base (".profile" has no extension).
Split splitName(std::string_view name) {
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0) return {name, {}};
    return {name.substr(0, dot), name.substr(dot + 1)};
}

std::string joined(std::string_view base, std::string_view extension) {
    std::string out(base);
    if (!extension.empty()) out.append(".").append(extension);
    return out;
}

// "C:\x\a.doc", "../../etc/passwd", "Disk:Folder:a" (KB Q166573): what stands behind the last separator.
std::string_view lastComponent(std::string_view name) {
    while (!name.empty() && std::string_view("/\\:").find(name.back()) != std::string_view::npos)
        name.remove_suffix(1);
    const auto separator = name.find_last_of("/\\:");
    return separator == std::string_view::npos ? name : name.substr(separator + 1);
}

bool isDosCharacter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '$' || c == '~';
}

// One part of an 8.3 name. Characters DOS lacks become "_"; a part of nothing else becomes empty.
std::string dosPart(std::string_view utf8, std::size_t limit) {
    const std::string ascii = toAscii(utf8);
    std::string out;
    bool kept = false;
    for (char c : ascii) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
        const bool fits = isDosCharacter(c);
        kept = kept || fits;
        out += fits ? c : '_';
    }
    if (!kept) return {};
    out.resize(std::min(out.size(), limit));
    return out;
}

bool isNumberedDevice(std::string_view base) {
    return base.size() == 4 && (base.starts_with("COM") || base.starts_with("LPT")) && base[3] >= '1' &&
           base[3] <= '9';
}

// What another letter case would make of it: US-ASCII, Latin-1, Greek and Cyrillic, as far as DOS, Windows
// and Macintosh file systems fold them. Coarse on purpose: two names taken for one only get a number.
char32_t foldedCase(char32_t c) {
    if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 0x20 : c;
    if (c >= 0xe0 && c <= 0xfe && c != 0xf7) return c - 0x20;
    if (c >= 0x100 && c <= 0x17f) return c & ~char32_t{1};
    if ((c >= 0x3b1 && c <= 0x3c9) || (c >= 0x430 && c <= 0x44f)) return c - 0x20;
    return c >= 0x450 && c <= 0x45f ? c - 0x50 : c;
}

std::string folded(std::string_view utf8) {
    std::string out;
    while (!utf8.empty()) appendUtf8(out, foldedCase(takeCharacter(utf8)));
    return out;
}

bool isDotOrBlank(char c) {
    return c == '.' || c == ' ';
}

// As DOS and Windows would take them away; also what a cut uncovered.
std::string_view withoutTail(std::string_view name) {
    while (!name.empty() && isDotOrBlank(name.back())) name.remove_suffix(1);
    return name;
}

void replaceAny(std::string& name, std::string_view characters) {
    for (char& c : name)
        if (characters.find(c) != std::string_view::npos) c = '_';
}

}  // namespace

std::string safeFileName(std::string_view utf8, std::size_t limit) {
    const std::string line = cleanLine(utf8);
    std::string_view name = lastComponent(trim(line));
    while (!name.empty() && isDotOrBlank(name.front())) name.remove_prefix(1);
    std::string out(withoutTail(name));
    for (char& c : out)
        if (std::string_view("*?<>|\"").find(c) != std::string_view::npos) c = '_';
    if (out.size() <= limit) return out;
    const Split parts = splitName(out);
    if (parts.extension.empty() || parts.extension.size() + 2 > limit / 2)
        return std::string(withoutTail(cutUtf8(out, limit)));
    return joined(withoutTail(cutUtf8(parts.base, limit - parts.extension.size() - 1)), parts.extension);
}

bool isDosDevice(std::string_view name) {
    static constexpr std::array<std::string_view, 5> kDevices{"CON", "PRN", "AUX", "NUL", "CLOCK$"};
    const std::string upper = upperAscii(trim(name.substr(0, name.find('.'))));
    for (const std::string_view device : kDevices)
        if (upper == device) return true;
    return isNumberedDevice(upper);
}

std::string dosName(std::string_view utf8) {
    const std::string safe = safeFileName(utf8);
    const Split parts = splitName(safe);
    std::string base = dosPart(parts.base, kDosBase);
    if (base.empty()) base = "FILE";
    if (isDosDevice(base)) base = ("_" + base).substr(0, kDosBase);
    return joined(base, dosPart(parts.extension, kDosExtension));
}

// The longest front that has at most `limit` bytes in the charset.
std::string NameSet::cutTo(std::string_view utf8, std::size_t limit) const {
    std::size_t fits = 0, over = utf8.size() + 1;
    while (over - fits > 1) {
        const std::size_t middle = fits + (over - fits) / 2;
        const bool small = fromUtf8(cutUtf8(utf8, middle), rule_.charset).bytes.size() <= limit;
        (small ? fits : over) = middle;
    }
    return std::string(cutUtf8(utf8, fits));
}

std::string NameSet::fitting(std::string_view utf8) {
    std::string name = safeFileName(utf8, kLongest);
    const Encoded written = fromUtf8(name, rule_.dos ? "us-ascii" : rule_.charset);
    lost_ += written.lost;
    changed_ += written.changed;
    if (rule_.dos) {
        name = dosName(utf8);
        replaceAny(name, rule_.forbidden);
        return name;
    }
    replaceAny(name, rule_.forbidden);
    if (written.lost > 0 || written.changed > 0) {
        name = toUtf8(written.bytes, rule_.charset);
        replaceAny(name, "/\\:");  // "1/2" for a character that the charset lacks is no path
        name = safeFileName(name, kLongest);
        replaceAny(name, rule_.forbidden);
    }
    if (name.empty()) name = "file";
    if (isDosDevice(name)) name.insert(0, "_");
    if (fromUtf8(name, rule_.charset).bytes.size() <= rule_.limit) return name;
    const Split parts = splitName(name);
    const std::size_t extension = fromUtf8(parts.extension, rule_.charset).bytes.size();
    if (extension == 0 || extension + 1 > rule_.limit / 2)
        name = withoutTail(cutTo(name, rule_.limit));
    else
        name = joined(withoutTail(cutTo(parts.base, rule_.limit - extension - 1)), parts.extension);
    if (isDosDevice(name)) name.insert(0, "_");  // "CON", blanks, and what was cut off
    return name;
}

// "base~n.extension", the base cut so that all fits.
std::string NameSet::numbered(std::string_view name, int number) const {
    const bool tilde = rule_.forbidden.find('~') == std::string::npos;
    const std::string tail = (tilde ? "~" : "_") + std::to_string(number);
    const Split parts = splitName(name);
    std::size_t room = kDosBase;
    if (!rule_.dos) {
        const std::size_t extension = fromUtf8(parts.extension, rule_.charset).bytes.size();
        if (extension + 1 > rule_.limit / 2) return cutTo(name, rule_.limit - tail.size()) + tail;
        room = rule_.limit - (extension == 0 ? 0 : extension + 1);
    }
    return joined(cutTo(parts.base, room - tail.size()) + tail, parts.extension);
}

std::string NameSet::add(std::string_view utf8) {
    const std::string name = fitting(utf8);
    if (taken_.insert(folded(name)).second) return name;
    for (int first = 1;; first *= 10) {  // a longer number leaves a shorter base
        int& used = used_[folded(numbered(name, first))];
        while (used < 9 * first) {
            std::string candidate = numbered(name, first + used++);
            if (taken_.insert(folded(candidate)).second) return candidate;
        }
    }
}

}  // namespace postern::mail
