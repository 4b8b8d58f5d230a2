// MH folders: numbers, and the index of sequences.

#include <gtest/gtest.h>

#include "adapters/mailbox/mh_sequences.h"
#include "tests/adapter_rig.h"
#include "tests/kit/odd_files.h"

namespace postern::adapters {

namespace fs = std::filesystem;
using tests::AdapterRig;
using tests::slurp;
using tests::spill;

TEST(Mh, TheNextNumberAndAnIndex) {
    AdapterRig rig("mh", {});
    for (const char* other : {"3", "007", ",12", "9x", "-5", "12345678901234567890"})
        spill(rig.folder() + "/" + other, "x");
    fs::create_directories(rig.folder() + "/8");  // a folder counts as well
    const Job job = rig.exportJob(rig.job(1, 1, "Subject: x\r\n\r\nFrom here\r\nno end"));
    EXPECT_EQ(job.outcome->target, rig.folder() + "/9") << tests::outcomeText(job);
    EXPECT_EQ(slurp(rig.folder() + "/9"),
              "Return-Path: <alice@example.org>\nDelivered-To: bob@legacy.example\nSubject: x\n\nFrom "
              "here\nno end");
    EXPECT_TRUE(fs::exists(rig.folder() + "/.mh_sequences"));
    EXPECT_EQ(slurp(rig.folder() + "/.mh_sequences"), "");
}

// Two people never share a folder (KB Q197258).
TEST(Mh, ARecipientNamedLikeANumberIsNoMessage) {
    const std::vector<std::array<const char*, 2>> cases = {
        {"17", "%317/1"},
        {"u17", "u17/1"},
        {"%317", "%25317/1"},
        {"007", "%3007/1"},
        {"9876543210", "%39876543210/1"},
        {"17a", "17a/1"},
    };
    for (const auto& [name, wanted] : cases) {
        AdapterRig rig("mh", {{"layout", "per-recipient"}});
        Job job = rig.job(1, 1);
        job.delivery.recipients[0].legacy = name;
        rig.exportJob(std::move(job));
        EXPECT_EQ(rig.visible(), std::vector<std::string>{wanted}) << name;
    }
}

TEST(Mh, NewMessagesAreUnseen) {
    AdapterRig rig("mh", {{"sequence", "unseen"}});
    spill(rig.folder() + "/.mh_sequences", "cur: 1\nunseen: 2 4-5\nreplied: 1\n");
    spill(rig.folder() + "/5", "x");
    std::vector<Job> jobs = {rig.job(1, 1), rig.job(2, 1)};
    rig.adapter().stage(jobs, [] {});
    rig.adapter().publish(jobs, [] {});
    EXPECT_EQ(slurp(rig.folder() + "/.mh_sequences"), "cur: 1\nunseen: 2 4-7\nreplied: 1\n");
}

TEST(Mh, AnIndexThatIsLockedOrNoneCostsTheMarkOnly) {
    AdapterRig rig("mh", {{"sequence", "unseen"}});
    const std::string index = rig.folder() + "/.mh_sequences";
    spill(index, "cur: 1\n");
    {
        File reader = File::openAppend(index).value();
        ASSERT_TRUE(reader.tryLock().value());
        EXPECT_EQ(rig.exportJob(rig.job(1, 1)).outcome->verdict, Verdict::Exported);
    }
    EXPECT_EQ(slurp(index), "cur: 1\n");
    fs::remove(index);
    spill(rig.temp() + "/other", "precious\n");
    if (!tests::makeLink(rig.temp() + "/other", index)) return;
    EXPECT_EQ(rig.exportJob(rig.job(2, 1)).outcome->verdict, Verdict::Exported);
    EXPECT_EQ(slurp(rig.temp() + "/other"), "precious\n");
}

TEST(MhSequences, NumbersAreAddedToTheirLine) {
    const std::vector<std::array<const char*, 2>> cases = {
        {"", "unseen: 7-8\n"},
        {"cur: 1", "cur: 1\nunseen: 7-8\n"},
        {"unseen:\n", "unseen: 7-8\n"},
        {"unseen: 6", "unseen: 6-8\n"},
        {"unseen: 1 3-6\nb: 2\n", "unseen: 1 3-8\nb: 2\n"},
        {"unseenx: 1\n", "unseenx: 1\nunseen: 7-8\n"},
        {"unseen: 99\n", "unseen: 99 7-8\n"},
    };
    for (const auto& [before, after] : cases)
        EXPECT_EQ(withNumbers(before, "unseen", {"7", "8"}).value(), after) << before;
    EXPECT_FALSE(withNumbers(std::string_view("a\0b", 3), "unseen", {"7"}).ok());
}

}  // namespace postern::adapters
