#include "base/background_log.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "base/standard_error.h"
#include "base/sync.h"
#include "base/thread.h"

namespace postern {

namespace {

constexpr std::chrono::seconds kWait{3'600};  // waits have a deadline; a new one begins where it passes
// Lines that come this close together are written at once: under load the thread wakes a hundred times a
// second, not for each line. What is urgent, or much, does not wait.
constexpr std::chrono::milliseconds kGather{10};
constexpr std::size_t kMuch = 32 * 1024;

}  // namespace

struct BackgroundLog::Impl {
    void put(std::string_view line, bool urgent) EXCLUDES(mutex);
    void run() EXCLUDES(mutex);
    bool take(std::string& into) EXCLUDES(mutex);
    void gather() REQUIRES(mutex);

    Mutex mutex;
    Condition more, written;
    std::string pending GUARDED_BY(mutex);
    std::uint64_t given GUARDED_BY(mutex) = 0, done GUARDED_BY(mutex) = 0;  // bytes put, and written
    bool asleep GUARDED_BY(mutex) = false;   // the thread waits for the first line
    bool hurried GUARDED_BY(mutex) = false;  // what is pending must not wait for more
    bool stopping GUARDED_BY(mutex) = false;
    LogTargets targets;
    std::jthread thread;
};

void BackgroundLog::Impl::put(std::string_view line, bool urgent) {
    MutexLock lock(mutex);
    pending += line;
    given += line.size();
    const bool hurry = (urgent || pending.size() >= kMuch) && !hurried;
    if (asleep || hurry) more.notifyOne();
    asleep = false;
    hurried = hurried || hurry;
    if (!urgent && pending.size() < kLogBacklog) return;
    // For what was given until now, not for what others keep adding.
    const std::uint64_t mine = given;
    while (done < mine) written.waitUntil(mutex, std::chrono::steady_clock::now() + kWait);
}

// False at the end, when everything is written.
bool BackgroundLog::Impl::take(std::string& into) {
    MutexLock lock(mutex);
    done += into.size();
    into.clear();
    written.notifyAll();
    while (pending.empty()) {
        if (stopping) return false;
        asleep = true;
        more.waitUntil(mutex, std::chrono::steady_clock::now() + kWait);
    }
    asleep = false;
    gather();
    hurried = false;
    into.swap(pending);
    return true;
}

void BackgroundLog::Impl::gather() {
    const auto until = std::chrono::steady_clock::now() + kGather;
    while (!hurried && !stopping && more.waitUntil(mutex, until)) {
    }
}

void BackgroundLog::Impl::run() {
    nameThisThread("log");
    std::string lines;
    while (take(lines)) targets.write(lines);
}

BackgroundLog::BackgroundLog(LogTargets targets) : impl_(std::make_unique<Impl>()) {
    impl_->targets = std::move(targets);
    if (!impl_->targets.write) impl_->targets.write = writeToStandardError;
    impl_->thread = std::jthread([impl = impl_.get()] { impl->run(); });
    setLogSink([impl = impl_.get()](Severity severity, std::string_view line) {
        impl->put(standardErrorLine(severity, line), severity <= Severity::Notice);
        if (impl->targets.tell) impl->targets.tell(severity, line);
    });
}

BackgroundLog::~BackgroundLog() {
    setLogSink({});
    {
        MutexLock lock(impl_->mutex);
        impl_->stopping = true;
        impl_->more.notifyOne();
    }
    impl_->thread.join();
}

}  // namespace postern
