// WSAPoll. It reports a connection whose other side ended whether that was asked for or not, and would then
// return at once for ever: what nobody waits for is taken out of its list for a moment.

#include "base/poller.h"

#include <algorithm>
#include <atomic>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/windows/system.h"

namespace postern {

namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kWakeToken = 0;
constexpr milliseconds kMuted{20};        // how long an end that nobody asked for is not looked at
constexpr milliseconds kLongest{60'000};  // of one call

// For WSAPoll a negative number is none.
constexpr SOCKET kNobody = INVALID_SOCKET;

SOCKET socketOf(int handle) {
    return static_cast<SOCKET>(handle);
}

SHORT eventsFor(bool read, bool write) {
    return static_cast<SHORT>((read ? POLLRDNORM : 0) | (write ? POLLWRNORM : 0));
}

// A datagram socket whose only friend is itself: a byte in it wakes.
Result<SOCKET> makeWakeSocket() {
    const SOCKET made = ::WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, nullptr, 0,
                                     WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    if (made == INVALID_SOCKET) return systemError(::WSAGetLastError(), "a socket to be woken by");
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int size = sizeof own;
    const BOOL exclusive = TRUE;
    u_long unblocked = 1;
    auto* const address = reinterpret_cast<sockaddr*>(&own);
    if (::setsockopt(made, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, reinterpret_cast<const char*>(&exclusive),
                     sizeof exclusive) == 0 &&
        ::bind(made, address, size) == 0 && ::getsockname(made, address, &size) == 0 &&
        ::connect(made, address, size) == 0 && ::ioctlsocket(made, FIONBIO, &unblocked) == 0)
        return made;
    const Error error = systemError(::WSAGetLastError(), "a socket to be woken by");
    ::closesocket(made);
    return error;
}

}  // namespace

struct Poller::System {
    ~System() {
        if (wakeUp != INVALID_SOCKET) ::closesocket(wakeUp);
    }
    // The flag last: a wake-up between the two would be drained with it set, and no later one would ever get
    // through. Who finds it set has said before what there is to see, and we look after this.
    void drainWake() {
        char bytes[64];
        while (::recv(wakeUp, bytes, sizeof bytes, 0) > 0) {
        }
        woken = false;
    }
    // True when some of the `count` that were reported is wanted, or is an error. The others are muted.
    bool collect(int count, std::vector<Ready>& ready);
    void unmute() {
        for (const std::size_t index : muted) sockets[index].fd = owners[index];
        muted.clear();
    }

    SOCKET wakeUp = INVALID_SOCKET;
    std::atomic<bool> woken{false};
    std::vector<WSAPOLLFD> sockets;     // the first is the one to be woken by
    std::vector<SOCKET> owners;         // of the same places, also where WSAPoll is shown none
    std::vector<std::uint64_t> tokens;  // likewise
    std::unordered_map<SOCKET, std::size_t> places;
    std::vector<std::size_t> muted;
};

Poller::Poller(std::unique_ptr<System> system) : system_(std::move(system)) {}
Poller::~Poller() = default;

Result<std::unique_ptr<Poller>> Poller::create() {
    auto system = std::make_unique<System>();
    POSTERN_LET(wakeUp, makeWakeSocket());
    system->wakeUp = wakeUp;
    std::unique_ptr<Poller> poller(new Poller(std::move(system)));
    POSTERN_TRY(poller->add(static_cast<int>(wakeUp), kWakeToken, true, false));
    return poller;
}

// A socket of which nothing is wanted is not shown at all.
static WSAPOLLFD shown(SOCKET socket, bool read, bool write) {
    return {read || write ? socket : kNobody, eventsFor(read, write), 0};
}

Result<void> Poller::add(int handle, std::uint64_t token, bool read, bool write) {
    const SOCKET socket = socketOf(handle);
    if (!system_->places.emplace(socket, system_->sockets.size()).second)
        return systemError(ERROR_ALREADY_EXISTS, "watching a socket");
    system_->sockets.push_back(shown(socket, read, write));
    system_->owners.push_back(socket);
    system_->tokens.push_back(token);
    return {};
}

Result<void> Poller::change(int handle, std::uint64_t token, bool read, bool write) {
    const auto found = system_->places.find(socketOf(handle));
    if (found == system_->places.end())
        return fail(Errc::NotFound, "watching a socket: it is not watched yet");
    system_->sockets[found->second] = shown(found->first, read, write);
    system_->tokens[found->second] = token;
    return {};
}

// The last takes its place.
void Poller::remove(int handle) {
    const auto found = system_->places.find(socketOf(handle));
    if (found == system_->places.end()) return;
    const std::size_t place = found->second, last = system_->sockets.size() - 1;
    system_->places.erase(found);
    if (place != last) {
        system_->sockets[place] = system_->sockets[last];
        system_->owners[place] = system_->owners[last];
        system_->tokens[place] = system_->tokens[last];
        system_->places[system_->owners[place]] = place;
    }
    system_->sockets.pop_back();
    system_->owners.pop_back();
    system_->tokens.pop_back();
}

bool Poller::System::collect(int count, std::vector<Ready>& ready) {
    bool any = false;
    for (std::size_t i = 0; i < sockets.size() && count > 0; ++i) {
        const SHORT seen = std::exchange(sockets[i].revents, SHORT{0});
        if (seen == 0 || sockets[i].fd == kNobody) continue;
        --count;
        if (tokens[i] == kWakeToken) {
            drainWake();
            any = true;
            continue;
        }
        const bool reads = (sockets[i].events & POLLRDNORM) != 0;
        const bool readable = (seen & (POLLERR | POLLNVAL)) != 0 ||
                              (reads && (seen & (POLLRDNORM | POLLRDBAND | POLLHUP)) != 0);
        const bool writable = (seen & POLLWRNORM) != 0;
        any = any || readable || writable;
        if (readable || writable) {
            ready.push_back({tokens[i], readable, writable});
        } else {
            sockets[i].fd = kNobody;
            muted.push_back(i);
        }
    }
    return any;
}

const std::vector<Poller::Ready>& Poller::wait(milliseconds timeout) {
    ready_.clear();
    const auto begin = std::chrono::steady_clock::now();
    for (;;) {
        const auto gone = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
        const milliseconds left =
            std::clamp(timeout - gone, milliseconds(0), system_->muted.empty() ? kLongest : kMuted);
        const int count = ::WSAPoll(system_->sockets.data(), static_cast<ULONG>(system_->sockets.size()),
                                    static_cast<INT>(left.count()));
        system_->unmute();
        const bool done = count > 0 && system_->collect(count, ready_);
        if (done || count < 0 || gone >= timeout) break;
    }
    system_->unmute();
    return ready_;
}

void Poller::wake() {
    if (system_->woken.exchange(true)) return;
    const char one = 1;
    ::send(system_->wakeUp, &one, 1, 0);
}

}  // namespace postern
