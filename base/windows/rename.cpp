// Renames by the handle of the file and the handle of the folder it goes to. While a file is renamed nobody
// else may have it open to rename or remove it (no FILE_SHARE_DELETE): by handles two could both succeed, the
// second renaming what the first had just given its name. Written through: the answer comes when the file
// system's log is on the device.

#include <cstddef>
#include <cstring>
#include <vector>

#include "base/file.h"
#include "base/windows/named.h"
#include "base/windows/patience.h"
// After the system's own types.
#include <winternl.h>

namespace postern {

using windows::fileError;
using windows::OpenAs;
using windows::OwnHandle;
using windows::toHandle;
using windows::Want;

namespace {

constexpr auto kRename = static_cast<FILE_INFORMATION_CLASS>(10);
constexpr auto kRenameAsPosix = static_cast<FILE_INFORMATION_CLASS>(65);
constexpr ULONG kReplace = 1, kPosixSemantics = 2, kReadOnlyToo = 0x40;

// The system's FILE_RENAME_INFORMATION.
struct Order {
    ULONG flags;
    HANDLE root;
    ULONG bytes;
    wchar_t name[1];
};

DWORD renameOpened(HANDLE file, FILE_INFORMATION_CLASS how, ULONG flags, HANDLE root,
                   const std::wstring& name) {
    const std::size_t bytes = name.size() * sizeof(wchar_t);
    std::vector<std::max_align_t> space((sizeof(Order) + bytes) / sizeof(std::max_align_t) + 1);
    auto* order = reinterpret_cast<Order*>(space.data());
    order->flags = flags;
    order->root = root;
    order->bytes = static_cast<ULONG>(bytes);
    std::memcpy(order->name, name.data(), bytes);
    IO_STATUS_BLOCK answer{};
    return windows::numberOf(
        ::NtSetInformationFile(file, &answer, order, static_cast<ULONG>(sizeof(Order) + bytes), how));
}

bool isNotKnownHere(DWORD number) {
    return number == ERROR_INVALID_PARAMETER || number == ERROR_NOT_SUPPORTED ||
           number == ERROR_INVALID_FUNCTION || number == ERROR_CALL_NOT_IMPLEMENTED;
}

// Servers of network shares take no handle of a folder: they get its path as it is now.
DWORD renameByPath(HANDLE file, ULONG flags, HANDLE to, std::string_view toName) {
    std::wstring folder(32768, L'\0');
    const DWORD size = ::GetFinalPathNameByHandleW(to, folder.data(), static_cast<DWORD>(folder.size()),
                                                   FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
    if (size == 0 || size >= folder.size()) return ::GetLastError();
    folder.resize(size);
    if (folder.starts_with(LR"(\\?\)")) folder.replace(0, 4, LR"(\??\)");
    return renameOpened(file, kRename, flags, nullptr, folder + L'\\' + windows::wide(toName));
}

DWORD renameTo(HANDLE file, HANDLE to, std::string_view toName, bool replace) {
    const std::wstring name = windows::wide(toName);
    if (replace) {
        const DWORD number =
            renameOpened(file, kRenameAsPosix, kReplace | kPosixSemantics | kReadOnlyToo, to, name);
        if (!isNotKnownHere(number)) return number;
    }
    const DWORD number = renameOpened(file, kRename, replace ? kReplace : 0, to, name);
    return isNotKnownHere(number) ? renameByPath(file, replace ? kReplace : 0, to, toName) : number;
}

// Whether the system denies replacing it because somebody has it open, which it says as if it were a right.
bool isOpenElsewhere(HANDLE folder, std::string_view name) {
    OwnHandle target;
    const OpenAs toReplace{.access = DELETE, .want = Want::NoFolder, .share = 0};
    return windows::openIn(folder, name, toReplace, target) == ERROR_SHARING_VIOLATION;
}

bool isMissing(DWORD number) {
    return number == ERROR_FILE_NOT_FOUND || number == ERROR_PATH_NOT_FOUND;
}

OpenAs toMove(Want want) {
    return {.access = DELETE | FILE_READ_ATTRIBUTES,
            .want = want,
            .share = FILE_SHARE_READ | FILE_SHARE_WRITE,
            .writeThrough = true};
}

struct Places {
    HANDLE from, to;
    const std::string& toPath;
};

// REQUIRES: names that were checked.
Result<Moved> move(const Places& places, std::string_view name, std::string_view toName, Want want) {
    OwnHandle source;
    const DWORD number =
        windows::patiently([&] { return windows::openIn(places.from, name, toMove(want), source); });
    if (isMissing(number)) return Moved::SourceMissing;
    const std::string context = "rename " + std::string(name) + " to " + joinPath(places.toPath, toName);
    if (number != 0) return fileError(number, context);
    const DWORD answer = windows::patiently([&] { return renameTo(source.get(), places.to, toName, false); });
    if (answer == 0) return Moved::Done;
    if (answer == ERROR_ALREADY_EXISTS || answer == ERROR_FILE_EXISTS) return Moved::TargetExists;
    // The file is open, so it is the folder that is missing.
    if (isMissing(answer)) return fail(Errc::Unavailable, fileError(answer, context).text);
    return fileError(answer, context);
}

// The system calls renaming a file to its own name done.
Result<bool> isThatVeryName(const Folder& folder, std::string_view name, const Folder& to,
                            std::string_view toName) {
    if (name != toName) return false;
    if (&folder == &to) return true;
    const auto known = to.facts(toName), moving = folder.facts(name);
    if (!known.ok() || !moving.ok()) return false;
    return known->number == moving->number && known->volume == moving->volume && known->links == 1;
}

}  // namespace

Result<Moved> Folder::moveNoReplace(std::string_view name, const Folder& to, std::string_view toName,
                                    Namers) const {
    POSTERN_TRY(windows::checkName(name));
    POSTERN_TRY(windows::checkName(toName));
    POSTERN_LET(same, isThatVeryName(*this, name, to, toName));
    if (same) {
        POSTERN_LET(there, has(name));
        return there ? Moved::TargetExists : Moved::SourceMissing;
    }
    return move({toHandle(handle_), toHandle(to.handle_), to.path_}, name, toName, Want::Anything);
}

// Every file system knows the rename that replaces nothing here.
Result<Moved> Folder::moveReserving(std::string_view name, const Folder& to, std::string_view toName) const {
    POSTERN_TRY(windows::checkName(name));
    POSTERN_TRY(windows::checkName(toName));
    return move({toHandle(handle_), toHandle(to.handle_), to.path_}, name, toName, Want::NoFolder);
}

Result<void> Folder::moveReplacing(std::string_view name, const Folder& to, std::string_view toName) const {
    POSTERN_TRY(windows::checkName(name));
    POSTERN_TRY(windows::checkName(toName));
    OwnHandle source;
    const DWORD refused = windows::patiently(
        [&] { return windows::openIn(toHandle(handle_), name, toMove(Want::Anything), source); });
    if (refused != 0) return fileError(refused, "rename " + joinPath(path_, name));
    const DWORD number = windows::patiently([&]() -> DWORD {
        const DWORD answer = renameTo(source.get(), toHandle(to.handle_), toName, true);
        const bool open = answer == ERROR_ACCESS_DENIED && isOpenElsewhere(toHandle(to.handle_), toName);
        return open ? DWORD{ERROR_SHARING_VIOLATION} : answer;
    });
    if (number != 0) return fileError(number, "rename " + joinPath(path_, name));
    return {};
}

}  // namespace postern
