// In which pieces commits reach the log's file.

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/sync.h"
#include "tests/kit/vfs_shim.h"
#include "tests/unit/store/open_store.h"

namespace postern::tests {
namespace {

constexpr int kMostAtOnce = 131'071;  // SQLite's own VFS drops what is above

// The sizes of what is written to the log, with a 0 for each sync.
class Watched final : public VfsShim {
  public:
    static constexpr char kName[] = "postern-watched-disk";
    Watched() : VfsShim(kName) {}

    std::vector<int> take() {
        MutexLock lock(mutex_);
        return std::exchange(sizes_, {});
    }

  private:
    int write(const File& file, const void* bytes, int size, sqlite3_int64 offset) override {
        if (file.name.ends_with("-wal")) note(size);
        return VfsShim::write(file, bytes, size, offset);
    }
    int sync(const File& file, int flags) override {
        if (file.name.ends_with("-wal")) note(0);
        return VfsShim::sync(file, flags);
    }
    void note(int size) {
        MutexLock lock(mutex_);
        sizes_.push_back(size);
    }

    Mutex mutex_;
    std::vector<int> sizes_ GUARDED_BY(mutex_);
};

std::unique_ptr<store::Store> openOn(const Watched&, const TempFolder& folder) {
    store::StoreOptions options = optionsFor(folder);
    options.engineOption = Watched::kName;
    options.idle = Millis{3'600'000};  // housekeeping would empty the log in between
    return openStore(std::move(options));
}

TEST(GatheredLog, ACommitIsOneWriteAndItsSync) {
    const TempFolder folder;
    Watched disk;
    const auto store = openOn(disk, folder);
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->write([](store::WriteSession& s) { return addNote(s, "first"); }).ok());
    (void)disk.take();
    const auto written = store->write([](store::WriteSession& session) -> Result<void> {
        for (int i = 0; i < 100; ++i)
            POSTERN_TRY(addNote(session, std::to_string(i) + std::string(100, '.')));
        return {};
    });
    ASSERT_TRUE(written.ok()) << describe(written);
    const std::vector<int> sizes = disk.take();
    ASSERT_EQ(sizes.size(), 2U);
    EXPECT_GT(sizes[0], 4 * 4096);
    EXPECT_EQ(sizes[1], 0);
}

TEST(GatheredLog, AGreatCommitGoesInStepsAndComesBackWhole) {
    const TempFolder folder;
    Watched disk;
    std::string text;
    for (int i = 0; text.size() < (3U << 20); ++i) text += std::to_string(i) + ' ';
    {
        const auto store = openOn(disk, folder);
        ASSERT_TRUE(store);
        (void)disk.take();
        const auto written = store->write([&](store::WriteSession& s) { return addNote(s, text); });
        ASSERT_TRUE(written.ok()) << describe(written);
        for (const int size : disk.take()) ASSERT_LE(size, kMostAtOnce);
    }
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    std::string found;
    const auto read = store->read([&](store::ReadSession& session) -> Result<void> {
        store::Statement row = session.query("SELECT text FROM note");
        while (row.next()) found = row.text(0);
        return row.finish();
    });
    ASSERT_TRUE(read.ok()) << describe(read);
    EXPECT_TRUE(found == text) << found.size() << " bytes, wanted " << text.size();
}

}  // namespace
}  // namespace postern::tests
