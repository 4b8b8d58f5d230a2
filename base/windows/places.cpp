#include "base/places.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "base/child_process.h"
#include "base/sync.h"
#include "base/windows/system.h"
// After windows.h.
#include <knownfolders.h>
#include <shlobj.h>

namespace postern {
namespace {

enum class Root { ProgramData, Program, ProgramFiles, None };
struct Standing {
    std::string_view there;
    Root root;
    std::string_view here;
};
// The first that fits.
constexpr Standing kPlaces[] = {
    {"/etc/postern", Root::ProgramData, "\\Postern"},
    {"/etc", Root::ProgramData, "\\Postern"},
    {"/var/lib/postern", Root::ProgramData, "\\Postern\\data"},
    {"/run/postern", Root::ProgramData, "\\Postern\\run"},
    {"/var/spool/postern", Root::ProgramData, "\\Postern\\spool"},
    {"/var/log/postern", Root::ProgramData, "\\Postern\\log"},
    {"/var/spool/uucp", Root::ProgramData, "\\UUCP\\spool"},
    {"/var/spool/nncp", Root::ProgramData, "\\NNCP\\spool"},
    {"/usr/lib/postern", Root::Program, "\\lib"},
    {"/usr/share/doc/postern", Root::Program, "\\doc"},
    {"/usr/share/zoneinfo", Root::Program, "\\zoneinfo"},
    {"/usr/bin/uux", Root::ProgramFiles, "\\UUCP\\uux.exe"},
    {"/usr/bin/nncp-exec", Root::ProgramFiles, "\\NNCP\\nncp-exec.exe"},
    {"/usr/local/bin", Root::ProgramData, "\\Postern\\bin"},
    {"/srv", Root::ProgramData, "\\Postern\\out"},
    {"/", Root::Program, ""},
    {"unix:/run/dovecot/lmtp", Root::None, "127.0.0.1:24"},
};

std::string knownFolder(REFKNOWNFOLDERID which, const char* otherwise) {
    PWSTR found = nullptr;
    const bool known = ::SHGetKnownFolderPath(which, 0, nullptr, &found) == S_OK;
    const std::string path = known ? windows::narrow(found) : otherwise;
    ::CoTaskMemFree(found);
    return path;
}

const std::string& rootFolder(Root root) {
    static const std::string data = knownFolder(FOLDERID_ProgramData, "C:\\ProgramData");
    static const std::string files = knownFolder(FOLDERID_ProgramFiles, "C:\\Program Files");
    static const std::string program = ownProgramFolder();
    static const std::string none;
    switch (root) {
        case Root::ProgramData: return data;
        case Root::ProgramFiles: return files;
        case Root::Program: return program;
        case Root::None: break;
    }
    return none;
}

bool fits(std::string_view place, std::string_view there) {
    return place.starts_with(there) && (place.size() == there.size() || place[there.size()] == '/');
}

std::string placed(std::string_view place) {
    for (const Standing& each : kPlaces) {
        // A list's other lines are no part of the place.
        const std::string_view first = place.substr(0, place.find('\n'));
        if (!fits(first, each.there)) continue;
        std::string rest(first.substr(each.there.size()));
        std::replace(rest.begin(), rest.end(), '/', '\\');
        return rootFolder(each.root) + std::string(each.here) + rest +
               std::string(place.substr(first.size()));
    }
    return std::string(place);
}

}  // namespace

const char* placeFor(const char* unixPlace) {
    // Never destroyed: tables that are made before main() keep what they were told.
    static Mutex& mutex = *new Mutex;
    static auto& known = *new std::map<std::string, std::string>;
    MutexLock lock(mutex);
    const auto at = known.find(unixPlace);
    if (at != known.end()) return at->second.c_str();
    return known.emplace(unixPlace, placed(unixPlace)).first->second.c_str();
}

const char* plainEnvironment() {
    static const std::string path = [] {
        const std::string system = knownFolder(FOLDERID_Windows, "C:\\Windows");
        return "PATH=" + system + "\\System32;" + system;
    }();
    return path.c_str();
}

}  // namespace postern
