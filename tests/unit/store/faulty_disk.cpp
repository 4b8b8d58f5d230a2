#include "tests/unit/store/faulty_disk.h"

#include <cstring>
#include <utility>

namespace postern::tests {

namespace {

constexpr int kGarble = -1;
constexpr int kForGood = 1'000'000'000;

}  // namespace

int FaultyDisk::verdict(const File& file, Plan FaultyDisk::*which) {
    MutexLock lock(mutex_);
    Plan& plan = this->*which;
    if (!plan.active || file.name.empty() || !file.name.ends_with(plan.ending)) return SQLITE_OK;
    if (plan.after-- > 0) return SQLITE_OK;
    if (plan.count-- <= 0) return SQLITE_OK;
    ++failures_;
    return plan.result;
}

void FaultyDisk::set(Plan FaultyDisk::*which, Plan plan) {
    MutexLock lock(mutex_);
    this->*which = std::move(plan);
}

int FaultyDisk::read(const File& file, void* into, int size, sqlite3_int64 offset) {
    const int result = verdict(file, &FaultyDisk::read_);
    if (result != SQLITE_OK && result != kGarble) return result;
    const int got = VfsShim::read(file, into, size, offset);
    if (result == kGarble) std::memset(into, 0xa5, static_cast<std::size_t>(size));
    return got;
}

int FaultyDisk::write(const File& file, const void* bytes, int size, sqlite3_int64 offset) {
    if (const int result = verdict(file, &FaultyDisk::write_); result != SQLITE_OK) return result;
    return VfsShim::write(file, bytes, size, offset);
}

int FaultyDisk::sync(const File& file, int flags) {
    if (const int result = verdict(file, &FaultyDisk::sync_); result != SQLITE_OK) return result;
    {
        MutexLock lock(mutex_);
        if (skipSyncs_) return SQLITE_OK;
    }
    return VfsShim::sync(file, flags);
}

int FaultyDisk::mapIndex(const File& file, int part, int size, int extend, void volatile** memory) {
    {
        MutexLock lock(mutex_);
        if (extend != 0 && part > lastPart_) {
            ++failures_;
            return SQLITE_IOERR_SHMSIZE;
        }
    }
    return VfsShim::mapIndex(file, part, size, extend, memory);
}

void FaultyDisk::failWrites(Fault fault, std::string ending, int after, int count) {
    const int result = fault == Fault::Full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    set(&FaultyDisk::write_, Plan{true, result, std::move(ending), after, count});
}

void FaultyDisk::failReads(std::string ending) {
    set(&FaultyDisk::read_, Plan{true, SQLITE_IOERR_READ, std::move(ending), 0, kForGood});
}

void FaultyDisk::garbleReads(std::string ending) {
    set(&FaultyDisk::read_, Plan{true, kGarble, std::move(ending), 0, kForGood});
}

void FaultyDisk::failSyncs(std::string ending, int after, int count) {
    set(&FaultyDisk::sync_, Plan{true, SQLITE_IOERR_FSYNC, std::move(ending), after, count});
}

void FaultyDisk::failIndex(int part) {
    MutexLock lock(mutex_);
    lastPart_ = part - 1;
}

void FaultyDisk::heal() {
    MutexLock lock(mutex_);
    lastPart_ = kEveryPart;
    write_ = sync_ = read_ = Plan{};
    skipSyncs_ = false;
    failures_ = 0;
}

void FaultyDisk::skipSyncs() {
    MutexLock lock(mutex_);
    skipSyncs_ = true;
}

int FaultyDisk::failures() const {
    MutexLock lock(mutex_);
    return failures_;
}

}  // namespace postern::tests
