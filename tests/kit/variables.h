#pragma once
// The environment of the test program. Not while other threads run.

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

namespace postern::tests {

// Nothing removes it. On Windows an empty one is the same as none.
inline void setVariable(const std::string& name, const std::optional<std::string>& value) {
#ifdef _WIN32
    ::_putenv_s(name.c_str(), value.value_or("").c_str());
#else
    if (value)
        ::setenv(name.c_str(), value->c_str(), 1);
    else
        ::unsetenv(name.c_str());
#endif
}

// TZ, for the C library.
inline void takeZoneOfVariables() {
#ifdef _WIN32
    ::_tzset();
#else
    ::tzset();
#endif
}

}  // namespace postern::tests
