// What every kind does when folders, disks, names and messages are not as they should be.

#include <thread>

#include <gtest/gtest.h>

#include "tests/conformance/adapter_cases.h"
#include "tests/kit/memory.h"
#include "tests/kit/platform.h"

namespace postern::tests {

namespace fs = std::filesystem;
using adapters::Found;
using adapters::Job;
using adapters::Verdict;

class AdapterTrouble : public AdapterSuite {};
class FolderOfOneRecipient : public AdapterSuite {};
class NamedByKey : public AdapterSuite {};
class NamedByNumber : public AdapterSuite {};

namespace {

// `size` bytes of mail that never are in memory as a whole.
class LongMessage final : public ByteSource {
  public:
    LongMessage(std::int64_t size, std::function<void()> look) : size_(size), look_(std::move(look)) {}
    std::int64_t size() const override { return size_; }
    Result<std::size_t> readAt(std::int64_t offset, char* into, std::size_t wanted) override {
        const auto count = static_cast<std::size_t>(
            std::min<std::int64_t>(static_cast<std::int64_t>(wanted), size_ - offset));
        for (std::size_t i = 0; i < count; ++i) into[i] = byteAt(offset + static_cast<std::int64_t>(i));
        if (offset / kLookEach != (offset + static_cast<std::int64_t>(count)) / kLookEach) look_();
        return count;
    }

  private:
    static char byteAt(std::int64_t position) {
        static const std::string kHead = "Subject: long\r\n\r\n";
        if (position < static_cast<std::int64_t>(kHead.size()))
            return kHead[static_cast<std::size_t>(position)];
        static const std::string kLine = "All work and no play makes a long message, line after line.\r\n";
        return kLine[static_cast<std::size_t>(position - static_cast<std::int64_t>(kHead.size())) %
                     kLine.size()];
    }
    static constexpr std::int64_t kLookEach = 1 << 20;
    std::int64_t size_;
    std::function<void()> look_;
};

// A body whose disk fails.
class BrokenMessage final : public ByteSource {
  public:
    std::int64_t size() const override { return 1000; }
    Result<std::size_t> readAt(std::int64_t, char*, std::size_t) override {
        return fail(Errc::Io, "the body can not be read");
    }
};

// False: the system lets nobody lose a folder so while something in it is open (Windows, decision 0011).
bool isLost(const std::string& path, const std::function<void(const std::string&)>& lose) {
    try {
        lose(path);
        return true;
    } catch (const fs::filesystem_error& refused) {
        EXPECT_TRUE(kOnWindows) << refused.what();
        return false;
    }
}

}  // namespace

TEST_P(AdapterTrouble, A5OneBadMessageDoesNotStopTheBatch) {
    BrokenMessage broken;
    std::vector<Job> jobs;
    for (int item = 1; item <= 7; ++item) jobs.push_back(rig_.job(item, 1));
    jobs[3].delivery.message = &broken;
    rig_.adapter().stage(jobs, [] {});
    ASSERT_TRUE(jobs[3].outcome);
    EXPECT_EQ(jobs[3].outcome->verdict, Verdict::Deferred) << outcomeText(jobs[3]);
    EXPECT_FALSE(jobs[3].outcome->adapterUnusable) << "the mail's fault, not the folder's";
    rig_.adapter().publish(jobs, [] {});
    EXPECT_EQ(rig_.visible().size(), 6u);
}

TEST_P(AdapterTrouble, Q192594_NullSenderIsExported) {
    Job job = rig_.job(1, 1);
    job.delivery.sender.clear();
    job = rig_.exportJob(std::move(job));
    EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    EXPECT_EQ(rig_.visible().size(), 1u);
}

TEST_P(AdapterTrouble, Q159303_MailOfAnyShapeIsExported) {
    const std::vector<std::pair<const char*, std::string>> shapes = {
        {"nothing", ""},
        {"headers without a blank line", "Subject: x\r\n"},
        {"a blank line", "\r\n"},
        {"no header", "\r\nbody\r\n"},
        {"8-bit",
         "Subject: \xc3\xa9\xe9\r\n\r\nGr\xc3\xbc\xc3\x9f"
         "e \xff\xfe\r\n"},
        {"NUL bytes", std::string("Subject: a\0b\r\n\r\nx\0y\r\n", 22)},
        {"no line end", "Subject: x\r\n\r\nlast line"},
        {"a CR at the end", "Subject: x\r\n\r\nlast line\r"},
        {"Ctrl-Z",
         "Subject: x\r\n\r\na\x1a"
         "b\r\n"},
    };
    int item = 0;
    for (const auto& [what, message] : shapes) {
        const Job job = rig_.exportJob(rig_.job(++item, 1, message));
        EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << what << ": " << outcomeText(job);
    }
    EXPECT_EQ(rig_.visible().size(), shapes.size());
}

TEST_P(AdapterTrouble, HostileNamesStayInsideTheFolder) {
    const std::vector<std::string> names = {
        "../../etc/passwd",
        std::string("a\0b", 3),
        "bob\r\nX-Injected: yes",
        "bob\nX-Injected: yes",
        std::string(300, 'x'),
        "CON",
        "nul.txt",
        "..",
        ".",
        "-rf",
        "bob at ",
        " at PO1",
        "a/b",
        "\xff\xfe",
        " ",
        "[bob]",
        "bob, jr",
        "\"bob\"",
        "%2e%2e",
        "\x1b[2J",
    };
    int item = 0;
    for (const std::string& name : names) {
        Job job = rig_.job(++item, 1);
        job.delivery.recipients[0].legacy = name;
        job.delivery.recipients[0].address = "\"" + name + "\"@legacy.example";
        job.delivery.sender = name;
        const std::size_t before = rig_.visible().size();
        job = rig_.exportJob(std::move(job));
        ASSERT_TRUE(job.outcome) << testing::PrintToString(name);
        const bool exported = job.outcome->verdict == Verdict::Exported;
        EXPECT_TRUE(exported || job.outcome->verdict == Verdict::Rejected)
            << testing::PrintToString(name) << ": " << outcomeText(job);
        EXPECT_EQ(rig_.visible().size(), before + (exported ? 1 : 0)) << testing::PrintToString(name);
    }
    for (const std::string& file : rig_.visible())
        EXPECT_EQ(rig_.content(file).find("\nX-Injected"), std::string::npos) << file;
    for (const auto& entry : fs::directory_iterator(rig_.temp()))
        EXPECT_EQ(entry.path().filename(), "live") << "outside the folder: " << entry.path();
}

TEST_P(NamedByKey, AForeignFileWithTheNameIsNeitherReplacedNorTaken) {
    AdapterRig scout(GetParam().kind, GetParam().settings);
    scout.exportJob(scout.job(1, 1));
    const std::string name = scout.visible().at(0);
    fs::create_directories(fs::path(rig_.folder() + "/" + name).parent_path());
    spill(rig_.folder() + "/" + name, "somebody else's");
    const Job job = rig_.exportJob(rig_.job(1, 1));
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    EXPECT_FALSE(job.outcome->adapterUnusable);
    EXPECT_NE(job.outcome->reason.find(name), std::string::npos) << job.outcome->reason;
    EXPECT_EQ(onlyArtifact(), "somebody else's");
    Job late = job;
    fs::remove(rig_.folder() + "/" + name);
    late.outcome.reset();
    rig_.publishJob(late);  // a deferred job is withdrawn: nothing may publish it later (A2)
    EXPECT_TRUE(rig_.visible().empty()) << testing::PrintToString(rig_.visible());
    EXPECT_EQ(rig_.adapter().recover(late.delivery.key, late.evidence).found, Found::NotPublished);
    EXPECT_EQ(rig_.exportJob(rig_.job(1, 2)).outcome->verdict, Verdict::Exported);
}

// Two watchers, and a reader that adds files of its own: everybody's file stays, with a number of its own.
TEST_P(NamedByNumber, RunningNumbersNeverMeet) {
    fs::create_directories(livePath());
    for (const char* taken : {"1", "2", "7"}) spill(livePath() + "/" + taken, "somebody else's");
    std::vector<Job> jobs;
    for (int item = 1; item <= 40; ++item) jobs.push_back(rig_.job(item, 1));
    rig_.adapter().stage(jobs, [] {});
    {
        std::vector<std::jthread> threads;
        for (std::size_t part = 0; part < 4; ++part)
            threads.emplace_back([&, part] { rig_.adapter().publish({&jobs[part * 10], 10}, [] {}); });
    }
    for (const Job& job : jobs) EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    EXPECT_EQ(rig_.visible().size(), 43u) << testing::PrintToString(rig_.visible());
    for (const char* taken : {"1", "2", "7"}) EXPECT_EQ(slurp(livePath() + "/" + taken), "somebody else's");
    EXPECT_TRUE(fs::exists(livePath() + "/47"));
}

TEST_P(AdapterTrouble, Q131988_OneFolderHasOneAdapter) {
    const SettingMap same = [&] {
        SettingMap settings = GetParam().settings;
        settings["folder"] = rig_.folder();
        return settings;
    }();
    adapters::AdapterContext otherName = kRigContext, otherStore = kRigContext;
    otherName.name = "second";
    otherStore.storeId = "zzzzzzzz12345678";
    for (const auto& context : {otherName, otherStore}) {
        const auto second = makeKind(GetParam().kind, same, context).value();
        const auto probed = second->probe();
        ASSERT_FALSE(probed.ok());
        EXPECT_NE(probed.error().text.find("another"), std::string::npos) << probed.error().text;
    }
    rig_.restart();
    EXPECT_TRUE(rig_.probed().ok()) << "the first one is not disturbed: " << rig_.probed().error().text;
}

TEST_P(AdapterTrouble, AStageFolderOfItsOwnHasOneAdapter) {
    SettingMap settings = GetParam().settings;
    settings["stage"] = rig_.temp() + "/aside";
    settings["folder"] = rig_.temp() + "/one";
    const auto first = makeKind(GetParam().kind, settings, kRigContext).value();
    ASSERT_TRUE(first->probe().ok());
    settings["folder"] = rig_.temp() + "/two";
    adapters::AdapterContext other = kRigContext;
    other.name = "second";
    const auto probed = makeKind(GetParam().kind, settings, other).value()->probe();
    ASSERT_FALSE(probed.ok());
    EXPECT_NE(probed.error().text.find("belongs to the adapter 'legacy'"), std::string::npos)
        << probed.error().text;
}

// The one way to lose mail here would be to read a missing folder as "published" (RELIABILITY 1.4.1a).
TEST_P(AdapterTrouble, ALostStageFolderIsNeverTakenForPublished) {
    const std::vector<std::pair<const char*, std::function<void(const std::string&)>>> ways = {
        {"removed", [](const std::string& path) { fs::remove_all(path); }},
        {"moved away", [](const std::string& path) { fs::rename(path, path + ".away"); }},
        {"replaced",
         [](const std::string& path) {
             fs::rename(path, path + ".away");
             fs::create_directory(path);
         }},
        {"a file",
         [](const std::string& path) {
             fs::remove_all(path);
             spill(path, "");
         }},
        {"marker removed",
         [](const std::string& path) { fs::remove(path + "/.store-" + kRigContext.storeId); }},
    };
    for (const auto& [what, lose] : ways) {
        AdapterRig rig(GetParam().kind, GetParam().settings);
        Job job = rig.job(1, 1);
        rig.stageJob(job);
        fs::remove(rig.stage() + "/1.1");
        if (!isLost(rig.stage(), lose)) continue;
        const auto seen = rig.adapter().recover(job.delivery.key, job.evidence);
        EXPECT_EQ(seen.found, Found::CannotTell) << what << ": " << seen.text;
        EXPECT_TRUE(seen.unusable) << what;
        Job late = job;
        rig.publishJob(late);
        EXPECT_EQ(late.outcome->verdict, Verdict::Unknown) << what << ": " << outcomeText(late);
        Job next = rig.job(2, 1);
        rig.stageJob(next);
        EXPECT_TRUE(next.outcome && next.outcome->adapterUnusable) << what << ": " << outcomeText(next);
        // Another process finds the folders made anew: what was staged in the old ones is still not
        // published.
        rig.restart();
        if (!rig.probed().ok()) continue;
        const auto later = rig.adapter().recover(job.delivery.key, job.evidence);
        EXPECT_EQ(later.found, Found::CannotTell) << what << ": " << later.text;
        rig.publishJob(job);
        EXPECT_EQ(job.outcome->verdict, Verdict::Unknown) << what << ": " << outcomeText(job);
        EXPECT_TRUE(rig.visible().empty()) << what;
    }
}

TEST_P(AdapterTrouble, ALostLiveFolderWithdrawsAndHeals) {
    const std::vector<std::pair<const char*, std::function<void(const std::string&)>>> ways = {
        {"moved away", [](const std::string& path) { fs::rename(path, path + ".away"); }},
        {"replaced by a file",
         [](const std::string& path) {
             fs::rename(path, path + ".away");
             spill(path, "");
         }},
        {"replaced by a folder",
         [](const std::string& path) {
             fs::rename(path, path + ".away");
             fs::create_directory(path);
         }},
    };
    for (const auto& [what, lose] : ways) {
        AdapterRig rig(GetParam().kind, GetParam().settings);
        const std::string live =
            std::string(GetParam().live).empty() ? rig.folder() : rig.folder() + "/" + GetParam().live;
        Job published = rig.exportJob(rig.job(1, 1));
        Job job = rig.job(2, 1);
        rig.stageJob(job);
        if (!isLost(live, lose)) continue;
        // One recipient's folder is not everybody's.
        const bool shared = !hasFolderOfRecipient(GetParam());
        rig.publishJob(job);
        EXPECT_NE(job.outcome->verdict, Verdict::Exported) << what << ": " << outcomeText(job);
        if (job.outcome->verdict == Verdict::Deferred) {
            EXPECT_EQ(job.outcome->adapterUnusable, shared) << what << ": " << outcomeText(job);
        }
        const auto seen = rig.adapter().recover(published.delivery.key, published.evidence);
        EXPECT_EQ(seen.found, Found::CannotTell) << what << ": " << seen.text;
        EXPECT_EQ(seen.unusable.has_value(), shared) << what;
        EXPECT_EQ(seen.busy.has_value(), !shared) << what;
        fs::remove_all(live);
        fs::rename(live + ".away", live);
        rig.restart();
        ASSERT_TRUE(rig.probed().ok()) << what << ": " << rig.probed().error().text;
        EXPECT_EQ(rig.exportJob(rig.job(3, 1)).outcome->verdict, Verdict::Exported) << what;
        EXPECT_EQ(rig.visible().size(), 2u) << what;
        EXPECT_EQ(rig.adapter().recover(published.delivery.key, published.evidence).found, Found::Published)
            << what;
        EXPECT_EQ(rig.adapter().recover(job.delivery.key, job.evidence).found, Found::NotPublished) << what;
    }
}

// Without a restart: somebody removed one recipient's folder, and the next mail makes it again.
TEST_P(FolderOfOneRecipient, ThatIsLostIsMadeAgain) {
    SKIP_UNDER_WINE("a folder that is open stays until it is closed, and nothing says so");
    AdapterRig rig(GetParam().kind, GetParam().settings);
    const std::string live = GetParam().live;
    const std::string folder = rig.folder() + "/" + live.substr(0, live.find('/'));
    const Job published = rig.exportJob(rig.job(1, 1));
    Job job = rig.job(2, 1);
    rig.stageJob(job);
    fs::remove_all(folder);
    rig.publishJob(job);
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    EXPECT_EQ(rig.exportJob(rig.job(2, 2)).outcome->verdict, Verdict::Exported);
    EXPECT_EQ(rig.visible().size(), 1u);
    fs::remove_all(folder);
    EXPECT_TRUE(rig.adapter().recover(published.delivery.key, published.evidence).busy);
    EXPECT_EQ(rig.adapter().recover(published.delivery.key, published.evidence).found, Found::Published);
}

TEST_P(AdapterTrouble, Q202178_AnUnusableFolderIsSaidByTheProbe) {
    SettingMap settings = GetParam().settings;
    spill(rig_.temp() + "/file", "in the way");
    settings["folder"] = rig_.temp() + "/file";
    const auto blocked = makeKind(GetParam().kind, settings, kRigContext).value();
    auto probed = blocked->probe();
    ASSERT_FALSE(probed.ok());
    EXPECT_NE(probed.error().text.find(settings["folder"]), std::string::npos) << probed.error().text;
    fs::remove(settings["folder"]);
    EXPECT_TRUE(blocked->probe().ok()) << "heals by itself";

    settings["folder"] = rig_.temp() + "/missing";
    settings["create"] = "false";
    const auto missing = makeKind(GetParam().kind, settings, kRigContext).value();
    probed = missing->probe();
    ASSERT_FALSE(probed.ok());
    EXPECT_EQ(probed.error().code, Errc::Unavailable) << probed.error().text;
    EXPECT_FALSE(fs::exists(settings["folder"]));
}

TEST_P(AdapterTrouble, BeforeTheProbeNothingIsDoneAndNothingGuessed) {
    const Job staged = [&] {
        Job job = rig_.job(1, 1);
        rig_.stageJob(job);
        return job;
    }();
    SettingMap settings = GetParam().settings;
    settings["folder"] = rig_.folder();
    const auto unprobed = makeKind(GetParam().kind, settings, kRigContext).value();
    Job job = rig_.job(2, 1);
    unprobed->stage({&job, 1}, [] {});
    EXPECT_TRUE(job.outcome && job.outcome->adapterUnusable) << outcomeText(job);
    const auto seen = unprobed->recover(staged.delivery.key, staged.evidence);
    EXPECT_TRUE(seen.found == Found::CannotTell && seen.unusable) << seen.text;
    EXPECT_FALSE(unprobed->sweep([](const auto&) { return true; }).ok());
}

TEST_P(AdapterTrouble, DamagedEvidenceIsNeverBelieved) {
    Job job = rig_.exportJob(rig_.job(1, 1));
    const std::vector<std::string> texts = {"",
                                            "x",
                                            "spool1",
                                            job.evidence.substr(0, job.evidence.size() / 2),
                                            job.evidence + " more",
                                            std::string(2000, ' ')};
    for (const std::string& text : texts)
        EXPECT_EQ(rig_.adapter().recover(job.delivery.key, text).found, Found::CannotTell) << text;
    EXPECT_EQ(rig_.adapter().recover({ItemId{1}, Epoch{2}}, job.evidence).found, Found::CannotTell)
        << "another attempt's evidence";
}

TEST_P(AdapterTrouble, ALongBodyPassesThroughFlat) {
    Job job = rig_.job(1, 1);
    MemoryGrowth memory;
    LongMessage message(30 << 20, [&memory] { memory.look(); });
    job.delivery.message = &message;
    job = rig_.exportJob(std::move(job));
    const long grown = memory.most();
    ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    std::uintmax_t written = 0;
    for (const std::string& file : visibleFiles(rig_.folder()))
        written += fs::file_size(rig_.folder() + "/" + file);
    if (!GetParam().tellsLittle) {
        EXPECT_GE(written, std::uintmax_t{GetParam().small ? 900u : 25u << 10} << 10);
    }
#ifndef POSTERN_SANITIZED  // their bookkeeping grows with every access
    EXPECT_LT(grown, 16 * 1024) << "KiB";
#else
    EXPECT_GT(grown, 0);
#endif
}

INSTANTIATE_TEST_SUITE_P(Kinds, NamedByKey, testing::ValuesIn(casesNamed(Naming::Key)), caseName);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NamedByNumber);  // when a stranger's kind is asked about
INSTANTIATE_TEST_SUITE_P(Kinds, NamedByNumber, testing::ValuesIn(casesNamed(Naming::Running)), caseName);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FolderOfOneRecipient);  // likewise
INSTANTIATE_TEST_SUITE_P(Kinds, FolderOfOneRecipient, testing::ValuesIn(casesWithFoldersOfRecipients()),
                         caseName);
INSTANTIATE_TEST_SUITE_P(Kinds, AdapterTrouble, testing::ValuesIn(adapterCases()), caseName);

}  // namespace postern::tests
