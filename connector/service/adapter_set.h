#pragma once
// The adapters of the configuration in force, their watchers, and the routes that lead to them. A new
// configuration replaces what it changes: an adapter whose settings are the same keeps running, and two
// watchers never work in one folder.
//
// Thread rule: make() and use() from one thread at a time; everything else from any. stop() once, by the
// owner.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sync.h"
#include "connector/admin/metrics.h"
#include "connector/config/config.h"
#include "connector/export/runner.h"
#include "connector/routing/router.h"
#include "connector/routing/tables.h"
#include "queue/queue.h"
#include "store/notifier.h"
#include "store/store.h"

namespace postern::service {

class AdapterSet {
  public:
    using UseRouter =
        std::function<void(const config::Config&, const std::shared_ptr<const routing::Router>&)>;

    using InChat = std::function<bool(std::string_view account)>;

    // The references outlive the set. `useRouter` is told of each new router, before its watchers run.
    // `inChat` as in adapters::AdapterContext: called on the watchers' threads.
    AdapterSet(store::Store& store, store::Notifier& notifier, queue::Queue& queue, UseRouter useRouter,
               InChat inChat = {});

    struct Made {  // of one configuration, not running yet
        std::vector<std::pair<config::Adapter, std::shared_ptr<adapters::Adapter>>> fresh;
        std::vector<std::string> kept;  // names whose settings did not change
    };
    // An error names the adapter and the place of its settings; nothing has changed then.
    Result<Made> make(const config::Config& config);
    // In force from now on. Waits for the batches of adapters that it ends.
    void use(const config::Config& config, Made made, std::vector<routing::NamedTable> tables);

    std::shared_ptr<const routing::Router> router() const;
    std::shared_ptr<adapters::Adapter> named(const std::string& name) const;  // null: no such adapter
    // Adapters with waiting or claimed mail that nobody exports now: suspended ones, and those that the
    // configuration lost.
    Result<std::vector<std::string>> idle() const;
    void lookForHold(const std::string& name);
    std::vector<admin::AdapterMeasures> measures() const;
    std::vector<disk::FolderSpace> folders() const;
    // By adapter, those that end under a reload among them; only who is not well.
    std::vector<std::pair<std::string, Pulse::Life>> unwell() const;

    void requestStop();  // no new claims
    void stop();         // waits for the batches in hand

  private:
    using Runners = std::map<std::string, std::unique_ptr<exporting::Runner>>;

    std::shared_ptr<const routing::Router> makeRouter(const config::Config& config, const Made& made,
                                                      std::vector<routing::NamedTable> tables) const;
    void replaceRunners(const config::Config& config, Made made);
    std::unique_ptr<exporting::Runner> newRunner(const config::Adapter& settings,
                                                 std::shared_ptr<adapters::Adapter> adapter,
                                                 const config::Config& config);

    store::Store& store_;
    store::Notifier& notifier_;
    queue::Queue& queue_;
    const UseRouter useRouter_;
    const InChat inChat_;
    std::atomic<std::int64_t> reserve_{0};  // of the configuration in force, in bytes
    mutable Mutex routerMutex_;
    std::shared_ptr<const routing::Router> router_ GUARDED_BY(routerMutex_);
    mutable Mutex runnersMutex_;
    Runners runners_ GUARDED_BY(runnersMutex_);
    Runners ending_ GUARDED_BY(runnersMutex_);  // of use(), while it waits for them
};

}  // namespace postern::service
