#include "base/thread.h"

#include <malloc.h>

#include "base/windows/system.h"

namespace postern {

namespace {

// Windows 10 1607 and later; asked for by name, so that its absence is no reason not to start.
using SetDescription = HRESULT(WINAPI*)(HANDLE, PCWSTR);

SetDescription setDescription() {
    const HMODULE library = ::GetModuleHandleW(L"kernel32.dll");
    if (library == nullptr) return nullptr;
    return reinterpret_cast<SetDescription>(
        reinterpret_cast<void*>(::GetProcAddress(library, "SetThreadDescription")));
}

}  // namespace

void nameThisThread(const std::string& name) {
    static const SetDescription set = setDescription();
    if (set != nullptr) (void)set(::GetCurrentThread(), windows::wide(name.substr(0, 15)).c_str());
}

// THREAD_MODE_BACKGROUND_BEGIN would give way on the disk too, and starve where other disk work never ends:
// with a read of the store open.
void giveWay() {
    static thread_local const bool done =
        ::SetThreadPriority(::GetCurrentThread(), THREAD_PRIORITY_LOWEST) != 0;
    (void)done;
}

void returnFreeMemory() {
    ::_heapmin();
}

}  // namespace postern
