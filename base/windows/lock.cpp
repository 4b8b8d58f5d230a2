#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "base/windows/named.h"

namespace postern {
namespace {

// Far behind the end: the number of the process in the file stays readable.
constexpr DWORD kLockedHigh = 0x7FFFFFFF;

std::string programOf(DWORD process) {
    const windows::OwnHandle opened(::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process));
    std::wstring path(32768, L'\0');
    auto size = static_cast<DWORD>(path.size());
    if (!opened.valid() || ::QueryFullProcessImageNameW(opened.get(), 0, path.data(), &size) == 0) return {};
    path.resize(size);
    return std::string(lastName(windows::narrow(path)));
}

// "process 123 (posternd.exe)", as far as it is known.
std::string processNamed(const std::string& id) {
    const auto number = parseInt(id);
    if (!number) return "a process that did not say its number";
    const std::string program = programOf(static_cast<DWORD>(*number));
    return "process " + id + (program.empty() ? "" : " (" + program + ")");
}

}  // namespace

Result<FileLock> FileLock::acquire(const std::string& path) {
    POSTERN_LET(file, File::openAppend(path));
    OVERLAPPED place{};
    place.OffsetHigh = kLockedHigh;
    if (::LockFileEx(windows::fileHandle(file.handle()), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY,
                     0, 1, 0, &place) == 0) {
        const DWORD number = ::GetLastError();
        if (number != ERROR_LOCK_VIOLATION && number != ERROR_IO_PENDING)
            return systemError(static_cast<int>(number), path);
        const auto holder = readFile(path, 64);
        return fail(Errc::Busy, path + " is held by " +
                                    processNamed(holder.ok() ? std::string(trim(*holder)) : std::string()));
    }
    POSTERN_TRY(file.truncate(0));
    POSTERN_TRY(file.write(std::to_string(processId()) + "\n"));
    return FileLock(std::move(file));
}

}  // namespace postern
