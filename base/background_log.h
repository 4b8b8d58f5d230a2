#pragma once
// Log lines without a system call on the threads that move the mail. While a BackgroundLog lives, lines go to
// standard error, or where its maker says, by a thread of its own, whole and in order; a caller waits only
// for lines of Notice and above, so that nothing an operator must see is lost when the process dies, and when
// the reader of the log is so slow that kLogBacklog bytes wait. Lines of Info are written together with those
// of the next hundredth of a second. A killed process may lose its last Info lines; the items' history is in
// the store.
//
// Thread rule: one at a time, made and destroyed by the owner; it takes the log's sink (log.h) for its life.

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "base/log.h"

namespace postern {

inline constexpr std::size_t kLogBacklog = 256 * 1024;

struct LogTargets {
    // Takes whole lines, by the log's thread alone; empty: they go to standard error.
    std::function<void(std::string_view lines)> write = {};
    // Hears of each line as well, by the thread that logs it; empty: nobody does.
    std::function<void(Severity severity, std::string_view line)> tell = {};
};

class BackgroundLog {
  public:
    explicit BackgroundLog(LogTargets targets = {});
    ~BackgroundLog();  // writes what waits, and gives the sink back
    BackgroundLog(const BackgroundLog&) = delete;
    BackgroundLog& operator=(const BackgroundLog&) = delete;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern
