#include "connector/intake/log_on.h"

#include <deque>
#include <thread>
#include <utility>

#include "base/sync.h"
#include "base/thread.h"

namespace postern::intake {

namespace {

constexpr std::size_t kMostWaiting = 256;     // about a second of work at the default cost of a password
constexpr std::chrono::seconds kWait{3'600};  // waits have a deadline; a new one begins where it passes

struct Waiter {
    LogOnStep step;
    LogOnDesk::Done done;
};

LogOnAnswer failed(Error error, std::string name) {
    LogOnAnswer answer;
    answer.error = std::move(error);
    answer.name = std::move(name);
    return answer;
}

LogOnAnswer answerTo(const Result<accounts::Login>& login, const std::string& name) {
    if (!login.ok()) return failed(login.error(), name);
    if (!login->roles.send) return failed(fail(Errc::Denied, "the account may not send mail"), name);
    LogOnAnswer answer;
    answer.name = login->name;
    return answer;
}

LogOnAnswer firstOfScram(const accounts::Directory& directory, const LogOnStep& step) {
    LogOnAnswer answer;
    answer.exchange = std::make_shared<accounts::ScramServer>(
        [&directory](const std::string& name) { return directory.candidate(name); });
    auto said = answer.exchange->first(step.message);
    answer.name = answer.exchange->name();
    if (!said.ok()) return failed(said.error(), answer.name);
    answer.message = std::move(*said);
    return answer;
}

LogOnAnswer lastOfScram(const accounts::Directory& directory, const LogOnStep& step) {
    auto said = step.exchange->last(step.message);
    if (!said.ok()) return failed(said.error(), step.exchange->name());
    LogOnAnswer answer = answerTo(directory.login(step.exchange->name()), step.exchange->name());
    answer.message = std::move(*said);
    return answer;
}

}  // namespace

struct LogOnDesk::Impl {
    explicit Impl(accounts::Directory theDirectory) : directory(std::move(theDirectory)) {}

    std::optional<Waiter> next() EXCLUDES(mutex);
    void run() EXCLUDES(mutex);
    LogOnAnswer decide(const LogOnStep& step) const;

    const accounts::Directory directory;
    Mutex mutex;
    Condition changed;
    std::deque<Waiter> waiting GUARDED_BY(mutex);
    bool stopping GUARDED_BY(mutex) = false;
    std::jthread thread;
};

LogOnDesk::LogOnDesk(accounts::Directory directory) : impl_(std::make_unique<Impl>(std::move(directory))) {
    impl_->thread = std::jthread([impl = impl_.get()] {
        nameThisThread("log-on");
        impl->run();
    });
}

LogOnDesk::~LogOnDesk() {
    {
        MutexLock lock(impl_->mutex);
        impl_->stopping = true;
        impl_->changed.notifyAll();
    }
    impl_->thread.join();
    MutexLock lock(impl_->mutex);
    for (const Waiter& waiter : impl_->waiting) {
        waiter.done(failed(fail(Errc::Stopped, "the service is shutting down"), {}));
    }
}

void LogOnDesk::ask(LogOnStep step, Done done) {
    {
        MutexLock lock(impl_->mutex);
        if (impl_->waiting.size() < kMostWaiting) {
            impl_->waiting.push_back({std::move(step), std::move(done)});
            return impl_->changed.notifyAll();
        }
    }
    done(failed(fail(Errc::Busy, "too many log on at once"), step.name));
}

std::optional<Waiter> LogOnDesk::Impl::next() {
    MutexLock lock(mutex);
    while (waiting.empty() && !stopping) {
        changed.waitUntil(mutex, std::chrono::steady_clock::now() + kWait);
    }
    if (stopping) return std::nullopt;
    Waiter waiter = std::move(waiting.front());
    waiting.pop_front();
    return waiter;
}

void LogOnDesk::Impl::run() {
    while (const auto waiter = next()) waiter->done(decide(waiter->step));
}

LogOnAnswer LogOnDesk::Impl::decide(const LogOnStep& step) const {
    switch (step.kind) {
        case LogOnStep::Kind::ScramFirst: return firstOfScram(directory, step);
        case LogOnStep::Kind::ScramLast: return lastOfScram(directory, step);
        case LogOnStep::Kind::Password: break;
    }
    return answerTo(directory.logOn(step.name, step.password), step.name);
}

}  // namespace postern::intake
