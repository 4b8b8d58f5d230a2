#include "connector/addresses/capsule.h"

#include "base/hex.h"

namespace postern::addresses {

namespace {

bool isPlain(char c) {
    const bool letterOrDigit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letterOrDigit || std::string_view("-._+'").find(c) != std::string_view::npos;
}

}  // namespace

std::string encapsulate(std::string_view address) {
    const std::size_t lastAt = address.rfind('@');
    std::string out;
    for (std::size_t i = 0; i < address.size(); ++i) {
        if (isPlain(address[i]) || i == lastAt) {
            out += address[i];
        } else {
            appendHex(out += '=', address[i]);
        }
    }
    return out;
}

std::string decapsulate(std::string_view capsule) {
    std::string out;
    for (std::size_t i = 0; i < capsule.size(); ++i) {
        // Names fold their case on the legacy side, so small digits come back too.
        const int high = i + 2 < capsule.size() ? hexDigit(capsule[i + 1]) : -1;
        const int low = i + 2 < capsule.size() ? hexDigit(capsule[i + 2]) : -1;
        if (capsule[i] == '=' && high >= 0 && low >= 0) {
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += capsule[i];
        }
    }
    return out;
}

}  // namespace postern::addresses
