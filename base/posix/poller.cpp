#include "base/poller.h"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace postern {

struct Poller::System {
    ~System() {
        for (const int handle : {wakeUp, poll})
            if (handle >= 0) ::close(handle);
    }
    int poll = -1, wakeUp = -1;
};

namespace {
constexpr std::uint64_t kWakeToken = 0;
constexpr int kBatch = 256;
constexpr std::chrono::milliseconds kBreath{50};

epoll_event eventFor(std::uint64_t token, bool read, bool write) {
    epoll_event event{};
    event.events = (read ? EPOLLIN | EPOLLRDHUP : 0u) | (write ? EPOLLOUT : 0u);
    event.data.u64 = token;
    return event;
}
}  // namespace

Poller::Poller(std::unique_ptr<System> system) : system_(std::move(system)) {}
Poller::~Poller() = default;

Result<std::unique_ptr<Poller>> Poller::create() {
    auto system = std::make_unique<System>();
    system->poll = ::epoll_create1(EPOLL_CLOEXEC);
    if (system->poll < 0) return systemError(errno, "epoll");
    system->wakeUp = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (system->wakeUp < 0) return systemError(errno, "eventfd");
    // By its edge: one that could not be read must not wake us again and again.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = kWakeToken;
    if (::epoll_ctl(system->poll, EPOLL_CTL_ADD, system->wakeUp, &event) != 0)
        return systemError(errno, "epoll add");
    return std::unique_ptr<Poller>(new Poller(std::move(system)));
}

Result<void> Poller::add(int handle, std::uint64_t token, bool read, bool write) {
    epoll_event event = eventFor(token, read, write);
    if (::epoll_ctl(system_->poll, EPOLL_CTL_ADD, handle, &event) != 0)
        return systemError(errno, "epoll add");
    return {};
}

Result<void> Poller::change(int handle, std::uint64_t token, bool read, bool write) {
    epoll_event event = eventFor(token, read, write);
    if (::epoll_ctl(system_->poll, EPOLL_CTL_MOD, handle, &event) != 0)
        return systemError(errno, "epoll change");
    return {};
}

void Poller::remove(int handle) {
    ::epoll_ctl(system_->poll, EPOLL_CTL_DEL, handle, nullptr);
}

const std::vector<Poller::Ready>& Poller::wait(std::chrono::milliseconds timeout) {
    ready_.clear();
    epoll_event events[kBatch];
    timeout = std::max(timeout, std::chrono::milliseconds(0));  // of a moment that has passed: not for ever
    const int count = ::epoll_wait(system_->poll, events, kBatch, static_cast<int>(timeout.count()));
    // Whoever calls in a loop must not spin when the system refuses for a reason of its own.
    if (count < 0 && errno != EINTR) ::poll(nullptr, 0, static_cast<int>(std::min(timeout, kBreath).count()));
    for (int i = 0; i < count; ++i) {
        if (events[i].data.u64 == kWakeToken) {
            std::uint64_t value = 0;
            while (::read(system_->wakeUp, &value, sizeof value) == -1 && errno == EINTR) {
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
    while (::write(system_->wakeUp, &one, sizeof one) == -1 && errno == EINTR) {
    }
}

}  // namespace postern
