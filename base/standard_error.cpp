#include "base/standard_error.h"

#include <cerrno>
#include <cstdio>

namespace postern {

void writeToStandardError(std::string_view text) {
    while (!text.empty()) {
        errno = 0;
        text.remove_prefix(std::fwrite(text.data(), 1, text.size(), stderr));
        if (text.empty() || errno != EINTR) return;
        std::clearerr(stderr);
    }
}

}  // namespace postern
