#include "base/trusted_path.h"

#include <algorithm>
#include <array>
#include <memory>

#include "base/windows/account.h"
#include "base/windows/named.h"
// After the system's own types.
#include <aclapi.h>

namespace postern {

using windows::Sid;

namespace {

constexpr ACCESS_MASK kChanges = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | DELETE | WRITE_DAC |
                                 WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL;

Sid wellKnown(WELL_KNOWN_SID_TYPE type) {
    Sid sid(SECURITY_MAX_SID_SIZE);
    auto size = static_cast<DWORD>(sid.size());
    if (::CreateWellKnownSid(type, nullptr, sid.data(), &size) == 0) return {};
    sid.resize(size);
    return sid;
}

Sid sidOf(PSID sid) {
    return sid != nullptr && ::IsValidSid(sid) != 0 ? windows::copyOfSid(sid) : Sid{};
}

std::string nameOf(const Sid& sid) {
    return sid.empty() ? "somebody unknown" : windows::nameOfSid(windows::pointerTo(sid));
}

// NT SERVICE\TrustedInstaller, who owns Windows itself.
Sid trustedInstaller() {
    SID_IDENTIFIER_AUTHORITY authority = SECURITY_NT_AUTHORITY;
    PSID made = nullptr;
    if (::AllocateAndInitializeSid(&authority, 6, 80, 956008885, 3418522649, 1831038044, 1853292631,
                                   2271478464, 0, 0, &made) == 0)
        return {};
    const Sid sid = sidOf(made);
    ::FreeSid(made);
    return sid;
}

bool isOurs(const Sid& sid) {
    const std::array<Sid, 4> ours{wellKnown(WinLocalSystemSid), wellKnown(WinBuiltinAdministratorsSid),
                                  windows::ownUser().valueOr({}), trustedInstaller()};
    return !sid.empty() && std::find(ours.begin(), ours.end(), sid) != ours.end();
}

// OWNER RIGHTS and CREATOR OWNER speak of the owner, who was looked at.
bool isTheOwner(const Sid& sid) {
    return sid == wellKnown(WinCreatorOwnerRightsSid) || sid == wellKnown(WinCreatorOwnerSid);
}

// Somebody else whom the list lets change it; empty when there is none.
Sid strangerIn(PACL list) {
    for (DWORD number = 0; number < list->AceCount; ++number) {
        void* entry = nullptr;
        if (::GetAce(list, number, &entry) == 0) continue;
        const auto* header = static_cast<ACE_HEADER*>(entry);
        if (header->AceType != ACCESS_ALLOWED_ACE_TYPE || (header->AceFlags & INHERIT_ONLY_ACE) != 0)
            continue;
        auto* allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
        Sid who = sidOf(&allowed->SidStart);
        if ((allowed->Mask & kChanges) != 0 && !isOurs(who) && !isTheOwner(who)) return who;
    }
    return {};
}

struct Rights {
    std::unique_ptr<void, HLOCAL (*)(HLOCAL)> memory{nullptr, &::LocalFree};
    PSID owner = nullptr;
    PACL list = nullptr;  // null: everybody may do everything
};

Result<Rights> rightsOf(const std::string& path) {
    POSTERN_LET(opened, windows::openPath(path, READ_CONTROL));
    Rights rights;
    PSECURITY_DESCRIPTOR memory = nullptr;
    const DWORD number = ::GetSecurityInfo(opened.get(), SE_FILE_OBJECT,
                                           OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                                           &rights.owner, nullptr, &rights.list, nullptr, &memory);
    if (number != ERROR_SUCCESS) return systemError(static_cast<int>(number), path);
    rights.memory.reset(memory);
    return rights;
}

}  // namespace

Result<void> onlyOursToWrite(const std::string& path) {
    POSTERN_LET(rights, rightsOf(path));
    const Sid owner = sidOf(rights.owner);
    if (!isOurs(owner))
        return fail(Errc::Denied, path + " belongs to " + nameOf(owner) +
                                      ", who could change it: takeown /a /f \"" + path + "\"");
    if (rights.list == nullptr)
        return fail(Errc::Denied, path + " can be written by everybody: icacls \"" + path + "\" /reset");
    const Sid stranger = strangerIn(rights.list);
    if (stranger.empty()) return {};
    const std::string name = nameOf(stranger);
    return fail(Errc::Denied, path + " can be written by " + name + ": icacls \"" + path +
                                  "\" /inheritance:d, then icacls \"" + path + "\" /remove:g \"" + name +
                                  "\"");
}

}  // namespace postern
