#pragma once
// [chat] in the service: opened, opened anew by a reload that changes it, closed. Nothing that goes wrong
// here touches the mail: the service runs without its chat, says so in the log and in 'postern status', and a
// reload tries again. Orders are carried out one after the other, and none of them may wait for anything but
// the store: a reload and a stop wait for the one that is under way.
//
// Thread rule: open(), reload() and close() one at a time; all else from any thread.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/sync.h"
#include "connector/admin/commands.h"
#include "connector/chat/server.h"
#include "connector/config/config.h"

namespace postern::service {

class ChatDoor {
  public:
    // REQUIRES: the references, and what `view` shows, outlive us.
    // `presence` is told who is in the chat, for the adapters that have mail for people.
    ChatDoor(store::Store& store, Clock& clock, admin::Feed& feed, std::function<admin::ServiceView()> view,
             std::shared_ptr<chat::Presence> presence);
    ~ChatDoor() { close(); }

    void open(const config::Config& config);
    // Problems name the certificate or the address; the log has them already. Who is in the chat is told why
    // it ends where it is opened anew; nobody is turned out for settings that can not be used, or for an
    // address that is as closed as it was.
    std::vector<config::Problem> reload(const config::Config& config);
    void close(const std::string& why = "The service is shutting down");
    // What is odd about it, although it can be opened: nobody may enter.
    std::vector<config::Problem> warnings(const config::Config& config) const;

    void hint();  // the feed has something new; never waits
    bool stuck() const;
    admin::ChatState state() const;
    std::int64_t tlsFailed() const;  // handshakes, since the service began

  private:
    // What is not open although the rest is, and why; empty: all is.
    Result<std::string> start(const config::Config& config);
    Result<void> canOpen(const config::Config& config, bool same) const;
    std::vector<config::Problem> reopen(const config::Config& config, bool same);
    std::vector<config::Problem> staysAsItWas(const config::Config& config, LogEvent event,
                                              const Error& error);
    Result<void> tryWaiting(const std::vector<std::string>& accounts, const admin::RowSink& row) const;
    Result<void> carryOut(const accounts::Directory& directory, const chat::Order& order,
                          const admin::RowSink& row) const;
    std::shared_ptr<chat::ChatServer> server() const;

    store::Store& store_;
    Clock& clock_;
    admin::Feed& feed_;
    const std::function<admin::ServiceView()> view_;
    const std::shared_ptr<chat::Presence> presence_;
    const std::shared_ptr<chat::Tries> wrongTries_ = chat::triesOf({});  // whatever is opened anew
    std::string opened_;  // the sections that are in force, as `config show` writes them
    std::vector<net::EarPlace> open_, closed_;  // of the places in those: as bound; as configured
    mutable Mutex mutex_;
    std::shared_ptr<chat::ChatServer> server_ GUARDED_BY(mutex_);
    // What of the sections in force is not open; why newer ones are not in force.
    std::string unavailable_ GUARDED_BY(mutex_), notTaken_ GUARDED_BY(mutex_);
    std::string places_ GUARDED_BY(mutex_);
    std::int64_t tlsFailedBefore_ GUARDED_BY(mutex_) = 0;  // by servers that are gone
};

}  // namespace postern::service
