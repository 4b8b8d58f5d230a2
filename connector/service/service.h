#pragma once
// The whole service, put together: store, queue, adapters with their watchers, the front door, the control
// socket and the housekeeper. It starts in that order and stops in the other one: no new mail, no new claims,
// what is held is finished or given back, then the store is closed (KB Q179013).
//
// Thread rule: start(), stop() from one thread; reload() and facts() from any.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/sync.h"
#include "connector/admin/commands.h"
#include "connector/admin/control_server.h"
#include "connector/config/config.h"
#include "connector/disk/watch.h"
#include "connector/http/operator_site.h"
#include "connector/http/server.h"
#include "connector/intake/acceptor.h"
#include "connector/intake/listener.h"
#include "connector/pickup/station.h"
#include "connector/reports/reporter.h"
#include "connector/service/adapter_set.h"
#include "connector/service/chat_door.h"
#include "connector/service/housekeeper.h"
#include "connector/webhooks/follower.h"
#include "queue/queue.h"
#include "store/notifier.h"
#include "store/store.h"

namespace postern::service {

// Why the service could not start or had to end; the exit status is a sysexits(3) number.
struct Failure {
    int exitStatus;
    std::vector<std::string> lines;  // for standard error and the log
};
int exitStatusFor(const Error& error);  // Busy 75, Denied 77, NoSpace and Io 74, Corrupt and Invalid 78, ...

class Service {
  public:
    Service(std::string configPath, Clock& clock);
    ~Service();  // stops

    // Ready when it returns nothing: listening, and everything accepted from then on is exported or kept.
    std::optional<Failure> start();
    // Re-reads the configuration. Routes, adapters and what listeners ask of new sessions change at once,
    // without dropping a session; an adapter whose settings did not change keeps running. With problems the
    // old configuration stays in force; a certificate that can not be loaded is a problem of its own, all
    // else is done and the old certificate stays.
    admin::Reloaded reload();
    void stop();

    // Set when the store broke (I8): the caller stops us and ends with that status.
    std::optional<Failure> failure() const;

    // The first step of stop(): no new mail, no new claims. May be called while a reload is at work.
    void requestStop();

    // Which threads have not been heard of for longer than their work can take (base/pulse.h).
    struct Life {
        std::string missing;  // for the log; empty: all are well
        bool stuck = false;   // one of them in our own code: only a restart helps
    };
    Life life() const;

  private:
    void tapLog(webhooks::Follower* follower, ChatDoor* chat);
    Result<void> startFollower(const config::Config& config);
    std::optional<Failure> openStore();
    std::optional<Failure> startAdapters();
    std::optional<Failure> startDoors();
    Result<void> startHttp();
    std::vector<std::string> idleAdapters() const;
    void useAdapters(const config::Config& config, AdapterSet::Made made,
                     std::vector<routing::NamedTable> tables);
    std::shared_ptr<const config::Config> config() const;
    admin::ServiceView view();
    admin::Record facts() const;
    void reloadDoors(const config::Config& config, admin::Reloaded& into);
    std::vector<std::string> notesAbout(const config::Config& before, const config::Config& after) const;

    const std::string configPath_;
    Clock& clock_;
    const WallTime started_;
    std::atomic<bool> broken_{false};

    mutable Mutex configMutex_;
    std::shared_ptr<const config::Config> config_ GUARDED_BY(configMutex_);
    std::shared_ptr<const config::Config> startedWith_;  // what only a start takes over is as it says
    Mutex reloadMutex_;                                  // one reload at a time

    std::unique_ptr<store::Store> store_;
    store::Notifier notifier_;
    admin::Feed feed_;
    std::unique_ptr<reports::Reporter> reporter_;
    std::unique_ptr<queue::Queue> queue_;
    std::unique_ptr<intake::Acceptor> acceptor_;
    std::unique_ptr<AdapterSet> adapters_;
    std::unique_ptr<webhooks::Follower> follower_;
    std::unique_ptr<Housekeeper> housekeeper_;
    std::unique_ptr<disk::Watch> disk_;
    std::unique_ptr<intake::IntakeServer> intake_;
    std::unique_ptr<pickup::Station> pickups_;
    std::unique_ptr<admin::ControlServer> control_;
    std::optional<accounts::Directory> directory_;
    std::unique_ptr<http::Logins> logins_;
    std::unique_ptr<http::OperatorSite> site_;
    std::unique_ptr<http::HttpServer> http_;
    const std::shared_ptr<chat::Presence> here_ = std::make_shared<chat::Presence>();
    std::unique_ptr<ChatDoor> chat_;
    std::string httpPlace_;  // where it listens; set before anybody can ask
};

}  // namespace postern::service
