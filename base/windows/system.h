#pragma once
// What the Windows halves of base/ share: the system's headers, text, paths, errors and handles. Nothing
// outside base/windows/ includes this. Thread rule: any thread.

#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
// The sockets first: windows.h alone would bring their first version.
#include <winsock2.h>
// After it.
#include <string>
#include <string_view>
#include <utility>
#include <windows.h>

#include "base/result.h"

namespace postern::windows {

// UTF-8 to UTF-16 and back. What is no UTF-8 becomes U+FFFD: such a name is found nowhere.
std::wstring wide(std::string_view text);
std::string narrow(std::wstring_view text);

// The path as the system's calls want it: UTF-16, backslashes, absolute, with the \\?\ prefix that lifts the
// limit of 260 characters (\\?\UNC\ for a share). "/" and "\" both part names in `path`, "." and ".." are
// resolved. REQUIRES: absolute, as isAbsolutePath() says.
std::wstring systemPath(std::string_view path);

// Invalid when `name` is one that Windows keeps for a device (CON, NUL, COM1, LPT1, ... with or without an
// extension), ends with a dot or a space, or has a character that no file name may have ("<>:\"/\\|?*" and
// those below U+0020): such names lead elsewhere than they say. `name` is one name, no path.
Result<void> usableName(std::string_view name);

// GetLastError() as an Error; call it before anything else that may change it.
Error lastError(std::string_view context);

// A system handle as the int that base/'s headers carry: 32 bits of it count, also in 64-bit programs
// (Windows: Interprocess Communication Between 32-bit and 64-bit Applications). INVALID_HANDLE_VALUE is -1.
inline int toInt(HANDLE handle) {
    return static_cast<int>(reinterpret_cast<std::intptr_t>(handle));
}
inline HANDLE toHandle(int handle) {
    return reinterpret_cast<HANDLE>(static_cast<std::intptr_t>(handle));
}

// A handle that is closed by the end of its block.
class OwnHandle {
  public:
    OwnHandle() = default;
    explicit OwnHandle(HANDLE handle) : handle_(handle) {}
    OwnHandle(OwnHandle&& other) noexcept : handle_(std::exchange(other.handle_, INVALID_HANDLE_VALUE)) {}
    OwnHandle& operator=(OwnHandle&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~OwnHandle() {
        if (valid()) ::CloseHandle(handle_);
    }
    bool valid() const { return handle_ != nullptr && handle_ != INVALID_HANDLE_VALUE; }
    HANDLE get() const { return handle_; }
    HANDLE release() { return std::exchange(handle_, INVALID_HANDLE_VALUE); }

  private:
    HANDLE handle_ = INVALID_HANDLE_VALUE;
};

}  // namespace postern::windows
