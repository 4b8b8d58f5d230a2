#include "connector/service/service.h"

#include <algorithm>

#include "adapters/command/runner.h"
#include "base/log.h"
#include "base/log_tap.h"
#include "base/random.h"
#include "connector/config/load.h"
#include "connector/reports/check.h"
#include "connector/version.h"
#include "queue/inspect.h"
#include "store/messages.h"

namespace postern::service {

namespace {

Failure failureFrom(const Error& error) {
    return {exitStatusFor(error), {error.text}};
}

std::vector<std::string> linesOf(const std::vector<config::Problem>& problems) {
    std::vector<std::string> lines;
    for (const config::Problem& problem : problems)
        lines.push_back(config::placeText(problem.place) + ": " + problem.text);
    return lines;
}

bool sameAdapter(const config::Adapter& a, const config::Adapter& b) {
    return config::show(a) == config::show(b);
}

// What a listener is bound with; everything else about it changes while it runs.
bool sameBinding(const config::Listener& a, const config::Listener& b) {
    return a.name == b.name && a.protocol == b.protocol && a.host == b.host && a.port == b.port &&
           a.socketPath == b.socketPath && a.socketMode == b.socketMode && a.socketOwner == b.socketOwner;
}

bool sameBindings(const std::vector<config::Listener>& a, const std::vector<config::Listener>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), sameBinding);
}

std::vector<store::Migration> allMigrations() {
    std::vector<store::Migration> all = store::messageMigrations();
    const auto& more = queue::queueMigrations();
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

std::string addressOf(const config::Listener& listener) {
    return listener.socketPath.empty() ? listener.host + ":" + std::to_string(listener.port)
                                       : listener.socketPath;
}

}  // namespace

int exitStatusFor(const Error& error) {
    switch (error.code) {
        case Errc::Busy: return 75;
        case Errc::Denied: return 77;
        case Errc::NoSpace:
        case Errc::Io:
        case Errc::Corrupt: return 74;
        case Errc::Invalid:
        case Errc::NotFound:
        case Errc::Exists: return 78;
        case Errc::Unavailable: return 69;
        default: return 70;
    }
}

Service::Service(std::string configPath, Clock& clock)
    : configPath_(std::move(configPath)), clock_(clock), started_(clock.now()) {}

Service::~Service() {
    stop();
    setLogTap({});
}

std::shared_ptr<const config::Config> Service::config() const {
    MutexLock lock(configMutex_);
    return config_;
}

std::optional<Failure> Service::start() {
    config::Loaded loaded = config::load(configPath_);
    if (!loaded.config) return Failure{78, linesOf(loaded.problems)};
    setLogLevel(loaded.config->logLevel);
    for (const std::string& line : linesOf(loaded.warnings))
        LogLine(LogEvent::ConfigWarning).with("warning", line);
    {
        MutexLock lock(configMutex_);
        config_ = std::make_shared<const config::Config>(std::move(*loaded.config));
    }
    setLogTap([this](LogEvent event, ItemId item, std::string_view line) {
        feed_.push(clock_.now(), event, item, line);
    });
    if (auto failed = openStore()) return failed;
    if (auto failed = startAdapters()) return failed;
    if (auto failed = startDoors()) return failed;
    LogLine(LogEvent::ServiceReady).with("pid", processId());
    return std::nullopt;
}

std::optional<Failure> Service::openStore() {
    const auto config = this->config();
    store::StoreOptions options;
    options.folder = config->store;
    options.migrations = allMigrations();
    options.inlineBodyLimit = config->inlineBody;
    options.onBroken = [this](const Error& error) {
        LogLine(LogEvent::StoreBroken).with("reason", error.text);
        broken_ = true;
    };
    auto opened = store::Store::open(std::move(options));
    if (!opened.ok()) return failureFrom(opened.error());
    store_ = std::move(opened).value();
    const auto swept = store::sweepBodies(*store_);
    if (!swept.ok()) return failureFrom(swept.error());
    if (*swept > 0) LogLine(LogEvent::StoreLeftover).with("bodies", *swept);

    queue::QueueOptions queueOptions;
    queueOptions.owner = randomName(16);
    queueOptions.lease = config->lease;
    queueOptions.deathLimit = config->holdAfterDeaths;
    reporter_ = std::make_unique<reports::Reporter>(*store_, notifier_);
    queueOptions.tell = [this](store::WriteSession& session, const queue::Fate& fate) {
        return reporter_->tell(session, fate);
    };
    queue_ = std::make_unique<queue::Queue>(*store_, clock_, queueOptions);
    acceptor_ = std::make_unique<intake::Acceptor>(*store_, notifier_, clock_, config->reserve);
    auto accounts = accounts::Directory::open(*store_);
    if (!accounts.ok()) return failureFrom(accounts.error());
    acceptor_->setAccounts(std::move(accounts).value());
    return std::nullopt;
}

std::optional<Failure> Service::startAdapters() {
    const auto config = this->config();
    auto made = makeAdapters(*config);
    if (!made.ok()) return failureFrom(made.error());
    auto tables = routing::readTables(*config);
    if (!tables.problems.empty()) return Failure{78, linesOf(tables.problems)};
    for (const std::string& line : linesOf(tables.warnings))
        LogLine(LogEvent::ConfigWarning).with("warning", line);
    useRoutes(*config, *made, std::move(tables.tables));
    replaceRunners(*config, std::move(*made));
    HousekeeperOptions options;
    options.retention = [this] { return this->config()->retention; };
    options.idleAdapters = [this] { return idleAdapters(); };
    options.delayAfter = [this] { return this->config()->reports.delayAfter; };
    housekeeper_ = std::make_unique<Housekeeper>(*store_, *queue_, std::move(options));
    return std::nullopt;
}

// Adapters with waiting mail that nobody exports now: suspended ones, and those that the configuration lost.
std::vector<std::string> Service::idleAdapters() {
    std::vector<std::string> idle;
    const auto read = store_->read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(counts, queue::countItems(session, false));
        for (const queue::StateCount& count : counts)
            if (count.state == queue::State::Ready) idle.push_back(count.adapter);
        return {};
    });
    if (!read.ok()) LogLine(LogEvent::StoreTrouble).with("step", "count").with("reason", read.error().text);
    MutexLock lock(runnersMutex_);
    std::erase_if(idle, [&](const std::string& name) REQUIRES(runnersMutex_) {
        const auto runner = runners_.find(name);
        return runner != runners_.end() && runner->second->claims();
    });
    return idle;
}

std::optional<Failure> Service::startDoors() {
    const auto config = this->config();
    intake_ = std::make_unique<intake::IntakeServer>(*acceptor_, clock_, config->hostname);
    if (const auto started = intake_->start(config->listeners, config->sessions); !started.ok())
        return failureFrom(started.error());
    pickups_ = std::make_unique<pickup::Station>(config->hostname, *acceptor_, clock_);
    pickups_->use(config->pickups);
    if (const auto started = startHttp(); !started.ok()) return failureFrom(started.error());
    // Behind the others: a command may ask for their facts at once.
    control_ = std::make_unique<admin::ControlServer>(
        config->controlSocket,
        [this](const admin::Request& request, admin::ByteStream& body, const admin::RowSink& row) {
            return admin::runCommand(view(), admin::Role::Admin, request, body, row);
        },
        clock_);
    if (const auto started = control_->start(); !started.ok()) return failureFrom(started.error());
    return std::nullopt;
}

Result<void> Service::startHttp() {
    const config::Http wanted = config()->http;
    if (wanted.address.empty()) return {};
    POSTERN_LET(directory, accounts::Directory::open(*store_));
    directory_ = std::move(directory);
    logins_ = std::make_unique<http::Logins>(*directory_, clock_);
    site_ = std::make_unique<http::OperatorSite>(
        http::SiteOptions{wanted.anonymous == config::Anonymous::Look, wanted.hosts},
        [this] { return view(); }, *logins_);
    http_ = std::make_unique<http::HttpServer>(
        http::ServerOptions{wanted.host, wanted.port, wanted.socketPath}, *site_);
    if (const auto started = http_->start(); !started.ok())
        return started.error().within(config::placeText(wanted.place) + ": [http]");
    httpPlace_ =
        wanted.socketPath.empty() ? wanted.host + ":" + std::to_string(http_->port()) : wanted.socketPath;
    LogLine(LogEvent::ListenerOpened).with("listener", "http").with("address", httpPlace_);
    return {};
}

Result<Service::Made> Service::makeAdapters(const config::Config& config) {
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
        auto adapter =
            kind->make({settings.name, config.hostname, store_->id(), Guards{}, adapters::installedRunner()},
                       settings.settings);
        if (!adapter.ok())
            return adapter.error().within(config::placeText(settings.place) + ": adapter " + settings.name);
        made.fresh.emplace_back(settings, std::move(adapter).value());
    }
    return made;
}

// The router and the adapters it asks live and die together; sessions hold them by one pointer.
void Service::useRoutes(const config::Config& config, const Made& made,
                        std::vector<routing::NamedTable> tables) {
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
    const std::shared_ptr<const routing::Router> router(routing, &*routing->router);
    {
        MutexLock lock(routerMutex_);
        router_ = router;
    }
    acceptor_->setRouter(router);
    reporter_->use(router, config);
    config::Findings findings;
    reports::checkReports(config, *router, findings);
    for (const auto* found : {&findings.problems, &findings.warnings})
        for (const std::string& line : linesOf(*found))
            LogLine(LogEvent::ConfigWarning).with("warning", line);
}

// Old watchers end before new ones of the same name begin: two never work in one folder.
void Service::replaceRunners(const config::Config& config, Made made) {
    Runners ended;
    {
        MutexLock lock(runnersMutex_);
        for (auto it = runners_.begin(); it != runners_.end();) {
            const bool keep = std::find(made.kept.begin(), made.kept.end(), it->first) != made.kept.end();
            if (keep) {
                ++it;
                continue;
            }
            it->second->requestStop();
            ended.insert(runners_.extract(it++));
        }
    }
    ended.clear();  // waits for their batches, without the lock
    MutexLock lock(runnersMutex_);
    for (auto& [settings, adapter] : made.fresh) {
        auto runner = newRunner(settings, std::move(adapter), config);
        runner->start();
        runners_.emplace(settings.name, std::move(runner));
    }
}

std::unique_ptr<exporting::Runner> Service::newRunner(const config::Adapter& settings,
                                                      std::shared_ptr<adapters::Adapter> adapter,
                                                      const config::Config& config) {
    exporting::RunnerOptions options;
    options.pollInterval = config.pollInterval;
    options.regroup = [this](const std::string& name, const std::vector<queue::RecipientRow>& recipients,
                             WallTime received) -> Result<std::vector<queue::NewItem>> {
        std::shared_ptr<const routing::Router> router;
        {
            MutexLock lock(routerMutex_);
            router = router_;
        }
        return router->regroup(name, recipients, received);
    };
    return std::make_unique<exporting::Runner>(*store_, notifier_, *queue_, std::move(adapter), settings,
                                               options);
}

admin::Reloaded Service::reload() {
    MutexLock oneAtATime(reloadMutex_);
    admin::Reloaded reloaded;
    config::Loaded loaded = config::load(configPath_);
    reloaded.problems = loaded.problems;
    reloaded.warnings = loaded.warnings;
    auto tables = loaded.config ? routing::readTables(*loaded.config) : routing::Tables();
    std::move(tables.problems.begin(), tables.problems.end(), std::back_inserter(reloaded.problems));
    std::move(tables.warnings.begin(), tables.warnings.end(), std::back_inserter(reloaded.warnings));
    if (reloaded.problems.empty()) {
        auto made = makeAdapters(*loaded.config);
        if (made.ok()) {
            const auto before = config();
            const auto after = std::make_shared<const config::Config>(std::move(*loaded.config));
            reloaded.notes = notesAbout(*before, *after);
            {
                MutexLock lock(configMutex_);
                config_ = after;
            }
            setLogLevel(after->logLevel);
            useRoutes(*after, *made, std::move(tables.tables));
            replaceRunners(*after, std::move(*made));
            if (pickups_) pickups_->use(after->pickups);
            reloaded.done = true;
            LogLine(LogEvent::ConfigReloaded)
                .with("routes", static_cast<std::int64_t>(after->routes.size()))
                .with("adapters", static_cast<std::int64_t>(after->adapters.size()));
        } else {
            reloaded.problems.push_back({{configPath_, 0, 0}, made.error().text});
        }
    }
    for (const std::string& line : linesOf(reloaded.warnings))
        LogLine(LogEvent::ConfigWarning).with("warning", line);
    for (const std::string& line : linesOf(reloaded.problems))
        LogLine(LogEvent::ConfigRejected).with("problem", line);
    if (reloaded.done) reloadDoors(*config(), reloaded);
    return reloaded;
}

void Service::reloadDoors(const config::Config& config, admin::Reloaded& into) {
    if (!intake_) return;
    const auto found = intake_->reload(config.listeners, config.sessions);
    for (const std::string& line : linesOf(found.warnings))
        LogLine(LogEvent::ConfigWarning).with("warning", line);
    for (const std::string& line : linesOf(found.problems))
        LogLine(LogEvent::TlsUnavailable).with("error", line);
    into.problems.insert(into.problems.end(), found.problems.begin(), found.problems.end());
    into.warnings.insert(into.warnings.end(), found.warnings.begin(), found.warnings.end());
}

std::vector<std::string> Service::notesAbout(const config::Config& before,
                                             const config::Config& after) const {
    std::vector<std::string> notes;
    const auto note = [&](bool changed, const char* what) {
        if (changed) notes.push_back(std::string(what) + ": the change takes effect at the next start");
    };
    note(before.store != after.store, "store");
    note(before.hostname != after.hostname, "hostname");
    note(before.controlSocket != after.controlSocket, "control_socket");
    note(before.lease != after.lease, "lease");
    note(before.holdAfterDeaths != after.holdAfterDeaths, "hold_after_deaths");
    note(before.pollInterval != after.pollInterval, "poll_interval");
    note(before.reserve != after.reserve, "reserve");
    note(before.inlineBody != after.inlineBody, "inline_body");
    note(before.http.address != after.http.address || before.http.anonymous != after.http.anonymous ||
             before.http.hosts != after.http.hosts,
         "[http]");
    note(!sameBindings(before.listeners, after.listeners), "listener addresses and sockets");
    return notes;
}

void Service::stop() {
    if (!store_) return;
    const SteadyTime deadline = clock_.steady() + config()->stopLimit;
    if (intake_) intake_->stopAccepting();
    {
        MutexLock lock(runnersMutex_);
        for (auto& [name, runner] : runners_) runner->requestStop();
    }
    if (pickups_) pickups_->stop();
    if (intake_) intake_->stop(deadline);
    feed_.stop();
    if (http_) http_->stop();
    control_.reset();
    http_.reset();
    site_.reset();
    pickups_.reset();
    housekeeper_.reset();
    Runners ended;
    {
        MutexLock lock(runnersMutex_);
        ended.swap(runners_);
    }
    ended.clear();
    intake_.reset();
    acceptor_.reset();
    queue_.reset();
    store_.reset();  // what it still has to say, it says while the reporter lives
    reporter_.reset();
}

std::optional<Failure> Service::failure() const {
    if (!broken_) return std::nullopt;
    return Failure{
        74,
        {"the store refuses further writes after a failed commit or sync; check the disk, then start again"}};
}

std::shared_ptr<adapters::Adapter> Service::adapterNamed(const std::string& name) const {
    MutexLock lock(runnersMutex_);
    const auto found = runners_.find(name);
    return found == runners_.end() ? nullptr : found->second->adapter();
}

admin::ServiceView Service::view() {
    return admin::ServiceView{*store_,
                              notifier_,
                              clock_,
                              *acceptor_,
                              [this] { return config(); },
                              [this](const std::string& name) { return adapterNamed(name); },
                              [this] { return reload(); },
                              [this] { return facts(); },
                              queue_->options().tell,
                              [this](const std::string& name) {
                                  MutexLock lock(runnersMutex_);
                                  const auto runner = runners_.find(name);
                                  if (runner != runners_.end()) runner->second->lookForHold();
                              },
                              &feed_,
                              [this] { return measures(); },
                              [this] {
                                  MutexLock lock(routerMutex_);
                                  return router_;
                              }};
}

std::vector<admin::AdapterMeasures> Service::measures() const {
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
        all.push_back(std::move(each));
    }
    return all;
}

admin::Record Service::facts() const {
    admin::Record record;
    record.add("version", kVersion).add("pid", processId()).add("started", started_);
    const auto sessions = intake_ ? intake_->counters() : intake::IntakeCounters{};
    record.add("sessions", sessions.open)
        .add("sessions_total", sessions.accepted)
        .add("sessions_refused", sessions.refused)
        .add("tls_failed", sessions.tlsFailed);
    const auto commits = store_->counters();
    record.add("commits", commits.commits)
        .add("commit_requests", commits.works)
        .add("checkpoints", commits.checkpoints);
    if (!httpPlace_.empty()) record.add("http", httpPlace_);
    if (intake_)
        for (const config::Listener& listener : intake_->bound())
            record.add("listener_" + listener.name, addressOf(listener));
    return record;
}

}  // namespace postern::service
