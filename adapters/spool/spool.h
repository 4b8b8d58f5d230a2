#pragma once
// The shared publisher of every adapter that hands over one file per item in a folder which a consumer
// empties (RELIABILITY 1.4, FORMATS 1a). A format derives from SpoolAdapter and says only where a delivery
// goes and what the bytes are; staging, publishing, recovery and sweeping are here, once.
//
// The witness: a delivery is staged as <item>.<epoch> in our own folder and published by one rename that
// replaces nothing. The kernel lets one rename of one source succeed, so
//
//   staged file in its place     not published
//   staged file in `withdrawn`   not published and never will be: whoever moved it there decided
//   staged file in neither       published, also when the consumer has taken it long ago
//
// The last line holds only while the folders are the ones in which it was staged (SpoolFolders). A staged
// file whose row may be in `publishing` is therefore never deleted and never made again.
//
// A format whose artifact names other files writes them as companions (adapters/spool/companions.h).

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/adapter.h"
#include "adapters/registry.h"
#include "adapters/spool/companions.h"
#include "adapters/spool/spool_folders.h"
#include "adapters/spool/staging.h"
#include "adapters/spool/witness.h"
#include "base/sync.h"

namespace postern::adapters {

// Where a delivery becomes visible. Both derive from the delivery's row alone (A4).
struct Place {
    std::string folder;  // relative to the spool's folder; "" is the folder itself
    std::string name;    // empty: named late, by nextName(), as a format with running numbers needs it
    std::string besideFolder = {};  // where its companions go; one of the plan's live folders
};

class SpoolAdapter : public Adapter {
  public:
    SpoolAdapter(AdapterContext context, SpoolPlan plan);

    // Whoever overrides it calls this one first.
    Result<void> probe() override;
    void stage(std::span<Job> jobs, const std::function<void()>& beat) final;
    void publish(std::span<Job> jobs, const std::function<void()>& beat) final;
    // The row never reached `publishing` with this file, and its name carries an epoch that was ours alone.
    void abandon(Job& job) final;
    // Of companions only their sizes, as notes.
    Result<std::optional<Outcome>> convert(Job& job, StagedFile& file) const final;
    Recovery recover(const DeliveryKey& staged, std::string_view evidence) final;
    Result<int> sweep(const std::function<bool(const DeliveryKey&)>& isOver) final;
    std::string describe() const override;

  protected:
    const AdapterContext& context() const { return context_; }

    // Errc::Invalid means that this mail can never be delivered here: it is rejected with the error's text.
    // Any other Error defers it.
    virtual Result<Place> place(const Delivery& delivery) const = 0;
    // Why the delivery has to wait, asked before anything is made for it. Nothing: it can begin.
    virtual std::optional<Outcome> notNow(const Delivery& delivery) const {
        (void)delivery;
        return std::nullopt;
    }
    // The name of a file of `bytes` bytes at that place, where the name tells the size. Not asked for a file
    // that is named late.
    virtual std::string nameFor(const Place& place, std::int64_t bytes) const {
        (void)bytes;
        return place.name;
    }
    // The name of the next file in `live`, for a Place without one; `last` is the last that this batch gave
    // there, or empty: look what there is. May be asked again when others took the name meanwhile. A name of
    // this kind proves nothing and needs not to: the staged file alone is the witness.
    virtual Result<std::string> nextName(const Folder& live, const std::string& last) const {
        (void)last;
        return fail(Errc::Internal, "files in " + live.path() + " have names of their own");
    }
    // Whether a place has one name for all attempts of an item, so that an attempt which the queue has
    // forgotten finds it taken. Where not, earlier attempts are withdrawn before one is published.
    virtual bool nameIsItems() const { return true; }
    // These files were published there just now: for an index that is a hint only. Their outcomes stand.
    virtual void afterPublishing(const Folder& live, const std::vector<std::string>& names) const {
        (void)live;
        (void)names;
    }
    // Writes the artifact. An outcome ends the job (the file is removed); an Error of the file is the disk's,
    // any other defers the mail. What was lost goes to job.notes.
    virtual Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions& beside) const = 0;
    // The live name of a companion. Asked of formats that write some; no name may serve two items.
    virtual std::string companionName(ItemId item, int number) const {
        return std::to_string(item.value) + "." + std::to_string(number);
    }

  private:
    struct Publishing;

    Result<std::shared_ptr<const SpoolFolders>> folders() const EXCLUDES(mutex_);
    void stageOne(Job& job, const SpoolFolders& folders, Staging& staging) const;
    struct Renamed {
        Moved end;
        std::string name;
    };
    Result<Renamed> rename(const SpoolEvidence& evidence, const Folder& live, Publishing& publishing) const;
    void publishBeside(Job& job, Publishing& publishing) const;
    void syncBeside(Publishing& publishing) const;
    void publishOne(Job& job, Publishing& publishing) const;
    Result<void> takeBackBeside(const SpoolFolders& folders, const SpoolEvidence& evidence) const;
    void publishByCopy(Job& job, Publishing& publishing) const;
    void syncPublished(Publishing& publishing) const;

    const AdapterContext context_;
    const SpoolPlan plan_;
    mutable Mutex mutex_;
    std::shared_ptr<const SpoolFolders> folders_ GUARDED_BY(mutex_);
    std::atomic<int> unknownFiles_{0};  // seen by the last sweep; left alone
};

// The settings every spool kind shares, to be followed by the kind's own, and the plan they make. An error
// names the setting.
std::vector<Setting> spoolSettings(std::vector<Setting> own);
Result<SpoolPlan> spoolPlan(const Settings& settings);
// Permission bits, "0640". An error names the setting.
Result<unsigned> octalMode(const Settings& settings, const char* key);

}  // namespace postern::adapters
