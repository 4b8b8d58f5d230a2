// A folder that is another one than it was: a share went away and left its mount point, or somebody made it
// anew. Who has worked in it waits until it is back; a new process takes what there is.

#include <gtest/gtest.h>

#include "tests/conformance/adapter_cases.h"
#include "tests/kit/platform.h"

namespace postern::tests {

namespace fs = std::filesystem;
using adapters::Found;
using adapters::Job;
using adapters::Verdict;

class LostFolder : public AdapterSuite {
  protected:
    // Of what is lost under a process that works in it.
    static constexpr const char* kHeld =
        "a folder in which something is open is neither renamed nor removed (decision 0011)";
    static void expectRefused(AdapterRig& rig, const std::string& what) {
        for (int look = 0; look < 2; ++look) {
            const auto probed = rig.adapter().probe();
            ASSERT_FALSE(probed.ok()) << what;
            EXPECT_TRUE(
                probed.error().text.starts_with(rig.folder() + " is not the folder that was in use: "))
                << what << ": " << probed.error().text;
            EXPECT_NE(probed.error().text.find("restart the service"), std::string::npos)
                << what << ": " << probed.error().text;
        }
        Job job = rig.job(3, 1);
        rig.stageJob(job);
        EXPECT_TRUE(job.outcome && job.outcome->adapterUnusable) << what << ": " << outcomeText(job);
        EXPECT_TRUE(rig.visible().empty()) << what;
    }

    // Everything that was begun in it is what it was, and mail flows again.
    static void expectWell(AdapterRig& rig, const Job& published, const Job& staged,
                           const std::string& what) {
        const auto probed = rig.adapter().probe();
        ASSERT_TRUE(probed.ok()) << what << ": " << probed.error().text;
        const auto first = rig.adapter().recover(published.delivery.key, published.evidence);
        EXPECT_EQ(first.found, Found::Published) << what << ": " << first.text;
        const auto second = rig.adapter().recover(staged.delivery.key, staged.evidence);
        EXPECT_EQ(second.found, Found::NotPublished) << what << ": " << second.text;
        const Job next = rig.exportJob(rig.job(4, 1));
        EXPECT_EQ(next.outcome->verdict, Verdict::Exported) << what << ": " << outcomeText(next);
        EXPECT_EQ(rig.visible().size(), 2u) << what;
    }
};

// A mount point below which an earlier Postern once wrote has a marker of ours too, and is not the share.
TEST_P(LostFolder, AnotherInItsPlaceIsNotUsedUntilItIsBack) {
    SKIP_ON_WINDOWS(kHeld);
    const std::vector<std::pair<const char*, std::function<void(const std::string&)>>> ways = {
        {"nothing", [](const std::string&) {}},
        {"an empty folder", [](const std::string& path) { fs::create_directory(path); }},
        {"one that was used once",
         [](const std::string& path) {
             SettingMap settings = GetParam().settings;
             settings["folder"] = path;
             EXPECT_TRUE(makeKind(GetParam().kind, settings, kRigContext).value()->probe().ok());
         }},
    };
    for (const auto& [what, replace] : ways) {
        AdapterRig rig(GetParam().kind, GetParam().settings);
        const Job published = rig.exportJob(rig.job(1, 1));
        Job staged = rig.job(2, 1);
        rig.stageJob(staged);
        fs::rename(rig.folder(), rig.folder() + ".away");
        replace(rig.folder());
        const bool there = fs::exists(rig.folder());
        expectRefused(rig, what);
        EXPECT_EQ(fs::exists(rig.folder()), there) << what << ": it was made anew";
        fs::remove_all(rig.folder());
        fs::rename(rig.folder() + ".away", rig.folder());
        expectWell(rig, published, staged, what);
    }
}

TEST_P(LostFolder, ARestartTakesTheNewOne) {
    SettingMap settings = GetParam().settings;
    settings["folder"] = rig_.temp() + "/lost";
    const Job published = [&] {
        AdapterRig before(GetParam().kind, settings);
        Job job = before.exportJob(before.job(1, 1));
        if (!kOnWindows) {
            fs::rename(before.folder(), before.folder() + ".away");
            expectRefused(before, "gone");
        }
        return job;
    }();
    if (kOnWindows) fs::rename(settings["folder"], settings["folder"] + ".away");
    AdapterRig after(GetParam().kind, settings);
    ASSERT_TRUE(after.probed().ok()) << after.probed().error().text;
    EXPECT_EQ(after.exportJob(after.job(2, 1)).outcome->verdict, Verdict::Exported);
    EXPECT_EQ(after.visible().size(), 1u);
    EXPECT_EQ(after.adapter().recover(published.delivery.key, published.evidence).found, Found::CannotTell);
}

// Then no marker is in the folder itself.
TEST_P(LostFolder, WithAStageElsewhereItIsKnownToo) {
    SKIP_ON_WINDOWS(kHeld);
    SettingMap settings = GetParam().settings;
    settings["stage"] = rig_.temp() + "/aside/stage";
    for (const bool stageIsAway : {false, true}) {
        const std::string what = stageIsAway ? "the stage" : "the folder";
        settings["folder"] = rig_.temp() + "/elsewhere" + (stageIsAway ? "1" : "2");
        AdapterRig rig(GetParam().kind, settings);
        ASSERT_TRUE(rig.probed().ok()) << what << ": " << rig.probed().error().text;
        const Job published = rig.exportJob(rig.job(1, 1));
        Job staged = rig.job(2, 1);
        rig.stageJob(staged);
        const std::string lost = stageIsAway ? settings["stage"] : rig.folder();
        fs::rename(lost, lost + ".away");
        fs::create_directory(lost);
        if (stageIsAway) {
            const auto probed = rig.adapter().probe();
            EXPECT_TRUE(!probed.ok() &&
                        probed.error().text.find(settings["stage"] + "/.store-") != std::string::npos)
                << (probed.ok() ? "it is used" : probed.error().text);
        } else {
            expectRefused(rig, what);
        }
        fs::remove_all(lost);
        fs::rename(lost + ".away", lost);
        expectWell(rig, published, staged, what);
        fs::remove_all(rig_.temp() + "/aside");
    }
}

TEST_P(LostFolder, OneThatWasEmptiedWaitsForAPerson) {
    SKIP_ON_WINDOWS(kHeld);
    fs::remove_all(rig_.stage());
    expectRefused(rig_, "emptied");
    rig_.restart();
    EXPECT_TRUE(rig_.probed().ok()) << rig_.probed().error().text;
}

INSTANTIATE_TEST_SUITE_P(Kinds, LostFolder, testing::ValuesIn(adapterCases()), caseName);

}  // namespace postern::tests
