// Theme J: a rename that fails because the volume is full, by a call of the system that the test takes over.
#include <atomic>
#include <cerrno>
#include <sys/syscall.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "adapters/outcome.h"
#include "tests/adapter_rig.h"
#include "tests/unit/reports/report_desk.h"

namespace {

std::atomic<int> renamesFail{0};  // so many of the next ones

}  // namespace

// The system's call, which fails when a test says so.
extern "C" int renameat2(int from, const char* source, int to, const char* target,
                         unsigned int flags) noexcept {
    if (renamesFail > 0) {
        --renamesFail;
        errno = ENOSPC;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_renameat2, from, source, to, target, flags));
}

namespace postern::tests {
namespace {

using reports::ReportDesk;
using reports::to;
using testing::HasSubstr;
using testing::Not;

// The volume is full in the one moment in which the mail would appear.
TEST(Regress, Q227142_no_space_at_the_rename_is_what_history_and_report_say) {
    for (const char* kind : {"drop", "maildir", "pickup", "ccmail"}) {
        AdapterRig rig(kind,
                       std::string(kind) == "ccmail" ? SettingMap{{"post_office", "PO1"}} : SettingMap{});
        adapters::Job job = rig.job(1, 1);
        rig.stageJob(job);
        ASSERT_FALSE(job.outcome) << kind << outcomeText(job);
        renamesFail = 1;
        rig.publishJob(job);
        EXPECT_EQ(renamesFail.exchange(0), 0) << kind << ": it was not this rename that failed";
        ASSERT_TRUE(job.outcome) << kind;
        EXPECT_NE(job.outcome->verdict, adapters::Verdict::Exported) << kind;
        EXPECT_NE(job.outcome->verdict, adapters::Verdict::Rejected) << kind << ": it heals by itself";
        EXPECT_THAT(job.outcome->reason, HasSubstr("No space left on device")) << kind;
        EXPECT_THAT(job.outcome->reason, HasSubstr(rig.folder())) << kind;
        EXPECT_TRUE(rig.visible().empty()) << kind;

        ReportDesk desk;
        const ItemId item = desk.post({.recipients = {to("a@legacy.example")}});
        ASSERT_TRUE(desk.end("legacy", {1}, job.outcome->reason).ok());
        EXPECT_THAT(desk.history(item), HasSubstr("No space left on device")) << kind;
        const std::string report = desk.bytesOf(desk.reports()[0]);
        EXPECT_THAT(report, HasSubstr("No space left on device")) << kind;
        EXPECT_THAT(report, Not(HasSubstr("communications failure"))) << kind;
    }
}

}  // namespace
}  // namespace postern::tests
