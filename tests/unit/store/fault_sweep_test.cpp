// Every write and every sync of a short life of a store fails in turn.

#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/store/notes_on_faulty_disk.h"

namespace postern::tests {
namespace {

// Every write and every sync of a short life fails in turn. Whatever was answered "ok" must be there
// afterwards, and whatever was answered "no space" must not.
struct Sweep {
    const char* name;
    void (*arm)(FaultyDisk&, int step);
};

class FaultSweep : public testing::TestWithParam<Sweep> {};

void liveShortly(FaultyDisk& disk, const TempFolder& folder, std::set<std::string>& kept,
                 std::set<std::string>& refused) {
    auto options = optionsOn(disk, folder);
    options.checkpointBytes = 60 << 10;
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    for (int i = 0; i < 8; ++i) {
        // Each its own bytes: see Fold::Keep.
        const std::string text(9000, static_cast<char>('a' + i));
        const auto written = write(*store, text);
        if (written.ok())
            kept.insert(text);
        else if (written.error().code == Errc::NoSpace)
            refused.insert(text);
    }
}

TEST_P(FaultSweep, NothingAnsweredIsLostAtAnyStep) {
    // Making a store syncs a lot; a copied one is as good.
    const TempFolder fresh;
    ASSERT_TRUE(openStore(optionsFor(fresh)));
    int step = 0;
    for (bool failed = true; failed && step < 400; ++step) {
        const TempFolder folder;
        FaultyDisk disk;
        disk.skipSyncs();
        std::filesystem::copy(fresh / "store", folder / "store", std::filesystem::copy_options::recursive);
        GetParam().arm(disk, step);
        std::set<std::string> kept, refused;
        liveShortly(disk, folder, kept, refused);
        failed = disk.failures() > 0;
        disk.heal();
        disk.skipSyncs();
        const auto store = openStore(optionsOn(disk, folder));
        ASSERT_TRUE(store) << "step " << step;
        const auto found = notes(*store);
        for (const std::string& text : kept)
            ASSERT_TRUE(found.contains(text)) << "lost at step " << step << ": " << text.substr(0, 4);
        for (const std::string& text : refused)
            ASSERT_FALSE(found.contains(text))
                << "refused but there, step " << step << ": " << text.substr(0, 4);
    }
    EXPECT_GT(step, 8) << "the fault was never met";
    EXPECT_LT(step, 400);
}

INSTANTIATE_TEST_SUITE_P(
    Failure, FaultSweep,
    testing::Values(
        Sweep{"FullOnce", [](FaultyDisk& disk, int step) { disk.failWrites(Fault::Full, "", step, 1); }},
        Sweep{"FullFromThere", [](FaultyDisk& disk, int step) { disk.failWrites(Fault::Full, "", step); }},
        Sweep{"WriteError", [](FaultyDisk& disk, int step) { disk.failWrites(Fault::Io, "", step, 1); }},
        Sweep{"SyncError", [](FaultyDisk& disk, int step) { disk.failSyncs("", step); }}),
    [](const auto& named) { return std::string(named.param.name); });

}  // namespace
}  // namespace postern::tests
