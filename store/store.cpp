// The door: who may come in (lock), the writer behind it, and the read sessions lent out beside it.

#include "store/store.h"

#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/sync.h"
#include "store/opening.h"
#include "store/writer.h"

namespace postern::store {

namespace {

constexpr std::chrono::seconds kReaderPatience{30};
constexpr std::chrono::seconds kWaitSlice{10};

// Hands out read sessions, the one used last first: its cache is warm.
class ReaderPool {
  public:
    Result<void> fill(const std::string& path, const std::string& engineOption, int count) {
        for (int i = 0; i < std::max(1, count); ++i) {
            POSTERN_LET(reader, SqliteReader::open(path, engineOption));
            giveBack(std::move(reader));
        }
        return {};
    }

    Result<std::unique_ptr<SqliteReader>> borrow() {
        const SteadyTime deadline = std::chrono::steady_clock::now() + kReaderPatience;
        MutexLock lock(mutex_);
        while (idle_.empty()) {
            if (!condition_.waitUntil(mutex_, deadline) && idle_.empty())
                return fail(Errc::Busy, "all read sessions of the store are in use");
        }
        std::unique_ptr<SqliteReader> reader = std::move(idle_.back());
        idle_.pop_back();
        return reader;
    }

    void giveBack(std::unique_ptr<SqliteReader> reader) {
        MutexLock lock(mutex_);
        idle_.push_back(std::move(reader));
        condition_.notifyOne();
    }

  private:
    Mutex mutex_;
    Condition condition_;
    std::vector<std::unique_ptr<SqliteReader>> idle_ GUARDED_BY(mutex_);
};

// A reader with its snapshot; both end with it, also when an exception passes through the work.
class Loan {
  public:
    static Result<Loan> from(ReaderPool& pool) {
        POSTERN_LET(reader, pool.borrow());
        return Loan(pool, std::move(reader));
    }
    Loan(Loan&& other) noexcept
        : pool_(other.pool_), reader_(std::move(other.reader_)), begun_(std::exchange(other.begun_, false)) {}
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
        if (!reader_) return;
        if (begun_) (void)end();
        pool_.giveBack(std::move(reader_));
    }

    ReadSession& session() { return *reader_; }
    Result<void> begin() {
        POSTERN_TRY(reader_->run("BEGIN"));
        begun_ = true;
        return {};
    }
    Result<void> end() {
        begun_ = false;
        POSTERN_TRY(reader_->run("END"));
        return {};
    }

  private:
    Loan(ReaderPool& pool, std::unique_ptr<SqliteReader> reader) : pool_(pool), reader_(std::move(reader)) {}
    ReaderPool& pool_;
    std::unique_ptr<SqliteReader> reader_;
    bool begun_ = false;
};

Result<void> makeBodyFolder(const std::string& folder) {
    const std::string bodies = joinPath(folder, kBodiesName);
    if (pathExists(bodies)) return {};
    POSTERN_TRY(makeFolders(bodies));
    POSTERN_LET(opened, Folder::open(folder));
    return opened.sync();
}

// A closure's answer, for the thread that waits for it.
class Answer {
  public:
    void give(const Result<void>& result) {
        MutexLock lock(mutex_);
        result_ = result;
        given_ = true;
        condition_.notifyOne();  // inside the lock: the waiter destroys this as soon as it sees the answer
    }
    Result<void> wait() {
        MutexLock lock(mutex_);
        while (!given_) condition_.waitUntil(mutex_, std::chrono::steady_clock::now() + kWaitSlice);
        return std::move(result_);
    }

  private:
    Mutex mutex_;
    Condition condition_;
    bool given_ GUARDED_BY(mutex_) = false;
    Result<void> result_ GUARDED_BY(mutex_);
};

// True when there was some.
bool giveAway(Ballast& ballast) {
    const auto given = ballast.release();
    if (!given.ok())
        LogLine(LogEvent::StoreTrouble)
            .with("during", "giving the ballast away")
            .with("error", given.error().text);
    else if (*given > 0)
        LogLine(LogEvent::StoreBallastOut).with("bytes", *given);
    return given.ok() && *given > 0;
}

// Does it again, once, when there was no room and the ballast made some: a full disk must not keep the
// service from starting.
template <class Step>
auto withRoom(Ballast& ballast, Step step) {
    auto done = step();
    if (done.ok() || done.error().code != Errc::NoSpace || !giveAway(ballast)) return done;
    return step();
}

}  // namespace

struct Store::Impl {
    FileLock lock;  // let go last
    StoreOptions options;
    std::string id;
    std::unique_ptr<Ballast> ballast;
    Writer writer;
    ReaderPool readers;  // closed before the writer, which folds the log back as the last one

    Impl(FileLock held, StoreOptions given, std::unique_ptr<Ballast> spare, Opened opened)
        : lock(std::move(held)),
          options(std::move(given)),
          id(std::move(opened.id)),
          ballast(std::move(spare)),
          writer(std::move(opened.engine),
                 WriterOptions{options.checkpointBytes, options.groupLimit, options.idle, options.onBroken,
                               [this] { (void)giveAway(*ballast); }}) {}
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
    impl_->writer.stop();
}

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
    if (!isAbsolutePath(options.folder))
        return fail(Errc::Invalid, "the store's folder must be an absolute path: " + options.folder);
    POSTERN_TRY(checkNumbers(options.migrations));
    if (options.create)
        POSTERN_TRY(makeFolders(options.folder));
    else if (!pathExists(options.folder))
        return fail(Errc::NotFound, "there is no store in " + options.folder);
    auto ballast = std::make_unique<Ballast>(options.folder);
    Result<FileLock> lock = withRoom(*ballast, [&] { return lockStore(options.folder); });
    if (!lock.ok()) return lock.error();
    POSTERN_TRY(ballast->sweep());
    POSTERN_LET(opened, withRoom(*ballast, [&] { return openDatabase(options); }));
    POSTERN_TRY(makeBodyFolder(options.folder));
    auto impl = std::make_unique<Impl>(std::move(lock).value(), std::move(options), std::move(ballast),
                                       std::move(opened));
    const StoreOptions& kept = impl->options;
    POSTERN_TRY(impl->readers.fill(joinPath(kept.folder, kDatabaseName), kept.engineOption, kept.readers));
    impl->writer.start();
    LogLine(LogEvent::StoreOpened).with("folder", kept.folder).with("id", impl->id);
    return std::unique_ptr<Store>(new Store(std::move(impl)));
}

void Store::write(Work work, Done done) {
    impl_->writer.submit(std::move(work), std::move(done));
}

Result<void> Store::write(Work work) {
    if (impl_->writer.isWriterThread())
        return fail(Errc::Internal, "a closure on the writer thread waited for a write");
    Answer answer;
    impl_->writer.submit(std::move(work), [&answer](const Result<void>& result) { answer.give(result); });
    return answer.wait();
}

Result<void> Store::read(const std::function<Result<void>(ReadSession&)>& work) {
    POSTERN_LET(loan, Loan::from(impl_->readers));
    POSTERN_TRY(loan.begin());
    Result<void> result = work(loan.session());
    const auto ended = loan.end();
    return result.ok() ? ended : result;
}

bool Store::broken() const {
    return impl_->writer.broken();
}

const std::string& Store::folder() const {
    return impl_->options.folder;
}

const std::string& Store::id() const {
    return impl_->id;
}

std::int64_t Store::inlineBodyLimit() const {
    return impl_->options.inlineBodyLimit;
}

Ballast& Store::ballast() {
    return *impl_->ballast;
}

std::int64_t Store::logBytes() const {
    return impl_->writer.logBytes();
}

std::int64_t Store::checkpointBytes() const {
    return impl_->options.checkpointBytes;
}

void Store::foldSoon() {
    impl_->writer.foldSoon();
}

StoreCounters Store::counters() const {
    return impl_->writer.counters();
}

struct StoreReader::Impl {
    std::unique_ptr<SqliteReader> session;
};

StoreReader::StoreReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

StoreReader::~StoreReader() = default;

Result<std::unique_ptr<StoreReader>> StoreReader::open(const std::string& folder,
                                                       const std::vector<Migration>& migrations) {
    const std::string path = joinPath(folder, kDatabaseName);
    if (!pathExists(path)) return fail(Errc::NotFound, "there is no store in " + folder);
    Result<std::unique_ptr<SqliteReader>> opened = SqliteReader::open(path, "");
    if (!opened.ok()) return opened.error().within(path);
    std::unique_ptr<SqliteReader> session = std::move(opened).value();
    POSTERN_LET(version, session->one("PRAGMA user_version"));
    if (version != static_cast<std::int64_t>(migrations.size()))
        return fail(Errc::Invalid, path + " has version " + std::to_string(version) +
                                       ", this program needs " + std::to_string(migrations.size()));
    return std::unique_ptr<StoreReader>(new StoreReader(std::make_unique<Impl>(Impl{std::move(session)})));
}

ReadSession& StoreReader::session() {
    return *impl_->session;
}

}  // namespace postern::store
