#include "tests/unit/store/faulty_disk.h"

#include <cstring>
#include <string_view>

#include <sqlite3.h>

#include "base/sync.h"

namespace postern::tests {

namespace {

constexpr int kGarble = -1;
constexpr int kEveryPart = 1'000'000;

struct Plan {
    bool active = false;
    int result = SQLITE_OK;
    std::string ending;
    int after = 0;
    int count = 0;
};

struct State {
    Mutex mutex;
    Plan write GUARDED_BY(mutex), sync GUARDED_BY(mutex), read GUARDED_BY(mutex);
    bool skipSyncs GUARDED_BY(mutex) = false;
    int lastPart GUARDED_BY(mutex) = kEveryPart;
    int failures GUARDED_BY(mutex) = 0;
    sqlite3_vfs vfs;
};

State& state() {
    static State it;
    return it;
}

struct WrappedFile {
    sqlite3_file base;
    const char* name;
    sqlite3_file* real;
};

WrappedFile& wrapped(sqlite3_file* file) {
    return *reinterpret_cast<WrappedFile*>(file);
}

sqlite3_file* real(sqlite3_file* file) {
    return wrapped(file).real;
}

int verdict(sqlite3_file* file, Plan State::*which) {
    State& s = state();
    MutexLock lock(s.mutex);
    Plan& plan = s.*which;
    const char* name = wrapped(file).name;
    if (!plan.active || name == nullptr || !std::string_view(name).ends_with(plan.ending)) return SQLITE_OK;
    if (plan.after-- > 0) return SQLITE_OK;
    if (plan.count-- <= 0) return SQLITE_OK;
    ++s.failures;
    return plan.result;
}

int closeFile(sqlite3_file* f) {
    return real(f)->pMethods->xClose(real(f));
}
int readFile(sqlite3_file* f, void* into, int size, sqlite3_int64 offset) {
    const int result = verdict(f, &State::read);
    if (result != SQLITE_OK && result != kGarble) return result;
    const int got = real(f)->pMethods->xRead(real(f), into, size, offset);
    if (result == kGarble) std::memset(into, 0xa5, static_cast<std::size_t>(size));
    return got;
}
int writeFile(sqlite3_file* f, const void* bytes, int size, sqlite3_int64 offset) {
    if (const int result = verdict(f, &State::write); result != SQLITE_OK) return result;
    return real(f)->pMethods->xWrite(real(f), bytes, size, offset);
}
int truncateFile(sqlite3_file* f, sqlite3_int64 size) {
    return real(f)->pMethods->xTruncate(real(f), size);
}
int syncFile(sqlite3_file* f, int flags) {
    if (const int result = verdict(f, &State::sync); result != SQLITE_OK) return result;
    {
        MutexLock lock(state().mutex);
        if (state().skipSyncs) return SQLITE_OK;
    }
    return real(f)->pMethods->xSync(real(f), flags);
}
int fileSize(sqlite3_file* f, sqlite3_int64* size) {
    return real(f)->pMethods->xFileSize(real(f), size);
}
int lockFile(sqlite3_file* f, int level) {
    return real(f)->pMethods->xLock(real(f), level);
}
int unlockFile(sqlite3_file* f, int level) {
    return real(f)->pMethods->xUnlock(real(f), level);
}
int checkReserved(sqlite3_file* f, int* result) {
    return real(f)->pMethods->xCheckReservedLock(real(f), result);
}
int fileControl(sqlite3_file* f, int operation, void* argument) {
    return real(f)->pMethods->xFileControl(real(f), operation, argument);
}
int sectorSize(sqlite3_file* f) {
    return real(f)->pMethods->xSectorSize(real(f));
}
int characteristics(sqlite3_file* f) {
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
int shmMap(sqlite3_file* f, int page, int size, int extend, void volatile** memory) {
    {
        MutexLock lock(state().mutex);
        if (extend != 0 && page > state().lastPart) {
            ++state().failures;
            return SQLITE_IOERR_SHMSIZE;
        }
    }
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, memory);
}
int shmLock(sqlite3_file* f, int offset, int count, int flags) {
    return real(f)->pMethods->xShmLock(real(f), offset, count, flags);
}
void shmBarrier(sqlite3_file* f) {
    real(f)->pMethods->xShmBarrier(real(f));
}
int shmUnmap(sqlite3_file* f, int remove) {
    return real(f)->pMethods->xShmUnmap(real(f), remove);
}

constexpr sqlite3_io_methods kMethods = {2,           closeFile,  readFile,        writeFile,  truncateFile,
                                         syncFile,    fileSize,   lockFile,        unlockFile, checkReserved,
                                         fileControl, sectorSize, characteristics, shmMap,     shmLock,
                                         shmBarrier,  shmUnmap,   nullptr,         nullptr};

sqlite3_vfs* realVfs() {
    return static_cast<sqlite3_vfs*>(state().vfs.pAppData);
}

// The real file stands right behind ours: the memory was asked for by szOsFile.
int openFile(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* outFlags) {
    WrappedFile& mine = wrapped(file);
    mine.base.pMethods = nullptr;
    mine.name = name;
    mine.real = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(WrappedFile));
    const int result = realVfs()->xOpen(realVfs(), name, mine.real, flags, outFlags);
    if (mine.real->pMethods != nullptr) mine.base.pMethods = &kMethods;
    return result;
}

void setPlan(Plan State::*which, Plan plan) {
    MutexLock lock(state().mutex);
    state().*which = std::move(plan);
}

}  // namespace

FaultyDisk::FaultyDisk() {
    heal();
    State& s = state();
    sqlite3_vfs* standard = sqlite3_vfs_find(nullptr);
    s.vfs = *standard;
    s.vfs.zName = kName;
    s.vfs.pAppData = standard;
    s.vfs.pNext = nullptr;
    s.vfs.szOsFile = static_cast<int>(sizeof(WrappedFile)) + standard->szOsFile;
    s.vfs.xOpen = openFile;
    sqlite3_vfs_register(&s.vfs, 0);
}

FaultyDisk::~FaultyDisk() {
    sqlite3_vfs_unregister(&state().vfs);
}

void FaultyDisk::failWrites(Fault fault, std::string ending, int after, int count) {
    const int result = fault == Fault::Full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    setPlan(&State::write, Plan{true, result, std::move(ending), after, count});
}

void FaultyDisk::failReads(std::string ending) {
    setPlan(&State::read, Plan{true, SQLITE_IOERR_READ, std::move(ending), 0, 1'000'000'000});
}

void FaultyDisk::garbleReads(std::string ending) {
    setPlan(&State::read, Plan{true, kGarble, std::move(ending), 0, 1'000'000'000});
}

void FaultyDisk::failSyncs(std::string ending, int after) {
    setPlan(&State::sync, Plan{true, SQLITE_IOERR_FSYNC, std::move(ending), after, 1'000'000'000});
}

void FaultyDisk::failIndex(int part) {
    MutexLock lock(state().mutex);
    state().lastPart = part - 1;
}

void FaultyDisk::heal() {
    MutexLock lock(state().mutex);
    state().lastPart = kEveryPart;
    state().write = state().sync = state().read = Plan{};
    state().skipSyncs = false;
    state().failures = 0;
}

void FaultyDisk::skipSyncs() {
    MutexLock lock(state().mutex);
    state().skipSyncs = true;
}

int FaultyDisk::failures() const {
    MutexLock lock(state().mutex);
    return state().failures;
}

}  // namespace postern::tests
