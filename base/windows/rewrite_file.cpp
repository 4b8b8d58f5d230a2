#include "base/rewrite_file.h"

#include <memory>

#include "base/file.h"
#include "base/replace_with.h"
#include "base/windows/named.h"
// After the system's own types.
#include <aclapi.h>

namespace postern {

namespace {

constexpr SECURITY_INFORMATION kInherits = UNPROTECTED_DACL_SECURITY_INFORMATION;
constexpr SECURITY_INFORMATION kAlone = PROTECTED_DACL_SECURITY_INFORMATION;

// The list of who may do what, as one file has it, and whether that takes none from its folder.
struct Rights {
    std::unique_ptr<void, HLOCAL (*)(HLOCAL)> memory{nullptr, &::LocalFree};
    PACL list = nullptr;
    bool alone = false;
};

Result<Rights> rightsOf(const std::string& path) {
    POSTERN_LET(opened, windows::openPath(path, READ_CONTROL));
    Rights rights;
    PSECURITY_DESCRIPTOR memory = nullptr;
    const DWORD number = ::GetSecurityInfo(opened.get(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                                           nullptr, &rights.list, nullptr, &memory);
    if (number != ERROR_SUCCESS) return systemError(static_cast<int>(number), path);
    rights.memory.reset(memory);
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    DWORD revision = 0;
    rights.alone = ::GetSecurityDescriptorControl(memory, &control, &revision) != 0 &&
                   (control & SE_DACL_PROTECTED) != 0;
    return rights;
}

// What comes from the folder the new file has already.
bool hasOwnEntries(PACL list) {
    for (DWORD number = 0; list != nullptr && number < list->AceCount; ++number) {
        void* entry = nullptr;
        if (::GetAce(list, number, &entry) != 0 &&
            (static_cast<ACE_HEADER*>(entry)->AceFlags & INHERITED_ACE) == 0)
            return true;
    }
    return false;
}

Result<void> giveRights(const File& file, const Rights& rights) {
    if (!rights.alone && !hasOwnEntries(rights.list)) return {};
    const windows::OwnHandle own(
        ::ReOpenFile(windows::fileHandle(file.handle()), READ_CONTROL | WRITE_DAC, windows::kShareAll, 0));
    if (!own.valid()) return windows::lastError("keeping who may read it");
    const DWORD number = ::SetSecurityInfo(own.get(), SE_FILE_OBJECT,
                                           DACL_SECURITY_INFORMATION | (rights.alone ? kAlone : kInherits),
                                           nullptr, nullptr, rights.list, nullptr);
    if (number != ERROR_SUCCESS) return systemError(static_cast<int>(number), "keeping who may read it");
    return {};
}

}  // namespace

// A new folder has what the one around it hands on.
Result<void> makeFolderLikeItsParent(const std::string& path) {
    if (pathExists(path)) return {};
    if (const std::string parent = parentPath(path); !pathExists(parent))
        return systemError(ERROR_PATH_NOT_FOUND, parent);
    return makeFolders(path);
}

// The owner is who wrote it, who by that may do no more with it than he did before; the rights are the old
// ones.
Result<void> rewriteFile(const std::string& path, std::string_view bytes, const std::string& like) {
    auto old = rightsOf(path);
    if (!old.ok() && old.error().code != Errc::NotFound) return old.error();
    if (!old.ok() && !like.empty()) old = rightsOf(like);
    if (!old.ok() && !like.empty()) return old.error();
    return replaceWith(path, 0640, [&](File& file) -> Result<void> {
        if (old.ok()) POSTERN_TRY(giveRights(file, *old));
        return file.write(bytes);
    });
}

}  // namespace postern
