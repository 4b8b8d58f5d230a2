#pragma once
// Files and folders as the exactly-once protocol needs them: exclusive creation, durable sync, a rename that
// replaces nothing, and folders held open so that a removed or unmounted folder is noticed instead of
// believed. This and its .cpp are the only place with file-system calls of one platform.
//
// Paths are UTF-8. Names (inside a Folder) have no separator; "." and ".." are refused as Invalid.
// Thread rule: a File belongs to one thread; a Folder's const functions may be called from any thread.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern {

// What the system knows of a file. Two looks at one unchanged file compare equal.
struct FileFacts {
    bool regular = false;  // no folder, link, pipe, socket or device
    std::int64_t size = 0;
    std::int64_t changedNanos = 0;  // the last write, since 1970, as fine as the file system keeps it
    std::uint64_t number = 0;       // its own inside the volume; a rename keeps it
    std::uint64_t volume = 0;       // what `number` is unique in
    std::uint64_t links = 0;        // names the file has; more than one: it can be seen elsewhere too
    bool operator==(const FileFacts&) const = default;
};

class File {
  public:
    File() = default;
    explicit File(int handle) : handle_(handle) {}
    File(File&& other) noexcept : handle_(other.handle_) { other.handle_ = -1; }
    File& operator=(File&& other) noexcept;
    ~File();

    static Result<File> openRead(const std::string& path);
    static Result<File> openAppend(const std::string& path);  // created (0640) when missing

    bool isOpen() const { return handle_ >= 0; }
    int handle() const { return handle_; }

    Result<void> write(std::string_view bytes);  // all of it, at the end of what was written
    Result<void> writeAt(std::int64_t offset, std::string_view bytes);              // all of it
    Result<std::size_t> readAt(std::int64_t offset, char* into, std::size_t size);  // 0 at the end
    Result<std::int64_t> size() const;
    Result<FileFacts> facts() const;
    // The last change of its bytes, size, owner, mode or names: no program can set it back, as it can
    // FileFacts::changedNanos. Moves in the steps of the system's clock, up to 10 ms.
    Result<std::int64_t> touchedNanos() const;
    void startWriteback();  // asks the system to begin writing; promises nothing
    Result<void> sync();    // data and size are on the device. After an error the file's content is unknown
    Result<void> truncate(std::int64_t size);
    // Locks the whole file for writing, as other programs do with fcntl(); held until this File is closed.
    // False when somebody else has a lock on it.
    Result<bool> tryLock();
    Result<void> close();  // reports what a destructor would swallow

  private:
    int handle_ = -1;
};

// What renaming a file without replacing anything came to.
enum class Moved {
    Done,           // it has the new name now, and had the old one until now
    SourceMissing,  // no file has the old name: somebody else moved it
    TargetExists,   // another file has the new name; nothing was changed
};

class Folder {
  public:
    static Result<Folder> open(const std::string& path);  // must exist
    static Result<Folder> make(const std::string& path,
                               unsigned mode = 0750);  // created with its parents when missing

    Folder(Folder&& other) noexcept;
    Folder& operator=(Folder&& other) noexcept;
    ~Folder();

    const std::string& path() const { return path_; }

    Result<File> create(std::string_view name, unsigned mode = 0640) const;  // Exists when the name is taken
    // Never follows a symbolic link and never waits for the other end of a pipe.
    Result<File> openRead(std::string_view name) const;
    // For reading and writing a file that other programs write as well; with `append` every write goes to the
    // end. Never follows a link and never waits for the other end of a pipe.
    Result<File> openShared(std::string_view name, bool append = true) const;
    Result<FileFacts> facts(std::string_view name) const;  // of a link itself; NotFound
    // Whether `name` is there (a symbolic link counts as there). An error is an error, never "no".
    Result<bool> has(std::string_view name) const;
    // Atomic inside one volume. Never follows or replaces a file named `toName`.
    // Where the file system knows no such rename (NFS, some FUSE), it looks first and then renames: enough
    // for names that only we give. For names that others may give at the same time, say Others: there the
    // name is taken with moveReserving().
    enum class Namers { OnlyWe, Others };
    Result<Moved> moveNoReplace(std::string_view name, const Folder& to, std::string_view toName,
                                Namers namers = Namers::OnlyWe) const;
    // The same by means of any file system: takes the name with an empty file of ours, then renames over that
    // one. Others see the empty file for a moment, and a crash may leave it; of many movers of one file still
    // one wins, and of many movers to one name too.
    Result<Moved> moveReserving(std::string_view name, const Folder& to, std::string_view toName) const;
    // Plain rename: replaces. Only for the guard's mutation test and for files of our own that are state, not
    // mail.
    Result<void> moveReplacing(std::string_view name, const Folder& to, std::string_view toName) const;
    Result<void> remove(std::string_view name) const;  // NotFound when it is not there
    Result<void> sync() const;        // names created, moved and removed here are on the device
    Result<void> syncVolume() const;  // everything written to this volume is on the device
    // Calls `visit` with each name but "." and ".."; stops early when it returns false.
    Result<void> list(const std::function<bool(std::string_view)>& visit) const;

    // Ok while this handle still is the folder at path(): not removed, not replaced, not hidden by a mount.
    // Unavailable otherwise. A missing source counts as evidence only after this said ok
    // (RELIABILITY 1.4.1a).
    Result<void> stillThere() const;
    Result<bool> sameVolume(const Folder& other) const;
    Result<void> mayWrite() const;  // Denied when names can not be made and removed here by this process
    // Ask the file system to make renames durable before they are visible (ext4 `chattr +D`). False when it
    // cannot.
    bool askSynchronousRenames() const;
    bool hasSynchronousRenames() const;

  private:
    Folder(int handle, std::string path) : handle_(handle), path_(std::move(path)) {}
    int handle_ = -1;
    std::string path_;
};

// An advisory lock that a process holds on a file until it ends or lets go. A crash releases it.
class FileLock {
  public:
    // Busy when another process (or another FileLock of ours) holds it; its text names the holder's process
    // id.
    static Result<FileLock> acquire(const std::string& path);
    FileLock(FileLock&&) noexcept = default;
    FileLock& operator=(FileLock&&) noexcept = default;

  private:
    explicit FileLock(File file) : file_(std::move(file)) {}
    File file_;
};

struct Space {
    std::int64_t freeBytes = 0;  // for an ordinary user
    std::int64_t freeFiles = 0;  // inodes; a file system without a limit reports a very large number
};
Result<Space> freeSpace(const std::string& path);

Result<std::string> readFile(const std::string& path,
                             std::size_t limit);  // NoSpace when longer than `limit` bytes
// Replaces `path` as a whole and durably: written beside it, synced, renamed over it.
Result<void> replaceFile(const std::string& path, std::string_view bytes, unsigned mode = 0640);
Result<void> makeFolders(const std::string& path, unsigned mode = 0750);  // those made: whatever the umask
Result<void> removeFile(const std::string& path);                         // ok when it is not there
bool pathExists(const std::string& path);
std::string joinPath(std::string_view folder, std::string_view name);
std::string parentPath(std::string_view path);
bool isAbsolutePath(std::string_view path);
int processId();
std::string hostName();
std::string userName();  // who runs this process, for the history

}  // namespace postern
