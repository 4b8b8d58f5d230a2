#pragma once
// The watchers of one adapter: threads that wait for a hint, the next due time or a slow poll, and export
// what is due. A folder or tool that can not be used suspends this adapter loudly, and it resumes by itself
// when a probe says so; other adapters do not notice (KB Q193760, Q202178). The first watcher also looks
// after what was exported, between batches and when idle, but not while the adapter is suspended.
//
// Thread rule: start() and stop() from one thread; everything else from any.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/sync.h"
#include "connector/disk/watch.h"
#include "connector/export/exporter.h"
#include "connector/export/gate.h"
#include "queue/set_back.h"
#include "store/notifier.h"

namespace postern::exporting {

struct RunnerOptions {
    Millis pollInterval{5'000};  // I6: the most that a lost hint can delay mail
    Millis firstProbe{1'000};    // until an unusable folder is looked at again; doubles
    Millis longestProbe{60'000};
    Millis helpAfter{50};  // behind another watcher's begin, where batches may be large; 0: at once
    Millis sweepInterval{3'600'000};             // between two looks for working files nobody needs
    decltype(Elsewhere::regroup) regroup = {};   // for the fallback
    std::function<std::int64_t()> reserve = {};  // as Post::reserve; any thread
};

class Runner {
  public:
    // The references outlive the runner.
    Runner(store::Store& store, store::Notifier& notifier, queue::Queue& queue,
           std::shared_ptr<adapters::Adapter> adapter, config::Adapter settings, RunnerOptions options);
    ~Runner();  // stops

    // Returns at once. A watcher probes the folder and recovers what the last process left, before anything
    // is claimed.
    void start();
    // No new claims from now on, and no waiting for others before mail is published: what that cuts off is
    // given back. What is being published is finished.
    void requestStop();
    void stop();  // requestStop and wait for the watchers

    struct Health {
        enum class State { Starting, Running, Suspended } state = State::Starting;
        std::string reason;  // Suspended: what to mend
        WallTime since;
        std::optional<WallTime> nextProbe;
    };
    Health health() const;

    // A person suspended or resumed the adapter, and that is committed: watchers act on it at once.
    void lookForHold() EXCLUDES(holdMutex_);
    // False while nothing is claimed: not usable, suspended, or outside its send windows.
    bool claims() const;
    // Of the watcher of whom least was heard (base/pulse.h). REQUIRES: after start().
    Pulse::Life life() const;
    const config::Adapter& settings() const { return settings_; }
    const Counters& counters() const { return counters_; }
    const std::shared_ptr<adapters::Adapter>& adapter() const { return adapter_; }
    // Of its folder, as a watcher last found it: another machine's share keeps nobody else waiting.
    std::optional<disk::FolderSpace> space() const;

  private:
    using Inbox = std::shared_ptr<store::Inbox>;
    class Turn;

    void watch(const std::stop_token& stop, const Inbox& inbox, Pulse& pulse, bool attends);
    bool ensureUsable(Exporter& exporter, const Post& post, const std::stop_token& stop);
    Result<void> probe(Pulse& pulse);
    void rest(Pulse& pulse);
    bool attendsAgain(const Post& post, const std::stop_token& stop);
    SteadyTime work(Exporter& exporter, const Post& post, const std::stop_token& stop);
    std::optional<SteadyTime> notBefore(int batch);
    SteadyTime lookAfter(const Post& post, const std::stop_token& stop);
    bool recover(Exporter& exporter, bool atStart);
    void hastenFuture();
    void lookAtSpace();
    void maintain(Exporter& exporter, Pulse& pulse);
    void sweepLeftovers(Pulse& pulse);
    SteadyTime nextWake();
    SteadyTime steadyFor(WallTime due) const;
    void recallBegun();
    void endHold();
    void suspend(const std::string& reason);
    void resume();
    void record(const Health& health);
    void trouble(const char* step, const Error& error);

    store::Store& store_;
    store::Notifier& notifier_;
    queue::Queue& queue_;
    Clock& clock_;
    const std::shared_ptr<adapters::Adapter> adapter_;
    const config::Adapter settings_;
    const RunnerOptions options_;
    const std::string folder_;  // empty: it has none
    Counters counters_;
    Gate gate_;
    Mutex holdMutex_;  // one look at a time: the last one to look knows the last word

    mutable Mutex mutex_;
    Health health_ GUARDED_BY(mutex_);
    std::optional<Volume> volume_ GUARDED_BY(mutex_);
    bool busyProbing_ GUARDED_BY(mutex_) = false;
    bool recovered_ GUARDED_BY(mutex_) = false;  // what the last process left has been looked at
    Millis probeDelay_ GUARDED_BY(mutex_){0};
    SteadyTime probeAt_ GUARDED_BY(mutex_);
    bool attendFailed_ GUARDED_BY(mutex_) = false;  // probe() can not tell whether that is over
    int atWork_ GUARDED_BY(mutex_) = 0;             // watchers with a batch in hand, or claiming one
    SteadyTime lastBegan_ GUARDED_BY(mutex_);
    SteadyTime maintainAt_ GUARDED_BY(mutex_);
    SteadyTime sweepAt_ GUARDED_BY(mutex_);
    queue::SetBack setBack_ GUARDED_BY(mutex_);
    bool futureOwed_ GUARDED_BY(mutex_) = false;  // items of a clock that was ahead may still wait for it

    struct Watcher {
        Inbox inbox;
        std::unique_ptr<Pulse> pulse;
        std::jthread thread;
    };
    std::vector<Watcher> watchers_;  // last member: its threads use all the others
};

}  // namespace postern::exporting
