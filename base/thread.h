#pragma once
#include <string>

namespace postern {

// Names the calling thread for debuggers, `top -H` and the fault suites; cut at 15 bytes.
void nameThisThread(const std::string& name);

// From now on the calling thread takes only what others leave of a busy processor (fifteen steps nicer than
// before, this thread alone): for looking, which mail must not wait for. It can not be taken back without
// privileges. Costs nothing the second time; where the system says no it stays as it is.
void giveWay();

// More of that: from now on the calling thread runs when nobody else wants to. For a program that only looks:
// where it is stopped with a lock in its hand, as of the allocator, threads of its own process may wait for
// seconds. Behind giveWay(), as a nicer thread alone still holds up each wake-up of the others by some
// milliseconds on kernels that let a running thread end its slice.
void giveWayToAll();

// Gives free memory back to the system, which the C library keeps otherwise. Milliseconds: after a crowd has
// gone, not after each client.
void returnFreeMemory();

}  // namespace postern
