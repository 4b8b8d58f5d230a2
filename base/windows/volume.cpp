#include "base/volume.h"

#include "base/windows/named.h"

namespace postern {

Result<Volume> lookAtVolume(const std::string& path) {
    POSTERN_LET(opened, windows::openPath(path, FILE_READ_ATTRIBUTES));
    POSTERN_LET(facts, windows::factsOf(opened.get(), path));
    const std::string folder = windows::isFolder(opened.get()) ? path : parentPath(path);
    POSTERN_LET(wanted, windows::checkedPath(joinPath(folder, "")));
    ULARGE_INTEGER free{}, whole{};
    if (::GetDiskFreeSpaceExW(wanted.c_str(), &free, &whole, nullptr) == 0) return windows::lastError(path);
    Volume volume;
    volume.bytes = static_cast<std::int64_t>(whole.QuadPart);
    volume.freeBytes = static_cast<std::int64_t>(free.QuadPart);
    volume.freeFiles = std::int64_t{1} << 62;  // NTFS has no limit but the space
    volume.id = facts.volume;
    return volume;
}

// NTFS gives a file its clusters with its size, and nobody else gets them. A file that it keeps compressed or
// sparse it gives only what is written: no promise there.
Result<bool> preallocate(File& file, std::int64_t, std::int64_t size) {
    const HANDLE handle = windows::fileHandle(file.handle());
    FILE_ALLOCATION_INFO space{};
    space.AllocationSize.QuadPart = size;
    if (::SetFileInformationByHandle(handle, FileAllocationInfo, &space, sizeof space) == 0) {
        const DWORD number = ::GetLastError();
        const bool unable = number == ERROR_INVALID_PARAMETER || number == ERROR_NOT_SUPPORTED ||
                            number == ERROR_INVALID_FUNCTION || number == ERROR_CALL_NOT_IMPLEMENTED;
        if (!unable) return systemError(static_cast<int>(number), "preallocating");
    }
    POSTERN_TRY(file.truncate(size));
    BY_HANDLE_FILE_INFORMATION info{};
    if (::GetFileInformationByHandle(handle, &info) == 0) return windows::lastError("preallocating");
    return (info.dwFileAttributes & (FILE_ATTRIBUTE_COMPRESSED | FILE_ATTRIBUTE_SPARSE_FILE)) == 0;
}

Result<std::int64_t> allocatedBytes(const File& file) {
    const HANDLE handle = windows::fileHandle(file.handle());
    FILE_COMPRESSION_INFO packed{};
    if (::GetFileInformationByHandleEx(handle, FileCompressionInfo, &packed, sizeof packed) != 0 &&
        packed.CompressionFormat != 0)
        return static_cast<std::int64_t>(packed.CompressedFileSize.QuadPart);
    FILE_STANDARD_INFO info{};
    if (::GetFileInformationByHandleEx(handle, FileStandardInfo, &info, sizeof info) == 0)
        return windows::lastError("looking at a file");
    return static_cast<std::int64_t>(info.AllocationSize.QuadPart);
}

}  // namespace postern
