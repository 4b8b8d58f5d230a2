#include "connector/service/adapter_set.h"

#include <algorithm>
#include <optional>
#include <set>

#include "adapters/command/runner.h"
#include "adapters/registry.h"
#include "connector/config/load.h"
#include "queue/inspect.h"

namespace postern::service {

namespace {

bool sameAdapter(const config::Adapter& a, const config::Adapter& b) {
    return config::show(a) == config::show(b);
}

}  // namespace

AdapterSet::AdapterSet(store::Store& store, store::Notifier& notifier, queue::Queue& queue,
                       UseRouter useRouter, InChat inChat)
    : store_(store),
      notifier_(notifier),
      queue_(queue),
      useRouter_(std::move(useRouter)),
      inChat_(std::move(inChat)) {}

std::shared_ptr<const routing::Router> AdapterSet::router() const {
    MutexLock lock(routerMutex_);
    return router_;
}

Result<std::vector<std::string>> AdapterSet::idle() const {
    std::vector<std::string> idle;
    POSTERN_TRY(store_.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(counts, queue::countItems(session, false));
        std::set<std::string> waits;
        for (const queue::StateCount& count : counts)
            if (count.state == queue::State::Ready || count.state == queue::State::Claimed)
                waits.insert(count.adapter);
        idle.assign(waits.begin(), waits.end());
        return {};
    }));
    MutexLock lock(runnersMutex_);
    std::erase_if(idle, [&](const std::string& name) REQUIRES(runnersMutex_) {
        const auto runner = runners_.find(name);
        return runner != runners_.end() && runner->second->claims();
    });
    return idle;
}

void AdapterSet::lookForHold(const std::string& name) {
    MutexLock lock(runnersMutex_);
    const auto runner = runners_.find(name);
    if (runner != runners_.end()) runner->second->lookForHold();
}

std::vector<std::pair<std::string, Pulse::Life>> AdapterSet::unwell() const {
    std::vector<std::pair<std::string, Pulse::Life>> found;
    MutexLock lock(runnersMutex_);
    for (const Runners* runners : {&runners_, &ending_})
        for (const auto& [name, runner] : *runners)
            if (const auto life = runner->life(); life != Pulse::Life::Well) found.emplace_back(name, life);
    return found;
}

void AdapterSet::requestStop() {
    MutexLock lock(runnersMutex_);
    for (auto& [name, runner] : runners_) runner->requestStop();
}

void AdapterSet::stop() {
    Runners ended;  // its destructor waits, behind the lock
    MutexLock lock(runnersMutex_);
    ended.swap(runners_);
}

Result<AdapterSet::Made> AdapterSet::make(const config::Config& config) {
    Made made;
    for (const config::Adapter& settings : config.adapters) {
        {
            MutexLock lock(runnersMutex_);
            const auto running = runners_.find(settings.name);
            if (running != runners_.end() && sameAdapter(running->second->settings(), settings)) {
                made.kept.push_back(settings.name);
                continue;
            }
        }
        const adapters::Kind* kind = adapters::kindNamed(settings.kind);
        if (kind == nullptr)
            return fail(Errc::Invalid, "adapter " + settings.name + ": no kind '" + settings.kind + "'");
        auto adapter = kind->make(
            {settings.name, config.hostname, store_.id(), Guards{}, adapters::installedRunner(), inChat_},
            settings.settings);
        if (!adapter.ok())
            return adapter.error().within(config::placeText(settings.place) + ": adapter " + settings.name);
        made.fresh.emplace_back(settings, std::move(adapter).value());
    }
    return made;
}

// The router and the adapters it asks live and die together; sessions hold them by one pointer.
std::shared_ptr<const routing::Router> AdapterSet::makeRouter(const config::Config& config, const Made& made,
                                                              std::vector<routing::NamedTable> tables) const {
    struct Routing {
        std::vector<std::shared_ptr<adapters::Adapter>> adapters;
        std::optional<routing::Router> router;
    };
    const auto routing = std::make_shared<Routing>();
    std::vector<routing::Target> targets;
    const auto add = [&](const config::Adapter& settings, const std::shared_ptr<adapters::Adapter>& adapter) {
        routing->adapters.push_back(adapter);
        targets.push_back(routing::targetFor(settings, *adapter));
    };
    for (const auto& [settings, adapter] : made.fresh) add(settings, adapter);
    {
        MutexLock lock(runnersMutex_);
        for (const std::string& name : made.kept) {
            const auto& runner = runners_.at(name);
            add(runner->settings(), runner->adapter());
        }
    }
    routing->router.emplace(config.routes, std::move(targets), config.rules, std::move(tables));
    return std::shared_ptr<const routing::Router>(routing, &*routing->router);
}

void AdapterSet::use(const config::Config& config, Made made, std::vector<routing::NamedTable> tables) {
    const auto router = makeRouter(config, made, std::move(tables));
    {
        MutexLock lock(routerMutex_);
        router_ = router;
    }
    useRouter_(config, router);
    const auto volume = lookAtVolume(store_.folder());
    reserve_ = config.reserve.of(volume.ok() ? volume->bytes : 0);
    replaceRunners(config, std::move(made));
}

// Old watchers end before new ones of the same name begin: two never work in one folder.
void AdapterSet::replaceRunners(const config::Config& config, Made made) {
    std::vector<exporting::Runner*> ended;
    {
        MutexLock lock(runnersMutex_);
        for (auto it = runners_.begin(); it != runners_.end();) {
            const bool keep = std::find(made.kept.begin(), made.kept.end(), it->first) != made.kept.end();
            if (keep) {
                ++it;
                continue;
            }
            it->second->requestStop();
            ended.push_back(it->second.get());
            ending_.insert(runners_.extract(it++));
        }
    }
    for (exporting::Runner* runner : ended) runner->stop();  // waits for their batches, without the lock
    MutexLock lock(runnersMutex_);
    ending_.clear();
    for (auto& [settings, adapter] : made.fresh) {
        auto runner = newRunner(settings, std::move(adapter), config);
        runner->start();
        runners_.emplace(settings.name, std::move(runner));
    }
}

std::unique_ptr<exporting::Runner> AdapterSet::newRunner(const config::Adapter& settings,
                                                         std::shared_ptr<adapters::Adapter> adapter,
                                                         const config::Config& config) {
    exporting::RunnerOptions options;
    options.reserve = [this] { return reserve_.load(); };
    options.pollInterval = config.pollInterval;
    options.regroup = [this](const std::string& name, const std::vector<queue::RecipientRow>& recipients,
                             WallTime received) -> Result<std::vector<queue::NewItem>> {
        return router()->regroup(name, recipients, received);
    };
    return std::make_unique<exporting::Runner>(store_, notifier_, queue_, std::move(adapter), settings,
                                               options);
}

std::shared_ptr<adapters::Adapter> AdapterSet::named(const std::string& name) const {
    MutexLock lock(runnersMutex_);
    const auto found = runners_.find(name);
    return found == runners_.end() ? nullptr : found->second->adapter();
}

std::vector<disk::FolderSpace> AdapterSet::folders() const {
    std::vector<disk::FolderSpace> all;
    MutexLock lock(runnersMutex_);
    for (const auto& [name, runner] : runners_)
        if (auto space = runner->space()) all.push_back(std::move(*space));
    return all;
}

std::vector<admin::AdapterMeasures> AdapterSet::measures() const {
    std::vector<admin::AdapterMeasures> all;
    MutexLock lock(runnersMutex_);
    for (const auto& [name, runner] : runners_) {
        const exporting::Counters& counted = runner->counters();
        admin::AdapterMeasures each;
        each.adapter = name;
        each.claims = runner->claims();
        each.results = {{"exported", counted.exported}, {"deferred", counted.deferred},
                        {"failed", counted.failed},     {"held", counted.held},
                        {"in_doubt", counted.inDoubt},  {"moved", counted.moved}};
        each.claimed = counted.claimed;
        each.fenced = counted.fenced;
        each.lapsed = counted.lapsed;
        each.recovered = counted.recovered;
        each.faults = counted.faults;
        each.hinted = counted.hinted;
        each.timed = counted.timed;
        each.batchTimes = counted.batchTimes.snapshot();
        each.deliveryTimes = counted.deliveryTimes.snapshot();
        if (const auto space = runner->space()) each.volume = space->volume;
        all.push_back(std::move(each));
    }
    return all;
}

}  // namespace postern::service
