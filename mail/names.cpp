#include "mail/names.h"

#include <array>

#include "base/text.h"
#include "mail/charset.h"

namespace postern::mail {
namespace {

constexpr std::size_t kDosBase = 8;
constexpr std::size_t kDosExtension = 3;
constexpr std::size_t kLongLimit = 255;

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

// "base~n.extension" with the base cut so that all fits in `limit` bytes.
std::string numbered(const Split& name, std::size_t number, std::size_t baseLimit) {
    const std::string tail = "~" + std::to_string(number);
    const std::size_t room = baseLimit > tail.size() ? baseLimit - tail.size() : 0;
    return joined(std::string(cutUtf8(name.base, room)) + tail, name.extension);
}

// Compared as DOS and Windows do for ASCII; other letters by their bytes.
std::string firstFree(std::set<std::string>& taken, const std::string& name, std::size_t baseLimit) {
    const Split parts = splitName(name);
    std::string candidate = name;
    for (std::size_t number = 1; !taken.insert(upperAscii(candidate)).second; ++number)
        candidate = numbered(parts, number, baseLimit);
    return candidate;
}

}  // namespace

std::string safeFileName(std::string_view utf8, std::size_t limit) {
    const std::string line = cleanLine(utf8);
    std::string_view name = trim(lastComponent(trim(line)));
    while (!name.empty() && name.front() == '.') name.remove_prefix(1);
    while (!name.empty() && (name.back() == '.' || name.back() == ' ')) name.remove_suffix(1);
    std::string out(trim(name));
    for (char& c : out)
        if (std::string_view("*?<>|\"").find(c) != std::string_view::npos) c = '_';
    if (out.size() <= limit) return out;
    const Split parts = splitName(out);
    if (parts.extension.size() + 2 > limit / 2) return std::string(cutUtf8(out, limit));
    return joined(cutUtf8(parts.base, limit - parts.extension.size() - 1), parts.extension);
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

std::string NameSet::addDos(std::string_view utf8) {
    return firstFree(taken_, dosName(utf8), kDosBase);
}

std::string NameSet::addLong(std::string_view utf8) {
    std::string name = safeFileName(utf8, kLongLimit - 10);  // room for "~123"
    if (name.empty()) name = "file";
    if (isDosDevice(name)) name.insert(0, "_");
    const std::size_t extension = splitName(name).extension.size();
    const std::size_t limit = kLongLimit - (extension == 0 ? 0 : extension + 1);
    return firstFree(taken_, name, limit);
}

}  // namespace postern::mail
