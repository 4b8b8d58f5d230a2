#include "base/environment.h"

#include <cstdlib>

namespace postern {

std::optional<std::string> environmentVariable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || value[0] == '\0') return std::nullopt;
    return value;
}

}  // namespace postern
