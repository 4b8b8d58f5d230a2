#pragma once
// What a test asks about the system it runs on. Only tests tell platforms apart.

#include <gtest/gtest.h>

// For a test of what Windows has not, with the reason: SKIP_ON_WINDOWS("no permission bits").
// SKIP_UNDER_WINE: for what Windows has and Wine has not; a real Windows runs it.
#ifdef _WIN32
// The sockets first: windows.h alone would bring their first version.
#include <winsock2.h>
// After it.
#include <windows.h>
#define SKIP_ON_WINDOWS(reason) GTEST_SKIP() << "Windows: " << (reason)
#define SKIP_UNDER_WINE(reason) \
    if (postern::tests::isWine()) GTEST_SKIP() << "Wine: " << (reason)
#else
#define SKIP_ON_WINDOWS(reason) static_cast<void>(reason)
#define SKIP_UNDER_WINE(reason) static_cast<void>(reason)
#endif

namespace postern::tests {

#ifdef _WIN32
constexpr bool kOnWindows = true;
inline bool isWine() {
    const HMODULE library = ::GetModuleHandleW(L"ntdll.dll");
    return library != nullptr && ::GetProcAddress(library, "wine_get_version") != nullptr;
}
#else
constexpr bool kOnWindows = false;
inline bool isWine() {
    return false;
}
#endif

}  // namespace postern::tests
