// Whose the folder is: files get the group that a folder hands on, and who may not write hears why.

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/folder_access.h"
#include "base/log_tap.h"
#include "tests/conformance/adapter_cases.h"

namespace postern::tests {

namespace fs = std::filesystem;
using adapters::Cause;
using adapters::Job;
using adapters::Verdict;

namespace {

constexpr unsigned kNobody = 65534, kForeignGroup = 54321;

// A group that files of ours can be given, and do not have by themselves.
std::optional<GroupId> otherGroup() {
    if (::geteuid() == 0) return kForeignGroup;
    gid_t groups[64];
    const int count = ::getgroups(64, groups);
    for (int i = 0; i < count; ++i)
        if (groups[i] != ::getegid()) return groups[i];
    return std::nullopt;
}

void handOn(const std::string& folder, GroupId group) {
    ASSERT_EQ(::chown(folder.c_str(), static_cast<uid_t>(-1), group), 0) << folder;
    ASSERT_EQ(::chmod(folder.c_str(), 02770), 0) << folder;
}

// Root may everything: as long as this lives we are somebody who may not.
class AsSomebody {
  public:
    AsSomebody() {
        if (::geteuid() != 0) return;
        EXPECT_EQ(::setegid(kNobody), 0);
        EXPECT_EQ(::seteuid(kNobody), 0);
        dropped_ = true;
    }
    ~AsSomebody() {
        if (!dropped_) return;
        EXPECT_EQ(::seteuid(0), 0);
        EXPECT_EQ(::setegid(0), 0);
    }
    AsSomebody(const AsSomebody&) = delete;
    AsSomebody& operator=(const AsSomebody&) = delete;

  private:
    bool dropped_ = false;
};

// A folder that is somebody's.
class TheirFolder {
  public:
    TheirFolder() {
        if (::geteuid() == 0) {
            EXPECT_EQ(::chown(temp_.path().c_str(), kNobody, kNobody), 0);
        }
    }
    const TempFolder& temp() const { return temp_; }

  private:
    TempFolder temp_;
};

}  // namespace

class FolderRights : public AdapterSuite {
  protected:
    // Every file that the reader sees, and those beside, has the group and the mode that was asked for.
    static void expectGroup(const AdapterRig& rig, GroupId group, const std::string& what) {
        const auto files = visibleFiles(rig.folder());
        EXPECT_FALSE(files.empty()) << what;
        const bool shared = GetParam().naming == Naming::Shared;
        for (const std::string& file : files) {
            struct stat facts {};
            ASSERT_EQ(::stat((rig.folder() + "/" + file).c_str(), &facts), 0) << what << ": " << file;
            EXPECT_EQ(facts.st_gid, group) << what << ": " << file;
            EXPECT_EQ(facts.st_mode & 07777u, shared ? 0660u : 0640u) << what << ": " << file;
        }
    }
    static const std::string& mailWithFile() {
        static const std::string mail =
            "From: alice@example.org\r\nTo: bob@legacy.example\r\nSubject: File\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello.\r\n"
            "--b\r\nContent-Type: application/octet-stream; name=a.dat\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\nAAECAwQFBgcICQ==\r\n--b--\r\n";
        return mail;
    }
};

TEST_P(FolderRights, FilesGetTheGroupThatTheFolderHandsOn) {
    const auto group = otherGroup();
    if (!group) GTEST_SKIP() << "this user has one group alone";
    SettingMap settings = GetParam().settings;
    settings["folder"] = rig_.temp() + "/handing";
    settings["stage"] = rig_.temp() + "/aside/stage";
    fs::create_directory(settings["folder"]);
    handOn(settings["folder"], *group);
    AdapterRig rig(GetParam().kind, settings);
    ASSERT_TRUE(rig.probed().ok()) << rig.probed().error().text;
    for (const std::string& mail : {AdapterRig::kPlain, mailWithFile()}) {
        const Job job = rig.exportJob(rig.job(mail == mailWithFile() ? 2 : 1, 1, mail));
        ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    }
    expectGroup(rig, *group, "a stage elsewhere");
    // Without the bit files are the group's in which they were written, as everywhere.
    struct stat staged {};
    ASSERT_EQ(::stat(settings["stage"].c_str(), &staged), 0);
    EXPECT_NE(staged.st_gid, *group);
}

// The stage was made before the folder was given its group.
TEST_P(FolderRights, AlsoWhenItHandsItOnSinceALaterDay) {
    const auto group = otherGroup();
    if (!group) GTEST_SKIP() << "this user has one group alone";
    handOn(rig_.folder(), *group);
    if (livePath() != rig_.folder()) {
        fs::create_directories(livePath());
        handOn(livePath(), *group);
    }
    for (const char* beside : {"/PARCEL", "/IPARCEL", "/ATT_IN"})
        if (fs::exists(rig_.folder() + beside)) handOn(rig_.folder() + beside, *group);
    ASSERT_TRUE(rig_.adapter().probe().ok());
    const Job job = rig_.exportJob(rig_.job(1, 1, mailWithFile()));
    ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    expectGroup(rig_, *group, "a stage inside");
}

TEST(Rights, AGroupThatIsNotOursIsToldOnceAndTheMailGoesOut) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can make a folder of a group that is not ours";
    const TheirFolder their;
    const std::string folder = their.temp() / "live";
    fs::create_directory(folder);
    ASSERT_EQ(::chown(folder.c_str(), kNobody, kForeignGroup), 0);
    ASSERT_EQ(::chmod(folder.c_str(), 02770), 0);
    std::vector<std::string> told;
    setLogTap([&](LogEvent event, ItemId, std::string_view line) {
        if (event == LogEvent::AdapterGroup) told.emplace_back(line);
    });
    {
        const AsSomebody somebody;
        AdapterRig rig("drop", {{"folder", folder}, {"stage", their.temp() / "stage"}});
        EXPECT_TRUE(rig.probed().ok()) << rig.probed().error().text;
        EXPECT_TRUE(rig.adapter().probe().ok());
        const Job job = rig.exportJob(rig.job(1, 1));
        EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
        EXPECT_FALSE(fs::exists(rig.folder() + "/.try")) << "nothing of the trial is left";
    }
    setLogTap({});
    ASSERT_EQ(told.size(), 1u) << testing::PrintToString(told);
    for (const char* part : {"gid 54321", "Operation not permitted"})
        EXPECT_NE(told[0].find(part), std::string::npos) << told[0];
    EXPECT_NE(told[0].find(folder), std::string::npos) << told[0];
}

TEST(Rights, WhoMayNotWriteHearsWhoseTheFolderIs) {
    const TheirFolder their;
    const std::string folder = their.temp() / "live";
    const AsSomebody somebody;
    AdapterRig rig("drop", {{"folder", folder}});
    ASSERT_TRUE(rig.probed().ok()) << rig.probed().error().text;
    Job job = rig.job(1, 1);
    rig.stageJob(job);
    ASSERT_EQ(::chmod(folder.c_str(), 0555), 0);
    rig.publishJob(job);
    const auto probed = rig.adapter().probe();
    ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
    ASSERT_TRUE(job.outcome && job.outcome->verdict == Verdict::Deferred) << outcomeText(job);
    EXPECT_TRUE(job.outcome->adapterUnusable) << outcomeText(job);
    EXPECT_EQ(job.outcome->cause, Cause::Refused) << "as docs/RETRY.md has it";
    ASSERT_FALSE(probed.ok());
    const std::string us = nameOfUser(::geteuid());
    const std::vector<std::string> parts = {"Permission denied", "user " + us + " (group",
                                            folder + ", which belongs to " + us + ":", "mode 0555", "chmod"};
    for (const std::string& text : {job.outcome->reason, probed.error().text})
        for (const std::string& part : parts)
            EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
    EXPECT_TRUE(rig.adapter().probe().ok()) << "it heals";
}

INSTANTIATE_TEST_SUITE_P(Kinds, FolderRights, testing::ValuesIn(adapterCases()), caseName);

}  // namespace postern::tests
