#include "connector/accounts/log_on_desk.h"

#include <deque>
#include <thread>
#include <utility>

#include "base/sync.h"
#include "base/thread.h"

namespace postern::accounts {

namespace {

constexpr std::chrono::seconds kWait{3'600};  // waits have a deadline; a new one begins where it passes

struct Waiter {
    LogOnQuestion question;
    LogOnDesk::Done done;
};

LogOnReply failed(Error error, std::string name) {
    LogOnReply reply;
    reply.error = std::move(error);
    reply.name = std::move(name);
    return reply;
}

LogOnReply replyTo(const Result<Login>& login, const std::string& name) {
    if (!login.ok()) return failed(login.error(), name);
    LogOnReply reply;
    reply.name = login->name;
    reply.roles = login->roles;
    return reply;
}

LogOnReply firstOfScram(const Directory& directory, const LogOnQuestion& question) {
    LogOnReply reply;
    reply.exchange = std::make_shared<ScramServer>(
        [&directory](const std::string& name) { return directory.candidate(name); });
    auto said = reply.exchange->first(question.message);
    reply.name = reply.exchange->name();
    if (!said.ok()) return failed(said.error(), reply.name);
    reply.message = std::move(*said);
    return reply;
}

LogOnReply lastOfScram(const Directory& directory, const LogOnQuestion& question) {
    auto said = question.exchange->last(question.message);
    if (!said.ok()) return failed(said.error(), question.exchange->name());
    LogOnReply reply = replyTo(directory.login(question.exchange->name()), question.exchange->name());
    reply.message = std::move(*said);
    return reply;
}

}  // namespace

struct LogOnDesk::Impl {
    Impl(Directory theDirectory, std::size_t theMost) : directory(std::move(theDirectory)), most(theMost) {}

    std::optional<Waiter> next() EXCLUDES(mutex);
    void run() EXCLUDES(mutex);
    LogOnReply decide(const LogOnQuestion& question) const;

    const Directory directory;
    const std::size_t most;
    Mutex mutex;
    Condition changed;
    std::deque<Waiter> waiting GUARDED_BY(mutex);
    bool stopping GUARDED_BY(mutex) = false;
    std::jthread thread;
};

LogOnDesk::LogOnDesk(Directory directory, std::size_t mostWaiting)
    : impl_(std::make_unique<Impl>(std::move(directory), mostWaiting)) {
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
    std::deque<Waiter> left;
    {
        MutexLock lock(impl_->mutex);
        left.swap(impl_->waiting);
    }
    for (const Waiter& waiter : left) {
        waiter.done(failed(fail(Errc::Stopped, "the service is shutting down"), {}));
    }
}

void LogOnDesk::ask(LogOnQuestion question, Done done) {
    {
        MutexLock lock(impl_->mutex);
        if (impl_->waiting.size() < impl_->most) {
            impl_->waiting.push_back({std::move(question), std::move(done)});
            return impl_->changed.notifyAll();
        }
    }
    done(failed(fail(Errc::Busy, "too many log on at once"), question.name));
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
    while (const auto waiter = next()) waiter->done(decide(waiter->question));
}

LogOnReply LogOnDesk::Impl::decide(const LogOnQuestion& question) const {
    switch (question.kind) {
        case LogOnQuestion::Kind::ScramFirst: return firstOfScram(directory, question);
        case LogOnQuestion::Kind::ScramLast: return lastOfScram(directory, question);
        case LogOnQuestion::Kind::Password: break;
    }
    return replyTo(directory.logOn(question.name, question.password), question.name);
}

}  // namespace postern::accounts
