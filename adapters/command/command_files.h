#pragma once
// What the files of an attempt say about its command (adapters/command/runner.h). Thread rule: any thread;
// the file system decides between those who move or lock one file.

#include <functional>
#include <optional>

#include "adapters/adapter.h"
#include "adapters/spool/spool_evidence.h"
#include "adapters/spool/spool_folders.h"
#include "adapters/spool/witness.h"
#include "base/child_process.h"

namespace postern::adapters {

struct Standing {
    enum class Is {
        Waiting,    // not begun; `lock` is ours
        Running,    // somebody has its lock: a runner at work, or another thread of ours before its start
        Ended,      // `end` says how
        CutOff,     // begun, nobody works on it, and no result: nobody knows
        Withdrawn,  // not begun, and never will be
        Lost,       // no file of it is where it should be
    } is = Is::Lost;
    File lock = {};
    std::optional<ProcessEnd> end = std::nullopt;
};

// An Error: the folders can not be looked into. REQUIRES: the evidence's token is the folders'.
Result<Standing> examine(const SpoolFolders& folders, const Folder& run, const SpoolEvidence& evidence);

// Whether the command of one of the item's last few earlier attempts still runs.
bool earlierRuns(const Folder& run, const DeliveryKey& key);

// Removes what is left in `run` of attempts that are over and whose command does not run.
Result<Swept> sweepRun(const Folder& run, const std::function<bool(const DeliveryKey&)>& isOver);

}  // namespace postern::adapters
