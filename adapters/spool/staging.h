#pragma once
// Writes the artifacts of a batch into a stage folder and makes them durable together: the part of stage()
// that is the same whether a file is later renamed into a folder or its bytes are added to a mailbox.
// Thread rule: one thread; borrows the folders, the writer and `beat`.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/spool/companions.h"
#include "adapters/spool/spool_folders.h"
#include "adapters/spool/staged_file.h"

namespace postern::adapters {

class Staging {
  public:
    // Writes the artifact of a job and the files beside it, as SpoolAdapter::write() does.
    using Writer =
        std::function<Result<std::optional<Outcome>>(Job& job, StagedFile& file, Companions& beside)>;
    struct Written {
        std::int64_t bytes;  // of the artifact
        int companions;
    };

    // `jobs` is how many there may be. An Error: nothing can be staged now.
    static Result<Staging> begin(const SpoolFolders& folders, std::size_t jobs, unsigned fileMode,
                                 Writer writer, const std::function<void()>& beat);

    // The groups that a job's files are given; nothing: the one that they got by being written here.
    struct Groups {
        std::optional<GroupId> artifact = {}, companions = {};
    };
    // Writes the job's file as stagedName(key), and its companions. On failure the job has its outcome and no
    // file.
    std::optional<Written> write(Job& job, const Groups& groups);

    // Syncs all that was written. Jobs whose file may not be durable get an outcome and lose their evidence.
    void finish();

  private:
    class Beside;
    struct Kept {
        Job* job;
        std::vector<File> files;  // open only when each file is synced for itself
        int companions;
    };
    Staging(const SpoolFolders& folders, unsigned fileMode, Writer writer, const std::function<void()>& beat)
        : folders_(folders), fileMode_(fileMode), writer_(std::move(writer)), beat_(beat) {}
    Result<File> create(const std::string& name, std::optional<GroupId> group) const;
    void keep(File file, std::vector<File>& files) const;
    void drop(const Kept& kept, const Error& error) const;

    const SpoolFolders& folders_;
    const unsigned fileMode_;
    const Writer writer_;
    const std::function<void()>& beat_;
    std::optional<Folder> volume_;  // set: one sync of the whole volume for all
    std::string buffer_;
    std::vector<Kept> kept_;
};

// Recipients that became impossible since they were accepted (settings changed) are rejected alone; the
// others are tried again without them. Nothing when all are possible.
std::optional<Outcome> refusalOf(const Adapter& adapter, const Delivery& delivery);

// What an Error means that says why a mail can not be delivered: Errc::Invalid, never; any other, not now.
Outcome rejectedOrDeferred(const Error& error);

// The adapter can not be used because of this.
Outcome unusableBy(const Error& error);

// Ends every job that has no outcome yet.
void endAll(std::span<Job> jobs, const Outcome& outcome);

}  // namespace postern::adapters
