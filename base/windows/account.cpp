#include "base/windows/account.h"

#include <sddl.h>

#include "base/text.h"

namespace postern::windows {

Sid copyOfSid(PSID sid) {
    Sid copy(::GetLengthSid(sid));
    ::CopySid(static_cast<DWORD>(copy.size()), copy.data(), sid);
    return copy;
}

Result<Sid> userOfToken(HANDLE token) {
    alignas(TOKEN_USER) unsigned char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    DWORD size = 0;
    if (!::GetTokenInformation(token, TokenUser, room, sizeof room, &size))
        return lastError("the user of a process");
    return copyOfSid(reinterpret_cast<TOKEN_USER*>(room)->User.Sid);
}

Result<Sid> ownUser() {
    HANDLE token = nullptr;
    if (!::OpenThreadToken(::GetCurrentThread(), TOKEN_QUERY, TRUE, &token) &&
        !::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &token))
        return lastError("the user of this process");
    const OwnHandle held(token);
    return userOfToken(token);
}

std::string nameOfSid(PSID sid) {
    wchar_t name[512], domain[512];
    DWORD nameSize = 512, domainSize = 512;
    SID_NAME_USE use{};
    if (::LookupAccountSidW(nullptr, sid, name, &nameSize, domain, &domainSize, &use) && nameSize > 0)
        return narrow({name, nameSize});
    wchar_t* text = nullptr;
    if (!::ConvertSidToStringSidW(sid, &text)) return "unknown";
    std::string shown = narrow(text);
    ::LocalFree(text);
    return shown;
}

Result<Sid> sidNamed(const std::string& name) {
    Sid sid(SECURITY_MAX_SID_SIZE);
    wchar_t domain[512];
    DWORD size = static_cast<DWORD>(sid.size()), domainSize = 512;
    SID_NAME_USE use{};
    if (!::LookupAccountNameW(nullptr, wide(name).c_str(), sid.data(), &size, domain, &domainSize, &use))
        return fail(Errc::NotFound, "there is no user or group \"" + escapeLine(name, 100) + "\"");
    sid.resize(::GetLengthSid(sid.data()));
    return sid;
}

}  // namespace postern::windows
