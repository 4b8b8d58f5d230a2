#pragma once
// Permission bits, where the system has some: REQUIRES !kOnWindows.

#include <string>
#include <sys/stat.h>

#include "tests/kit/platform.h"

namespace postern::tests {

#ifdef _WIN32

inline unsigned modeOf(const std::string&) {
    return 0;
}
class Umask {
  public:
    explicit Umask(unsigned) {}
};

#else

// All twelve bits; 0 when nothing is there.
inline unsigned modeOf(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777u : 0u;
}

// The umask of the process, as long as this lives.
class Umask {
  public:
    explicit Umask(unsigned mask) : before_(::umask(static_cast<mode_t>(mask))) {}
    ~Umask() { ::umask(before_); }
    Umask(const Umask&) = delete;
    Umask& operator=(const Umask&) = delete;

  private:
    mode_t before_;
};

#endif

}  // namespace postern::tests
