#pragma once
// SQLite's way to the disk for the writer. The engine writes a commit to its log in two pieces for each page;
// here they reach the system together, right before the sync that makes them durable. Only the engine's own
// files include this.
//
// G1. Nothing waits in memory behind a sync: what a commit has synced is in the file, for every reader.
// G2. What was written and never synced belongs to no commit and may be lost with the process.
// G3. A piece that the disk refuses is an error of the sync, with the code of the refused write; it is not
//     kept, as the engine writes it again with its next commit.
//
// REQUIRES for G1: PRAGMA synchronous=FULL wherever others read, and a VFS below with POWERSAFE_OVERWRITE, as
// the engine's own ones are: without it the engine writes on behind the sync of a commit.

#include <memory>
#include <string>

#include "base/result.h"

namespace postern::store {

// Thread rule: made and destroyed by whoever has the connection that uses it; it must outlive that
// connection.
class GatheredLog {
  public:
    // `below`: the name of the VFS that does the work; empty is the engine's own.
    static Result<std::unique_ptr<GatheredLog>> over(const std::string& below);
    ~GatheredLog();
    GatheredLog(const GatheredLog&) = delete;
    GatheredLog& operator=(const GatheredLog&) = delete;

    const std::string& name() const;  // as a connection is opened with it

  private:
    struct Vfs;
    explicit GatheredLog(std::unique_ptr<Vfs> vfs);
    std::unique_ptr<Vfs> vfs_;
};

}  // namespace postern::store
