#pragma once
// A lock that programs agree on by a file's name: the dotlock of a mailbox, the .bsy of a FidoNet link.
// Whoever made the file has the lock, and removes the file to let go.
//
// Ours outlives a crash of ours. Its content is "<signature> <process>": it does not begin with a number, so
// that nobody who takes the lock of a dead process id for stale can see ours as one. REQUIRES of the caller:
// its own lock between our threads and processes (takeOwnLock), so that a file with our signature that we
// meet can only be left over, and is taken over, in its place: no moment is without it.
//
// Thread rule: one thread.

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file.h"

namespace postern::adapters {

struct LockFilePlan {
    std::string signature;  // begins ours: "postern <store> <adapter>"
    Millis staleAfter{0};   // one of others that is older is removed; 0: never
    std::string busy = {};  // said where others have it: "the mailbox is locked by its reader"
};

// Between the threads and processes that work with one stage folder, for the thing named `what`. Busy:
// another has it.
Result<FileLock> takeOwnLock(const Folder& stage, const std::string& what);

// Waits a moment before the next look at a lock, not longer than until `deadline`.
void waitForLock(SteadyTime deadline);

class LockFile {
  public:
    // Looks once and never waits. Busy: another program has it. Denied: `name` is no regular file.
    static Result<std::unique_ptr<LockFile>> take(const Folder& folder, const std::string& name,
                                                  const LockFilePlan& plan);
    ~LockFile();  // lets go, unless others took it for stale and put their own there
    LockFile(const LockFile&) = delete;
    LockFile& operator=(const LockFile&) = delete;

    bool tookOver() const { return tookOver_; }  // one that a crash of ours left behind was still there

    // Removes one that a crash of ours left behind.
    static Result<void> removeLeftover(const Folder& folder, const std::string& name,
                                       const LockFilePlan& plan);
    // Where ours is written before it is moved into its place.
    static std::string asideName(const LockFilePlan& plan, const std::string& name);

  private:
    LockFile(const Folder& folder, std::string name) : folder_(folder), name_(std::move(name)) {}
    Result<bool> place(const LockFilePlan& plan);
    Result<void> takeOver(const LockFilePlan& plan);
    Result<void> placeOrJudge(const LockFilePlan& plan);

    const Folder& folder_;
    const std::string name_;
    std::uint64_t number_ = 0;  // of our file; 0: not in its place
    bool tookOver_ = false;
};

}  // namespace postern::adapters
