#pragma once
// Log lines without a system call on the threads that move the mail. While a BackgroundLog lives, lines go to
// standard error by a thread of its own, whole and in order; a caller waits only for lines of Notice and
// above, so that nothing an operator must see is lost when the process dies, and when the reader of the log
// is so slow that kLogBacklog bytes wait. A killed process may lose its last Info lines; the items' history
// is in the store.
//
// Thread rule: one at a time, made and destroyed by the owner; it takes the log's sink (log.h) for its life.

#include <cstddef>
#include <memory>

namespace postern {

inline constexpr std::size_t kLogBacklog = 256 * 1024;

class BackgroundLog {
  public:
    BackgroundLog();
    ~BackgroundLog();  // writes what waits, and gives the sink back
    BackgroundLog(const BackgroundLog&) = delete;
    BackgroundLog& operator=(const BackgroundLog&) = delete;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern
