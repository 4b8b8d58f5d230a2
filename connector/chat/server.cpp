// The loop's life: opening, beginning, dying, beginning anew, stopping. Its connections are in
// server_loop.cpp.

#include "connector/chat/server.h"

#include <exception>

#include "base/log.h"
#include "base/networks.h"
#include "base/thread.h"
#include "connector/chat/server_loop.h"

namespace postern::chat {

namespace {

constexpr std::size_t kMostOrders = 64;        // that wait for their desk
constexpr Millis kRest{1'000};                 // between a death and the next beginning
constexpr std::uint64_t kGates = 1ULL << 63U;  // tokens from here on are listeners'

void add(Counters& to, const Counters& more) {
    for (const auto member :
         {&Counters::connections, &Counters::refused, &Counters::registered, &Counters::notRegistered,
          &Counters::nickInUse, &Counters::wrongPasswords, &Counters::barred, &Counters::commands,
          &Counters::silent, &Counters::overflown, &Counters::stalled, &Counters::late})
        to.*member += more.*member;
}

}  // namespace

ChatServer::Loop::Loop(Settings settings, accounts::Directory directory, Clock& clock, Queue queue,
                       std::shared_ptr<Tries> wrongTries)
    : settings_(std::move(settings)),
      directory_(std::move(directory)),
      clock_(clock),
      queue_(std::move(queue)),
      wrongTries_(wrongTries ? std::move(wrongTries) : triesOf(settings_.limits)),
      pulse_(clock),
      buffer_(settings_.limits.receiveQueue, '\0') {}

Result<void> ChatServer::Loop::openGate(Place place) {
    const bool local = !place.at.socketPath.empty() || namesLoopback(place.at.host);
    if (!local && place.tls == nullptr)
        return fail(Errc::Invalid, "chat listener " + place.name +
                                       ": others could listen to what is said here: it wants TLS, or an "
                                       "address of this machine");
    auto ear = net::Ear::open(place.at);
    if (!ear.ok()) return ear.error().within("chat listener " + place.name);
    auto gate = std::make_unique<Gate>(Gate{std::move(place), std::move(*ear), kGates + gates_.size()});
    POSTERN_TRY(poller_->add(gate->ear.handle(), gate->token, true, false));
    LogLine(LogEvent::ListenerOpened).with("listener", gate->place.name).with("port", gate->ear.port());
    gates_.push_back(std::move(gate));
    return {};
}

Result<void> ChatServer::Loop::start(std::vector<Place> places) {
    POSTERN_LET(poller, Poller::create());
    poller_ = std::move(poller);
    for (Place& place : places) {
        if (auto opened = openGate(std::move(place)); !opened.ok()) {
            gates_.clear();
            return opened.error();
        }
    }
    // Each client has one question at most: nobody is turned away because many come at once.
    desk_ = std::make_unique<accounts::LogOnDesk>(directory_, settings_.limits.clients);
    if (!settings_.mail.empty()) mail_ = std::make_unique<MailDesk>(settings_.mail);
    if (queue_.carryOut) orders_ = std::make_unique<OrderDesk>(queue_.carryOut, kMostOrders);
    hinted_ = true;  // what happened before us
    stopping_ = false;
    lives_ = true;
    thread_ = std::jthread([this] {
        nameThisThread("chat");
        run();
    });
    return {};
}

void ChatServer::Loop::stop(std::string why) {
    if (!thread_.joinable()) return;
    lives_ = false;
    goodbye_ = std::move(why);
    stopping_ = true;
    tick();
    thread_.join();
    desk_.reset();
    orders_.reset();
    mail_.reset();
    gates_.clear();
}

void ChatServer::Loop::run() {
    while (!stopping_) {
        try {
            live();
        } catch (const std::exception& exception) {
            die(exception.what());
        } catch (...) {
            die("an exception that says nothing");
        }
    }
    pulse_.end();
}

void ChatServer::Loop::live() {
    hall_ = std::make_unique<Hall>(settings_, clock_, wrongTries_);
    answers_ = std::make_shared<Answers>(*poller_);
    outcomes_ = std::make_shared<Outcomes>(*poller_);
    foundMail_ = std::make_shared<FoundMail>(*poller_);
    beginMail();
    seen_ = 0;
    barredKnown_ = 0;
    hinted_ = true;
    {
        MutexLock lock(mutex_);
        figures_.running = true;
    }
    while (!stopping_) turn();
    sayGoodbye();
    bringAnswers();  // of guesses that were decided meanwhile
    publish();
    answers_->close();
    outcomes_->close();
    foundMail_->close();
    leaveMail();
    wired_.clear();
    MutexLock lock(mutex_);
    figures_.running = false;
    figures_.connected = 0;
}

// Nothing of the hall is asked any more: who knows what it looks like.
void ChatServer::Loop::die(const std::string& why) {
    const SteadyTime until = clock_.steady() + kRest;
    LogLine(LogEvent::WorkerFailed).with("worker", "chat").with("error", why);
    if (answers_) answers_->close();
    if (outcomes_) outcomes_->close();
    if (foundMail_) foundMail_->close();
    leaveMail();
    for (const auto& [id, wired] : wired_) poller_->remove(wired.wire.handle());
    wired_.clear();
    paused_.clear();
    held_.clear();
    {
        MutexLock lock(mutex_);
        ++figures_.deaths;
        figures_.lastDeath = why;
        figures_.running = false;
        figures_.connected = 0;
        before_ = figures_.counters;
    }
    rest(until);
}

void ChatServer::Loop::rest(SteadyTime until) {
    for (const auto& gate : gates_) {
        if (!gate->pausedUntil) poller_->remove(gate->ear.handle());
        gate->pausedUntil = until;
    }
    while (!stopping_ && clock_.steady() < until) {
        pulse_.rest(until);
        poller_->wait(std::chrono::ceil<Millis>(until - clock_.steady()));
    }
}

void ChatServer::Loop::publish() {
    Counters counters = before_;
    add(counters, hall_->counters());
    MutexLock lock(mutex_);
    figures_.counters = counters;
    figures_.connected = static_cast<std::int64_t>(wired_.size());
}

std::vector<int> ChatServer::Loop::ports() const {
    std::vector<int> ports;
    for (const auto& gate : gates_) ports.push_back(gate->ear.port());
    return ports;
}

Figures ChatServer::Loop::figures() const {
    MutexLock lock(mutex_);
    Figures figures = figures_;
    figures.orders = Order::alive();
    return figures;
}

void ChatServer::Loop::useTls(const std::string& place, std::shared_ptr<const net::TlsContext> tls) {
    {
        MutexLock lock(mutex_);
        newTls_[place] = std::move(tls);
    }
    tick();
}

ChatServer::ChatServer(Settings settings, accounts::Directory directory, Clock& clock, Queue queue,
                       std::shared_ptr<Tries> wrongTries)
    : loop_(std::make_unique<Loop>(std::move(settings), std::move(directory), clock, std::move(queue),
                                   std::move(wrongTries))) {}
ChatServer::~ChatServer() = default;
Result<void> ChatServer::start(std::vector<Place> places) {
    return loop_->start(std::move(places));
}
void ChatServer::stop(std::string why) {
    loop_->stop(std::move(why));
}
std::vector<int> ChatServer::ports() const {
    return loop_->ports();
}
Figures ChatServer::figures() const {
    return loop_->figures();
}
bool ChatServer::stuck() const {
    return loop_->stuck();
}
void ChatServer::hint() {
    loop_->hint();
}
void ChatServer::useTls(const std::string& place, std::shared_ptr<const net::TlsContext> tls) {
    loop_->useTls(place, std::move(tls));
}
void ChatServer::tick() {
    loop_->tick();
}
void ChatServer::disturb(std::function<void()> peril) {
    loop_->peril = std::move(peril);
}

}  // namespace postern::chat
