#pragma once
// A hall with a fake clock, clients that are called by name, and a log-on desk without a thread: accounts are
// a list, and their passwords are checked by the same code as everywhere.

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/accounts/accounts.h"
#include "connector/chat/hall.h"
#include "tests/fake_clock.h"

namespace postern::chat {

// What most tests want: no account needed, and everybody makes channels.
Settings openHouse();
Peer peerAt(const std::string& address);  // "192.0.2.1": far away, in the clear; "127.0.0.1": this machine

class ChatRig {
  public:
    explicit ChatRig(Settings settings = openHouse(), std::shared_ptr<Tries> wrongTries = nullptr)
        : hall_(std::move(settings), clock_, std::move(wrongTries)) {}

    Hall& hall() { return hall_; }
    tests::FakeClock& clock() { return clock_; }
    void pass(Millis time);  // in one step, then everything that is due by then

    // False: turned away.
    bool connect(const std::string& name, Peer peer = Peer());
    void addAccount(const std::string& name, const std::string& password, const std::string& roles);
    // Connects, says NICK and USER, and what `caps` asks for; what comes back is dropped.
    void logOn(const std::string& name, const std::string& caps = {});

    ConnectionId id(const std::string& name) const { return ids_.at(name); }
    const Client* client(const std::string& name) const { return hall_.client(ids_.at(name)); }
    void give(const std::string& name, std::string_view bytes);  // no more than there is room for
    void say(const std::string& name, const std::string& line) { give(name, line + "\r\n"); }
    void vanish(const std::string& name);
    void forget(const std::string& name);  // who vanished: the rig keeps nothing of it either

    // The lines it got and has not been asked about yet; message ids as "M".
    std::deque<std::string>& heard(const std::string& name);
    std::vector<std::string> take(const std::string& name);  // all of them, and forgets them
    bool closed(const std::string& name);                    // by us

    // A client that takes no bytes any more; reading again takes all that waits.
    void stopReading(const std::string& name) { deaf_[name] = true; }
    void readAgain(const std::string& name);
    // The desk keeps its answers back until told to give them.
    void holdAnswers() { holding_ = true; }
    void giveAnswers();
    void failAnswers(Errc code) { failure_ = code; }  // the desk answers with that error from now on

    void settle();  // everything that waits is sent and answered

  private:
    void collect();
    accounts::LogOnReply decide(const accounts::LogOnQuestion& question);
    void read(const std::string& name, std::string_view bytes);

    tests::FakeClock clock_;
    Hall hall_;
    std::map<std::string, ConnectionId> ids_;
    std::map<std::string, std::string> partial_;
    std::map<std::string, std::deque<std::string>> heard_;
    std::map<std::string, bool> closed_, deaf_;
    std::map<std::string, accounts::Account> accounts_;
    std::vector<std::pair<ConnectionId, accounts::LogOnQuestion>> questions_;
    std::optional<Errc> failure_;
    bool holding_ = false;
};

// The client's side of SCRAM-SHA-256.
class ScramClient {
  public:
    ScramClient(std::string name, std::string password)
        : name_(std::move(name)), password_(std::move(password)) {}
    std::string first() const;                           // the client-first-message
    std::string last(const std::string& serverFirst);    // the client-final-message
    std::string serverFinal() const { return wanted_; }  // what the server must say then

  private:
    std::string name_, password_, wanted_;
};

}  // namespace postern::chat
