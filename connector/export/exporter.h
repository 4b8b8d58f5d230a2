#pragma once
// One batch of one adapter through claim, stage, mark, publish and settle. The order is the exactly-once
// protocol; adapters/adapter.h and docs/STATES.md say why it holds at every crash.
//
// Thread rule: an Exporter belongs to one watcher thread.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "base/histogram.h"
#include "base/pulse.h"
#include "connector/config/config.h"
#include "queue/queue.h"
#include "store/messages.h"
#include "store/store.h"

namespace postern::exporting {

// Counted since start, shared by the watchers of one adapter.
struct Counters {
    std::atomic<std::int64_t> claimed{0}, exported{0}, deferred{0}, failed{0}, held{0}, inDoubt{0};
    std::atomic<std::int64_t> moved{0};             // to the fallback adapter
    std::atomic<std::int64_t> fenced{0};            // our claim was gone when we came back to it
    std::atomic<std::int64_t> recovered{0};         // interrupted attempts brought to a known state
    std::atomic<std::int64_t> faults{0};            // unexpected errors of a watcher
    std::atomic<std::int64_t> lapsed{0};            // leases that were over
    std::atomic<std::int64_t> hinted{0}, timed{0};  // wake-ups: by a hint, and by the clock
    Histogram batchTimes;     // from the claim of a batch to its end, batches with something in them
    Histogram deliveryTimes;  // from the moment a mail came in to its export; not of what recovery found
};

// What the fallback needs of the world. Empty functions: there is no fallback.
struct Elsewhere {
    // Recipients as items of another adapter, with its grouping and its names.
    std::function<Result<std::vector<queue::NewItem>>(
        const std::string& adapter, const std::vector<queue::RecipientRow>& recipients, WallTime received)>
        regroup;
    std::function<void(const std::string& adapter)> hint;  // it has new items
};

// What an Exporter works on; all of it outlives the Exporter.
struct Post {
    store::Store& store;
    queue::Queue& queue;
    adapters::Adapter& adapter;
    const config::Adapter& settings;
    Counters& counters;
    Pulse& pulse;  // of the thread that works
    Elsewhere elsewhere = {};
    std::function<std::int64_t()> reserve = {};  // bytes of the store's volume that copies leave free
};

// What a round came to.
struct Round {
    int claimed = 0;       // items taken; by recover(): brought to a known state
    int uncounted = 0;     // of them, those whose attempt was none: the adapter was to blame
    std::string unusable;  // set: the adapter can not work now, and why; its items are ready again
};

class Exporter {
  public:
    explicit Exporter(const Post& post) : post_(post) {}
    ~Exporter();

    // The most items of one batch.
    int batchSize() const;

    // Takes up to `most` due items and brings each to the end of an attempt. An Error is the store's: what
    // was claimed lapses. `stopping` is asked before the batch is staged: true gives the claims back; and
    // after it: no more copies, and what was cut off is given back.
    Result<Round> exportBatch(const std::function<bool()>& stopping, int most);

    // Asks the adapter about attempts whose holder is gone and settles them (I5). With `atStart`, all that
    // another process held; otherwise those whose lease is over.
    Result<Round> recover(bool atStart);

  private:
    struct Work;
    using Works = std::vector<Work>;

    void load(Works& works);
    void loadOne(store::ReadSession& session, Work& work);
    void stage(Works& works, const std::function<void()>& beat);
    void capture(Works& works, const std::function<bool()>& stopping, const std::function<void()>& beat);
    Result<void> mark(Works& works);
    void publish(Works& works, const std::function<void()>& beat);
    Result<void> giveBackCutOff(Works& works);
    void askAbout(Work& work);
    void noteUnanswered(const Work& work, const std::string& why);
    void reportDoubted(const queue::Lapsed& lapsed);
    adapters::Recovery ask(const Work& work);
    Result<Round> settle(Works& works);
    std::function<void()> heartbeat(const std::vector<queue::Claim>& claims);
    void blame(Work& work);
    static void keepFromBackup(Work& work);
    bool wantsFallback(const Work& work) const;
    void moveToFallback(const Work& work);
    void report(const queue::Settlement& settlement, const Work& work);

    Post post_;
    std::int64_t captured_ = 0;  // bytes of copies since the last look at their limit
};

}  // namespace postern::exporting
