#include "base/poller.h"

#include <cerrno>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace postern {

namespace {
constexpr std::uint64_t kWakeToken = 0;
constexpr int kBatch = 256;

epoll_event eventFor(std::uint64_t token, bool read, bool write) {
    epoll_event event{};
    event.events = (read ? EPOLLIN | EPOLLRDHUP : 0u) | (write ? EPOLLOUT : 0u);
    event.data.u64 = token;
    return event;
}
}  // namespace

Result<std::unique_ptr<Poller>> Poller::create() {
    const int poll = ::epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0) return systemError(errno, "epoll");
    const int wakeUp = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wakeUp < 0) {
        const Error error = systemError(errno, "eventfd");
        ::close(poll);
        return error;
    }
    std::unique_ptr<Poller> poller(new Poller(poll, wakeUp));
    POSTERN_TRY(poller->add(wakeUp, kWakeToken, true, false));
    return poller;
}

Poller::~Poller() {
    ::close(wakeUp_);
    ::close(poll_);
}

Result<void> Poller::add(int handle, std::uint64_t token, bool read, bool write) {
    epoll_event event = eventFor(token, read, write);
    if (::epoll_ctl(poll_, EPOLL_CTL_ADD, handle, &event) != 0) return systemError(errno, "epoll add");
    return {};
}

Result<void> Poller::change(int handle, std::uint64_t token, bool read, bool write) {
    epoll_event event = eventFor(token, read, write);
    if (::epoll_ctl(poll_, EPOLL_CTL_MOD, handle, &event) != 0) return systemError(errno, "epoll change");
    return {};
}

void Poller::remove(int handle) {
    ::epoll_ctl(poll_, EPOLL_CTL_DEL, handle, nullptr);
}

const std::vector<Poller::Ready>& Poller::wait(std::chrono::milliseconds timeout) {
    ready_.clear();
    epoll_event events[kBatch];
    const int count = ::epoll_wait(poll_, events, kBatch, static_cast<int>(timeout.count()));
    for (int i = 0; i < count; ++i) {
        if (events[i].data.u64 == kWakeToken) {
            std::uint64_t value = 0;
            while (::read(wakeUp_, &value, sizeof value) == -1 && errno == EINTR) {
            }
            continue;
        }
        const auto flags = events[i].events;
        ready_.push_back({events[i].data.u64, (flags & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0,
                          (flags & EPOLLOUT) != 0});
    }
    return ready_;
}

void Poller::wake() {
    const std::uint64_t one = 1;
    while (::write(wakeUp_, &one, sizeof one) == -1 && errno == EINTR) {
    }
}

}  // namespace postern
