#include <stdexcept>

#include "base/random.h"
#include "base/windows/system.h"
// After the system's own types.
#include <bcrypt.h>

namespace postern {

std::string secretBytes(std::size_t count) {
    std::string bytes(count, '\0');
    const auto size = static_cast<ULONG>(bytes.size());
    if (::BCryptGenRandom(nullptr, reinterpret_cast<PUCHAR>(bytes.data()), size,
                          BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0)
        throw std::runtime_error("no entropy source");
    return bytes;
}

}  // namespace postern
