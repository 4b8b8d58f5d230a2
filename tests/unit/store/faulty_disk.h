#pragma once
// A disk that fails when a test says so: a SQLite VFS over the real one.

#include <string>

namespace postern::tests {

enum class Fault {
    Full,  // SQLITE_FULL
    Io,    // SQLITE_IOERR_*
};

// One at a time. Give kName as the store's engineOption. Healthy until told otherwise. Any thread.
class FaultyDisk {
  public:
    static constexpr char kName[] = "postern-faulty-disk";
    FaultyDisk();
    ~FaultyDisk();
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;

    // Let `after` writes to files whose name ends in `ending` through, then fail `count` of them.
    void failWrites(Fault fault, std::string ending, int after = 0, int count = 1'000'000'000);
    void failReads(std::string ending);    // all, from now on
    void garbleReads(std::string ending);  // they succeed, with other bytes
    void failSyncs(std::string ending, int after = 0);
    // The log's index can not have its `part`-th 32 KiB, from 0 on: the first holds 4062 frames.
    void failIndex(int part);
    void heal();
    void skipSyncs();  // pretend: for tests that open hundreds of stores
    int failures() const;
};

}  // namespace postern::tests
