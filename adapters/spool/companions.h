#pragma once
// Files that go beside an artifact and that it names: the parcels of an MHS message, the texts and
// attachments of a GroupWise one. The artifact is the commit point, so they go first:
//
//   stage()    <item>.<epoch>.<number> in the stage folder, synced with the artifact
//   publish()  each is renamed to its place, replacing nothing; that is made durable; then the artifact is
//              renamed. Whoever reads the artifact finds them.
//   recover()  the artifact's staged file decides (spool.h). Where it is withdrawn, each companion is
//              withdrawn too, from the stage or from its place: nothing refers to it there.
//
// A companion is in one place at any time: stage, live folder, withdrawn, or taken by the consumer, who takes
// it only with the artifact. Each move is one rename that replaces nothing, so a late worker and a recovery
// never both have it. One that is nowhere when it is taken back is marked in the withdrawn folder, so that
// no second look takes away the file that a later attempt gave the same name.
//
// Thread rule: any thread.

#include <functional>
#include <string>

#include "adapters/spool/spool_evidence.h"
#include "adapters/spool/spool_folders.h"
#include "adapters/spool/staged_file.h"

namespace postern::adapters {

// Where a format puts the companions of the artifact that it writes.
class Companions {
  public:
    virtual ~Companions() = default;
    // Writes one more; the first has the number 1.
    virtual Result<void> add(const std::function<Result<void>(StagedFile&)>& write) = 0;
    int count() const { return count_; }

  protected:
    int count_ = 0;
};

// The live name of a companion, from the item and its number alone (A4).
using CompanionNames = std::function<std::string(ItemId item, int number)>;

// Moves the companions of a staged artifact into `live`. Those that somebody else moved count as moved: the
// artifact's rename tells who it was. Busy: a foreign file has a name. Unavailable: one is nowhere, though
// its artifact still waits. Not synced.
Result<void> publishCompanions(const SpoolFolders& folders, const SpoolEvidence& evidence, const Folder& live,
                               const CompanionNames& names);

// REQUIRES: the artifact is withdrawn. Takes back what publishCompanions() moved, and makes sure that nothing
// of it can be moved any more. Durable when it returns. May be called again.
Result<void> takeBackCompanions(const SpoolFolders& folders, const SpoolEvidence& evidence,
                                const LiveFolder& live, const CompanionNames& names);

}  // namespace postern::adapters
