#include "connector/chat/server_loop.h"

#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "base/networks.h"

namespace postern::chat {

namespace {

constexpr int kReadsPerTurn = 4;       // then the others have their turn
constexpr Millis kAcceptAgain{1'000};  // after the system had none to give
constexpr Millis kLongestWait{600'000};
constexpr Millis kGoodbye{1'000};         // for last words, when the service stops
constexpr Millis kMailPoll{5'000};        // a hint may be lost
constexpr Millis kBarredEach{60'000};     // a line of the log: who guesses does not fill it
constexpr Millis kTryAgain{60'000};       // our own order failed: who is still here is tried again
constexpr std::size_t kNewsAtOnce = 100;  // loggers wait while they are copied

Peer peerOf(const net::Accepted& accepted, const Place& place) {
    Peer peer;
    peer.name = accepted.name;
    peer.mostRole = place.mostRole;
    peer.loopback = accepted.address.empty() || namesLoopback(accepted.address);
    peer.mayPlain = place.tls != nullptr || peer.loopback;
    if (accepted.address.empty()) return peer;
    // A host that begins with ":" would end a parameter.
    peer.host = (accepted.address.front() == ':' ? "0" : "") + accepted.address;
    peer.countedAs = countingKey(accepted.address);
    return peer;
}

}  // namespace

void ChatServer::Loop::turn() {
    const Millis wait = untilNextLook();
    pulse_.rest(clock_.steady() + wait);
    const auto& events = poller_->wait(wait);
    pulse_.beat();
    if (peril) peril();
    takeTls();
    for (const Poller::Ready& event : events) onEvent(event);
    bringAnswers();
    bringOutcomes();
    bringNews();
    bringMail();
    readHeld();
    if (clock_.steady() >= hall_->nextLook()) hall_->lookAtClock();
    openPaused();
    settleAll();
    lookAtPaused();
    askDesk();
    tellTries();
    tellBarred();
    placeOrders();
    tellPresence();
    publish();
}

Millis ChatServer::Loop::untilNextLook() const {
    if (!held_.empty()) return Millis(0);
    SteadyTime next = std::min(hall_->nextLook(), lookForMailAt_);
    for (const auto& gate : gates_) next = std::min(next, gate->pausedUntil.value_or(next));
    if (!arrived_.empty() && !tryingWaiting_) next = std::min(next, tryAgainAt_);
    if (hall_->counters().barred != barredKnown_) next = std::min(next, barredTold_ + kBarredEach);
    const SteadyTime now = clock_.steady();
    if (next <= now) return Millis(0);
    return next - now > kLongestWait ? kLongestWait : std::chrono::ceil<Millis>(next - now);
}

void ChatServer::Loop::onEvent(const Poller::Ready& event) {
    for (const auto& gate : gates_) {
        if (gate->token == event.token) return acceptAt(*gate);
    }
    const auto found = wired_.find(event.token);
    if (found == wired_.end()) return;
    Wired& wired = found->second;
    if (wired.handshake) return shakeHands(event.token, wired);
    if (event.readable) {
        onReadable(event.token, wired);
    } else if (wired.wire.receiveWantsWrite()) {
        held_.push_back(event.token);
    }
    settle(event.token);
}

// One in a turn and listener: as many turns follow as connections wait.
void ChatServer::Loop::acceptAt(Gate& gate) {
    auto accepted = gate.ear.accept();
    if (!accepted.ok()) {
        if (gate.ear.isNews(accepted.error())) {
            LogLine(LogEvent::SessionRefused)
                .with("listener", gate.place.name)
                .with("error", accepted.error().text);
        }
        poller_->remove(gate.ear.handle());
        gate.pausedUntil = clock_.steady() + kAcceptAgain;
    } else if (accepted->has_value()) {
        admit(gate, std::move(**accepted));
    }
}

void ChatServer::Loop::admit(const Gate& gate, net::Accepted accepted) {
    const auto id = hall_->connect(peerOf(accepted, gate.place));
    const auto refuse = [&](std::string_view why) {
        LogLine(LogEvent::SessionRefused)
            .with("listener", gate.place.name)
            .with("client", accepted.name)
            .with("limit", why);
    };
    if (!id) {
        if (gate.place.tls == nullptr) (void)accepted.wire.send("ERROR :Too many connections\r\n");
        return refuse("chat connections");
    }
    const bool tls = gate.place.tls != nullptr;
    if (!poller_->add(accepted.wire.handle(), *id, true, false).ok() ||
        (tls && !accepted.wire.startTls(*gate.place.tls))) {
        hall_->disconnect(*id, "no resources");
        return refuse("resources");
    }
    LogLine(LogEvent::SessionOpened).with("listener", gate.place.name).with("client", accepted.name);
    const auto made = wired_.try_emplace(*id, Wired{std::move(accepted.wire), std::move(accepted.name)});
    if (tls) shakeHands(*id, made.first->second);
}

void ChatServer::Loop::openPaused() {
    for (const auto& gate : gates_) {
        if (!gate->pausedUntil || *gate->pausedUntil > clock_.steady()) continue;
        if (poller_->add(gate->ear.handle(), gate->token, true, false).ok()) {
            gate->pausedUntil.reset();
        } else {
            gate->pausedUntil = clock_.steady() + kAcceptAgain;
        }
    }
}

void ChatServer::Loop::shakeHands(ConnectionId id, Wired& wired) {
    wired.handshake = wired.wire.handshake();
    if (wired.handshake == net::Handshake::Failed) {
        LogLine(LogEvent::TlsFailed)
            .with("listener", "chat")
            .with("client", wired.name)
            .with("why", wired.wire.tlsTrouble());
        {
            MutexLock lock(mutex_);
            ++figures_.tlsFailed;
        }
        return forget(id, "TLS failed");
    }
    if (wired.handshake == net::Handshake::Done) {
        wired.handshake.reset();
        held_.push_back(id);  // what came with the handshake's last bytes
    }
    watch(id, wired);
}

void ChatServer::Loop::onReadable(ConnectionId id, Wired& wired) {
    for (int i = 0; i < kReadsPerTurn; ++i) {
        const bool over = hall_->finished(id);
        const std::size_t room = over ? buffer_.size() : std::min(hall_->room(id), buffer_.size());
        if (room == 0) return;
        const int got = wired.wire.receive(buffer_.data(), room);
        if (got < 0) return forget(id, "Connection closed");
        if (got == 0) return;
        if (!over) hall_->receive(id, std::string_view(buffer_).substr(0, static_cast<std::size_t>(got)));
    }
    if (wired.wire.holdsInput()) held_.push_back(id);
}

// What TLS still held after its turn: no event tells of it.
void ChatServer::Loop::readHeld() {
    for (const ConnectionId id : std::exchange(held_, {})) {
        const auto found = wired_.find(id);
        if (found == wired_.end() || found->second.handshake) continue;
        onReadable(id, found->second);
        settle(id);
    }
}

void ChatServer::Loop::bringAnswers() {
    for (const auto& [id, reply] : answers_->take()) hall_->answer(id, reply);
    tellTries();  // before the clients hear of it
}

void ChatServer::Loop::tellTries() {
    for (const Try& each : hall_->takeTries()) {
        LogLine line(each.good ? LogEvent::AuthOk : LogEvent::AuthFailed);
        line.with("listener", "chat").with("client", each.client);
        if (!each.account.empty()) line.with("account", each.account);
    }
}

void ChatServer::Loop::askDesk() {
    for (auto& [id, question] : hall_->takeQuestions()) {
        desk_->ask(std::move(question), [answers = answers_, id = id](accounts::LogOnReply reply) {
            answers->post({id, std::move(reply)});
        });
    }
}

// The first at once; those of the minute that follows are counted, and told together.
void ChatServer::Loop::tellBarred(bool last) {
    const SteadyTime now = clock_.steady();
    if (hall_->counters().barred == barredKnown_) return;
    if (!last && barredKnown_ > 0 && now - barredTold_ < kBarredEach) return;
    barredKnown_ = hall_->counters().barred;
    barredTold_ = now;
    const Barred barred = hall_->takeBarred();
    LogLine line(LogEvent::AuthFailed);
    line.with("listener", "chat").with("client", barred.client);
    if (!barred.account.empty()) line.with("account", barred.account);
    line.with("why", "barred: too many wrong passwords lately").with("tries", barred.tries);
}

void ChatServer::Loop::placeOrders() {
    for (auto& order : hall_->takeOrders()) {
        orders_->place(std::move(order),
                       [outcomes = outcomes_](Outcome outcome) { outcomes->post(std::move(outcome)); });
    }
}

void ChatServer::Loop::bringOutcomes() {
    for (Outcome& outcome : outcomes_->take()) {
        if (outcome.from != 0) {
            hall_->settle(std::move(outcome));
            continue;
        }
        tryingWaiting_ = false;
        if (outcome.error && outcome.error->code != Errc::Stopped) {
            arrived_.insert(tried_.begin(), tried_.end());
            tryAgainAt_ = clock_.steady() + kTryAgain;
            LogLine(LogEvent::ControlRefused)
                .with("verb", "operate")
                .with("change", "retry")
                .with("who", "postern")
                .with("error", outcome.error->text);
        }
    }
}

// One portion in a turn: who talks has his turn as well.
void ChatServer::Loop::bringNews() {
    if (queue_.feed == nullptr || !hinted_.exchange(false)) return;
    const auto news = queue_.feed->wait(seen_, std::chrono::steady_clock::now(), kNewsAtOnce);
    if (news.missed > 0 && seen_ > 0) hall_->missed(news.missed);
    for (const admin::FeedEvent& event : news.events) {
        hall_->tell(event);
        seen_ = event.serial;
        if (event.event == LogEvent::ItemExported && isMailPlace(admin::valueIn(event.line, "adapter")))
            mailHint();
    }
    if (news.events.size() == kNewsAtOnce) hint();
}

bool ChatServer::Loop::isMailPlace(std::string_view adapter) const {
    return std::any_of(settings_.mail.begin(), settings_.mail.end(),
                       [&](const MailPlace& place) { return place.adapter == adapter; });
}

void ChatServer::Loop::mailHint() {
    mailCame_ = true;
    if (lookForMailAt_ != SteadyTime::max()) lookForMailAt_ = clock_.steady();
}

void ChatServer::Loop::beginMail() {
    mailSeen_.clear();
    here_.clear();
    arrived_.clear();
    tryingWaiting_ = false;
    tryAgainAt_ = {};
    mailCame_ = mailKnown_ = false;
    presenceTold_ = 0;
    lookForMailAt_ = mail_ ? clock_.steady() : SteadyTime::max();
}

void ChatServer::Loop::bringMail() {
    const SteadyTime now = clock_.steady();
    for (MailFound& found : foundMail_->take()) {
        hall_->bring(found);
        mailSeen_ = std::move(found.seen);
        mailKnown_ = true;
        lookForMailAt_ = mailCame_ ? now : now + kMailPoll;
    }
    if (now < lookForMailAt_ || lookForMailAt_ == SteadyTime::max()) return;
    mailCame_ = false;
    const bool asked = mail_->look(
        mailSeen_, !mailKnown_, [letters = foundMail_](MailFound found) { letters->post(std::move(found)); });
    lookForMailAt_ = asked ? SteadyTime::max() : now + kMailPoll;
}

void ChatServer::Loop::tellPresence() {
    if (queue_.presence == nullptr || settings_.mail.empty()) return;
    if (hall_->comings() != presenceTold_) {
        presenceTold_ = hall_->comings();
        const auto before = std::exchange(here_, hall_->accountsHere());
        queue_.presence->use(here_);
        std::set_difference(here_.begin(), here_.end(), before.begin(), before.end(),
                            std::inserter(arrived_, arrived_.end()));
    }
    if (arrived_.empty() || tryingWaiting_ || !orders_ || clock_.steady() < tryAgainAt_) return;
    std::erase_if(arrived_, [&](const std::string& account) { return !here_.contains(account); });
    tried_ = std::exchange(arrived_, {});
    if (tried_.empty()) return;
    auto order = std::make_unique<Order>();
    order->arrived.assign(tried_.begin(), tried_.end());
    tryingWaiting_ = true;
    orders_->place(std::move(order),
                   [outcomes = outcomes_](Outcome outcome) { outcomes->post(std::move(outcome)); });
}

// Whoever has mail for people waits until they are here again.
void ChatServer::Loop::leaveMail() {
    if (queue_.presence != nullptr) queue_.presence->use({});
}

void ChatServer::Loop::takeTls() {
    decltype(newTls_) fresh;
    {
        MutexLock lock(mutex_);
        fresh.swap(newTls_);
    }
    for (const auto& gate : gates_) {
        const auto found = fresh.find(gate->place.name);
        if (found != fresh.end()) gate->place.tls = found->second;
    }
}

// What is said to one may make the hall say something to others.
void ChatServer::Loop::settleAll() {
    for (auto touched = hall_->takeTouched(); !touched.empty(); touched = hall_->takeTouched()) {
        for (const ConnectionId id : touched) settle(id);
    }
}

void ChatServer::Loop::settle(ConnectionId id) {
    const auto found = wired_.find(id);
    if (found == wired_.end()) return;
    Wired& wired = found->second;
    const bool over = hall_->finished(id);
    if (over && (wired.handshake || hall_->overdue(id))) return forget(id, "its time was over");
    if (wired.handshake) return;
    if (!sendAll(id, wired)) return forget(id, "Connection closed");
    if (hall_->finished(id) && hall_->output(id).empty() && !wired.sendingEnded) {
        wired.wire.endSending();
        wired.sendingEnded = true;
    }
    watch(id, wired);
}

bool ChatServer::Loop::sendAll(ConnectionId id, Wired& wired) {
    while (!hall_->output(id).empty()) {
        const int sent = wired.wire.send(hall_->output(id));
        if (sent < 0) return false;
        if (sent == 0) return true;
        hall_->sent(id, static_cast<std::size_t>(sent));
    }
    return true;
}

void ChatServer::Loop::watch(ConnectionId id, Wired& wired) {
    bool read = wired.handshake == net::Handshake::WantsRead;
    bool write = wired.handshake == net::Handshake::WantsWrite;
    if (!wired.handshake) {
        const bool wanted = hall_->finished(id) || hall_->room(id) > 0;
        if (!wanted) paused_.insert(id);
        if (wanted && wired.wire.holdsInput()) held_.push_back(id);
        const bool waits = !hall_->output(id).empty();
        read = wanted || (waits && wired.wire.sendWantsRead());
        write = (waits && !wired.wire.sendWantsRead()) || (wanted && wired.wire.receiveWantsWrite());
    }
    if (read == wired.watchesRead && write == wired.watchesWrite) return;
    wired.watchesRead = read;
    wired.watchesWrite = write;
    if (!poller_->change(wired.wire.handle(), id, read, write).ok()) forget(id, "it can not be watched");
}

// Those for whom there is room again.
void ChatServer::Loop::lookAtPaused() {
    for (auto each = paused_.begin(); each != paused_.end();) {
        const ConnectionId id = *each;
        const auto found = wired_.find(id);
        const bool still = found != wired_.end() && hall_->room(id) == 0 && !hall_->finished(id);
        each = still ? std::next(each) : paused_.erase(each);
        if (!still && found != wired_.end()) watch(id, found->second);
    }
}

void ChatServer::Loop::forget(ConnectionId id, std::string_view why) {
    const auto found = wired_.find(id);
    if (found == wired_.end()) return;
    LogLine(LogEvent::SessionClosed).with("client", found->second.name).with("why", why);
    poller_->remove(found->second.wire.handle());
    // Who ended TLS properly hears the same of us.
    if (!found->second.handshake && !found->second.sendingEnded) found->second.wire.endSending();
    wired_.erase(found);
    paused_.erase(id);
    hall_->disconnect(id, why);
}

// Last words are for those who take them within a moment.
void ChatServer::Loop::sayGoodbye() {
    tellBarred(true);
    hall_->shutDown(goodbye_);
    settleAll();
    const SteadyTime until = Clock::system().steady() + kGoodbye;
    while (!wired_.empty() && Clock::system().steady() < until) {
        for (const Poller::Ready& event : poller_->wait(Millis(50))) {
            if (wired_.count(event.token) > 0) onEvent(event);
        }
        settleAll();
    }
}

}  // namespace postern::chat
