#include "connector/intake/listener.h"

#include <utility>

#include "connector/intake/event_loop.h"

namespace postern::intake {

IntakeServer::IntakeServer(Door& door, Clock& clock, std::string hostname)
    : loop_(std::make_unique<Loop>(door, clock, std::move(hostname))) {}
IntakeServer::~IntakeServer() = default;

Result<void> IntakeServer::start(std::vector<config::Listener> listeners, int sessions) {
    return loop_->start(std::move(listeners), sessions);
}
IntakeServer::Reload IntakeServer::reload(const std::vector<config::Listener>& listeners, int sessions) {
    return loop_->reload(listeners, sessions);
}
const std::vector<config::Listener>& IntakeServer::bound() const {
    return loop_->bound();
}
void IntakeServer::stopAccepting() {
    loop_->stopAccepting();
}
void IntakeServer::stop(SteadyTime deadline) {
    loop_->stop(deadline);
}
IntakeCounters IntakeServer::counters() const {
    return loop_->counters();
}
bool IntakeServer::stuck() const {
    return loop_->stuck();
}
void IntakeServer::tick() {
    loop_->tick();
}

}  // namespace postern::intake
