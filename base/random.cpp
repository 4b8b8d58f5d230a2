#include "base/random.h"

#include <random>

namespace postern {

static std::mt19937_64& generator() {
    thread_local std::mt19937_64 engine([] {
        std::random_device device;
        return (static_cast<std::uint64_t>(device()) << 32) | device();
    }());
    return engine;
}

std::uint64_t randomBelow(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(generator());
}

std::string randomName(int count) {
    static constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::random_device device;
    std::string name;
    for (int i = 0; i < count; ++i) name.push_back(kAlphabet[device() % 36]);
    return name;
}

}  // namespace postern
