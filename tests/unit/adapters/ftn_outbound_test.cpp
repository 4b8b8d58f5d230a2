// A mailer's outbound: .bsy, flow files, and what recovery finds there.

#include <gmock/gmock.h>

#include "adapters/ftn/flow_files.h"
#include "tests/adapter_rig.h"
#include "tests/ftn_reader.h"

namespace postern::adapters {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using tests::AdapterRig;
using tests::outcomeText;
using tests::SettingMap;
using tests::slurp;
using tests::spill;

SettingMap bso(SettingMap more = {}) {
    for (const auto& [key, value] :
         {std::pair{"address", "2:999/1"}, {"link", "2:999/2"}, {"mode", "bso"}, {"lock_wait", "0s"}})
        more.emplace(key, value);
    return more;
}

// Our packets lie in postern-packets, mailers look into outbound.
struct Link {
    explicit Link(SettingMap more = {}) : rig("ftn", bso(std::move(more))) {}
    std::string path(const std::string& name) const { return rig.folder() + "/outbound/" + name; }
    std::string line(int item) const {
        char name[24];
        std::snprintf(name, sizeof name, "%08x.pkt", static_cast<unsigned>(item));
        return "^" + rig.folder() + "/postern-packets/" + name + "\n";
    }
    AdapterRig rig;
};

TEST(FtnOutbound, FlowFilesHaveTheirPlaces) {
    ftn::FlowPlan plan;
    plan.zone = 2;
    const auto place = [&](const char* node) {
        const auto found = ftn::flowPlace(*ftn::parseNode(node), plan);
        return found.folder + "/" + found.base;
    };
    EXPECT_EQ(place("2:999/2"), "outbound/03e70002");
    EXPECT_EQ(place("3:999/2"), "outbound.003/03e70002");
    EXPECT_EQ(place("2:5020/100.17"), "outbound/139c0064.pnt/00000011");
    EXPECT_EQ(place("4000:1/0"), "outbound.fa0/00010000");
}

TEST(FtnOutbound, APacketIsListedForTheLink) {
    Link link(SettingMap{{"flavour", "crash"}});
    const Job job = link.rig.exportJob(link.rig.job(1, 1));
    ASSERT_TRUE(job.outcome && job.outcome->verdict == Verdict::Exported) << outcomeText(job);
    EXPECT_EQ(slurp(link.path("03e70002.clo")), link.line(1));
    EXPECT_FALSE(fs::exists(link.path("03e70002.bsy")));
    const auto packet = tests::readFtnPacket(slurp(link.rig.folder() + "/postern-packets/00000001.pkt"));
    ASSERT_TRUE(packet.ok()) << packet.error().text;
    EXPECT_EQ(packet->to, (tests::FtnPlace{2, 999, 2, 0}));
}

TEST(FtnOutbound, DirectMailGoesToTheNodeOfAPoint) {
    Link link(SettingMap{{"routing", "direct"}, {"outbound_zone", "2"}});
    for (const auto& [item, legacy] : {std::pair{1, "Bob@3:5/6.7"}, {2, "Ann@2:999/1.4"}}) {
        Job job = link.rig.job(item, 1);
        job.delivery.recipients[0].legacy = legacy;
        job = link.rig.exportJob(std::move(job));
        ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    }
    EXPECT_EQ(slurp(link.rig.folder() + "/outbound.003/00050006.flo"), link.line(1));
    EXPECT_EQ(slurp(link.path("03e70001.pnt/00000004.flo")), link.line(2)) << "a point of ours";
}

TEST(FtnOutbound, OthersLinesStayAndATornOneIsNotJoined) {
    Link link;
    spill(link.path("03e70002.flo"), "#/var/spool/a.tic\r\n^/var/spool/tor");
    const Job job = link.rig.exportJob(link.rig.job(1, 1));
    EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    EXPECT_EQ(slurp(link.path("03e70002.flo")), "#/var/spool/a.tic\r\n^/var/spool/tor\n" + link.line(1));
}

TEST(FtnOutbound, ABusyLinkWaits) {
    Link link;
    spill(link.path("03e70002.bsy"), "4711\n");
    Job job = link.rig.job(1, 1);
    link.rig.stageJob(job);
    Job late = job;
    link.rig.publishJob(job);
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    EXPECT_EQ(job.outcome->cause, Cause::Busy);
    EXPECT_FALSE(job.outcome->adapterUnusable) << "other links have nothing to do with it";
    EXPECT_THAT(job.outcome->reason, HasSubstr("03e70002.bsy"));
    EXPECT_TRUE(fs::is_empty(link.rig.folder() + "/postern-packets"));
    EXPECT_EQ(slurp(link.path("03e70002.bsy")), "4711\n");
    fs::remove(link.path("03e70002.bsy"));
    link.rig.publishJob(late);
    EXPECT_TRUE(link.rig.visible().empty()) << "deferred is withdrawn (A2)";
    EXPECT_EQ(link.rig.exportJob(link.rig.job(1, 2)).outcome->verdict, Verdict::Exported);
}

TEST(FtnOutbound, AStaleLockIsRemovedAndOursTakenOver) {
    Link link(SettingMap{{"stale_lock", "1h"}});
    spill(link.path("03e70002.bsy"), "4711\n");
    fs::last_write_time(link.path("03e70002.bsy"), fs::file_time_type::clock::now() - std::chrono::hours(2));
    EXPECT_EQ(link.rig.exportJob(link.rig.job(1, 1)).outcome->verdict, Verdict::Exported);
    spill(link.path("03e70002.bsy"), "postern abcdefgh12345678 legacy 4711\n");  // we were killed
    EXPECT_EQ(link.rig.exportJob(link.rig.job(2, 1)).outcome->verdict, Verdict::Exported);
    EXPECT_FALSE(fs::exists(link.path("03e70002.bsy")));
    EXPECT_EQ(slurp(link.path("03e70002.flo")), link.line(1) + link.line(2));
}

// Killed between the rename and the line.
TEST(FtnOutbound, RecoveryAddsTheLineThatIsMissing) {
    Link link;
    Job job = link.rig.exportJob(link.rig.job(1, 1));
    fs::remove(link.path("03e70002.flo"));
    spill(link.path("03e70002.bsy"), "postern abcdefgh12345678 legacy 4711\n");
    link.rig.restart();
    for (int time = 0; time < 2; ++time) {
        const auto seen = link.rig.adapter().recover(job.delivery.key, job.evidence);
        EXPECT_EQ(seen.found, Found::Published) << seen.text;
        EXPECT_EQ(slurp(link.path("03e70002.flo")), link.line(1)) << "once, however often it is asked";
    }
    EXPECT_FALSE(fs::exists(link.path("03e70002.bsy")));
}

TEST(FtnOutbound, WhatWasSentIsNotListedAgain) {
    Link link;
    Job job = link.rig.job(1, 1);
    link.rig.stageJob(job);
    Job late = job;
    link.rig.publishJob(job);
    fs::remove(job.outcome->target);
    fs::remove(link.path("03e70002.flo"));  // as a mailer does when all of a list is sent
    link.rig.publishJob(late);
    EXPECT_EQ(late.outcome->verdict, Verdict::Exported) << outcomeText(late);
    EXPECT_EQ(link.rig.adapter().recover(job.delivery.key, job.evidence).found, Found::Published);
    EXPECT_FALSE(fs::exists(link.path("03e70002.flo")));
    // Marked as sent, its file not deleted yet: the mailer died between the two.
    Job other = link.rig.exportJob(link.rig.job(2, 1));
    std::string sent = slurp(link.path("03e70002.flo"));
    sent[0] = '~';
    spill(link.path("03e70002.flo"), sent);
    EXPECT_EQ(link.rig.adapter().recover(other.delivery.key, other.evidence).found, Found::Published);
    EXPECT_EQ(slurp(link.path("03e70002.flo")), sent);
}

TEST(FtnOutbound, RecoveryOfAPacketWhoseLinkIsBusyWaits) {
    Link link;
    Job job = link.rig.exportJob(link.rig.job(1, 1));
    fs::remove(link.path("03e70002.flo"));
    spill(link.path("03e70002.bsy"), "4711\n");
    const auto seen = link.rig.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_TRUE(seen.busy) << seen.text;
    EXPECT_FALSE(fs::exists(link.path("03e70002.flo")));
    fs::remove(job.outcome->target);  // sent meanwhile: nothing to wait for
    EXPECT_EQ(link.rig.adapter().recover(job.delivery.key, job.evidence).found, Found::Published);
}

// A full disk, or a list that is none: the packet is there, and recovery lists it when that can be done.
TEST(FtnOutbound, AListThatCanNotBeWrittenIsAskedAboutLater) {
    Link link;
    fs::create_directory(link.path("03e70002.flo"));
    const Job job = link.rig.exportJob(link.rig.job(1, 1));
    EXPECT_EQ(job.outcome->verdict, Verdict::Unknown) << outcomeText(job);
    const auto seen = link.rig.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_TRUE(seen.unusable) << seen.text;
    fs::remove(link.path("03e70002.flo"));
    EXPECT_EQ(link.rig.adapter().recover(job.delivery.key, job.evidence).found, Found::Published);
    EXPECT_EQ(slurp(link.path("03e70002.flo")), link.line(1));
}

TEST(FtnOutbound, ABatchIsListedAtOnce) {
    Link link(SettingMap{{"bundle", "4"}});
    std::vector<Job> jobs;
    for (int item = 1; item <= 8; ++item) jobs.push_back(link.rig.job(item, 1));
    link.rig.adapter().stage(jobs, [] {});
    link.rig.adapter().publish(jobs, [] {});
    for (const Job& job : jobs) EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    EXPECT_EQ(slurp(link.path("03e70002.flo")), link.line(1) + link.line(5));
}

}  // namespace
}  // namespace postern::adapters
