#include "connector/export/runner.h"

#include <algorithm>

#include "base/log.h"
#include "base/thread.h"
#include "connector/config/folder.h"
#include "connector/export/attending.h"
#include "queue/inspect.h"
#include "queue/operate.h"

namespace postern::exporting {

namespace {
constexpr Millis kBreath{5};
}  // namespace

Runner::Runner(store::Store& store, store::Notifier& notifier, queue::Queue& queue,
               std::shared_ptr<adapters::Adapter> adapter, config::Adapter settings, RunnerOptions options)
    : store_(store),
      notifier_(notifier),
      queue_(queue),
      clock_(queue.clock()),
      adapter_(std::move(adapter)),
      settings_(std::move(settings)),
      options_(std::move(options)),
      folder_(config::folderOf(settings_)),
      gate_(settings_.policy, clock_) {
    MutexLock lock(mutex_);
    health_.since = clock_.now();
    probeAt_ = maintainAt_ = sweepAt_ = clock_.steady();
}

Runner::~Runner() {
    stop();
}

void Runner::start() {
    lookForHold();
    recallBegun();
    for (int i = 0; i < settings_.watchers; ++i) {
        const Inbox inbox = notifier_.subscribe(settings_.name);
        auto pulse = std::make_unique<Pulse>(clock_);
        Pulse& beats = *pulse;
        watchers_.push_back(
            {inbox, std::move(pulse),
             std::jthread([this, inbox, &beats, attends = i == 0](const std::stop_token& stop) {
                 watch(stop, inbox, beats, attends);
             })});
    }
}

void Runner::lookForHold() {
    {
        MutexLock lock(holdMutex_);
        std::optional<queue::AdapterHold> found;
        const auto read = store_.read([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(holds, queue::readHolds(session));
            for (queue::AdapterHold& hold : holds)
                if (hold.adapter == settings_.name) found = std::move(hold);
            return {};
        });
        if (!read.ok()) return trouble("look for a suspension", read.error());
        gate_.setHold(std::move(found));
    }
    notifier_.notify(settings_.name);
}

// What began shortly before a restart counts against the rate.
void Runner::recallBegun() {
    if (!settings_.policy.rate) return;
    const config::Rate& rate = *settings_.policy.rate;
    const auto read = store_.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(ended, queue::endedSince(session, settings_.name, clock_.now() - rate.per, rate.count));
        gate_.remember(ended);
        return {};
    });
    if (!read.ok()) trouble("recall what began", read.error());
}

Pulse::Life Runner::life() const {
    Pulse::Life worst = Pulse::Life::Well;
    for (const Watcher& watcher : watchers_) worst = std::max(worst, watcher.pulse->look());
    return worst;
}

bool Runner::claims() const {
    return health().state == Health::State::Running && !gate_.shut();
}

void Runner::endHold() {
    bool gone = false;
    const auto written = store_.write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(released, queue::releaseExpired(session, settings_.name, clock_.now()));
        gone = released;
        return {};
    });
    if (!written.ok()) return trouble("end the adapter's suspension", written.error());
    if (gone)
        LogLine(LogEvent::AdapterReleased)
            .with("adapter", settings_.name)
            .with("who", "postern")
            .with("reason", "its time is over");
    notifier_.notify(settings_.name);
}

void Runner::requestStop() {
    for (Watcher& watcher : watchers_) {
        watcher.thread.request_stop();
        watcher.inbox->close();
    }
    adapter_->hasten();  // behind the requests: who is cut off knows why
}

void Runner::stop() {
    requestStop();
    for (Watcher& watcher : watchers_)
        if (watcher.thread.joinable()) watcher.thread.join();
}

Runner::Health Runner::health() const {
    MutexLock lock(mutex_);
    return health_;
}

void Runner::watch(const std::stop_token& stop, const Inbox& inbox, Pulse& pulse, bool attends) {
    nameThisThread("watch:" + settings_.name);
    const auto hint = [this](const std::string& adapter) { notifier_.notify(adapter); };
    const Post post{store_,          queue_, *adapter_, settings_, counters_, pulse, {options_.regroup, hint},
                    options_.reserve};
    Exporter exporter(post);
    while (!stop.stop_requested()) {
        pulse.beat();
        SteadyTime wake = clock_.steady() + options_.pollInterval;
        if (gate_.takeExpired()) endHold();
        bool standsBy = false;
        if (ensureUsable(exporter, post, stop)) {
            const auto later = notBefore(exporter.batchSize());
            standsBy = later.has_value();
            wake = later ? *later : work(exporter, post, stop);
            if (attends && claims() && !stop.stop_requested()) wake = std::min(wake, lookAfter(post, stop));
        } else {
            MutexLock lock(mutex_);
            wake = std::min(wake, busyProbing_ ? wake : probeAt_);
        }
        pulse.rest(wake);
        if (wake <= clock_.steady()) continue;
        if (standsBy)
            inbox->restUntil(wake);
        else
            ++(inbox->waitUntil(wake) ? counters_.hinted : counters_.timed);
    }
    pulse.end();
}

// What was exported may need more: an import program, answers. Result: when to look again.
SteadyTime Runner::lookAfter(const Post& post, const std::stop_token& stop) {
    const auto attended = attend(post, [&] { return stop.stop_requested(); });
    const bool unusable = attended.ok() && !attended->unusable.empty();
    {
        MutexLock lock(mutex_);
        attendFailed_ = unusable;
    }
    if (!attended.ok())
        trouble("take what came back", attended.error());
    else if (unusable)
        suspend(attended->unusable);
    else if (attended->answers > 0)
        return clock_.steady();
    return clock_.steady() + options_.pollInterval;
}

// What attend() complained of is over when attend() says so: an import program that met no post office is the
// only one to ask. Not while a person keeps the adapter back, who may be mending that post office.
bool Runner::attendsAgain(const Post& post, const std::stop_token& stop) {
    const auto failed = [this] {
        MutexLock lock(mutex_);
        return attendFailed_;
    };
    if (!failed()) return true;
    if (!gate_.shut()) {
        (void)lookAfter(post, stop);  // it reports and suspends by itself
        return !failed();
    }
    MutexLock lock(mutex_);
    probeAt_ = clock_.steady() + options_.pollInterval;
    return false;
}

// True when the adapter works. One watcher at a time looks; the others wait for its word.
bool Runner::ensureUsable(Exporter& exporter, const Post& post, const std::stop_token& stop) {
    {
        MutexLock lock(mutex_);
        if (health_.state == Health::State::Running) return true;
        if (busyProbing_ || clock_.steady() < probeAt_) return false;
        busyProbing_ = true;
    }
    const Result<void> probed = probe(post.pulse);
    const bool fine = probed.ok() && recover(exporter, true) && attendsAgain(post, stop);
    if (!probed.ok() && !stop.stop_requested()) suspend(probed.error().text);
    if (fine) resume();
    MutexLock lock(mutex_);
    busyProbing_ = false;
    return fine;
}

Result<void> Runner::probe(Pulse& pulse) {
    const Pulse::Away away(pulse);
    lookAtSpace();
    return adapter_->probe();
}

void Runner::lookAtSpace() {
    if (folder_.empty()) return;
    const auto volume = lookAtVolume(folder_);
    MutexLock lock(mutex_);
    volume_ = volume.ok() ? std::optional(*volume) : std::nullopt;  // why not, probe() says
}

std::optional<disk::FolderSpace> Runner::space() const {
    MutexLock lock(mutex_);
    if (!volume_) return std::nullopt;
    return disk::FolderSpace{settings_.name, folder_, *volume_};
}

// What the last process left is asked about once, when the adapter first works; later only lapsed leases are.
bool Runner::recover(Exporter& exporter, bool atStart) {
    {
        MutexLock lock(mutex_);
        if (recovered_) atStart = false;
    }
    const auto round = exporter.recover(atStart);
    if (!round.ok()) {
        trouble("recover", round.error());
        MutexLock lock(mutex_);
        probeAt_ = clock_.steady() + options_.pollInterval;
        return false;
    }
    if (!round->unusable.empty()) {
        suspend(round->unusable);
        return false;
    }
    if (round->claimed > 0)
        LogLine(LogEvent::ItemRecovered).with("adapter", settings_.name).with("items", round->claimed);
    MutexLock lock(mutex_);
    recovered_ = true;
    return true;
}

void Runner::rest(Pulse& pulse) {
    const Pulse::Away away(pulse);
    adapter_->idle();
}

// A watcher at work, from the claim on.
class Runner::Turn {
  public:
    explicit Turn(Runner& runner) : runner_(runner) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        MutexLock lock(runner_.mutex_);
        --runner_.atWork_;
    }

  private:
    Runner& runner_;
};

// Where a batch may be large, what comes in while another watcher has one in hand is left to him, who looks
// again behind it: two small batches cost more than one, and two watchers in one folder wait for each other's
// renames. One that takes long keeps nobody from helping. Empty: this watcher begins now, and has its turn.
std::optional<SteadyTime> Runner::notBefore(int batch) {
    const SteadyTime now = clock_.steady();
    MutexLock lock(mutex_);
    if (batch > 1 && atWork_ > 0 && now < lastBegan_ + options_.helpAfter)
        return lastBegan_ + options_.helpAfter;
    ++atWork_;
    lastBegan_ = now;
    return std::nullopt;
}

// One batch. Result: when to look again; now, when more may wait.
SteadyTime Runner::work(Exporter& exporter, const Post& post, const std::stop_token& stop) {
    const Turn turn(*this);
    const Gate::Permit permit = gate_.ask(exporter.batchSize(), options_.pollInterval);
    if (permit.items == 0) {
        rest(post.pulse);
        maintain(exporter, post.pulse);
        return std::max(permit.again, clock_.steady() + kBreath);
    }
    const auto round = exporter.exportBatch([&] { return stop.stop_requested(); }, permit.items);
    if (!round.ok()) {
        trouble("export", round.error());
        return clock_.steady() + options_.pollInterval;
    }
    // A folder that is away for an hour must not use up the rate of a day.
    gate_.giveBack(permit, permit.items - round->claimed + round->uncounted);
    if (!round->unusable.empty()) {
        // What a stop cut off says nothing about the target.
        if (!stop.stop_requested()) suspend(round->unusable);
        return clock_.steady();
    }
    if (round->claimed > 0) {
        MutexLock lock(mutex_);
        probeDelay_ = Millis(0);
        // Behind a batch that was full more waits, and every hand is wanted.
        if (round->claimed >= exporter.batchSize()) lastBegan_ = {};
    }
    maintain(exporter, post.pulse);
    if (round->claimed > 0) return clock_.steady();
    rest(post.pulse);
    return nextWake();
}

void Runner::maintain(Exporter& exporter, Pulse& pulse) {
    const SteadyTime now = clock_.steady();
    bool sweep = false;
    {
        MutexLock lock(mutex_);
        if (now < maintainAt_) return;
        maintainAt_ = now + options_.pollInterval;
        sweep = now >= sweepAt_;
        if (sweep) sweepAt_ = now + options_.sweepInterval;
    }
    {
        const Pulse::Away away(pulse);
        lookAtSpace();
    }
    (void)recover(exporter, false);  // it reports and suspends by itself
    hastenFuture();
    if (sweep) sweepLeftovers(pulse);
}

// Mail must not wait for the time that a clock had which was set back since.
void Runner::hastenFuture() {
    constexpr int kAtOnce = 500;
    {
        MutexLock lock(mutex_);
        futureOwed_ = setBack_.since(clock_) || futureOwed_;
        if (!futureOwed_) return;
    }
    Result<int> hastened = kAtOnce;
    while (hastened.ok() && *hastened == kAtOnce)
        hastened = queue::dueAfterSetBack(store_, settings_.name, clock_.now(), kAtOnce);
    if (!hastened.ok()) return trouble("look for mail of a clock that was ahead", hastened.error());
    MutexLock lock(mutex_);
    futureOwed_ = false;
}

void Runner::sweepLeftovers(Pulse& pulse) {
    const auto isOver = [this](const adapters::DeliveryKey& key) {
        bool over = false;
        const auto read = store_.read([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(needed, queue::needsArtifact(session, key.item, key.epoch));
            over = !needed;
            return {};
        });
        return read.ok() && over;  // in doubt, keep: a staged file may be the only evidence
    };
    const Pulse::Away away(pulse);
    const auto removed = adapter_->sweep(isOver);
    if (!removed.ok()) return trouble("sweep", removed.error());
    if (*removed > 0)
        LogLine(LogEvent::AdapterLeftover).with("adapter", settings_.name).with("files", *removed);
}

SteadyTime Runner::nextWake() {
    const SteadyTime poll = clock_.steady() + options_.pollInterval;
    const auto due = queue_.nextDue(settings_.name);
    if (!due.ok()) {
        trouble("look for work", due.error());
        return poll;
    }
    if (!due->has_value()) return poll;
    // What is due and was not claimed went to another watcher this moment: look again, but do not spin.
    return std::min(poll, std::max(steadyFor(**due), clock_.steady() + kBreath));
}

SteadyTime Runner::steadyFor(WallTime due) const {
    const auto left = std::max(due - clock_.now(), Millis(0));
    return clock_.steady() + left;
}

void Runner::suspend(const std::string& reason) {
    Health health;
    bool first = false;
    {
        MutexLock lock(mutex_);
        first = health_.state != Health::State::Suspended;
        if (first) health_.since = clock_.now();
        // It grows until a batch went well: a probe that succeeds proves less than a mail does.
        probeDelay_ =
            probeDelay_ == Millis(0) ? options_.firstProbe : std::min(probeDelay_ * 2, options_.longestProbe);
        first = first || health_.reason != reason;
        health_.state = Health::State::Suspended;
        health_.reason = reason;
        health_.nextProbe = clock_.now() + probeDelay_;
        probeAt_ = clock_.steady() + probeDelay_;
        health = health_;
    }
    if (first)  // equal events collapse (KB Q242944)
        LogLine(LogEvent::AdapterSuspended).with("adapter", settings_.name).with("reason", reason);
    record(health);  // each time: its next look is shown
}

void Runner::resume() {
    Health health;
    Health::State before;
    {
        MutexLock lock(mutex_);
        before = health_.state;
        health_ = Health{Health::State::Running, "", clock_.now(), std::nullopt};
        health = health_;
    }
    LogLine(before == Health::State::Suspended ? LogEvent::AdapterResumed : LogEvent::AdapterReady)
        .with("adapter", settings_.name)
        .with("what", adapter_->describe());
    record(health);
    notifier_.notify(settings_.name);  // the watchers that stood by
}

// For `postern status` while the service is down, and for people: since when, and why.
void Runner::record(const Health& health) {
    queue::AdapterState state;
    state.adapter = settings_.name;
    state.suspended = health.state == Health::State::Suspended;
    state.since = health.since;
    state.who = "postern";
    state.reason = state.suspended ? health.reason : adapter_->describe();
    state.probe = health.nextProbe;
    const auto written = store_.write(
        [state](store::WriteSession& session) { return queue::writeAdapterState(session, state); });
    if (!written.ok()) trouble("record the adapter's state", written.error());
}

void Runner::trouble(const char* step, const Error& error) {
    ++counters_.faults;
    LogLine(LogEvent::StoreTrouble)
        .with("adapter", settings_.name)
        .with("step", step)
        .with("reason", error.text);
}

}  // namespace postern::exporting
