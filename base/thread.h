#pragma once
#include <string>

namespace postern {

// Names the calling thread for debuggers, `top -H` and the fault suites; cut at 15 bytes.
void nameThisThread(const std::string& name);

// From now on the calling thread takes only what others leave of a busy processor (fifteen steps nicer than
// before, on Windows the lowest priority but idle; this thread alone): for looking, which mail must not wait
// for. It can not be taken back without privileges. Costs nothing the second time; where the system says no
// it stays as it is.
void giveWay();

// To be called between the steps of a long work that mail must not wait for: who has run for a quarter of a
// millisecond sleeps for two. So it takes a ninth of a processor, holds up a wake-up of the others for no
// longer than a slice, and yet goes on where all processors are busy, which a thread of the idle class does
// not: with a read of the store open, for minutes.
void workInSlices();

// Gives free memory back to the system, which the C library keeps otherwise. Milliseconds: after a crowd has
// gone, not after each client.
void returnFreeMemory();

}  // namespace postern
