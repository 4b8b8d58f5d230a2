#include "connector/service/housekeeper.h"

#include "base/log.h"
#include "base/thread.h"
#include "queue/operate.h"
#include "store/messages.h"

namespace postern::service {

namespace {
constexpr int kBatch = 200;  // messages per commit: short enough that no mail waits for it
}

Housekeeper::Housekeeper(store::Store& store, queue::Queue& queue, HousekeeperOptions options)
    : store_(store), queue_(queue), options_(std::move(options)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Housekeeper::~Housekeeper() {
    thread_.request_stop();
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notifyAll();
}

void Housekeeper::lookNow() {
    MutexLock lock(mutex_);
    asked_ = true;
    wake_.notifyAll();
}

void Housekeeper::run(const std::stop_token& stop) {
    nameThisThread("housekeeper");
    for (;;) {
        {
            MutexLock lock(mutex_);
            const SteadyTime next = queue_.clock().steady() + options_.interval;
            while (!stopping_ && !asked_ && queue_.clock().steady() < next) wake_.waitUntil(mutex_, next);
            if (stopping_) return;
            asked_ = false;
        }
        const auto purged = runOnce(stop);
        if (!purged.ok())
            LogLine(LogEvent::StoreTrouble).with("step", "purge").with("reason", purged.error().text);
        else if (*purged > 0)
            LogLine(LogEvent::StorePurged).with("messages", *purged);
    }
}

Result<std::int64_t> Housekeeper::runOnce(const std::stop_token& stop) {
    for (const std::string& adapter : options_.idleAdapters()) {
        POSTERN_TRY(freeClaimed(adapter, stop));
        while (!stop.stop_requested()) {
            POSTERN_LET(failed, queue_.failExpired(adapter, kBatch));
            for (const ItemId item : failed)
                LogLine(LogEvent::ItemFailed, item)
                    .with("adapter", adapter)
                    .with("reason", "it reached its maximum age");
            if (failed.empty()) break;
        }
    }
    if (const auto told = tellDelays(stop); !told.ok())  // the purge goes on
        LogLine(LogEvent::StoreTrouble).with("step", "delays").with("reason", told.error().text);
    const auto pruned = options_.pruneCaptured ? options_.pruneCaptured() : Result<int>(0);
    if (!pruned.ok())
        LogLine(LogEvent::StoreTrouble).with("step", "captured").with("reason", pruned.error().text);
    std::int64_t total = 0;
    while (!stop.stop_requested()) {
        POSTERN_LET(purged, purgeBatch());
        total += purged;
        if (purged < kBatch) break;
    }
    return total;
}

Result<void> Housekeeper::freeClaimed(const std::string& adapter, const std::stop_token& stop) {
    int freed = kBatch;
    std::int64_t total = 0;
    while (freed == kBatch && !stop.stop_requested()) {
        POSTERN_LET(some, queue_.freeClaimed(adapter, kBatch));
        freed = some;
        total += freed;
    }
    if (total > 0) LogLine(LogEvent::ItemRecovered).with("adapter", adapter).with("items", total);
    return {};
}

Result<void> Housekeeper::tellDelays(const std::stop_token& stop) {
    const Millis after = options_.delayAfter ? options_.delayAfter() : Millis{0};
    if (after == Millis{0}) return {};
    while (!stop.stop_requested()) {
        POSTERN_LET(more, queue_.tellDelays(delaysTold_, after, kBatch));
        if (!more) break;
    }
    return {};
}

Result<std::int64_t> Housekeeper::purgeBatch() {
    const WallTime before = queue_.clock().now() - options_.retention();
    std::vector<std::string> files;
    std::int64_t purged = 0;
    POSTERN_TRY(store_.write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(count, queue::purgeSettled(session, before, kBatch, files));
        purged = count;
        return {};
    }));
    // After the commit: a file without its row is swept at the next start, a row without its file would be a
    // loss.
    POSTERN_TRY(store::removeBodyFiles(store_.folder(), files));
    return purged;
}

}  // namespace postern::service
