#pragma once
// SQLite's way to the disk, with a test in between: a VFS over the real one.

#include <string>

#include <sqlite3.h>

namespace postern::tests {

// Registered from begin to end of its life. Give its name as a store's engineOption, and close the store
// first. A derived class overrides what it wants to see, to change or to refuse, and calls the one here for
// the real thing. Any thread.
class VfsShim {
  public:
    explicit VfsShim(const char* name);
    VfsShim(const VfsShim&) = delete;
    VfsShim& operator=(const VfsShim&) = delete;

  protected:
    // `name` is the whole path; empty for a temporary file.
    struct File {
        std::string name;
        sqlite3_file* real;
    };

    virtual ~VfsShim();

    // The answers are SQLite's result codes.
    virtual void opened(const File&) {}
    virtual int remove(const char* name, bool syncFolder);
    virtual int read(const File& file, void* into, int size, sqlite3_int64 offset);
    virtual int write(const File& file, const void* bytes, int size, sqlite3_int64 offset);
    virtual int truncate(const File& file, sqlite3_int64 size);
    virtual int sync(const File& file, int flags);
    // Part `part` of the log's index.
    virtual int mapIndex(const File& file, int part, int size, int extend, void volatile** memory);
    // Also called, with null, where a checkpoint begins on a database that others have changed since.
    virtual int unfetch(const File& file, sqlite3_int64 offset, void* page);

  private:
    friend struct VfsShimCalls;
    sqlite3_vfs vfs_;
};

}  // namespace postern::tests
