#include "base/owners_rights.h"

#include <array>

#include "base/file.h"
#include "base/service_control.h"
#include "base/windows/system.h"

namespace postern {

// The group of the administrators, in use: without "as administrator" it is there for refusals only.
bool isAdministrator() {
    std::array<unsigned char, SECURITY_MAX_SID_SIZE> administrators;
    auto size = static_cast<DWORD>(administrators.size());
    BOOL member = FALSE;
    return ::CreateWellKnownSid(WinBuiltinAdministratorsSid, nullptr, administrators.data(), &size) != 0 &&
           ::CheckTokenMembership(nullptr, administrators.data(), &member) != 0 && member != 0;
}

Result<void> mayWorkFor(const std::string&) {
    return {};
}

std::string handOverCommand(const std::string& folder) {
    return "icacls \"" + folder + "\" /grant \"NT SERVICE\\" + kServiceName + ":(OI)(CI)M\" /T";
}

// What is made gets its rights from the folder it is made in, whoever makes it: nobody's rights have to be
// taken.
Result<OwnersRights> OwnersRights::of(const std::string& path) {
    if (!pathExists(path)) return systemError(ERROR_FILE_NOT_FOUND, path);
    return OwnersRights(false, 0);
}

OwnersRights::~OwnersRights() = default;

}  // namespace postern
