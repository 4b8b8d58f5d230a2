#pragma once
// The folders of one spool, held open: where files are staged, where withdrawn ones go, and the live ones
// that the consumer reads. Holding them open is what makes "the staged file is gone" evidence: a removed,
// replaced or unmounted folder is noticed and never read as "somebody published it" (RELIABILITY 1.4.1a).
//
// A marker file in the stage folder, `.store-<store id>`, says whose it is and carries a random token made
// with it. Another store's or another adapter's marker is refused (KB Q131988); a stage folder that was made
// anew has another token, so what was staged in its predecessor is never taken for published.
//
// Who had folders open is given no others in their place: the mount point of a share that went away would
// take mail that nobody reads. Only with the same marker it is the same folder; a new Adapter, which a
// restart or a changed configuration makes, begins without memory.
//
// Thread rule: every const function may be called from any thread.

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/registry.h"
#include "base/file.h"
#include "base/folder_access.h"
#include "base/sync.h"

namespace postern::adapters {

struct SpoolPlan {
    std::string folder;             // absolute; the consumer's
    std::vector<std::string> live;  // folders to open at probe(), relative to `folder`; "" is `folder` itself
    std::vector<std::string> siblings;  // made beside each live folder ("cur", "tmp" of a Maildir)
    std::string stage;                  // absolute; empty: <folder>/.postern-<adapter>/stage
    bool create = true;                 // make `folder` when it is missing
    bool synchronousRenames = true;     // ask for renames that are durable before they are visible
    bool oneVolume = true;              // files are renamed from the stage into the live folders
    unsigned folderMode = 0770;         // of folders made for the consumer
    unsigned fileMode = 0640;
};

struct LiveFolder {
    Folder folder;
    bool durableRenames = false;  // a rename into it is on the device when it returns
    // Set: a staged file is given to this group, which it would have had if it had been created here.
    std::optional<GroupId> group = {};
};

class SpoolFolders {
  public:
    // Opens, and where allowed makes, everything; tries writing and moving a file of ours. Unavailable,
    // Denied, NoSpace, ... with the path in the text. With `before`, which this adapter had open last,
    // nothing of the plan's is made but live folders, and others than those that were open then are
    // Unavailable.
    static Result<std::shared_ptr<SpoolFolders>> open(const AdapterContext& context, const SpoolPlan& plan,
                                                      const SpoolFolders* before);

    const Folder& stage() const { return stage_; }
    const Folder& withdrawn() const { return withdrawn_; }
    const std::string& token() const { return token_; }

    // The live folder `path` (relative, "" is the spool's own), opened and made on first use.
    Result<std::shared_ptr<const LiveFolder>> live(const std::string& path) const;

    // One recipient's live folder that was lost is opened anew when it is needed next. Planned ones are
    // everybody's: open() alone opens them.
    void forget(const std::string& path) const;
    bool isPlanned(const std::string& path) const;

    // Ok while the stage, withdrawn and spool folders are the ones that were opened and the marker is in its
    // place.
    Result<void> stillOurs() const;
    bool durableRenames() const { return durableRenames_; }

    // An error of a call in the stage, withdrawn or live folder; where rights are wanting, with whose the
    // folder is, as whom we asked and what to do.
    Error explained(const Error& error, const std::string& live = {}) const;

  private:
    SpoolFolders(std::string adapter, const SpoolPlan& plan, Folder base, Folder stage, Folder withdrawn)
        : adapter_(std::move(adapter)),
          plan_(plan),
          base_(std::move(base)),
          stage_(std::move(stage)),
          withdrawn_(std::move(withdrawn)) {}
    static Result<std::shared_ptr<SpoolFolders>> openAll(const AdapterContext& context, const SpoolPlan& plan,
                                                         const SpoolFolders* before);
    Result<void> beSameAs(const SpoolFolders* before);
    Result<void> claim(const AdapterContext& context, const SpoolFolders* before);
    Result<void> makeMarker(const AdapterContext& context);
    Result<void> openPlanned();
    Result<void> tryOut();
    std::string livePath(const std::string& path) const;
    Result<std::shared_ptr<const LiveFolder>> openLive(const std::string& path) const;
    Result<std::optional<GroupId>> groupFor(const std::string& path) const;
    Result<void> mayGiveTo(GroupId group) const;
    std::shared_ptr<const LiveFolder> knownLive(const std::string& path) const EXCLUDES(mutex_);

    const std::string adapter_;  // its name
    const SpoolPlan plan_;
    Folder base_, stage_, withdrawn_;
    std::string marker_, token_;
    std::uint64_t baseNumber_ = 0;
    GroupId stagedGroup_ = 0;  // of a file that is created in the stage folder
    bool durableRenames_ = false;
    mutable std::atomic<bool> toldGroup_{false};  // the log has that files can not be given to a group
    mutable Mutex mutex_;
    mutable std::map<std::string, std::shared_ptr<const LiveFolder>> live_ GUARDED_BY(mutex_);
};

// The stage folder of `plan`, and the withdrawn one beside it.
std::string stagePath(const AdapterContext& context, const SpoolPlan& plan);
std::string withdrawnPath(const AdapterContext& context, const SpoolPlan& plan);

}  // namespace postern::adapters
