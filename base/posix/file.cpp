#include "base/file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <memory>
#include <pwd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"

namespace postern {

namespace {

// Repeats a system call that a signal interrupted.
template <class Call>
auto retried(Call call) {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

Error lastError(std::string_view context) {
    return systemError(errno, context);
}

FileFacts factsOf(const struct stat& info) {
    return {S_ISREG(info.st_mode),
            static_cast<std::int64_t>(info.st_size),
            static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec,
            static_cast<std::uint64_t>(info.st_ino),
            static_cast<std::uint64_t>(info.st_dev),
            static_cast<std::uint64_t>(info.st_nlink)};
}

}  // namespace

File& File::operator=(File&& other) noexcept {
    if (this != &other) {
        if (handle_ >= 0) ::close(handle_);
        handle_ = other.handle_;
        other.handle_ = -1;
    }
    return *this;
}

File::~File() {
    if (handle_ >= 0) ::close(handle_);
}

Result<File> File::openRead(const std::string& path) {
    const int handle = retried([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
    if (handle < 0) return lastError(path);
    return File(handle);
}

Result<File> File::openAppend(const std::string& path) {
    const int handle =
        retried([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640); });
    if (handle < 0) return lastError(path);
    return File(handle);
}

Result<void> File::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = retried([&] { return ::write(handle_, bytes.data(), bytes.size()); });
        if (written < 0) return lastError("write");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<void> File::writeAt(std::int64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = retried([&] { return ::pwrite(handle_, bytes.data(), bytes.size(), offset); });
        if (written < 0) return lastError("write");
        bytes.remove_prefix(static_cast<std::size_t>(written));
        offset += written;
    }
    return {};
}

Result<std::size_t> File::readAt(std::int64_t offset, char* into, std::size_t size) {
    const auto got = retried([&] { return ::pread(handle_, into, size, offset); });
    if (got < 0) return lastError("read");
    return static_cast<std::size_t>(got);
}

Result<std::int64_t> File::size() const {
    struct stat info;
    if (::fstat(handle_, &info) != 0) return lastError("stat");
    return static_cast<std::int64_t>(info.st_size);
}

Result<FileFacts> File::facts() const {
    struct stat info;
    if (::fstat(handle_, &info) != 0) return lastError("stat");
    return factsOf(info);
}

Result<std::int64_t> File::touchedNanos() const {
    struct stat info;
    if (::fstat(handle_, &info) != 0) return lastError("look");
    return static_cast<std::int64_t>(info.st_ctim.tv_sec) * 1'000'000'000 + info.st_ctim.tv_nsec;
}

void File::startWriteback() {
    ::sync_file_range(handle_, 0, 0, SYNC_FILE_RANGE_WRITE);
}

Result<void> File::sync() {
    // fdatasync also writes the size; an error must not be retried: the pages are clean by then
    // (RELIABILITY 2.4).
    if (::fdatasync(handle_) != 0) return lastError("sync");
    return {};
}

Result<void> File::truncate(std::int64_t size) {
    if (retried([&] { return ::ftruncate(handle_, size); }) != 0) return lastError("truncate");
    return {};
}

// A lock of the open file and not of the process: another thread that closes the same file does not drop it.
// It excludes the process-wide fcntl() locks of others.
Result<bool> File::tryLock() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (retried([&] { return ::fcntl(handle_, F_OFD_SETLK, &lock); }) == 0) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    return lastError("lock");
}

Result<void> File::close() {
    const int handle = std::exchange(handle_, -1);
    if (handle >= 0 && ::close(handle) != 0 && errno != EINTR) return lastError("close");
    return {};
}

Result<Folder> Folder::open(const std::string& path) {
    const int handle = retried([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (handle < 0) return lastError(path);
    return Folder(handle, path);
}

Result<Folder> Folder::make(const std::string& path, unsigned mode) {
    POSTERN_TRY(makeFolders(path, mode));
    return open(path);
}

Folder::Folder(Folder&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)), path_(std::move(other.path_)) {}

Folder& Folder::operator=(Folder&& other) noexcept {
    if (this != &other) {
        if (handle_ >= 0) ::close(handle_);
        handle_ = std::exchange(other.handle_, -1);
        path_ = std::move(other.path_);
    }
    return *this;
}

Folder::~Folder() {
    if (handle_ >= 0) ::close(handle_);
}

Result<File> Folder::create(std::string_view name, unsigned mode) const {
    POSTERN_TRY(usableFileName(name));
    const std::string text(name);
    const int handle = retried([&] {
        return ::openat(handle_, text.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    });
    if (handle < 0) return lastError(joinPath(path_, name));
    return File(handle);
}

Result<File> Folder::openRead(std::string_view name) const {
    POSTERN_TRY(usableFileName(name));
    const std::string text(name);
    const int handle = retried(
        [&] { return ::openat(handle_, text.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); });
    if (handle < 0) return lastError(joinPath(path_, name));
    return File(handle);
}

Result<File> Folder::openShared(std::string_view name, bool append) const {
    POSTERN_TRY(usableFileName(name));
    const std::string text(name);
    const int handle = retried([&] {
        return ::openat(handle_, text.c_str(),
                        O_RDWR | (append ? O_APPEND : 0) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    });
    if (handle < 0) return lastError(joinPath(path_, name));
    return File(handle);
}

Result<bool> Folder::has(std::string_view name) const {
    POSTERN_TRY(usableFileName(name));
    struct stat info;
    if (::fstatat(handle_, std::string(name).c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return true;
    if (errno == ENOENT) return false;
    return lastError(joinPath(path_, name));
}

Result<FileFacts> Folder::facts(std::string_view name) const {
    POSTERN_TRY(usableFileName(name));
    struct stat info;
    if (::fstatat(handle_, std::string(name).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
        return lastError(joinPath(path_, name));
    return factsOf(info);
}

Result<Moved> Folder::moveNoReplace(std::string_view name, const Folder& to, std::string_view toName,
                                    Namers namers) const {
    POSTERN_TRY(usableFileName(name));
    POSTERN_TRY(usableFileName(toName));
    const std::string source(name), target(toName);
    if (::renameat2(handle_, source.c_str(), to.handle_, target.c_str(), RENAME_NOREPLACE) == 0)
        return Moved::Done;
    if (errno == EEXIST) return Moved::TargetExists;
    if (errno == ENOENT) return Moved::SourceMissing;
    if (errno != EINVAL && errno != ENOSYS)
        return lastError("rename " + source + " to " + joinPath(to.path_, toName));
    // This file system knows no RENAME_NOREPLACE.
    if (namers == Namers::Others) return moveReserving(name, to, toName);
    POSTERN_LET(taken, to.has(toName));
    if (taken) return Moved::TargetExists;
    if (::renameat(handle_, source.c_str(), to.handle_, target.c_str()) == 0) return Moved::Done;
    if (errno == ENOENT) return Moved::SourceMissing;
    return lastError("rename " + source + " to " + joinPath(to.path_, toName));
}

Result<Moved> Folder::moveReserving(std::string_view name, const Folder& to, std::string_view toName) const {
    POSTERN_TRY(usableFileName(name));
    // Looked at first, so that a mover who comes too late shows nobody an empty file.
    POSTERN_LET(there, has(name));
    if (!there) return Moved::SourceMissing;
    auto reserved = to.create(toName, 0600);
    if (!reserved.ok()) {
        if (reserved.error().code == Errc::Exists) return Moved::TargetExists;
        if (reserved.error().code == Errc::NotFound) return Moved::SourceMissing;  // as a rename says it
        return reserved.error();
    }
    const std::string source(name), target(toName);
    if (::renameat(handle_, source.c_str(), to.handle_, target.c_str()) == 0) return Moved::Done;
    const int reason = errno;
    // Only while it is the empty one: a rename whose answer was lost may have been done all the same.
    const auto ours = reserved->facts();
    const auto named = to.facts(toName);
    if (ours.ok() && named.ok() && ours->number == named->number && named->size == 0) (void)to.remove(toName);
    if (reason == ENOENT) return Moved::SourceMissing;
    errno = reason;
    return lastError("rename " + source + " to " + joinPath(to.path_, toName));
}

Result<void> Folder::moveReplacing(std::string_view name, const Folder& to, std::string_view toName) const {
    POSTERN_TRY(usableFileName(name));
    POSTERN_TRY(usableFileName(toName));
    if (::renameat(handle_, std::string(name).c_str(), to.handle_, std::string(toName).c_str()) == 0)
        return {};
    return lastError("rename " + joinPath(path_, name));
}

Result<void> Folder::remove(std::string_view name) const {
    POSTERN_TRY(usableFileName(name));
    if (::unlinkat(handle_, std::string(name).c_str(), 0) == 0) return {};
    return lastError(joinPath(path_, name));
}

Result<void> Folder::sync() const {
    if (::fsync(handle_) != 0) return lastError("sync " + path_);
    return {};
}

Result<void> Folder::syncVolume() const {
    if (::syncfs(handle_) != 0) return lastError("sync the volume of " + path_);
    return {};
}

Result<void> Folder::list(const std::function<bool(std::string_view)>& visit) const {
    // A fresh description: a listing must not move the offset of another thread's listing.
    const int handle = retried([&] { return ::openat(handle_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (handle < 0) return lastError(path_);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(handle), &::closedir);
    if (!stream) {
        const Error error = lastError(path_);
        ::close(handle);
        return error;
    }
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());
        if (entry == nullptr) break;
        const std::string_view name(entry->d_name);
        if (name != "." && name != ".." && !visit(name)) return {};
    }
    if (errno != 0) return lastError(path_);
    return {};
}

Result<void> Folder::stillThere() const {
    struct stat held, named;
    if (::fstat(handle_, &held) != 0) return lastError(path_);
    if (held.st_nlink == 0) return fail(Errc::Unavailable, path_ + " was removed while in use");
    if (::stat(path_.c_str(), &named) != 0) return fail(Errc::Unavailable, lastError(path_).text);
    if (held.st_dev != named.st_dev || held.st_ino != named.st_ino)
        return fail(Errc::Unavailable,
                    path_ + " is not the folder it was at start (replaced or mounted over)");
    return {};
}

Result<bool> Folder::sameVolume(const Folder& other) const {
    struct stat mine, theirs;
    if (::fstat(handle_, &mine) != 0) return lastError(path_);
    if (::fstat(other.handle_, &theirs) != 0) return lastError(other.path_);
    return mine.st_dev == theirs.st_dev;
}

Result<void> Folder::mayWrite() const {
    if (::faccessat(handle_, ".", W_OK | X_OK, AT_EACCESS) != 0) return lastError(path_);
    return {};
}

// Btrfs and some FUSE file systems store the flag and do not honour it, so success of the call proves
// nothing.
static bool keepsDirsync(int handle) {
    struct statfs info;
    return ::fstatfs(handle, &info) == 0 &&
           info.f_type == EXT4_SUPER_MAGIC;  // ext2 and ext3 have the same number
}

bool Folder::askSynchronousRenames() const {
    int flags = 0;
    if (!keepsDirsync(handle_)) return false;
    if (::ioctl(handle_, FS_IOC_GETFLAGS, &flags) != 0) return false;
    if (flags & FS_DIRSYNC_FL) return true;
    flags |= FS_DIRSYNC_FL;
    return ::ioctl(handle_, FS_IOC_SETFLAGS, &flags) == 0;
}

bool Folder::hasSynchronousRenames() const {
    int flags = 0;
    return keepsDirsync(handle_) && ::ioctl(handle_, FS_IOC_GETFLAGS, &flags) == 0 &&
           (flags & FS_DIRSYNC_FL) != 0;
}

// "process 123 (posternd)", as far as it is known.
static std::string processNamed(const std::string& pid) {
    if (!parseInt(pid)) return "a process that did not say its number";
    const auto program = readFile("/proc/" + pid + "/comm", 64);
    return "process " + pid + (program.ok() ? " (" + std::string(trim(*program)) + ")" : std::string());
}

Result<FileLock> FileLock::acquire(const std::string& path) {
    POSTERN_LET(file, File::openAppend(path));
    if (::flock(file.handle(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return lastError(path);
        const auto holder = readFile(path, 64);
        const std::string pid = holder.ok() ? std::string(trim(*holder)) : std::string();
        return fail(Errc::Busy, path + " is held by " + processNamed(pid));
    }
    if (::ftruncate(file.handle(), 0) != 0) return lastError(path);
    POSTERN_TRY(file.write(std::to_string(::getpid()) + "\n"));
    return FileLock(std::move(file));
}

Result<Space> freeSpace(const std::string& path) {
    struct statvfs info;
    if (retried([&] { return ::statvfs(path.c_str(), &info); }) != 0) return lastError(path);
    const std::int64_t unlimited = std::int64_t{1} << 62;
    return Space{static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize),
                 info.f_files == 0 ? unlimited : static_cast<std::int64_t>(info.f_favail)};
}

// The group that a folder got from the one around it stays. Some file systems have no such bits (FAT, CIFS).
static Result<void> undoUmask(const std::string& path, unsigned mode) {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return lastError(path);
    const auto wanted = static_cast<mode_t>(mode | (info.st_mode & S_ISGID));
    if ((info.st_mode & 07777) == wanted || ::chmod(path.c_str(), wanted) == 0) return {};
    return errno == EPERM || errno == ENOTSUP ? Result<void>() : lastError(path);
}

Result<void> makeFolders(const std::string& path, unsigned mode) {
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        const std::string part = path.substr(0, end);
        if (::mkdir(part.c_str(), mode) == 0)
            POSTERN_TRY(undoUmask(part, mode));
        else if (errno != EEXIST)
            return lastError(part);
        if (end == std::string::npos) break;
    }
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return lastError(path);
    if (!S_ISDIR(info.st_mode)) return fail(Errc::Exists, path + " is a file, not a folder");
    return {};
}

Result<void> removeFile(const std::string& path) {
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
    return lastError(path);
}

bool pathExists(const std::string& path) {
    struct stat info;
    return ::stat(path.c_str(), &info) == 0;
}

int processId() {
    return static_cast<int>(::getpid());
}

std::string hostName() {
    char name[256] = {};
    if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
    return name;
}

std::string userName() {
    char buffer[4096];
    passwd entry;
    passwd* found = nullptr;
    if (::getpwuid_r(::getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
        return found->pw_name;
    return "uid " + std::to_string(::getuid());
}

}  // namespace postern
