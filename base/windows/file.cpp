#include "base/file.h"

#include <algorithm>

#include "base/path.h"
#include "base/windows/named.h"
#include "base/windows/patience.h"

namespace postern {

using windows::fileHandle;
using windows::lastError;

namespace {

constexpr std::size_t kMostAtOnce = 16u << 20;  // some servers take no more in one request
constexpr std::int64_t kToTheEnd = -1;          // as an offset: wherever the end is by then

OVERLAPPED at(std::int64_t offset) {
    OVERLAPPED place{};
    place.Offset = static_cast<DWORD>(offset & 0xFFFFFFFF);
    place.OffsetHigh = static_cast<DWORD>(static_cast<std::uint64_t>(offset) >> 32);
    return place;
}

// Reading and writing at an offset moves the place of the next write here; with POSIX it does not.
class KeptPlace {
  public:
    explicit KeptPlace(HANDLE handle) : handle_(handle) {
        known_ = ::SetFilePointerEx(handle_, {}, &place_, FILE_CURRENT) != 0;
    }
    KeptPlace(const KeptPlace&) = delete;
    KeptPlace& operator=(const KeptPlace&) = delete;
    ~KeptPlace() {
        if (known_) ::SetFilePointerEx(handle_, place_, nullptr, FILE_BEGIN);
    }

  private:
    HANDLE handle_;
    LARGE_INTEGER place_{};
    bool known_ = false;
};

// At the handle's own place without an offset.
Result<std::size_t> writeOnce(HANDLE handle, std::string_view bytes, OVERLAPPED* place) {
    const auto wanted = static_cast<DWORD>(std::min(bytes.size(), kMostAtOnce));
    DWORD written = 0;
    const DWORD number = windows::patiently([&]() -> DWORD {
        return ::WriteFile(handle, bytes.data(), wanted, &written, place) != 0 ? 0 : ::GetLastError();
    });
    if (number != 0) return windows::fileError(number, "write");
    if (written == 0) return fail(Errc::Io, "write: the system took none of the bytes");
    return static_cast<std::size_t>(written);
}

Result<void> setSize(HANDLE handle, std::int64_t size) {
    FILE_END_OF_FILE_INFO end{};
    end.EndOfFile.QuadPart = size;
    const DWORD number = windows::patiently([&]() -> DWORD {
        return ::SetFileInformationByHandle(handle, FileEndOfFileInfo, &end, sizeof end) != 0
                   ? 0
                   : ::GetLastError();
    });
    if (number != 0) return windows::fileError(number, "truncate");
    return {};
}

}  // namespace

File& File::operator=(File&& other) noexcept {
    if (this != &other) {
        if (handle_ >= 0) ::CloseHandle(fileHandle(handle_));
        handle_ = other.handle_;
        other.handle_ = -1;
    }
    return *this;
}

File::~File() {
    if (handle_ >= 0) ::CloseHandle(fileHandle(handle_));
}

Result<File> File::openRead(const std::string& path) {
    POSTERN_LET(opened, windows::openPath(path, GENERIC_READ, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL));
    return File(windows::toInt(opened.release()));
}

Result<File> File::openAppend(const std::string& path) {
    POSTERN_LET(opened,
                windows::openPath(path, GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL));
    return File(windows::appending(opened.release()));
}

Result<void> File::write(std::string_view bytes) {
    while (!bytes.empty()) {
        OVERLAPPED place = at(kToTheEnd);
        POSTERN_LET(written,
                    writeOnce(fileHandle(handle_), bytes, windows::isAppending(handle_) ? &place : nullptr));
        bytes.remove_prefix(written);
    }
    return {};
}

Result<void> File::writeAt(std::int64_t offset, std::string_view bytes) {
    const KeptPlace kept(fileHandle(handle_));
    while (!bytes.empty()) {
        OVERLAPPED place = at(offset);
        POSTERN_LET(written, writeOnce(fileHandle(handle_), bytes, &place));
        bytes.remove_prefix(written);
        offset += static_cast<std::int64_t>(written);
    }
    return {};
}

Result<std::size_t> File::readAt(std::int64_t offset, char* into, std::size_t size) {
    const KeptPlace kept(fileHandle(handle_));
    DWORD got = 0;
    const DWORD number = windows::patiently([&]() -> DWORD {
        OVERLAPPED place = at(offset);
        const auto wanted = static_cast<DWORD>(std::min(size, kMostAtOnce));
        return ::ReadFile(fileHandle(handle_), into, wanted, &got, &place) != 0 ? 0 : ::GetLastError();
    });
    if (number == ERROR_HANDLE_EOF) return std::size_t{0};
    if (number != 0) return windows::fileError(number, "read");
    return static_cast<std::size_t>(got);
}

Result<std::int64_t> File::size() const {
    LARGE_INTEGER size{};
    if (::GetFileSizeEx(fileHandle(handle_), &size) == 0) return lastError("size");
    return static_cast<std::int64_t>(size.QuadPart);
}

Result<FileFacts> File::facts() const {
    return windows::factsOf(fileHandle(handle_), "look");
}

Result<std::int64_t> File::touchedNanos() const {
    FILE_BASIC_INFO info{};
    if (::GetFileInformationByHandleEx(fileHandle(handle_), FileBasicInfo, &info, sizeof info) == 0)
        return lastError("look");
    // FAT keeps no such time.
    const LARGE_INTEGER& time = info.ChangeTime.QuadPart != 0 ? info.ChangeTime : info.LastWriteTime;
    return windows::nanosOf(time.QuadPart);
}

// The system has no such request; its lazy writer begins within a second.
void File::startWriteback() {}

Result<void> File::sync() {
    if (::FlushFileBuffers(fileHandle(handle_)) == 0) return lastError("sync");
    return {};
}

Result<void> File::truncate(std::int64_t size) {
    return setSize(fileHandle(handle_), size);
}

// Whoever else has the file open can not read or write it meanwhile either: locks are no advice here.
Result<bool> File::tryLock() {
    OVERLAPPED start{};
    if (::LockFileEx(fileHandle(handle_), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, MAXDWORD,
                     MAXDWORD, &start) != 0)
        return true;
    const DWORD number = ::GetLastError();
    if (number == ERROR_LOCK_VIOLATION || number == ERROR_IO_PENDING) return false;
    return windows::fileError(number, "lock");
}

Result<void> File::close() {
    const int handle = std::exchange(handle_, -1);
    if (handle >= 0 && ::CloseHandle(fileHandle(handle)) == 0) return lastError("close");
    return {};
}

Result<void> removeFile(const std::string& path) {
    POSTERN_TRY(windows::checkedPath(path));
    const auto folder = Folder::open(parentPath(path));
    if (!folder.ok()) return folder.error().code == Errc::NotFound ? Result<void>() : folder.error();
    auto removed = folder->remove(lastName(path));
    if (!removed.ok() && removed.error().code == Errc::NotFound) return {};
    return removed;
}

bool pathExists(const std::string& path) {
    return windows::openPath(path, FILE_READ_ATTRIBUTES).ok();
}

}  // namespace postern
