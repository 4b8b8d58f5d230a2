// What every kind does when the disk is full, with a small one of the test's own or a limit for each file:
// only Linux gives those away.

#include <csignal>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/conformance/adapter_cases.h"

namespace postern::tests {

namespace fs = std::filesystem;
using adapters::Job;
using adapters::Verdict;

class FullDisk : public AdapterSuite {};

// In a child with a small disk of its own: a message that does not fit is put off, nothing is left behind,
// and when there is room again it goes out.
namespace {

int tinyDiskStory(const AdapterCase& which, const std::string& disk) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=1m") != 0)
        return 77;
    SettingMap settings = which.settings;
    settings["folder"] = disk + "/live";
    AdapterRig rig(which.kind, settings);
    if (settings.contains("bundle")) rig.setCount(&mailsOfPacket);
    if (!rig.probed().ok()) return 1;
    std::vector<Job> jobs = {rig.job(1, 1), rig.job(2, 1, AdapterRig::kPlain + std::string(3 << 20, 'x')),
                             rig.job(3, 1)};
    rig.adapter().stage(jobs, [] {});
    if (!jobs[1].outcome || !jobs[1].outcome->adapterUnusable) return 2;
    if (jobs[1].outcome->reason.find("No space") == std::string::npos) return 3;
    rig.adapter().publish(jobs, [] {});
    if (rig.visible().size() != 2) return 4;
    if (fs::exists(rig.stage() + "/2.1")) return 5;
    spill(disk + "/ballast", std::string(2 << 20, 'x'));
    if (rig.adapter().probe().ok()) return 6;
    fs::remove(disk + "/ballast");
    if (!rig.adapter().probe().ok()) return 7;
    return rig.exportJob(rig.job(2, 2)).outcome->verdict == Verdict::Exported ? 0 : 8;
}

}  // namespace

TEST_P(FullDisk, Q178758_AFullDiskPutsOffAndHeals) {
    TempFolder disk;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(tinyDiskStory(GetParam(), disk.path()));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this machine lets nobody mount a private disk";
    EXPECT_EQ(WEXITSTATUS(status), 0) << "step of tinyDiskStory";
}

// The same without any privilege: the system refuses more than so many bytes per file.
TEST_P(FullDisk, AFileLimitPutsOffAndLeavesNothing) {
    const auto old = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{65536, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const Job job = rig_.exportJob(rig_.job(1, 1, AdapterRig::kPlain + std::string(300'000, 'x')));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, old);
    EXPECT_TRUE(job.outcome && job.outcome->adapterUnusable) << outcomeText(job);
    EXPECT_FALSE(fs::exists(rig_.stage() + "/1.1"));
    EXPECT_EQ(rig_.exportJob(rig_.job(1, 2)).outcome->verdict, Verdict::Exported);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FullDisk, testing::ValuesIn(casesThatFillADisk()), caseName);

}  // namespace postern::tests
