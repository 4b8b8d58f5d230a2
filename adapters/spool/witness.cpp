#include "adapters/spool/witness.h"

#include <algorithm>
#include <string>
#include <vector>

namespace postern::adapters {

namespace {
constexpr std::int64_t kEarlierAttempts = 8;
}

Result<Witness> locate(const SpoolFolders& folders, const SpoolEvidence& evidence) {
    if (evidence.token != folders.token())
        return fail(Errc::Unavailable, folders.stage().path() + " is not the stage folder in which " +
                                           evidence.staged + " was written: it was made anew since");
    // In this order: a file that another thread withdraws meanwhile is seen in one of the two places.
    POSTERN_LET(staged, folders.stage().has(evidence.staged));
    if (staged) return Witness::Staged;
    POSTERN_LET(withdrawn, folders.withdrawn().has(evidence.staged));
    if (withdrawn) return Witness::Withdrawn;
    POSTERN_TRY(folders.stillOurs());
    return Witness::Gone;
}

Result<Witness> withdraw(const SpoolFolders& folders, const SpoolEvidence& evidence) {
    if (evidence.token == folders.token()) {
        POSTERN_LET(moved,
                    folders.stage().moveNoReplace(evidence.staged, folders.withdrawn(), evidence.staged));
        if (moved == Moved::Done) return Witness::Withdrawn;
    }
    POSTERN_LET(witness, locate(folders, evidence));
    if (witness == Witness::Staged)
        return fail(Errc::Unavailable,
                    evidence.staged + " can not be moved to " + folders.withdrawn().path());
    return witness;
}

void withdrawEarlier(const SpoolFolders& folders, const DeliveryKey& key) {
    const std::int64_t first = std::max<std::int64_t>(1, key.epoch.value - kEarlierAttempts);
    for (std::int64_t epoch = first; epoch < key.epoch.value; ++epoch) {
        const std::string name = stagedName({key.item, Epoch{epoch}});
        (void)folders.stage().moveNoReplace(name, folders.withdrawn(), name);
    }
}

Result<Swept> sweepFolders(const SpoolFolders& folders,
                           const std::function<bool(const DeliveryKey&)>& isOver) {
    Swept swept;
    for (const Folder* folder : {&folders.stage(), &folders.withdrawn()}) {
        std::vector<std::string> names;
        POSTERN_TRY(folder->list([&](std::string_view name) {
            names.emplace_back(name);
            return true;
        }));
        for (const std::string& name : names) {
            const auto key = ownerOfStaged(name);
            if (!key) {
                if (!name.starts_with(".")) ++swept.unknown;  // the marker is ours
                continue;
            }
            if (!isOver(*key)) continue;
            // Two sweeps at once, or the worker itself, may take it first.
            const auto gone = folder->remove(name);
            if (gone.ok() && parseStagedName(name)) ++swept.removed;
            if (!gone.ok() && gone.error().code != Errc::NotFound) return gone.error();
        }
    }
    return swept;
}

void dropStaged(const SpoolFolders& folders, const Job& job) {
    const auto evidence = parseEvidence(job.evidence);
    if (!evidence || evidence->token != folders.token()) return;
    removeStaged(folders, evidence->staged, evidence->companions);
}

void removeStaged(const SpoolFolders& folders, const std::string& staged, int companions) {
    (void)folders.stage().remove(staged);  // sweep() takes it otherwise, and them too
    for (int number = 1; number <= companions; ++number)
        (void)folders.stage().remove(companionStagedName(staged, number));
}

}  // namespace postern::adapters
