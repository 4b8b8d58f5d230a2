#include "store/sqlite_gathered_log.h"

#include <atomic>
#include <cstring>
#include <new>
#include <utility>

#include <sqlite3.h>

namespace postern::store {

// Everything but opening is done by the VFS below, which finds its own data in the copy.
struct GatheredLog::Vfs : sqlite3_vfs {
    sqlite3_vfs* below = nullptr;
    std::string nameHere;
};

namespace {

// Some thirty pages. The engine's own VFS writes no more than 131,071 bytes at once: of a longer piece it
// drops the upper bits of the length.
constexpr std::size_t kMostBytes = 120 << 10;

// What was written in one row and is not in the file yet.
struct Pending {
    sqlite3_int64 at = 0;
    std::size_t size = 0;
    char bytes[kMostBytes];

    sqlite3_int64 end() const { return at + static_cast<sqlite3_int64>(size); }
    bool touches(sqlite3_int64 from, sqlite3_int64 to) const { return size > 0 && from < end() && at < to; }
};

// SQLite gives the memory; the file of the VFS below stands right behind ours.
struct LogFile : sqlite3_file {
    Pending* pending;
};

LogFile& mine(sqlite3_file* file) {
    return *static_cast<LogFile*>(file);
}

sqlite3_file* real(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(&mine(file) + 1);
}

const sqlite3_io_methods& methods(sqlite3_file* file) {
    return *real(file)->pMethods;
}

int writeOut(sqlite3_file* file) {
    Pending& pending = *mine(file).pending;
    if (pending.size == 0) return SQLITE_OK;
    const int result =
        methods(file).xWrite(real(file), pending.bytes, static_cast<int>(pending.size), pending.at);
    pending.size = 0;  // G3
    return result;
}

int close(sqlite3_file* file) {
    delete std::exchange(mine(file).pending, nullptr);  // G2
    return methods(file).xClose(real(file));
}

int read(sqlite3_file* file, void* into, int size, sqlite3_int64 from) {
    if (mine(file).pending->touches(from, from + size)) {
        if (const int result = writeOut(file); result != SQLITE_OK) return result;
    }
    return methods(file).xRead(real(file), into, size, from);
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 from) {
    Pending& pending = *mine(file).pending;
    const auto length = static_cast<std::size_t>(size);
    const bool inside = from >= pending.at && from + size <= pending.end();
    if (pending.size > 0 && inside) {  // the engine corrects what it wrote
        std::memcpy(pending.bytes + (from - pending.at), bytes, length);
        return SQLITE_OK;
    }
    if (from != pending.end() || pending.size + length > kMostBytes) {
        if (const int result = writeOut(file); result != SQLITE_OK) return result;
    }
    if (length > kMostBytes) return methods(file).xWrite(real(file), bytes, size, from);
    if (pending.size == 0) pending.at = from;
    std::memcpy(pending.bytes + pending.size, bytes, length);
    pending.size += length;
    return SQLITE_OK;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (const int result = writeOut(file); result != SQLITE_OK) return result;
    return methods(file).xTruncate(real(file), size);
}

int sync(sqlite3_file* file, int flags) {
    if (const int result = writeOut(file); result != SQLITE_OK) return result;  // G1
    return methods(file).xSync(real(file), flags);
}

int fileSize(sqlite3_file* file, sqlite3_int64* size) {
    if (const int result = writeOut(file); result != SQLITE_OK) return result;
    return methods(file).xFileSize(real(file), size);
}

int lock(sqlite3_file* file, int level) {
    return methods(file).xLock(real(file), level);
}

int unlock(sqlite3_file* file, int level) {
    return methods(file).xUnlock(real(file), level);
}

int checkReserved(sqlite3_file* file, int* reserved) {
    return methods(file).xCheckReservedLock(real(file), reserved);
}

int control(sqlite3_file* file, int what, void* argument) {
    return methods(file).xFileControl(real(file), what, argument);
}

int sectorSize(sqlite3_file* file) {
    return methods(file).xSectorSize(real(file));
}

int traits(sqlite3_file* file) {
    return methods(file).xDeviceCharacteristics(real(file));
}

// Version 1: a log has no index of its own and is not mapped.
constexpr sqlite3_io_methods kMethods = {
    1,       close,      read,   write,   truncate, sync,    fileSize, lock,    unlock, checkReserved,
    control, sectorSize, traits, nullptr, nullptr,  nullptr, nullptr,  nullptr, nullptr};

}  // namespace

Result<std::unique_ptr<GatheredLog>> GatheredLog::over(const std::string& below) {
    static std::atomic<int> made{0};
    sqlite3_vfs* found = sqlite3_vfs_find(below.empty() ? nullptr : below.c_str());
    if (found == nullptr) return fail(Errc::Internal, "SQLite has no VFS '" + below + "'");
    auto vfs = std::make_unique<Vfs>();
    static_cast<sqlite3_vfs&>(*vfs) = *found;
    vfs->below = found;
    vfs->nameHere = "postern-log-" + std::to_string(++made);  // several stores may be open
    vfs->zName = vfs->nameHere.c_str();
    vfs->pNext = nullptr;
    vfs->szOsFile += static_cast<int>(sizeof(LogFile));
    vfs->xOpen = [](sqlite3_vfs* self, const char* name, sqlite3_file* file, int flags, int* outFlags) {
        sqlite3_vfs* worker = static_cast<Vfs*>(self)->below;
        if ((flags & SQLITE_OPEN_WAL) == 0) return worker->xOpen(worker, name, file, flags, outFlags);
        LogFile& log = mine(file);
        log.pMethods = nullptr;
        log.pending = new (std::nothrow) Pending;
        if (log.pending == nullptr) return SQLITE_NOMEM;
        const int result = worker->xOpen(worker, name, real(file), flags, outFlags);
        if (real(file)->pMethods != nullptr)
            log.pMethods = &kMethods;
        else
            delete log.pending;
        return result;
    };
    if (sqlite3_vfs_register(vfs.get(), 0) != SQLITE_OK)
        return fail(Errc::Internal, "SQLite takes no further VFS");
    return std::unique_ptr<GatheredLog>(new GatheredLog(std::move(vfs)));
}

GatheredLog::GatheredLog(std::unique_ptr<Vfs> vfs) : vfs_(std::move(vfs)) {}

GatheredLog::~GatheredLog() {
    sqlite3_vfs_unregister(vfs_.get());
}

const std::string& GatheredLog::name() const {
    return vfs_->nameHere;
}

}  // namespace postern::store
