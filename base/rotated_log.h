#pragma once
// A log in a file of its own, where no service manager and no logrotate keeps it: put aside by ourselves when
// a day is over or it has grown. Other programs may read it meanwhile.
//
//     posternd.log                     the one that is written
//     posternd-20261122T235959Z.log    put aside then (UTC); the newest kLogsKept of them stay
//
// Thread rule: one thread at a time.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace postern {

inline constexpr std::int64_t kLogLimit = 16 << 20;  // bytes
inline constexpr int kLogsKept = 14;

class RotatedLog {
  public:
    // `folder` is made when missing; the file is `name`.log in it.
    static Result<std::unique_ptr<RotatedLog>> open(const std::string& folder, const std::string& name,
                                                    const Clock& clock);
    ~RotatedLog();
    RotatedLog(const RotatedLog&) = delete;
    RotatedLog& operator=(const RotatedLog&) = delete;

    // Whole lines. What can not be written is lost: there is nowhere left to say so, and mail goes on. While
    // somebody keeps the file from being put aside it grows on, and is tried again a minute later.
    void write(std::string_view lines);

  private:
    struct Impl;
    explicit RotatedLog(std::unique_ptr<Impl> impl);
    const std::unique_ptr<Impl> impl_;
};

}  // namespace postern
