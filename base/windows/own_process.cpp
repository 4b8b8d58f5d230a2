// What base/child_process.h says of this process itself.

#include <cstring>
#include <fcntl.h>
#include <io.h>

#include "base/child_process.h"
#include "base/quiet_lock.h"
#include "base/windows/command_line.h"
#include "base/windows/system.h"

// Microsoft's C library: main()'s words before they were made narrow. Not in every compiler's headers.
extern "C" int __cdecl __wgetmainargs(int* count, wchar_t*** values, wchar_t*** environment, int expand,
                                      int* startup);

namespace postern {

using namespace windows;

// Nobody sits in front of a service to close a dialog about a crash; what we start inherits that.
void takeOrdinaryLimits() {
    ::SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
}

void ignoreStopRequests() {
    ::SetConsoleCtrlHandler([](DWORD) -> BOOL { return TRUE; }, TRUE);
}

std::vector<std::string> ownEnvironment() {
    std::vector<std::string> all;
    wchar_t* const block = ::GetEnvironmentStringsW();
    for (const wchar_t* each = block; each != nullptr && *each != L'\0'; each += std::wcslen(each) + 1)
        if (*each != L'=') all.push_back(narrow(each));  // "=C:=C:\folder" is cmd.exe's own
    if (block != nullptr) ::FreeEnvironmentStringsW(block);
    return all;
}

std::vector<std::string> ownArguments(int count, char** values) {
    int wideCount = 0, startup = 0;
    wchar_t** wideValues = nullptr;
    wchar_t** environment = nullptr;
    if (::__wgetmainargs(&wideCount, &wideValues, &environment, 0, &startup) != 0 || wideValues == nullptr)
        return {values, values + count};
    std::vector<std::string> all;
    for (int i = 0; i < wideCount; ++i) all.push_back(narrow(wideValues[i]));
    return all;
}

Result<void> canRun(const std::string& program) {
    POSTERN_LET(file, programFile(program));
    (void)file;
    return {};
}

std::string ownProgramFolder() {
    std::wstring path(MAX_PATH, L'\0');
    for (;;) {
        const DWORD size = ::GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size()));
        if (size == 0) return {};
        if (size < path.size()) return parentPath(narrow({path.data(), size}));
        path.resize(path.size() * 2);
    }
}

// The C library opened it from what our starter told it, and is to forget it: what it holds may be inherited.
Result<File> handedFile(int number) {
    const auto gone = [&] {
        return fail(Errc::NotFound, "handle " + std::to_string(number) + " was not handed to us");
    };
    const auto found = ::_get_osfhandle(number);
    if (found == -1 || found == -2) return gone();
    const HANDLE self = ::GetCurrentProcess();
    HANDLE copy = nullptr;
    if (!::DuplicateHandle(self, reinterpret_cast<HANDLE>(found), self, &copy, 0, FALSE,
                           DUPLICATE_SAME_ACCESS))
        return gone();
    ::_close(number);
    return File(toInt(copy));
}

Result<void> takeHandedLock(File& file) {
    constexpr Millis kPatience{10'000};
    constexpr DWORD kPause = 5;
    const SteadyTime end = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        POSTERN_LET(ours, tryQuietLock(file));
        if (ours) return {};
        if (std::chrono::steady_clock::now() > end)
            return fail(Errc::Busy, "somebody else has the lock that was handed to us");
        ::Sleep(kPause);  // a lock has no event that a deadline could stand beside
    }
}

}  // namespace postern
