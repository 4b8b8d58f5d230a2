#include "base/windows/system.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/text.h"

namespace postern::windows {
namespace {

constexpr std::array<std::string_view, 6> kDevices{"con", "prn", "aux", "nul", "conin$", "conout$"};
// The superscript digits ¹, ² and ³ count as digits there.
constexpr std::array<std::string_view, 12> kPortDigits{"1", "2", "3", "4",      "5",      "6",
                                                       "7", "8", "9", "\u00b9", "\u00b2", "\u00b3"};

bool isDevice(std::string_view name) {
    std::string stem = lowerAscii(name.substr(0, name.find_first_of(".:")));
    while (!stem.empty() && stem.back() == ' ') stem.pop_back();
    if (std::find(kDevices.begin(), kDevices.end(), stem) != kDevices.end()) return true;
    if (!stem.starts_with("com") && !stem.starts_with("lpt")) return false;
    return std::find(kPortDigits.begin(), kPortDigits.end(), std::string_view(stem).substr(3)) !=
           kPortDigits.end();
}

bool hasForbidden(std::string_view name) {
    return std::any_of(name.begin(), name.end(), [](char each) {
        return static_cast<unsigned char>(each) < 0x20 ||
               std::string_view("<>:\"/\\|?*").find(each) != std::string_view::npos;
    });
}

// "C:\x", "\\server\share\x" and "\\?\..." as they are, resolved by the system, which knows no limit here.
std::wstring fullPath(const std::wstring& path) {
    std::wstring full(MAX_PATH, L'\0');
    for (;;) {
        const DWORD size =
            ::GetFullPathNameW(path.c_str(), static_cast<DWORD>(full.size()), full.data(), nullptr);
        if (size == 0) return path;
        const bool fits = size < full.size();
        full.resize(size);
        if (fits) return full;
    }
}

// Before main(): whoever uses a socket, of ours or of a library, finds them begun, and no place can forget
// it. Without them the first use says so.
[[maybe_unused]] const bool socketsBegun = [] {
    WSADATA facts{};
    return ::WSAStartup(MAKEWORD(2, 2), &facts) == 0;
}();

}  // namespace

std::wstring wide(std::string_view text) {
    if (text.empty()) return {};
    const int bytes = static_cast<int>(text.size());
    std::wstring made(
        static_cast<std::size_t>(::MultiByteToWideChar(CP_UTF8, 0, text.data(), bytes, nullptr, 0)), L'\0');
    ::MultiByteToWideChar(CP_UTF8, 0, text.data(), bytes, made.data(), static_cast<int>(made.size()));
    return made;
}

std::string narrow(std::wstring_view text) {
    if (text.empty()) return {};
    const int units = static_cast<int>(text.size());
    std::string made(static_cast<std::size_t>(
                         ::WideCharToMultiByte(CP_UTF8, 0, text.data(), units, nullptr, 0, nullptr, nullptr)),
                     '\0');
    ::WideCharToMultiByte(CP_UTF8, 0, text.data(), units, made.data(), static_cast<int>(made.size()), nullptr,
                          nullptr);
    return made;
}

std::wstring systemPath(std::string_view path) {
    std::wstring given = wide(path);
    std::replace(given.begin(), given.end(), L'/', L'\\');
    if (given.starts_with(LR"(\\?\)") || given.starts_with(LR"(\\.\)")) return given;
    const std::wstring full = fullPath(given);
    if (full.starts_with(LR"(\\)")) return LR"(\\?\UNC)" + full.substr(1);
    return LR"(\\?\)" + full;
}

Result<void> usableName(std::string_view name) {
    const std::string shown = "'" + escapeLine(name, 100) + "'";
    if (name.empty() || name == "." || name == "..") return fail(Errc::Invalid, shown + " is no file name");
    if (hasForbidden(name))
        return fail(Errc::Invalid, shown + " has a character that no file name may have on Windows");
    if (name.back() == '.' || name.back() == ' ')
        return fail(Errc::Invalid, shown + " ends with a dot or a space, which Windows would take away");
    if (isDevice(name)) return fail(Errc::Invalid, shown + " is the name of a device on Windows");
    return {};
}

Error lastError(std::string_view context) {
    return systemError(static_cast<int>(::GetLastError()), context);
}

}  // namespace postern::windows
