#pragma once
// A second hold on a connected socket, to end it from another thread than the one that uses it. Whatever
// that thread does with its own handle, close it and get the same number again for something else included,
// this hold ends the connection it was taken of and no other. The other side sees the end when both are gone,
// or at end(). Thread rule: any one thread at a time.

#include "base/clock.h"
#include "base/result.h"

namespace postern {

class SocketGrip {
  public:
    // Unavailable when the system has no handle to give.
    static Result<SocketGrip> of(int socketHandle);
    SocketGrip(SocketGrip&& other) noexcept;
    SocketGrip& operator=(SocketGrip&& other) noexcept;
    ~SocketGrip();

    void endReceiving();  // whoever reads gets to the end; what is being sent still goes out
    void end();           // both ways at once, whoever waits inside is woken

    // How long to wait at once for a socket that another thread may have a grip on, instead of `wanted`:
    // Windows does not promise that the end wakes who waits. Afterwards ask the socket itself, ready or not.
    static Millis longestWait(Millis wanted);

  private:
    explicit SocketGrip(int handle) : handle_(handle) {}
    int handle_ = -1;
};

}  // namespace postern
