#include "base/environment.h"

#include "base/windows/system.h"

namespace postern {

std::optional<std::string> environmentVariable(const std::string& name) {
    const std::wstring wanted = windows::wide(name);
    std::wstring value(256, L'\0');
    for (;;) {
        const DWORD size =
            ::GetEnvironmentVariableW(wanted.c_str(), value.data(), static_cast<DWORD>(value.size()));
        if (size == 0) return std::nullopt;  // not set, or empty
        const bool fits = size < value.size();
        value.resize(size);
        if (fits) return windows::narrow(value);
    }
}

}  // namespace postern
