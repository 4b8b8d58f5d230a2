#include "base/windows/service_rights.h"

#include <array>
#include <cstring>

#include "base/text.h"
#include "base/windows/system.h"
// After windows.h.
#include <aclapi.h>
#include <bcrypt.h>
#include <sddl.h>

namespace postern::windows {
namespace {

using Identity = std::vector<unsigned char>;

constexpr std::string_view kServices = "NT SERVICE\\";
constexpr ACCESS_MASK kRead = FILE_GENERIC_READ | FILE_GENERIC_EXECUTE;
constexpr ACCESS_MASK kChange = kRead | FILE_GENERIC_WRITE | DELETE | FILE_DELETE_CHILD;

Identity wellKnown(WELL_KNOWN_SID_TYPE which) {
    Identity made(SECURITY_MAX_SID_SIZE);
    auto size = static_cast<DWORD>(made.size());
    if (!::CreateWellKnownSid(which, nullptr, made.data(), &size)) return {};
    made.resize(size);
    return made;
}

EXPLICIT_ACCESSW entry(const Identity& identity, ACCESS_MASK rights) {
    EXPLICIT_ACCESSW made{};
    made.grfAccessPermissions = rights;
    made.grfAccessMode = SET_ACCESS;
    made.grfInheritance = SUB_CONTAINERS_AND_OBJECTS_INHERIT;
    made.Trustee.TrusteeForm = TRUSTEE_IS_SID;
    made.Trustee.ptstrName = reinterpret_cast<LPWSTR>(const_cast<unsigned char*>(identity.data()));
    return made;
}

}  // namespace

Result<Identity> serviceIdentity(const std::string& name) {
    const std::wstring upper = wide(upperAscii(name));
    BCRYPT_ALG_HANDLE algorithm = nullptr;
    std::array<DWORD, 5> digest{};
    if (::BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA1_ALGORITHM, nullptr, 0) < 0)
        return fail(Errc::Unavailable, "the system offers no SHA-1, which names a service's account");
    const auto hashed = ::BCryptHash(
        algorithm, nullptr, 0, reinterpret_cast<PUCHAR>(const_cast<wchar_t*>(upper.data())),
        static_cast<ULONG>(upper.size() * sizeof(wchar_t)), reinterpret_cast<PUCHAR>(digest.data()), 20);
    ::BCryptCloseAlgorithmProvider(algorithm, 0);
    if (hashed < 0) return fail(Errc::Unavailable, "the system can not compute SHA-1");
    SID_IDENTIFIER_AUTHORITY authority = SECURITY_NT_AUTHORITY;
    PSID made = nullptr;
    if (!::AllocateAndInitializeSid(&authority, 6, SECURITY_SERVICE_ID_BASE_RID, digest[0], digest[1],
                                    digest[2], digest[3], digest[4], 0, 0, &made))
        return lastError("the service's identifier");
    const auto* bytes = static_cast<const unsigned char*>(made);
    Identity identity(bytes, bytes + ::GetLengthSid(made));
    ::FreeSid(made);
    return identity;
}

Result<Identity> accountIdentity(const std::string& account) {
    if (equalsIgnoreCase(account.substr(0, kServices.size()), kServices))
        return serviceIdentity(account.substr(kServices.size()));
    Identity identity(SECURITY_MAX_SID_SIZE);
    auto size = static_cast<DWORD>(identity.size());
    std::wstring domain(256, L'\0');
    auto domainSize = static_cast<DWORD>(domain.size());
    SID_NAME_USE use{};
    if (!::LookupAccountNameW(nullptr, wide(account).c_str(), identity.data(), &size, domain.data(),
                              &domainSize, &use))
        return lastError("the account " + account);
    identity.resize(::GetLengthSid(identity.data()));
    return identity;
}

Result<void> setFolderRights(const std::string& path, const Identity& identity, bool writes) {
    const Identity system = wellKnown(WinLocalSystemSid);
    const Identity administrators = wellKnown(WinBuiltinAdministratorsSid);
    std::vector<EXPLICIT_ACCESSW> entries = {entry(system, FILE_ALL_ACCESS),
                                             entry(administrators, FILE_ALL_ACCESS)};
    if (!identity.empty()) entries.push_back(entry(identity, writes ? kChange : kRead));
    PACL list = nullptr;
    DWORD failed = ::SetEntriesInAclW(static_cast<ULONG>(entries.size()), entries.data(), nullptr, &list);
    // Without the prefix for long paths: this one call does not know it.
    std::wstring name = wide(path);
    if (failed == ERROR_SUCCESS)
        failed = ::SetNamedSecurityInfoW(name.data(), SE_FILE_OBJECT,
                                         DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
                                         nullptr, nullptr, list, nullptr);
    ::LocalFree(list);
    if (failed != ERROR_SUCCESS) return systemError(static_cast<int>(failed), "the rights of " + path);
    return {};
}

}  // namespace postern::windows
