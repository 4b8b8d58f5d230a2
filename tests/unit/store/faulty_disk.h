#pragma once
// A disk that fails when a test says so: a SQLite VFS over the real one.

#include <string>

#include "base/sync.h"
#include "tests/kit/vfs_shim.h"

namespace postern::tests {

enum class Fault {
    Full,  // SQLITE_FULL
    Io,    // SQLITE_IOERR_*
};

// One at a time. Give kName as the store's engineOption. Healthy until told otherwise. Any thread.
class FaultyDisk final : public VfsShim {
  public:
    static constexpr char kName[] = "postern-faulty-disk";
    FaultyDisk() : VfsShim(kName) {}

    // Let `after` writes to files whose name ends in `ending` through, then fail `count` of them.
    void failWrites(Fault fault, std::string ending, int after = 0, int count = 1'000'000'000);
    void failReads(std::string ending);    // all, from now on
    void garbleReads(std::string ending);  // they succeed, with other bytes
    void failSyncs(std::string ending, int after = 0, int count = 1'000'000'000);
    // The log's index can not have its `part`-th 32 KiB, from 0 on: the first holds 4062 frames.
    void failIndex(int part);
    void heal();
    void skipSyncs();  // pretend: for tests that open hundreds of stores
    int failures() const;

  private:
    static constexpr int kEveryPart = 1'000'000;

    struct Plan {
        bool active = false;
        int result = SQLITE_OK;
        std::string ending;
        int after = 0;
        int count = 0;
    };

    int read(const File& file, void* into, int size, sqlite3_int64 offset) override;
    int write(const File& file, const void* bytes, int size, sqlite3_int64 offset) override;
    int sync(const File& file, int flags) override;
    int mapIndex(const File& file, int part, int size, int extend, void volatile** memory) override;
    int verdict(const File& file, Plan FaultyDisk::*which);
    void set(Plan FaultyDisk::*which, Plan plan);

    mutable Mutex mutex_;
    Plan write_ GUARDED_BY(mutex_), sync_ GUARDED_BY(mutex_), read_ GUARDED_BY(mutex_);
    bool skipSyncs_ GUARDED_BY(mutex_) = false;
    int lastPart_ GUARDED_BY(mutex_) = kEveryPart;
    int failures_ GUARDED_BY(mutex_) = 0;
};

}  // namespace postern::tests
