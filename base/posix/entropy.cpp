#include <stdexcept>
#include <unistd.h>

#include "base/random.h"

namespace postern {

std::string secretBytes(std::size_t count) {
    std::string bytes(count, '\0');
    // Up to 256 bytes it can fail only where the system has no such source at all.
    if (getentropy(bytes.data(), bytes.size()) != 0) throw std::runtime_error("no entropy source");
    return bytes;
}

}  // namespace postern
