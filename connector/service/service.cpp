#include "connector/service/service.h"

#include <algorithm>

#include "base/log.h"
#include "base/log_tap.h"
#include "base/random.h"
#include "connector/config/load.h"
#include "connector/export/capture.h"
#include "connector/reports/check.h"
#include "connector/version.h"
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

// What a listener is bound with; everything else about it changes while it runs.
bool sameBinding(const config::Listener& a, const config::Listener& b) {
    return a.name == b.name && a.protocol == b.protocol && a.host == b.host && a.port == b.port &&
           a.socketPath == b.socketPath && a.socketMode == b.socketMode && a.socketOwner == b.socketOwner;
}

bool sameBindings(const std::vector<config::Listener>& a, const std::vector<config::Listener>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), sameBinding);
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
    return all;
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
        startedWith_ = config_;
    }
    tapLog(nullptr, nullptr);
    if (auto failed = openStore()) return failed;
    if (auto failed = startAdapters()) return failed;
    if (auto failed = startDoors()) return failed;
    LogLine(LogEvent::ServiceReady).with("pid", processId());
    return std::nullopt;
}

// What was committed is logged behind it: a line is the hint that there may be an event.
void Service::tapLog(webhooks::Follower* follower, ChatDoor* chat) {
    setLogTap([this, follower, chat](LogEvent event, ItemId item, std::string_view line) {
        feed_.push(clock_.now(), event, item, line);
        if (follower != nullptr) follower->hint();
        if (chat != nullptr) chat->hint();
    });
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
    acceptor_ = std::make_unique<intake::Acceptor>(*store_, notifier_, clock_,
                                                   disk::Limits{config->reserve, config->warnBelow});
    auto accounts = accounts::Directory::open(*store_);
    if (!accounts.ok()) return failureFrom(accounts.error());
    acceptor_->setAccounts(std::move(accounts).value());
    return std::nullopt;
}

std::optional<Failure> Service::startAdapters() {
    const auto config = this->config();
    adapters_ = std::make_unique<AdapterSet>(
        *store_, notifier_, *queue_,
        [this](const auto& inForce, const auto& router) {
            acceptor_->setRouter(router);
            reporter_->use(router, inForce);
        },
        [here = here_](std::string_view account) { return here->has(account); });
    auto made = adapters_->make(*config);
    if (!made.ok()) return failureFrom(made.error());
    auto tables = routing::readTables(*config);
    if (!tables.problems.empty()) return Failure{78, linesOf(tables.problems)};
    for (const std::string& line : linesOf(tables.warnings))
        LogLine(LogEvent::ConfigWarning).with("warning", line);
    if (const auto followed = startFollower(*config); !followed.ok()) return failureFrom(followed.error());
    useAdapters(*config, std::move(*made), std::move(tables.tables));
    HousekeeperOptions options;
    options.retention = [this] { return this->config()->retention; };
    options.idleAdapters = [this] { return idleAdapters(); };
    options.delayAfter = [this] { return this->config()->reports.delayAfter; };
    options.pruneCaptured = [this] {
        return exporting::pruneAllCaptured(store_->folder(), *this->config(), clock_.now());
    };
    housekeeper_ = std::make_unique<Housekeeper>(*store_, *queue_, std::move(options));
    disk_ = std::make_unique<disk::Watch>(acceptor_->room(), store_->ballast(), clock_,
                                          disk::WatchOptions{[this] { return this->config()->ballast; },
                                                             [this] { return adapters_->folders(); }});
    return std::nullopt;
}

void Service::useAdapters(const config::Config& config, AdapterSet::Made made,
                          std::vector<routing::NamedTable> tables) {
    adapters_->use(config, std::move(made), std::move(tables));
    const auto router = adapters_->router();
    config::Findings findings;
    reports::checkReports(config, *router, findings);
    for (const auto* found : {&findings.problems, &findings.warnings})
        for (const std::string& line : linesOf(*found))
            LogLine(LogEvent::ConfigWarning).with("warning", line);
}

std::vector<std::string> Service::idleAdapters() const {
    auto idle = adapters_->idle();
    if (idle.ok()) return std::move(idle).value();
    LogLine(LogEvent::StoreTrouble).with("step", "count").with("reason", idle.error().text);
    return {};
}

// Before the adapters run: what they meet first is an event too.
Result<void> Service::startFollower(const config::Config& config) {
    follower_ = std::make_unique<webhooks::Follower>(
        *store_, notifier_, clock_,
        webhooks::FollowerOptions{{config.hostname, store_->id()}, config.pollInterval});
    POSTERN_TRY(follower_->use(webhooks::hooksOf(config)));
    tapLog(follower_.get(), nullptr);
    return {};
}

std::optional<Failure> Service::startDoors() {
    const auto config = this->config();
    intake_ = std::make_unique<intake::IntakeServer>(*acceptor_, clock_, config->hostname);
    if (const auto started = intake_->start(config->listeners, config->sessions); !started.ok())
        return failureFrom(started.error());
    pickups_ = std::make_unique<pickup::Station>(config->hostname, *acceptor_, clock_);
    pickups_->use(config->pickups);
    chat_ = std::make_unique<ChatDoor>(
        *store_, clock_, feed_, [this] { return view(); }, here_);
    if (const auto started = startHttp(); !started.ok()) return failureFrom(started.error());
    tapLog(follower_.get(), chat_.get());
    {
        MutexLock oneAtATime(reloadMutex_);  // HTTP is open: somebody may reload already
        chat_->open(*this->config());
        for (const std::string& line : linesOf(chat_->warnings(*this->config())))
            LogLine(LogEvent::ConfigWarning).with("warning", line);
    }
    // Behind the others: a command may ask for their facts at once.
    control_ = std::make_unique<admin::ControlServer>(
        config->controlSocket,
        [this](const admin::Request& request, admin::ByteStream& body, const admin::RowSink& row) {
            // Others got in by the socket's group: they run the queue, and change neither it nor accounts.
            const auto role = request.master ? admin::Role::Admin : admin::Role::Operator;
            return admin::runCommand(view(), role, request, body, row);
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
        auto made = adapters_->make(*loaded.config);
        if (made.ok()) {
            const auto after = std::make_shared<const config::Config>(std::move(*loaded.config));
            reloaded.notes = notesAbout(*startedWith_, *after);
            {
                MutexLock lock(configMutex_);
                config_ = after;
            }
            setLogLevel(after->logLevel);
            acceptor_->room().setLimits({after->reserve, after->warnBelow});
            if (const auto used = follower_->use(webhooks::hooksOf(*after)); !used.ok())
                LogLine(LogEvent::StoreTrouble).with("step", "webhooks").with("reason", used.error().text);
            useAdapters(*after, std::move(*made), std::move(tables.tables));
            if (pickups_) pickups_->use(after->pickups);
            if (housekeeper_) housekeeper_->lookNow();
            reloaded.done = true;
        } else {
            reloaded.problems.push_back({{configPath_, 0, 0}, made.error().text});
        }
    }
    for (const std::string& line : linesOf(reloaded.warnings))
        LogLine(LogEvent::ConfigWarning).with("warning", line);
    for (const std::string& line : linesOf(reloaded.problems))
        LogLine(LogEvent::ConfigRejected).with("problem", line);
    if (!reloaded.done) return reloaded;
    const auto after = config();
    reloadDoors(*after, reloaded);
    LogLine line(LogEvent::ConfigReloaded);
    line.with("routes", static_cast<std::int64_t>(after->routes.size()))
        .with("adapters", static_cast<std::int64_t>(after->adapters.size()));
    std::vector<std::string> refused;  // by a door, which is as it was
    for (const config::Problem& problem : reloaded.problems) refused.push_back(problem.text);
    if (!refused.empty()) line.with("but", joined(refused));
    // Who asked by a signal reads it here only.
    if (!reloaded.notes.empty()) line.with("note", joined(reloaded.notes));
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
    if (!chat_) return;
    const auto chat = chat_->reload(config), odd = chat_->warnings(config);
    into.problems.insert(into.problems.end(), chat.begin(), chat.end());
    for (const std::string& line : linesOf(odd)) LogLine(LogEvent::ConfigWarning).with("warning", line);
    into.warnings.insert(into.warnings.end(), odd.begin(), odd.end());
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
    requestStop();
    if (pickups_) pickups_->stop();
    if (intake_) intake_->stop(deadline);
    feed_.stop();
    if (http_) http_->stop();
    control_.reset();
    http_.reset();
    site_.reset();
    tapLog(follower_.get(), nullptr);
    if (chat_) chat_->close();  // its orders look at us through view(), and at chat_ itself
    chat_.reset();
    pickups_.reset();
    disk_.reset();
    housekeeper_.reset();
    adapters_.reset();
    tapLog(nullptr, nullptr);
    follower_.reset();
    intake_.reset();
    acceptor_.reset();
    queue_.reset();
    store_.reset();  // what it still has to say, it says while the reporter lives
    reporter_.reset();
}

void Service::requestStop() {
    if (intake_) intake_->stopAccepting();
    if (adapters_) adapters_->requestStop();
}

Service::Life Service::life() const {
    Life life;
    const auto add = [&](const std::string& name, bool stuck) {
        life.missing += (life.missing.empty() ? "" : ", ") + name;
        life.stuck = life.stuck || stuck;
    };
    if (intake_ && intake_->stuck()) add("the listeners", true);
    // Named, and no reason for a restart: the mail goes on without it.
    if (chat_ && chat_->stuck()) add("the chat", false);
    if (adapters_)
        for (const auto& [name, how] : adapters_->unwell()) add("adapter " + name, how == Pulse::Life::Stuck);
    return life;
}

std::optional<Failure> Service::failure() const {
    if (!broken_) return std::nullopt;
    return Failure{
        74,
        {"the store refuses further writes after a failed commit or sync; check the disk, then start again"}};
}

admin::ServiceView Service::view() {
    return admin::ServiceView{
        *store_,
        notifier_,
        clock_,
        *acceptor_,
        [this] { return config(); },
        [this](const std::string& name) { return adapters_->named(name); },
        [this] { return reload(); },
        [this] { return facts(); },
        queue_->options().tell,
        [this](const std::string& name) { adapters_->lookForHold(name); },
        &feed_,
        [this] { return adapters_->measures(); },
        [this] { return adapters_->router(); },
        [this] { return pickups_ ? pickups_->troubles() : std::map<std::string, Error>{}; },
        [this] { return disk_ ? disk_->overview() : disk::Overview{}; },
        [this] { return chat_ ? chat_->state() : admin::ChatState{}; }};
}

admin::Record Service::facts() const {
    admin::Record record;
    record.add("version", kVersion).add("pid", processId()).add("started", started_);
    const auto sessions = intake_ ? intake_->counters() : intake::IntakeCounters{};
    record.add("sessions", sessions.open)
        .add("sessions_total", sessions.accepted)
        .add("sessions_refused", sessions.refused)
        .add("tls_failed", sessions.tlsFailed + (chat_ ? chat_->tlsFailed() : 0));
    const auto commits = store_->counters();
    record.add("commits", commits.commits)
        .add("commit_requests", commits.works)
        .add("checkpoints", commits.checkpoints);
    if (!httpPlace_.empty()) record.add("http", httpPlace_);
    if (const admin::ChatState chat = chat_ ? chat_->state() : admin::ChatState{}; !chat.places.empty())
        record.add("chat", chat.places).add("chat_clients", chat.clients).add("chat_barred", chat.barred);
    if (intake_)
        for (const config::Listener& listener : intake_->bound())
            record.add("listener_" + listener.name, addressOf(listener));
    return record;
}

}  // namespace postern::service
