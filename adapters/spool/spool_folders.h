#pragma once
// The folders of one spool, held open: where files are staged, where withdrawn ones go, and the live ones
// that the consumer reads. Holding them open is what makes "the staged file is gone" evidence: a removed,
// replaced or unmounted folder is noticed and never read as "somebody published it" (RELIABILITY 1.4.1a).
//
// A marker file in the stage folder, `.store-<store id>`, says whose it is and carries a random token made
// with it. Another store's or another adapter's marker is refused (KB Q131988); a stage folder that was made
// anew has another token, so what was staged in its predecessor is never taken for published.
//
// Thread rule: every const function may be called from any thread.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/registry.h"
#include "base/file.h"
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
};

class SpoolFolders {
  public:
    // Opens, and where allowed makes, everything; tries writing and moving a file of ours. Unavailable,
    // Denied, NoSpace, ... with the path in the text.
    static Result<std::shared_ptr<SpoolFolders>> open(const AdapterContext& context, const SpoolPlan& plan);

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

  private:
    SpoolFolders(const SpoolPlan& plan, Folder base, Folder stage, Folder withdrawn)
        : plan_(plan), base_(std::move(base)), stage_(std::move(stage)), withdrawn_(std::move(withdrawn)) {}
    Result<void> claim(const AdapterContext& context);
    Result<void> makeMarker(const AdapterContext& context);
    Result<void> openPlanned();
    Result<void> tryOut() const;
    Result<std::shared_ptr<const LiveFolder>> openLive(const std::string& path) const;
    std::shared_ptr<const LiveFolder> knownLive(const std::string& path) const EXCLUDES(mutex_);

    SpoolPlan plan_;
    Folder base_, stage_, withdrawn_;
    std::string marker_, token_;
    bool durableRenames_ = false;
    mutable Mutex mutex_;
    mutable std::map<std::string, std::shared_ptr<const LiveFolder>> live_ GUARDED_BY(mutex_);
};

// The stage folder of `plan`, and the withdrawn one beside it.
std::string stagePath(const AdapterContext& context, const SpoolPlan& plan);
std::string withdrawnPath(const AdapterContext& context, const SpoolPlan& plan);

}  // namespace postern::adapters
