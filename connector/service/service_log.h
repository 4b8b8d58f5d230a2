#pragma once
// Where posternd's log goes: to standard error, whose reader is systemd, a terminal or a file of the
// operator's; where Windows' service manager hosts it, to a file of its own (base/rotated_log.h) and to the
// Event Log.

#include <memory>
#include <string>

#include "base/background_log.h"
#include "base/rotated_log.h"

namespace postern::service {

class ServiceLog {
  public:
    // Thread rule of BackgroundLog: one at a time, for the life of the service.
    ServiceLog();

  private:
    LogTargets targets();

    std::unique_ptr<RotatedLog> file_;
    std::string trouble_;  // why there is no file
    const BackgroundLog log_;
};

}  // namespace postern::service
