#pragma once
// What a database wrote, in the order in which it wrote it, and every disk that a power cut may leave of
// that.
//
// The model is that of a disk that honours a flush and nothing else: until a file is synced each 512-byte
// sector of each write may be there, not there, or torn (other bytes), whatever came after it; so may a file
// that was made or removed, until its folder is synced. Sectors that were not written are not touched.

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/sync.h"
#include "tests/kit/vfs_shim.h"

namespace postern::tests {

using Files = std::map<std::string, std::string>;  // path to content

struct DiskStep {
    enum Kind { Made, Removed, Written, Cut, Synced, FolderSynced, Marked } kind;
    std::string path;
    std::int64_t offset = 0;  // Cut: the new size. Marked: the mark
    std::string bytes;
};

// A SQLite VFS that records what goes through it. It syncs nothing: tests open many stores. Any thread.
class RecordingDisk final : public VfsShim {
  public:
    static constexpr char kName[] = "postern-recording-disk";
    RecordingDisk() : VfsShim(kName) {}

    void begin();
    std::vector<DiskStep> end();
    void mark(std::int64_t what);  // between the writes, as of now

  private:
    void opened(const File& file) override;
    int remove(const char* name, bool syncFolder) override;
    int write(const File& file, const void* bytes, int size, sqlite3_int64 offset) override;
    int truncate(const File& file, sqlite3_int64 size) override;
    int sync(const File& file, int flags) override;
    void record(DiskStep step);

    Mutex mutex_;
    bool recording_ GUARDED_BY(mutex_) = false;
    std::vector<DiskStep> steps_ GUARDED_BY(mutex_);
};

// A disk that has lived through some of the steps.
class Platter {
  public:
    enum class Flushes { Honoured, Ignored };  // Ignored: a disk that lies, for the control
    Platter(Files durable, Flushes flushes);

    void live(const DiskStep& step);

    enum class Left { Everything, OnlyTheSynced, Some };
    Files afterPowerCut(Left left, std::mt19937_64& chance) const;

  private:
    // One file that had or has a name: a name may have been given anew before its removal was durable.
    struct Copy {
        std::string durable;
        std::vector<DiskStep> pending;  // Written and Cut
        bool entryDurable = false;      // it would be found
        bool removed = false;           // not durably, or it would be gone
    };

    std::string contentOf(const Copy& copy, Left left, std::mt19937_64& chance) const;

    const Flushes flushes_;
    std::map<std::string, std::vector<Copy>> copies_;
};

}  // namespace postern::tests
