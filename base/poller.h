#pragma once
// Waits for many sockets at once (epoll; on Windows WSAPoll, which looks at all of them each time, and which
// before Windows 10 2004 said nothing of a connection that could not be made: only listening and connected
// sockets belong in here). The sockets stay the caller's: only their native handles are watched. Thread rule:
// one thread owns a Poller; wake() alone may be called from any thread.

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"

namespace postern {

class Poller {
  public:
    struct Ready {
        std::uint64_t token;
        bool readable;  // also set on error and hang-up: reading tells
        bool writable;
    };

    static Result<std::unique_ptr<Poller>> create();
    ~Poller();

    // Level-triggered. `token` comes back with each event; it must be unique and not 0.
    Result<void> add(int handle, std::uint64_t token, bool read, bool write);
    Result<void> change(int handle, std::uint64_t token, bool read, bool write);
    void remove(int handle);

    // Returns after events, a wake() or `timeout`; an empty list is no error.
    const std::vector<Ready>& wait(std::chrono::milliseconds timeout);
    void wake();

  private:
    struct System;  // what the system needs for it
    explicit Poller(std::unique_ptr<System> system);
    std::unique_ptr<System> system_;
    std::vector<Ready> ready_;
};

}  // namespace postern
