#include <array>
#include <cstring>

#include "base/file.h"
#include "base/windows/named.h"
#include "base/windows/patience.h"
// After the system's own types.
#include <winternl.h>

// In every ntdll, but not in every compiler's headers.
extern "C" NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine,
                                               PVOID context, PIO_STATUS_BLOCK answer, PVOID into, ULONG size,
                                               FILE_INFORMATION_CLASS shape, BOOLEAN one,
                                               PUNICODE_STRING pattern, BOOLEAN restart);

namespace postern {

using windows::fileError;
using windows::lastError;
using windows::OpenAs;
using windows::openNamed;
using windows::OwnHandle;
using windows::toHandle;
using windows::toInt;
using windows::Want;

namespace {

constexpr ACCESS_MASK kToRead = FILE_GENERIC_READ, kToWrite = FILE_GENERIC_READ | FILE_GENERIC_WRITE;
// Of other handles to it none may rename or remove it meanwhile: of many who do, one succeeds.
constexpr DWORD kNobodyElseMoves = FILE_SHARE_READ | FILE_SHARE_WRITE;

// A handle of one's own to a folder that is open: with other rights, or to list it.
DWORD reopen(int folder, ACCESS_MASK access, OwnHandle& opened) {
    return windows::openIn(toHandle(folder), "", {.access = access, .want = Want::Folder}, opened);
}

constexpr auto kDisposition = static_cast<FILE_INFO_BY_HANDLE_CLASS>(21);  // FileDispositionInfoEx

bool dispose(HANDLE handle) {
    FILE_DISPOSITION_INFO plain{TRUE};
    return ::SetFileInformationByHandle(handle, FileDispositionInfo, &plain, sizeof plain) != 0;
}

bool makeOrdinary(HANDLE handle) {
    FILE_BASIC_INFO ordinary{};
    ordinary.FileAttributes = FILE_ATTRIBUTE_NORMAL;
    return ::SetFileInformationByHandle(handle, FileBasicInfo, &ordinary, sizeof ordinary) != 0;
}

// Windows 10 and NTFS: the name is free at once, whoever still reads the file, and a read-only file goes too.
// Elsewhere the name goes with the last handle.
DWORD removeOpened(HANDLE folder, std::string_view name, HANDLE handle) {
    FILE_DISPOSITION_INFO_EX modern{FILE_DISPOSITION_FLAG_DELETE | FILE_DISPOSITION_FLAG_POSIX_SEMANTICS |
                                    FILE_DISPOSITION_FLAG_IGNORE_READONLY_ATTRIBUTE};
    if (::SetFileInformationByHandle(handle, kDisposition, &modern, sizeof modern) != 0) return 0;
    if (dispose(handle)) return 0;
    const DWORD number = ::GetLastError();
    if (number != ERROR_ACCESS_DENIED) return number;
    OwnHandle other;
    if (!makeOrdinary(handle) &&
        (windows::openIn(folder, name, {.access = FILE_WRITE_ATTRIBUTES}, other) != 0 ||
         !makeOrdinary(other.get())))
        return number;
    return dispose(handle) ? 0 : ::GetLastError();
}

// One answer of the system: entries one behind the other. False: `visit` wants no more.
bool visitEntries(const char* bytes, const std::function<bool(std::string_view)>& visit) {
    for (;;) {
        FILE_DIRECTORY_INFORMATION entry{};
        std::memcpy(&entry, bytes, offsetof(FILE_DIRECTORY_INFORMATION, FileName));
        std::wstring text(entry.FileNameLength / sizeof(wchar_t), L'\0');
        std::memcpy(text.data(), bytes + offsetof(FILE_DIRECTORY_INFORMATION, FileName),
                    text.size() * sizeof(wchar_t));
        const std::string name = windows::narrow(text);
        if (name != "." && name != ".." && !visit(name)) return false;
        if (entry.NextEntryOffset == 0) return true;
        bytes += entry.NextEntryOffset;
    }
}

}  // namespace

Result<Folder> Folder::open(const std::string& path) {
    POSTERN_LET(opened, windows::openPath(
                            path, FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | SYNCHRONIZE));
    if (!windows::isFolder(opened.get())) return systemError(ERROR_DIRECTORY, path);
    return Folder(toInt(opened.release()), path);
}

Result<Folder> Folder::make(const std::string& path, unsigned mode) {
    POSTERN_TRY(makeFolders(path, mode));
    return open(path);
}

Folder::Folder(Folder&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)), path_(std::move(other.path_)) {}

Folder& Folder::operator=(Folder&& other) noexcept {
    if (this != &other) {
        if (handle_ >= 0) ::CloseHandle(toHandle(handle_));
        handle_ = std::exchange(other.handle_, -1);
        path_ = std::move(other.path_);
    }
    return *this;
}

Folder::~Folder() {
    if (handle_ >= 0) ::CloseHandle(toHandle(handle_));
}

Result<File> Folder::create(std::string_view name, [[maybe_unused]] unsigned mode) const {
    const OpenAs fresh{
        .access = kToWrite, .disposition = windows::Disposition::Create, .want = Want::NoFolder};
    POSTERN_LET(opened, openNamed(toHandle(handle_), path_, name, fresh));
    return File(toInt(opened.release()));
}

Result<File> Folder::openRead(std::string_view name) const {
    POSTERN_LET(opened, openNamed(toHandle(handle_), path_, name, {.access = kToRead}));
    return File(toInt(opened.release()));
}

Result<File> Folder::openShared(std::string_view name, bool append) const {
    const OpenAs both{.access = kToWrite, .want = Want::NoFolder};
    POSTERN_LET(opened, openNamed(toHandle(handle_), path_, name, both));
    const HANDLE handle = opened.release();
    return File(append ? windows::appending(handle) : toInt(handle));
}

Result<bool> Folder::has(std::string_view name) const {
    POSTERN_TRY(windows::checkName(name));
    OwnHandle opened;
    const DWORD number =
        windows::patiently([&] { return windows::openIn(toHandle(handle_), name, {}, opened); });
    if (number == 0) return true;
    if (number == ERROR_FILE_NOT_FOUND) return false;
    return fileError(number, joinPath(path_, name));
}

Result<FileFacts> Folder::facts(std::string_view name) const {
    POSTERN_TRY(windows::checkName(name));
    const std::string shown = joinPath(path_, name);
    OwnHandle opened;
    const DWORD number =
        windows::patiently([&] { return windows::openIn(toHandle(handle_), name, {}, opened); });
    if (number != 0) return fileError(number, shown);
    return windows::factsOf(opened.get(), shown);
}

Result<void> Folder::remove(std::string_view name) const {
    POSTERN_TRY(windows::checkName(name));
    const OpenAs toRemove{.access = DELETE | FILE_READ_ATTRIBUTES,
                          .want = Want::NoFolder,
                          .share = kNobodyElseMoves,
                          .writeThrough = true};
    const DWORD number = windows::patiently([&] {
        OwnHandle opened;
        const DWORD refused = windows::openIn(toHandle(handle_), name, toRemove, opened);
        return refused != 0 ? refused : removeOpened(toHandle(handle_), name, opened.get());
    });
    if (number != 0) return fileError(number, joinPath(path_, name));
    return {};
}

Result<void> Folder::list(const std::function<bool(std::string_view)>& visit) const {
    OwnHandle own;
    const DWORD refused = reopen(handle_, FILE_LIST_DIRECTORY, own);
    if (refused != 0) return fileError(refused, path_);
    alignas(8) std::array<char, 32768> entries;
    for (bool first = true;; first = false) {
        IO_STATUS_BLOCK answer{};
        const LONG status = ::NtQueryDirectoryFile(own.get(), nullptr, nullptr, nullptr, &answer,
                                                   entries.data(), static_cast<ULONG>(entries.size()),
                                                   FileDirectoryInformation, FALSE, nullptr, first);
        const DWORD number = windows::numberOf(status);
        if (number == ERROR_NO_MORE_FILES || (first && number == ERROR_FILE_NOT_FOUND)) return {};
        if (number != 0) return fileError(number, path_);
        if (!visitEntries(entries.data(), visit)) return {};
    }
}

Result<void> Folder::stillThere() const {
    FILE_STANDARD_INFO standing{};
    if (::GetFileInformationByHandleEx(toHandle(handle_), FileStandardInfo, &standing, sizeof standing) == 0)
        return fail(Errc::Unavailable, lastError(path_).text);
    if (standing.DeletePending != 0) return fail(Errc::Unavailable, path_ + " was removed while in use");
    POSTERN_LET(held, windows::factsOf(toHandle(handle_), path_));
    const auto fresh = windows::openPath(path_, FILE_READ_ATTRIBUTES);
    if (!fresh.ok()) return fail(Errc::Unavailable, fresh.error().text);
    POSTERN_LET(named, windows::factsOf(fresh->get(), path_));
    if (held.volume != named.volume || held.number != named.number)
        return fail(Errc::Unavailable,
                    path_ + " is not the folder it was at start (replaced or mounted over)");
    return {};
}

Result<bool> Folder::sameVolume(const Folder& other) const {
    POSTERN_LET(mine, windows::factsOf(toHandle(handle_), path_));
    POSTERN_LET(theirs, windows::factsOf(toHandle(other.handle_), other.path_));
    return mine.volume == theirs.volume;
}

// To remove what stands there is a right of each file.
Result<void> Folder::mayWrite() const {
    OwnHandle own;
    const DWORD number = reopen(handle_, FILE_ADD_FILE | FILE_TRAVERSE, own);
    if (number != 0) return fileError(number, path_);
    return {};
}

// Each rename here is written through before it is answered, but not before others see it.
bool Folder::askSynchronousRenames() const {
    return false;
}

bool Folder::hasSynchronousRenames() const {
    return false;
}

}  // namespace postern
