#include "base/windows/named.h"

#include <algorithm>
#include <cstdint>
// After the system's own types.
#include <winternl.h>

#include "base/text.h"
#include "base/windows/patience.h"

namespace postern::windows {
namespace {

constexpr LONG kDeletePending = static_cast<LONG>(0xC0000056);
constexpr ULONG kSynchronous = 0x20, kForBackup = 0x4000, kTheLinkItself = 0x200000, kThrough = 0x2;
constexpr std::int64_t kUnixEpoch = 116'444'736'000'000'000;  // in units of 100 ns since 1601

std::uint64_t whole(DWORD high, DWORD low) {
    return std::uint64_t{high} << 32 | low;
}

FILE_ATTRIBUTE_TAG_INFO tagOf(HANDLE handle) {
    FILE_ATTRIBUTE_TAG_INFO tag{};
    if (::GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &tag, sizeof tag) == 0) return {};
    return tag;
}

bool isReparsePoint(const FILE_ATTRIBUTE_TAG_INFO& tag) {
    return (tag.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
}

// What the system keeps elsewhere (deduplicated, in the cloud) is read through its reparse point, while it
// still is the file that was looked at.
Result<OwnHandle> throughPoint(HANDLE folder, const std::string& shown, std::string_view name, OpenAs as,
                               OwnHandle point) {
    POSTERN_LET(before, factsOf(point.get(), shown));
    as.follow = true;
    OwnHandle opened;
    const DWORD number = patiently([&] { return openIn(folder, name, as, opened); });
    if (number != 0) return fileError(number, shown);
    POSTERN_LET(after, factsOf(opened.get(), shown));
    if (after.number != before.number || after.volume != before.volume)
        return fail(Errc::Busy, shown + " was replaced while it was opened");
    return opened;
}

Result<void> checkNames(const std::string& path, std::size_t root) {
    for (std::size_t at = root; at < path.size();) {
        const std::size_t end = std::min(path.find_first_of("/\\", at), path.size());
        const std::string_view name = std::string_view(path).substr(at, end - at);
        if (!name.empty() && name != "." && name != "..") {
            const auto usable = usableName(name);
            if (!usable.ok()) return usable.error().within(escapeLine(path, 200));
        }
        at = end + 1;
    }
    return {};
}

}  // namespace

std::int64_t nanosOf(std::int64_t time) {
    constexpr std::int64_t kMost = INT64_MAX / 100;
    return std::clamp(time - kUnixEpoch, -kMost, kMost) * 100;
}

Result<std::wstring> checkedPath(const std::string& path) {
    if (path.empty() || path.starts_with(R"(\\.\)"))
        return fail(Errc::Invalid, "'" + escapeLine(path, 200) + "' is no path of a file");
    POSTERN_TRY(checkNames(path, rootSize(path)));
    return systemPath(path);
}

DWORD numberOf(LONG status) {
    if (status >= 0) return 0;
    return status == kDeletePending ? DWORD{ERROR_DELETE_PENDING} : ::RtlNtStatusToDosError(status);
}

DWORD openIn(HANDLE folder, std::string_view name, const OpenAs& as, OwnHandle& opened) {
    std::wstring text = wide(name);
    UNICODE_STRING given{};
    given.Buffer = text.data();
    given.Length = given.MaximumLength = static_cast<USHORT>(text.size() * sizeof(wchar_t));
    OBJECT_ATTRIBUTES about{};
    about.Length = sizeof about;
    about.RootDirectory = folder;
    about.ObjectName = &given;
    about.Attributes = OBJ_CASE_INSENSITIVE;
    const ULONG options = kSynchronous | kForBackup | (as.follow ? 0 : kTheLinkItself) |
                          (as.writeThrough ? kThrough : 0) | static_cast<ULONG>(as.want);
    IO_STATUS_BLOCK answer{};
    HANDLE handle = INVALID_HANDLE_VALUE;
    const LONG status =
        ::NtCreateFile(&handle, as.access | SYNCHRONIZE, &about, &answer, nullptr, FILE_ATTRIBUTE_NORMAL,
                       as.share, static_cast<ULONG>(as.disposition), options, nullptr, 0);
    if (status >= 0) opened = OwnHandle(handle);
    return numberOf(status);
}

Result<void> checkName(std::string_view name) {
    constexpr std::size_t kLongest = 255;  // units of UTF-16
    POSTERN_TRY(usableName(name));
    if (wide(name).size() > kLongest)
        return fail(Errc::Invalid, "'" + escapeLine(name, 100) + "' is too long for a file name");
    return {};
}

Result<OwnHandle> openNamed(HANDLE folder, const std::string& where, std::string_view name,
                            const OpenAs& as) {
    POSTERN_TRY(checkName(name));
    const std::string shown = joinPath(where, name);
    OwnHandle opened;
    const DWORD number = patiently([&] { return openIn(folder, name, as, opened); });
    if (number != 0) return fileError(number, shown);
    const FILE_ATTRIBUTE_TAG_INFO tag = tagOf(opened.get());
    if (!isReparsePoint(tag)) return opened;
    if (isLink(opened.get())) return fail(Errc::Invalid, shown + " is a link");
    return throughPoint(folder, shown, name, as, std::move(opened));
}

Result<OwnHandle> openPath(const std::string& path, DWORD access, DWORD disposition, DWORD flags) {
    POSTERN_LET(wanted, checkedPath(path));
    OwnHandle opened;
    const DWORD number = patiently([&]() -> DWORD {
        opened =
            OwnHandle(::CreateFileW(wanted.c_str(), access, kShareAll, nullptr, disposition, flags, nullptr));
        return opened.valid() ? 0 : ::GetLastError();
    });
    if (number != 0) return fileError(number, path);
    return opened;
}

bool isLink(HANDLE handle) {
    const FILE_ATTRIBUTE_TAG_INFO tag = tagOf(handle);
    return isReparsePoint(tag) && IsReparseTagNameSurrogate(tag.ReparseTag);
}

bool isFolder(HANDLE handle) {
    BY_HANDLE_FILE_INFORMATION info{};
    return ::GetFileInformationByHandle(handle, &info) != 0 &&
           (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

Result<FileFacts> factsOf(HANDLE handle, std::string_view context) {
    BY_HANDLE_FILE_INFORMATION info{};
    if (::GetFileInformationByHandle(handle, &info) == 0) return lastError(context);
    const bool reparse = (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
    FileFacts facts;
    facts.regular = (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0 && !(reparse && isLink(handle));
    facts.size = static_cast<std::int64_t>(whole(info.nFileSizeHigh, info.nFileSizeLow));
    facts.changedNanos = nanosOf(static_cast<std::int64_t>(
        whole(info.ftLastWriteTime.dwHighDateTime, info.ftLastWriteTime.dwLowDateTime)));
    facts.number = whole(info.nFileIndexHigh, info.nFileIndexLow);
    facts.volume = info.dwVolumeSerialNumber;
    facts.links = info.nNumberOfLinks;
    return facts;
}

}  // namespace postern::windows
