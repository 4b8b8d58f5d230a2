#pragma once
// What some mail waits for is there: it is tried now. Its age, its attempts and its reason stay, or mail that
// is tried whenever somebody shows himself would never be too old.

#include <functional>
#include <string>

#include "base/clock.h"
#include "store/store.h"

namespace postern::queue {

// Ready items of `adapter` that are due later than `now` and wait for exactly `reason` (letters of both cases
// are the same) are due now; `why` is in their history. `goOn` is asked for each one that is looked at and
// before each portion that is written; an error of it ends the walk, and what was written stays.
// Result: how many. The walk is over what is due later, outside of the writer.
Result<std::size_t> dueForReason(store::Store& store, const std::string& adapter, const std::string& reason,
                                 const std::string& why, WallTime now,
                                 const std::function<Result<void>()>& goOn);

}  // namespace postern::queue
