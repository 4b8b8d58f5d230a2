#include "connector/service/service_log.h"

#include "base/places.h"
#include "base/service_control.h"
#include "base/service_host.h"
#include "base/system_log.h"

namespace postern::service {

// Without a file warnings and errors still reach the Event Log: no reason to refuse mail.
LogTargets ServiceLog::targets() {
    if (!isHosted()) return {};
    auto opened = RotatedLog::open(placeFor("/var/log/postern"), kServiceName, Clock::system());
    LogTargets targets;
    targets.tell = tellSystemLog;
    if (opened.ok()) {
        file_ = std::move(opened).value();
        targets.write = [this](std::string_view lines) { file_->write(lines); };
    } else {
        trouble_ = opened.error().text;
    }
    return targets;
}

ServiceLog::ServiceLog() : log_(targets()) {
    if (!trouble_.empty())
        LogLine(LogEvent::ConfigWarning).with("warning", "there is no log file: " + trouble_);
}

}  // namespace postern::service
