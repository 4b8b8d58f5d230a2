#include "adapters/spool/companions.h"

namespace postern::adapters {

namespace {

// Nobody has it: not the stage, not its place. That is so for a moment only where another worker publishes or
// withdraws the artifact meanwhile; then the artifact has left the stage.
Result<void> refuseLost(const SpoolFolders& folders, const SpoolEvidence& evidence, const Folder& live,
                        const std::string& name, const std::string& staged) {
    POSTERN_LET(placed, live.has(name));
    if (placed) return {};
    POSTERN_LET(waits, folders.stage().has(evidence.staged));
    if (!waits) return {};
    return fail(Errc::Unavailable, joinPath(folders.stage().path(), staged) + " is gone");
}

Result<void> takeBack(const SpoolFolders& folders, const std::string& staged, const Folder& live,
                      const std::string& name) {
    POSTERN_LET(unstaged, folders.stage().moveNoReplace(staged, folders.withdrawn(), staged));
    if (unstaged != Moved::SourceMissing) return {};
    POSTERN_LET(decided, folders.withdrawn().has(staged));
    if (decided) return {};
    POSTERN_LET(unplaced, live.moveNoReplace(name, folders.withdrawn(), staged));
    if (unplaced != Moved::SourceMissing) return {};
    const auto marked = folders.withdrawn().create(staged, 0600);
    return marked.ok() || marked.error().code == Errc::Exists ? Result<void>() : marked.error();
}

}  // namespace

Result<void> publishCompanions(const SpoolFolders& folders, const SpoolEvidence& evidence, const Folder& live,
                               const CompanionNames& names) {
    const auto key = parseStagedName(evidence.staged);
    for (int number = 1; number <= evidence.companions; ++number) {
        const std::string name = names(key->item, number);
        const std::string staged = companionStagedName(evidence.staged, number);
        POSTERN_LET(moved, folders.stage().moveNoReplace(staged, live, name));
        if (moved == Moved::TargetExists)
            return fail(Errc::Busy, "the name " + joinPath(live.path(), name) + " is taken by another file");
        if (moved == Moved::SourceMissing) POSTERN_TRY(refuseLost(folders, evidence, live, name, staged));
    }
    return {};
}

Result<void> takeBackCompanions(const SpoolFolders& folders, const SpoolEvidence& evidence,
                                const LiveFolder& live, const CompanionNames& names) {
    const auto key = parseStagedName(evidence.staged);
    for (int number = 1; number <= evidence.companions; ++number)
        POSTERN_TRY(takeBack(folders, companionStagedName(evidence.staged, number), live.folder,
                             names(key->item, number)));
    return live.durableRenames ? Result<void>() : live.folder.sync();
}

}  // namespace postern::adapters
