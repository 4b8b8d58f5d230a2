#pragma once
// Where the staged file of a delivery is, which is what tells whether it was published
// (adapters/spool/spool.h). Thread rule: any thread; the file system decides between those who move one file.

#include <functional>

#include "adapters/adapter.h"
#include "adapters/spool/spool_evidence.h"
#include "adapters/spool/spool_folders.h"

namespace postern::adapters {

enum class Witness { Staged, Withdrawn, Gone };

// Gone only after it is certain that we look into the right folders (RELIABILITY 1.4.1a).
Result<Witness> locate(const SpoolFolders& folders, const SpoolEvidence& evidence);

// Makes sure that no publish() of it can succeed any more, and says where the witness was found then: not
// Staged.
Result<Witness> withdraw(const SpoolFolders& folders, const SpoolEvidence& evidence);

// Withdraws the files of the item's last few earlier attempts. The queue let this attempt begin, so none of
// them may be published; where artifacts have no name of their own, nothing else would stop a worker that
// the queue has forgotten. An error is not told: those that were withdrawn by recover() are the rule.
void withdrawEarlier(const SpoolFolders& folders, const DeliveryKey& key);

// Drops a staged file with its companions, itself first; what stays is left to the sweep.
void removeStaged(const SpoolFolders& folders, const std::string& staged, int companions);

// The row never reached `publishing` with this staged file, and its name carries an epoch that was ours
// alone: it is removed, or left to the sweep.
void dropStaged(const SpoolFolders& folders, const Job& job);

struct Swept {
    int removed = 0;
    int unknown = 0;  // files that are not ours; left alone
};
// Removes staged and withdrawn files of attempts that are over, companions with their artifacts.
Result<Swept> sweepFolders(const SpoolFolders& folders,
                           const std::function<bool(const DeliveryKey&)>& isOver);

}  // namespace postern::adapters
