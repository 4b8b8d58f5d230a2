#pragma once
#include <cstdint>
#include <string>

namespace postern {

// Uniform in [0, bound). REQUIRES: bound > 0. Not for secrets. Any thread.
std::uint64_t randomBelow(std::uint64_t bound);

// `count` characters of [a-z0-9] from the system's entropy source; unique enough for names and owner ids. Any
// thread.
std::string randomName(int count);

// `count` bytes from the system's entropy source: for salts, nonces and keys. REQUIRES: count <= 256. Any
// thread.
std::string secretBytes(std::size_t count);

}  // namespace postern
