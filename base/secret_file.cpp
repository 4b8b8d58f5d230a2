#include "base/secret_file.h"

#include "base/file.h"

namespace postern {

namespace {
constexpr std::size_t kLongest = 4096;
}

Result<std::string> readSecret(const std::string& path) {
    POSTERN_LET(text, readFile(path, kLongest));
    std::string secret = text.substr(0, text.find('\n'));
    if (secret.ends_with('\r')) secret.pop_back();
    if (secret.empty()) return fail(Errc::Invalid, path + ": its first line is empty");
    return secret;
}

}  // namespace postern
