// Many deliveries in one file (adapters/spool/bundle.h, B1 to B4), on packets of the ftn adapter.

#include "adapters/spool/bundle.h"

#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "tests/adapter_rig.h"
#include "tests/ftn_reader.h"
#include "tests/kit/platform.h"
#include "tests/kit/starting_line.h"

namespace postern::adapters {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using tests::AdapterRig;
using tests::outcomeText;
using tests::SettingMap;

// Jobs for items 1 to `count`, staged together.
struct Batch {
    explicit Batch(int count, SettingMap more = {}, const std::string& message = AdapterRig::kPlain)
        : rig("ftn", settings(std::move(more))) {
        for (int item = 1; item <= count; ++item) jobs.push_back(rig.job(item, 3, message));
    }
    static SettingMap settings(SettingMap more) {
        for (const auto& [key, value] :
             {std::pair{"address", "2:999/1"}, {"link", "2:999/2"}, {"bundle", "8"}})
            more.emplace(key, value);
        return more;
    }
    void stage() {
        rig.adapter().stage(jobs, [] {});
        for (const Job& job : jobs) EXPECT_FALSE(job.outcome) << outcomeText(job);
    }
    void publish(std::size_t from = 0) {
        rig.adapter().publish(std::span(jobs).subspan(from), [] {});
    }
    Found found(std::size_t job) {
        return rig.adapter().recover(jobs[job].delivery.key, jobs[job].evidence).found;
    }
    std::set<Verdict> verdicts(std::size_t from = 0) const {
        std::set<Verdict> all;
        for (std::size_t i = from; i < jobs.size(); ++i)
            if (jobs[i].outcome) all.insert(jobs[i].outcome->verdict);
        return all;
    }
    int sweep(const std::set<int>& over) {
        return rig.adapter()
            .sweep([&](const DeliveryKey& key) { return over.contains(static_cast<int>(key.item.value)); })
            .value();
    }
    std::size_t working() const {  // files of ours in the stage and withdrawn folders
        std::size_t files = 0;
        for (const char* name : {"stage", "withdrawn"})
            for (const auto& entry : fs::directory_iterator(rig.stage() + "/../" + name))
                if (!entry.path().filename().string().starts_with(".store-")) ++files;
        return files;
    }
    AdapterRig rig;
    std::vector<Job> jobs;
};

TEST(BundleEvidence, IsReadBack) {
    const std::string digest = bundleDigest({{ItemId{2}, Epoch{1}}, {ItemId{1}, Epoch{4}}});
    EXPECT_EQ(digest, bundleDigest({{ItemId{1}, Epoch{4}}, {ItemId{2}, Epoch{1}}}));
    EXPECT_NE(digest, bundleDigest({{ItemId{1}, Epoch{4}}, {ItemId{2}, Epoch{2}}}));
    const std::string text = formatBundleEvidence({{ItemId{2}, Epoch{1}}, 2, digest, "spool1 t 1.4 /a ."});
    const auto read = parseBundleEvidence(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(stagedName(read->member), "2.1");
    EXPECT_EQ(read->members, 2u);
    EXPECT_EQ(read->digest, digest);
    EXPECT_EQ(fileOf(text)->staged, "1.4");
    for (const char* bad :
         {"", "bundle1", "bundle1 x", "bundle1 1.1 1 a b", "bundle1 1.1 2", "spool1 t 1.4 /a ."})
        EXPECT_FALSE(parseBundleEvidence(bad)) << bad;
}

TEST(Bundle, OneFileHoldsTheBatch) {
    Batch batch(8);
    batch.stage();
    EXPECT_TRUE(batch.rig.visible().empty());
    batch.publish();
    EXPECT_EQ(batch.verdicts(), std::set{Verdict::Exported});
    ASSERT_EQ(batch.rig.visible().size(), 1u);
    const auto packet = tests::readFtnPacket(batch.rig.content(batch.rig.visible()[0]));
    ASSERT_TRUE(packet.ok()) << packet.error().text;
    EXPECT_EQ(packet->messages.size(), 8u);
    EXPECT_EQ(batch.rig.visible()[0], "00000001.pkt");
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(batch.found(i), Found::Published);
}

TEST(Bundle, MoreThanAFileHoldsMakesMoreFiles) {
    Batch batch(20);
    batch.stage();
    batch.publish();
    EXPECT_EQ(batch.verdicts(), std::set{Verdict::Exported});
    EXPECT_EQ(batch.rig.visible().size(), 3u);
}

// Whatever waits, no more than some megabytes of it are in memory: the first are written before the last are
// read.
TEST(Bundle, ALargeBatchIsStagedInRounds) {
    Batch batch(120, {{"bundle", "1000"}}, AdapterRig::kPlain + std::string(60'000, 'x') + "\r\n");
    bool inRounds = false;
    batch.rig.adapter().stage(batch.jobs, [&] {
        inRounds = inRounds || (!batch.jobs.front().evidence.empty() && batch.jobs.back().evidence.empty());
    });
    EXPECT_TRUE(inRounds);
    batch.publish();
    EXPECT_EQ(batch.verdicts(), std::set{Verdict::Exported});
    std::size_t messages = 0;
    for (const std::string& file : batch.rig.visible()) {
        const auto packet = tests::readFtnPacket(batch.rig.content(file));
        ASSERT_TRUE(packet.ok()) << packet.error().text;
        messages += static_cast<std::size_t>(
            std::count_if(packet->messages.begin(), packet->messages.end(),
                          [](const tests::FtnMessage& each) { return !each.isLaterPart(); }));
    }
    EXPECT_EQ(messages, 120u);
}

// B2: while our worker stalled, one member went to somebody else.
TEST(Bundle, WithAMemberFencedAwayNothingIsPublished) {
    for (const bool recovered : {false, true}) {
        Batch batch(8);
        batch.stage();
        if (recovered) {
            EXPECT_EQ(batch.found(0), Found::NotPublished);
        }
        batch.publish(1);
        EXPECT_TRUE(batch.rig.visible().empty());
        EXPECT_EQ(batch.verdicts(1), std::set{Verdict::Deferred});
        for (std::size_t i = 1; i < 8; ++i) {
            EXPECT_TRUE(batch.jobs[i].outcome->again) << "due at once, not counted";
            EXPECT_FALSE(batch.jobs[i].outcome->adapterUnusable);
        }
        for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(batch.found(i), Found::NotPublished);
        // The new holder's, and the others' next attempt.
        std::vector<Job> again;
        for (int item = 1; item <= 8; ++item) again.push_back(batch.rig.job(item, 4));
        batch.rig.adapter().stage(again, [] {});
        batch.rig.adapter().publish(again, [] {});
        EXPECT_EQ(batch.rig.visible().size(), 1u);
        for (Job& job : batch.jobs) job.outcome.reset();
        batch.publish();  // the late worker, with all of them
        EXPECT_EQ(batch.rig.visible().size(), 1u);
        EXPECT_EQ(batch.verdicts(), std::set{Verdict::Deferred});
    }
}

TEST(Bundle, AbandoningOneVoidsTheFileAndRemovesNothing) {
    Batch batch(4);
    batch.stage();
    batch.rig.adapter().abandon(batch.jobs[2]);
    EXPECT_EQ(batch.found(0), Found::NotPublished) << "a removed file would be taken for a published one";
    batch.jobs.erase(batch.jobs.begin() + 2);
    batch.publish();
    EXPECT_EQ(batch.verdicts(), std::set{Verdict::Deferred});
    EXPECT_TRUE(batch.rig.visible().empty());
}

TEST(Bundle, RecoveryOfOneIsTheWordForAll) {
    Batch batch(8);
    batch.stage();
    batch.rig.restart();
    EXPECT_EQ(batch.found(5), Found::NotPublished);
    batch.publish();  // the late worker
    EXPECT_TRUE(batch.rig.visible().empty());
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(batch.found(i), Found::NotPublished);
}

TEST(Bundle, RecoveryAndPublishingAtOnceAgree) {
    const int rounds = tests::kOnWindows ? 10 : 40;  // Wine makes each file slowly
    for (int round = 0; round < rounds; ++round) {
        Batch batch(4);
        batch.stage();
        Found seen = Found::CannotTell;
        tests::StartingLine start(2);
        {
            const std::jthread worker([&] {
                start.wait();
                batch.publish();
            });
            const std::jthread recovery([&] {
                start.wait();
                seen = batch.found(static_cast<std::size_t>(round) % 4);
            });
        }
        ASSERT_NE(seen, Found::CannotTell);
        ASSERT_EQ(batch.rig.visible().size(), seen == Found::Published ? 1u : 0u);
        for (std::size_t i = 0; i < 4; ++i) ASSERT_EQ(batch.found(i), seen);
    }
}

// B4.
TEST(Bundle, IsSweptWhenAllMembersAreOver) {
    Batch batch(4);
    batch.stage();
    EXPECT_EQ(batch.working(), 2u) << "the bundle and its list";
    EXPECT_EQ(batch.sweep({1, 2, 3}), 0);
    EXPECT_EQ(batch.working(), 2u);
    EXPECT_EQ(batch.found(3), Found::NotPublished);
    EXPECT_EQ(batch.sweep({1, 2, 3}), 0);
    EXPECT_EQ(batch.found(0), Found::NotPublished);
    EXPECT_EQ(batch.sweep({1, 2, 3, 4}), 1);
    EXPECT_EQ(batch.working(), 0u);
}

TEST(Bundle, ThePublishedOnesListGoesWhenAllMembersAreOver) {
    Batch batch(4);
    batch.stage();
    batch.publish();
    EXPECT_EQ(batch.sweep({1, 2, 3}), 0);
    EXPECT_EQ(batch.working(), 1u);
    EXPECT_EQ(batch.sweep({1, 2, 3, 4}), 0);
    EXPECT_EQ(batch.working(), 0u);
}

TEST(Bundle, ABundleWhoseListIsDamagedIsKept) {
    Batch batch(4);
    batch.stage();
    const std::string list = batch.rig.stage() + "/.members-1.3";
    EXPECT_EQ(tests::slurp(list), "1.3\n2.3\n3.3\n4.3\nend\n");
    tests::spill(list, "1.3\n2.3\n");
    EXPECT_EQ(batch.sweep({1, 2, 3, 4}), 0);
    EXPECT_EQ(batch.working(), 2u);
    EXPECT_EQ(batch.found(0), Found::NotPublished);
}

// A crash while the list was written: no bundle followed.
TEST(Bundle, AListWithoutABundleIsSwept) {
    Batch batch(1);
    tests::spill(batch.rig.stage() + "/.members-7.2", "7.2\n8.");
    EXPECT_EQ(batch.sweep({1}), 0);
    EXPECT_EQ(batch.working(), 1u);
    EXPECT_EQ(batch.sweep({7}), 0);
    EXPECT_EQ(batch.working(), 0u);
}

TEST(Bundle, OneImpossibleMailDoesNotTakeTheOthersAlong) {
    Batch batch(5);
    batch.jobs[0].delivery.recipients[0].legacy = "UUCP";
    batch.rig.adapter().stage(batch.jobs, [] {});
    ASSERT_TRUE(batch.jobs[0].outcome);
    EXPECT_EQ(batch.jobs[0].outcome->verdict, Verdict::Rejected);
    batch.publish(1);
    EXPECT_EQ(batch.verdicts(1), std::set{Verdict::Exported});
    EXPECT_EQ(batch.rig.visible(), std::vector<std::string>{"00000002.pkt"}) << "named by one that is in it";
}

TEST(Bundle, LargeMailsHaveAFileOfTheirOwn) {
    Batch batch(3);
    batch.jobs[1] = batch.rig.job(2, 3, "Subject: large\r\n\r\n" + std::string(100'000, 'x') + "\r\n");
    batch.stage();
    batch.publish();
    EXPECT_EQ(batch.verdicts(), std::set{Verdict::Exported});
    EXPECT_EQ(batch.rig.visible(), (std::vector<std::string>{"00000001.pkt", "00000002.pkt"}));
    EXPECT_EQ(fileOf(batch.jobs[0].evidence)->staged, fileOf(batch.jobs[2].evidence)->staged);
    EXPECT_EQ(batch.rig.adapter().recover(batch.jobs[0].delivery.key, batch.jobs[2].evidence).found,
              Found::CannotTell)
        << "another's evidence";
    EXPECT_TRUE(batch.jobs[1].evidence.starts_with("spool1 ")) << batch.jobs[1].evidence;
}

TEST(Bundle, AForeignFileWithTheNameDefersAllOfThem) {
    Batch batch(4);
    batch.stage();
    tests::spill(batch.rig.folder() + "/00000001.pkt", "somebody else's");
    batch.publish();
    EXPECT_EQ(batch.verdicts(), std::set{Verdict::Deferred});
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(batch.found(i), Found::NotPublished);
}

TEST(Bundle, DifferentLinksHaveDifferentFiles) {
    Batch batch(4, {{"mode", "bso"}, {"routing", "direct"}});
    for (std::size_t i = 0; i < 4; ++i)
        batch.jobs[i].delivery.recipients[0].legacy = i % 2 == 0 ? "Bob@2:5/6.7" : "Ann@2:5/8";
    batch.stage();
    batch.publish();
    EXPECT_EQ(batch.verdicts(), std::set{Verdict::Exported});
    EXPECT_EQ(batch.rig.visible().size(), 2u);
    EXPECT_TRUE(fs::exists(batch.rig.folder() + "/outbound/00050006.flo"));
    EXPECT_TRUE(fs::exists(batch.rig.folder() + "/outbound/00050008.flo"));
}

}  // namespace
}  // namespace postern::adapters
