#pragma once
// Inside of server.h: the event loop. Everything but the mailbox, the atomics, the figures and the poller's
// wake() belongs to the loop's thread once it runs.

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/poller.h"
#include "base/pulse.h"
#include "base/sync.h"
#include "connector/accounts/log_on_desk.h"
#include "connector/chat/server.h"

namespace postern::chat {

// Answers of a desk, on their way to the loop. One for each life of the loop: an answer that comes after a
// death reaches nobody, although ids begin anew.
template <class Letter>
class Mailbox {
  public:
    using Letters = std::vector<Letter>;

    explicit Mailbox(Poller& poller) : poller_(&poller) {}
    void close() {
        MutexLock lock(mutex_);
        poller_ = nullptr;
    }
    void post(Letter letter) {
        MutexLock lock(mutex_);
        if (poller_ == nullptr) return;
        letters_.push_back(std::move(letter));
        if (letters_.size() == 1) poller_->wake();
    }
    Letters take() {
        MutexLock lock(mutex_);
        return std::exchange(letters_, {});
    }

  private:
    Mutex mutex_;
    Poller* poller_ GUARDED_BY(mutex_);
    Letters letters_ GUARDED_BY(mutex_);
};

using Answers = Mailbox<std::pair<ConnectionId, accounts::LogOnReply>>;
using Outcomes = Mailbox<Outcome>;
using FoundMail = Mailbox<MailFound>;

struct Gate {
    Place place;  // its `tls` is the loop's own; a new one comes by useTls()
    net::Ear ear;
    std::uint64_t token;
    std::optional<SteadyTime> pausedUntil{};
};

struct Wired {
    net::Wire wire;
    std::string name;                           // of the other side, for the log
    std::optional<net::Handshake> handshake{};  // under way: what it waits for
    bool watchesRead = true, watchesWrite = false;
    bool sendingEnded = false;  // all was said: what still comes is dropped until it closes, too
};

class ChatServer::Loop {
  public:
    Loop(Settings settings, accounts::Directory directory, Clock& clock, Queue queue,
         std::shared_ptr<Tries> wrongTries);
    ~Loop() { stop({}); }

    Result<void> start(std::vector<Place> places);
    void stop(std::string why);
    void tick() {
        if (poller_) poller_->wake();
    }

    void hint() {
        if (!hinted_.exchange(true)) tick();
    }
    void useTls(const std::string& place, std::shared_ptr<const net::TlsContext> tls) EXCLUDES(mutex_);

    std::function<void()> peril;
    std::vector<int> ports() const;
    Figures figures() const EXCLUDES(mutex_);
    bool stuck() const { return lives_ && pulse_.look() != Pulse::Life::Well; }

  private:
    Result<void> openGate(Place place);
    void run();
    void live();
    void die(const std::string& why);
    void rest(SteadyTime until);
    void turn();
    Millis untilNextLook() const;
    void onEvent(const Poller::Ready& event);
    void acceptAt(Gate& gate);
    void admit(const Gate& gate, net::Accepted accepted);
    void openPaused();
    void shakeHands(ConnectionId id, Wired& wired);
    void onReadable(ConnectionId id, Wired& wired);
    void readHeld();
    void bringAnswers();
    void bringOutcomes();
    void bringNews();
    void askDesk();
    void tellTries();
    void tellBarred(bool last = false);
    void placeOrders();
    bool isMailPlace(std::string_view adapter) const;
    void mailHint();
    void beginMail();
    void bringMail();
    void tellPresence();
    void leaveMail();
    void takeTls() EXCLUDES(mutex_);
    void settle(ConnectionId id);
    void settleAll();
    bool sendAll(ConnectionId id, Wired& wired);
    void watch(ConnectionId id, Wired& wired);
    void lookAtPaused();
    void forget(ConnectionId id, std::string_view why);
    void sayGoodbye();
    void publish() EXCLUDES(mutex_);

    const Settings settings_;
    const accounts::Directory directory_;
    Clock& clock_;
    const Queue queue_;
    const std::shared_ptr<Tries> wrongTries_;  // of all its lives
    Pulse pulse_;
    std::string buffer_;
    std::unique_ptr<Poller> poller_;
    std::vector<std::unique_ptr<Gate>> gates_;  // the list itself is fixed by start()
    std::unique_ptr<Hall> hall_;
    std::shared_ptr<Answers> answers_;
    std::shared_ptr<Outcomes> outcomes_;
    std::shared_ptr<FoundMail> foundMail_;
    MailSeen mailSeen_;
    SteadyTime lookForMailAt_ = SteadyTime::max();  // never: no mail comes here, or its desk looks already
    bool mailCame_ = false;                         // while the desk looked
    bool mailKnown_ = false;                        // the desk has looked in this life
    std::uint64_t presenceTold_ = 0;
    std::set<std::string, std::less<>> here_, arrived_;  // accounts: as told; since our own last order
    std::set<std::string, std::less<>> tried_;           // by our own last order
    SteadyTime tryAgainAt_{};                            // no order of ours before: the last one failed
    bool tryingWaiting_ = false;                         // our own order is out: one at a time
    std::int64_t barredKnown_ = 0;                       // of the hall's counter, in the log
    SteadyTime barredTold_{};                            // when that was
    std::int64_t seen_ = 0;                              // of the feed
    std::atomic<bool> hinted_{false};                    // it has something new
    std::unordered_map<ConnectionId, Wired> wired_;
    std::set<ConnectionId> paused_;   // not read from: the hall has no room
    std::vector<ConnectionId> held_;  // have input that only TLS knows of
    Counters before_;                 // of the lives that are over
    std::string goodbye_;             // set before stopping_
    std::atomic<bool> stopping_{false};
    std::atomic<bool> lives_{false};  // between start() and stop(); the thread itself is theirs
    mutable Mutex mutex_;
    Figures figures_ GUARDED_BY(mutex_);
    std::map<std::string, std::shared_ptr<const net::TlsContext>> newTls_ GUARDED_BY(mutex_);  // by place
    std::unique_ptr<accounts::LogOnDesk> desk_;
    std::unique_ptr<OrderDesk> orders_;
    std::unique_ptr<MailDesk> mail_;
    std::jthread thread_;
};

}  // namespace postern::chat
