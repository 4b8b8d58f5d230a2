#include "mail/iconv.h"

#include <cerrno>
#include <iconv.h>

#include "base/sync.h"
#include "mail/charset_names.h"

namespace postern::mail {
namespace {

Mutex& moduleLock() {
    static Mutex mutex;
    return mutex;
}

const iconv_t kNone = reinterpret_cast<iconv_t>(-1);

iconv_t open(std::string_view to, std::string_view from) {
    return iconv_open(std::string(to).c_str(), std::string(from).c_str());
}

}  // namespace

Converter::Converter(std::string_view to, std::string_view from) {
    const MutexLock lock(moduleLock());
    iconv_t opened = open(to, from);
    if (opened == kNone) opened = open(libiconvName(to), libiconvName(from));
    if (opened != kNone) handle_ = opened;
}

Converter::~Converter() {
    if (!usable()) return;
    const MutexLock lock(moduleLock());
    iconv_close(handle_);
}

bool Converter::run(std::string_view& in, std::string& out) {
    // iconv takes a non-const pointer but does not write through it (POSIX).
    char* from = const_cast<char*>(in.data());
    std::size_t left = in.size();
    while (!step(&from, &left, out)) {
        if (errno == E2BIG) continue;
        in.remove_prefix(in.size() - left);
        return false;
    }
    in = {};
    return true;
}

void Converter::reset(std::string& out) {
    step(nullptr, nullptr, out);
}

bool Converter::step(char** from, std::size_t* left, std::string& out) {
    char buffer[4096];
    char* to = buffer;
    std::size_t room = sizeof(buffer);
    const std::size_t result = iconv(handle_, from, left, &to, &room);
    const int error = errno;
    out.append(buffer, sizeof(buffer) - room);
    errno = error;
    return result != static_cast<std::size_t>(-1);
}

}  // namespace postern::mail
