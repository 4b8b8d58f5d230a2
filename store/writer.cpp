// Group commit. The order that matters: run under savepoints, COMMIT (which syncs), only then answer (I1).
//
// Diagnostics: store.broken (fatal: nothing is written any more), store.full (once until it heals),
// store.trouble (a housekeeping step failed and will be tried again).

#include "store/writer.h"

#include <algorithm>
#include <exception>

#include "base/log.h"
#include "base/thread.h"

namespace postern::store {

namespace {

constexpr Millis kLongPause{60'000};
constexpr Millis kBetweenSteps{20};
constexpr std::int64_t kFewFreePages = 1024;  // 8 MiB: they will be used again

constexpr std::string_view kCommit = "commit";

Error refusal(const Error& cause) {
    return fail(Errc::Io, "the store takes no more writes since a disk error: " + cause.text);
}

}  // namespace

Writer::Writer(std::unique_ptr<SqliteWriter> engine, WriterOptions options)
    : engine_(std::move(engine)),
      options_(std::move(options)),
      pause_(options_.idle),
      foldAt_(options_.checkpointBytes) {}

Writer::~Writer() {
    stop();
}

void Writer::start() {
    thread_ = std::jthread([this] {
        nameThisThread("store-writer");
        loop();
    });
}

void Writer::stop() {
    if (!thread_.joinable()) return;
    {
        MutexLock lock(mutex_);
        stopping_ = true;
        condition_.notifyOne();
    }
    thread_.join();
}

void Writer::submit(Store::Work work, Store::Done done) {
    MutexLock lock(mutex_);
    waiting_.push_back(Job{std::move(work), std::move(done), {}});
    if (!asleep_) return;
    asleep_ = false;
    condition_.notifyOne();
}

void Writer::foldSoon() {
    foldAsked_ = true;
    MutexLock lock(mutex_);
    if (!asleep_) return;
    asleep_ = false;
    condition_.notifyOne();
}

bool Writer::isWriterThread() const {
    return std::this_thread::get_id() == thread_.get_id();
}

StoreCounters Writer::counters() const {
    return StoreCounters{commits_.load(), works_.load(), checkpoints_.load(), logBytes_.load(),
                         commitTimes_.snapshot()};
}

void Writer::loop() {
    std::vector<Job> jobs;
    while (take(jobs)) {
        const bool asked = foldAsked_.exchange(false);
        if (jobs.empty()) {
            keepHouse();
        } else {
            if (asked && !broken()) foldLog(Fold::Empty);
            runAll(jobs);
        }
    }
    if (broken())
        engine_->leaveLogOnClose();
    else
        foldLog(Fold::Empty);
}

bool Writer::take(std::vector<Job>& jobs) {
    jobs.clear();
    MutexLock lock(mutex_);
    const SteadyTime deadline = std::chrono::steady_clock::now() + pause_;
    while (waiting_.empty() && !foldAsked_) {
        if (stopping_) return false;
        asleep_ = true;
        if (!condition_.waitUntil(mutex_, deadline)) break;
    }
    asleep_ = false;
    jobs.swap(waiting_);
    return true;
}

void Writer::runAll(std::vector<Job>& jobs) {
    pause_ = options_.idle;
    Jobs rest(jobs);
    while (!rest.empty()) {
        const auto most = std::min(rest.size(), static_cast<std::size_t>(std::max(1, options_.groupLimit)));
        const std::size_t ran = runGroup(rest.first(most));
        logBytes_ = engine_->unfoldedBytes();  // whoever has an answer sees what it cost
        answer(rest.first(ran));
        rest = rest.subspan(ran);
        if (engine_->unfoldedBytes() > foldAt_) foldLog(Fold::Keep);
    }
}

// Result: how many of `jobs` have their result now. The others did not run.
std::size_t Writer::runGroup(Jobs jobs) {
    const auto refuse = [&](const Error& error) {
        for (Job& job : jobs) job.result = error;
        return jobs.size();
    };
    if (broken()) return refuse(refusal(brokenBy_));
    if (const Result<void> begun = engine_->begin(); !begun.ok()) {
        onTrouble(begun.error(), "begin");
        return refuse(broken() ? refusal(brokenBy_) : begun.error());
    }
    const std::size_t ran = runWorks(jobs);
    finishGroup(jobs.first(ran));
    return ran;
}

// Stops early when the engine gave the transaction up: those behind did not run and get one of their own.
std::size_t Writer::runWorks(Jobs jobs) {
    std::size_t ran = 0;
    for (Job& job : jobs) {
        ++ran;
        job.result = runWork(job);
        if (!engine_->inTransaction() || engine_->damage()) break;
    }
    return ran;
}

Result<void> Writer::runWork(Job& job) {
    POSTERN_TRY(engine_->run("SAVEPOINT work"));
    Result<void> result;
    try {
        result = job.work(*engine_);
    } catch (const std::exception& e) {
        result = fail(Errc::Internal, std::string("a write threw an exception: ") + e.what());
    } catch (...) {
        result = fail(Errc::Internal, "a write threw an exception");
    }
    if (!engine_->inTransaction()) return result;
    if (!result.ok()) {
        const auto undone = engine_->run("ROLLBACK TO work");
        // What it changed can not be taken out any more, so none of the group may be committed.
        if (!undone.ok()) engine_->abandon(undone.error());
        if (!undone.ok()) return result;
    }
    const auto released = engine_->run("RELEASE work");
    if (result.ok() && !released.ok()) return released.error();
    return result;
}

void Writer::finishGroup(Jobs jobs) {
    const auto good = std::count_if(jobs.begin(), jobs.end(), [](const Job& job) { return job.result.ok(); });
    Result<void> committed;
    const auto begun = std::chrono::steady_clock::now();
    if (engine_->damage()) {
        committed = *engine_->damage();
    } else if (!engine_->inTransaction()) {
        committed = engine_->whyRolledBack();
    } else if (good > 0) {
        committed = engine_->commit();
    }
    engine_->rollback();
    if (committed.ok()) {
        if (good == 0) return;
        commitTimes_.observe(std::chrono::steady_clock::now() - begun);
        commits_.fetch_add(1);
        works_.fetch_add(good);
        fullTold_ = false;
        return;
    }
    onTrouble(committed.error(), kCommit);
    // Whatever part of it reached the log must not be found there after a crash.
    if (!broken()) foldLog(Fold::Empty);
    for (Job& job : jobs)
        if (job.result.ok()) job.result = broken() ? refusal(brokenBy_) : committed.error();
}

// After the commit, outside any lock (I1).
void Writer::answer(Jobs jobs) {
    for (Job& job : jobs) {
        job.work = nullptr;  // what it holds must not outlive its answer
        if (!job.done) continue;
        try {
            job.done(job.result);
        } catch (const std::exception& e) {
            LogLine(LogEvent::StoreTrouble).with("during", "answer").with("error", e.what());
        } catch (...) {
            LogLine(LogEvent::StoreTrouble).with("during", "answer").with("error", "an exception");
        }
        job.done = nullptr;
    }
}

void Writer::keepHouse() {
    pause_ = kLongPause;
    if (broken()) return;
    if (engine_->logFileBytes() > 0) foldLog(Fold::Empty);
    // A reader was in the way; soon it will not be.
    if (engine_->logFileBytes() > 0)
        pause_ = options_.idle;
    else if (!broken())
        giveBackPages();
}

void Writer::foldLog(Fold how) {
    // A reader made it grow: give the space back without waiting for an idle moment.
    const std::int64_t fileBytes = engine_->logFileBytes();
    if (fileBytes > options_.checkpointBytes * 2) how = Fold::Empty;
    // No patience: mail waits behind this thread, and a reader will be gone the next time.
    const Result<Folded> folded = engine_->foldLog(how, Millis{0});
    foldAt_ = std::max(options_.checkpointBytes, engine_->unfoldedBytes() * 5 / 4);
    logBytes_ = engine_->unfoldedBytes();
    if (!folded.ok())
        onTrouble(folded.error(), "checkpoint");
    else if (*folded == Folded::Whole)
        checkpoints_.fetch_add(1);
    else if (fileBytes > options_.checkpointBytes * 4)
        LogLine(LogEvent::StoreTrouble)
            .with("during", "checkpoint")
            .with("log_bytes", fileBytes)
            .with("error", "a reader keeps an old snapshot open, so the log grows");
}

// Removed mail leaves free pages behind, which new mail uses again. Only a large surplus is given back.
void Writer::giveBackPages() {
    const Result<std::int64_t> unused = engine_->one("PRAGMA freelist_count");
    const Result<std::int64_t> all = engine_->one("PRAGMA page_count");
    if (!unused.ok() || !all.ok()) {
        onTrouble(unused.ok() ? all.error() : unused.error(), "counting pages");
        return;
    }
    if (*unused <= std::max(kFewFreePages, *all / 4)) return;
    Result<void> given = engine_->begin();  // a commit as any other: the log is marked by it
    if (given.ok()) given = engine_->script("PRAGMA incremental_vacuum(200)");
    if (given.ok()) given = engine_->commit();
    engine_->rollback();
    if (!given.ok())
        onTrouble(given.error(), "giving pages back");
    else
        pause_ = kBetweenSteps;
}

void Writer::onTrouble(const Error& error, std::string_view during) {
    const bool atCommit = during == kCommit;
    if (error.code == Errc::NoSpace) {
        if (!fullTold_) LogLine(LogEvent::StoreFull).with("during", during).with("error", error.text);
        fullTold_ = true;
        if (options_.onFull) options_.onFull();  // before the log is folded: that needs room too
    } else if (!atCommit && (error.code == Errc::Busy || error.code == Errc::Unavailable)) {
        LogLine(LogEvent::StoreTrouble).with("during", during).with("error", error.text);
    } else {
        breakDown(error);
    }
}

// Nothing is written from here on: what the last commit held is unknown until the next start (I8).
void Writer::breakDown(const Error& error) {
    brokenBy_ = error;
    broken_.store(true, std::memory_order_release);
    LogLine(LogEvent::StoreBroken).with("error", error.text);
    if (options_.onBroken) options_.onBroken(error);
}

}  // namespace postern::store
