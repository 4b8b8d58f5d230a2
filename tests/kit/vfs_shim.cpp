#include "tests/kit/vfs_shim.h"

namespace postern::tests {

// What SQLite calls.
struct VfsShimCalls {
    // The real file stands right behind ours: the memory was asked for by szOsFile.
    struct Wrapped {
        sqlite3_file base;
        VfsShim* shim;
        VfsShim::File* file;
        sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    };

    static Wrapped& wrapped(sqlite3_file* file) { return *reinterpret_cast<Wrapped*>(file); }
    static const sqlite3_io_methods& methods(sqlite3_file* file) { return *wrapped(file).real()->pMethods; }
    static sqlite3_file* real(sqlite3_file* file) { return wrapped(file).real(); }
    static VfsShim& shim(sqlite3_vfs* vfs) { return *static_cast<VfsShim*>(vfs->pAppData); }
    static sqlite3_vfs* standard() { return sqlite3_vfs_find(nullptr); }

    static int close(sqlite3_file* f) {
        const int result = methods(f).xClose(real(f));
        delete wrapped(f).file;
        wrapped(f).file = nullptr;
        return result;
    }
    static int read(sqlite3_file* f, void* into, int size, sqlite3_int64 offset) {
        return wrapped(f).shim->read(*wrapped(f).file, into, size, offset);
    }
    static int write(sqlite3_file* f, const void* bytes, int size, sqlite3_int64 offset) {
        return wrapped(f).shim->write(*wrapped(f).file, bytes, size, offset);
    }
    static int truncate(sqlite3_file* f, sqlite3_int64 size) {
        return wrapped(f).shim->truncate(*wrapped(f).file, size);
    }
    static int sync(sqlite3_file* f, int flags) { return wrapped(f).shim->sync(*wrapped(f).file, flags); }
    static int size(sqlite3_file* f, sqlite3_int64* size) { return methods(f).xFileSize(real(f), size); }
    static int lock(sqlite3_file* f, int level) { return methods(f).xLock(real(f), level); }
    static int unlock(sqlite3_file* f, int level) { return methods(f).xUnlock(real(f), level); }
    static int reserved(sqlite3_file* f, int* result) {
        return methods(f).xCheckReservedLock(real(f), result);
    }
    static int control(sqlite3_file* f, int what, void* argument) {
        return methods(f).xFileControl(real(f), what, argument);
    }
    static int sectors(sqlite3_file* f) { return methods(f).xSectorSize(real(f)); }
    static int traits(sqlite3_file* f) { return methods(f).xDeviceCharacteristics(real(f)); }
    static int shmMap(sqlite3_file* f, int part, int size, int extend, void volatile** memory) {
        return wrapped(f).shim->mapIndex(*wrapped(f).file, part, size, extend, memory);
    }
    static int shmLock(sqlite3_file* f, int offset, int count, int flags) {
        return methods(f).xShmLock(real(f), offset, count, flags);
    }
    static void shmBarrier(sqlite3_file* f) { methods(f).xShmBarrier(real(f)); }
    static int shmUnmap(sqlite3_file* f, int remove) { return methods(f).xShmUnmap(real(f), remove); }
    static int fetch(sqlite3_file* f, sqlite3_int64 offset, int size, void** page) {
        return methods(f).xFetch(real(f), offset, size, page);
    }
    static int unfetch(sqlite3_file* f, sqlite3_int64 offset, void* page) {
        return wrapped(f).shim->unfetch(*wrapped(f).file, offset, page);
    }

    static constexpr sqlite3_io_methods kMethods = {
        3,       close,   read,   write,  truncate, sync,       size,     lock,  unlock, reserved,
        control, sectors, traits, shmMap, shmLock,  shmBarrier, shmUnmap, fetch, unfetch};

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* outFlags) {
        Wrapped& mine = wrapped(file);
        mine.base.pMethods = nullptr;
        const int result = standard()->xOpen(standard(), name, mine.real(), flags, outFlags);
        if (mine.real()->pMethods == nullptr) return result;
        mine.shim = &shim(vfs);
        mine.file = new VfsShim::File{name == nullptr ? "" : name, mine.real()};
        mine.base.pMethods = &kMethods;
        if (result == SQLITE_OK) mine.shim->opened(*mine.file);
        return result;
    }

    static int remove(sqlite3_vfs* vfs, const char* name, int syncFolder) {
        return shim(vfs).remove(name, syncFolder != 0);
    }
};

VfsShim::VfsShim(const char* name) : vfs_(*VfsShimCalls::standard()) {
    vfs_.zName = name;
    vfs_.pAppData = this;
    vfs_.pNext = nullptr;
    vfs_.szOsFile += static_cast<int>(sizeof(VfsShimCalls::Wrapped));
    vfs_.xOpen = VfsShimCalls::open;
    vfs_.xDelete = VfsShimCalls::remove;
    sqlite3_vfs_register(&vfs_, 0);
}

VfsShim::~VfsShim() {
    sqlite3_vfs_unregister(&vfs_);
}

int VfsShim::remove(const char* name, bool syncFolder) {
    return VfsShimCalls::standard()->xDelete(VfsShimCalls::standard(), name, syncFolder ? 1 : 0);
}

int VfsShim::read(const File& file, void* into, int size, sqlite3_int64 offset) {
    return file.real->pMethods->xRead(file.real, into, size, offset);
}

int VfsShim::write(const File& file, const void* bytes, int size, sqlite3_int64 offset) {
    return file.real->pMethods->xWrite(file.real, bytes, size, offset);
}

int VfsShim::truncate(const File& file, sqlite3_int64 size) {
    return file.real->pMethods->xTruncate(file.real, size);
}

int VfsShim::sync(const File& file, int flags) {
    return file.real->pMethods->xSync(file.real, flags);
}

int VfsShim::mapIndex(const File& file, int part, int size, int extend, void volatile** memory) {
    return file.real->pMethods->xShmMap(file.real, part, size, extend, memory);
}

int VfsShim::unfetch(const File& file, sqlite3_int64 offset, void* page) {
    return file.real->pMethods->xUnfetch(file.real, offset, page);
}

}  // namespace postern::tests
