#pragma once
// postern-runner: a small program of ours that runs one command for one item, outlives the service, and
// leaves on the disk how the command ended. With it the death of the service at any moment loses and doubles
// nothing; only the death of the runner itself while its command runs leaves a doubt (RELIABILITY 1.7).
//
// All files are in the folders of the adapter (adapters/spool/spool_folders.h), named by the delivery's key:
//
//   stage/<key>           the text for the command; not begun
//   withdrawn/<key>       not begun and never will be: a recovery decided
//   run/<key>.started     the same file: the command may have begun
//   run/<key>.result      how it ended; the last word
//
// The steps, the service's (C) and the runner's (W):
//
//   C1  open stage/<key>, lock it (waits while somebody else has it), start the runner and hand the lock on
//       (on Windows the runner takes it as soon as we have let go)
//   C2  -- before that, "publishing" was committed --
//   W1  write run/<key>.aside, as large as the result may become, so that a full disk shows now
//   W2  rename stage/<key> to run/<key>.started, replacing nothing; sync both folders. The one who renames
//       this one file decides: a recovery that was quicker has withdrawn it, and nothing runs
//   W3  run the command: its input is the file, it inherits nothing else
//   W4  put the result into run/<key>.aside, sync, rename it to run/<key>.result, sync the folder
//   W5  remove run/<key>.started, and end, which lets go of the lock
//   C3  read run/<key>.result
//
// What a recovery finds, and what it means (command_files.h):
//
//   stage/<key>                              never ran: withdrawn, tried again
//   run/<key>.started, locked                it still runs: ask later
//   run/<key>.result                         as the result says: taken, refused for ever, or to be tried
//   again run/<key>.started, not locked, no result   in doubt
//
// Thread rule: pure, but for carryOut(), which is the runner's whole life.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/child_process.h"

namespace postern::adapters {

constexpr std::size_t kMostCommandOutput = 4096;
constexpr int kLockHandle = 3;  // where the runner finds the lock it was handed

struct RunOrder {
    std::string stage, run;  // folders, absolute
    std::string key;         // "<item>.<epoch>"
    Millis limit{0};         // for the command
    // The command inherits the lock as handle 3: while it lives, nobody takes the attempt for over. For
    // commands that leave nothing running behind. Where a lock can not be shared (Windows) it ends with the
    // runner instead.
    bool sharesLock = false;
    std::string folder = "/";          // where the command runs; absolute
    std::vector<std::string> command;  // its absolute path and arguments
};

// The runner's arguments behind its own name, and back. The command's environment is the runner's own.
std::vector<std::string> orderArguments(const RunOrder& order);
std::optional<RunOrder> parseOrder(const std::vector<std::string>& arguments);

// The content of a .result file. Damaged or cut off: nothing.
std::string formatResult(const ProcessEnd& end);
std::optional<ProcessEnd> parseResult(std::string_view text);
constexpr std::size_t kMostResultBytes = kMostCommandOutput + 4096;

// Where posternd finds postern-runner: beside its own program, else in ../libexec/postern. Empty: nowhere.
std::string installedRunner();

// W1 to W5. The runner's exit status: 0, a result is there; 1, nothing was begun, and standard output says
// why.
constexpr int kRunnerDone = 0, kRunnerDidNotBegin = 1, kRunnerUsage = 64, kRunnerLost = 74;
int carryOut(const RunOrder& order);

}  // namespace postern::adapters
