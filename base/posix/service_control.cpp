// Here systemd keeps the services, and it has commands of its own for them.

#include "base/service_control.h"

namespace postern {

namespace {

Error systemdDoes(const std::string& command) {
    return Error{Errc::Unavailable, "systemd keeps the services here: " + command};
}

}  // namespace

Result<std::vector<std::string>> installService(const ServicePlan&) {
    return systemdDoes("the package brings postern.service; systemctl enable --now postern");
}

Result<void> removeService(std::chrono::milliseconds) {
    return systemdDoes("systemctl disable --now postern; removing the package takes it off");
}

Result<void> startService(std::chrono::milliseconds) {
    return systemdDoes("systemctl start postern");
}

Result<void> stopService(std::chrono::milliseconds) {
    return systemdDoes(stopCommand());
}

Result<ServiceFacts> serviceFacts() {
    return systemdDoes("systemctl status postern");
}

const char* stopCommand() {
    return "systemctl stop postern";
}

std::optional<std::string> installedConfiguration() {
    return std::nullopt;
}

}  // namespace postern
