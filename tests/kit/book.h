#pragma once
// A file that several programs write to, one of them at a time: for libraries of tests, which know nothing of
// ours. Another one waits; reading hinders nobody.

#include <cstdio>
#include <fcntl.h>
#include <string>

#ifdef _WIN32
#include <io.h>
#include <sys/stat.h>
#include <windows.h>
#else
#include <sys/file.h>
#include <unistd.h>
#endif

namespace postern::tests {

class Book {
  public:
#ifdef _WIN32
    explicit Book(const std::string& path)
        : file_(::_open(path.c_str(), _O_RDWR | _O_CREAT | _O_APPEND | _O_BINARY, _S_IREAD | _S_IWRITE)) {
        OVERLAPPED farBehind{};
        farBehind.OffsetHigh = 0x7fffffff;
        if (file_ >= 0 && ::LockFileEx(reinterpret_cast<HANDLE>(::_get_osfhandle(file_)),
                                       LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &farBehind) == 0)
            close();
    }
    bool add(const std::string& line) const {
        const auto size = static_cast<unsigned>(line.size());
        return file_ >= 0 && ::_write(file_, line.data(), size) == static_cast<int>(size) &&
               ::_commit(file_) == 0;
    }
#else
    explicit Book(const std::string& path)
        : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640)) {
        if (file_ >= 0 && ::flock(file_, LOCK_EX) != 0) close();
    }
    bool add(const std::string& line) const {
        return file_ >= 0 && ::write(file_, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
               ::fsync(file_) == 0;
    }
#endif
    Book(const Book&) = delete;
    Book& operator=(const Book&) = delete;
    ~Book() {
        close();
    }

  private:
    void close() {
#ifdef _WIN32
        if (file_ >= 0) ::_close(file_);
#else
        if (file_ >= 0) ::close(file_);
#endif
        file_ = -1;
    }
    int file_;
};

}  // namespace postern::tests
