// A mailer's outbound: .bsy, flow files, and what recovery finds there.

#include <gmock/gmock.h>

#include "adapters/ftn/flow_files.h"
#include "tests/adapter_rig.h"
#include "tests/ftn_reader.h"
#include "tests/kit/modes.h"

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

// A list that is none: nothing appears that could not be listed.
TEST(FtnOutbound, WithAListThatCanNotBeReadNothingAppears) {
    Link link;
    fs::create_directory(link.path("03e70002.flo"));
    const Job job = link.rig.exportJob(link.rig.job(1, 1));
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    EXPECT_FALSE(job.outcome->adapterUnusable) << "it is that link's list alone";
    EXPECT_TRUE(link.rig.visible().empty());
    fs::remove(link.path("03e70002.flo"));
    EXPECT_EQ(link.rig.exportJob(link.rig.job(1, 2)).outcome->verdict, Verdict::Exported);
}

// Spoilt between the two: the packet is there, and recovery lists it when that can be done.
TEST(FtnOutbound, AListThatCanNotBeWrittenIsAskedAboutLater) {
    Link link;
    Job job = link.rig.job(1, 1);
    link.rig.stageJob(job);
    link.rig.adapter().publish({&job, 1}, [&] {
        if (fs::exists(link.path("03e70002.bsy"))) fs::create_directory(link.path("03e70002.flo"));
    });
    EXPECT_EQ(job.outcome->verdict, Verdict::Unknown) << outcomeText(job);
    const auto seen = link.rig.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_TRUE(seen.busy && !seen.unusable) << seen.text << ": it is that link's list alone";
    fs::remove(link.path("03e70002.flo"));
    EXPECT_EQ(link.rig.adapter().recover(job.delivery.key, job.evidence).found, Found::Published);
    EXPECT_EQ(slurp(link.path("03e70002.flo")), link.line(1));
}

// Another packet had the name, was sent, and its line is still there, as others of the list are not sent yet.
TEST(FtnOutbound, ALineThatIsMarkedAsSentIsAnOlderPackets) {
    Link link;
    std::string sent = link.line(1);
    sent[0] = '~';
    spill(link.path("03e70002.flo"), sent + "^/var/spool/other.pkt\n");
    const Job job = link.rig.exportJob(link.rig.job(1, 1));
    EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    const std::string said = [&] {
        std::string line = sent;
        line[1] = '~';  // it says nothing any more, in its place
        return line + "^/var/spool/other.pkt\n";
    }();
    EXPECT_EQ(slurp(link.path("03e70002.flo")), said + link.line(1));
    // But of one that was renamed before, by whoever died then, it may say that it is sent.
    Job late = link.rig.job(2, 1);
    link.rig.stageJob(late);
    Job early = late;
    link.rig.publishJob(early);
    std::string both = link.line(1) + link.line(2);
    both[both.find('^', 1)] = '~';
    spill(link.path("03e70002.flo"), both);
    link.rig.publishJob(late);
    EXPECT_EQ(late.outcome->verdict, Verdict::Exported) << outcomeText(late);
    EXPECT_EQ(slurp(link.path("03e70002.flo")), both);
}

// Dead between the rename and the line, beside the mark of an older packet of that name: the new one would
// lie there for ever.
TEST(FtnOutbound, AnOlderMarkDoesNotHideAPacketFromItsRecovery) {
    for (const bool torn : {false, true}) {
        Link link;
        std::string sent = link.line(1);
        sent[0] = '~';
        spill(link.path("03e70002.flo"), sent);
        Job job = link.rig.job(1, 1);
        link.rig.stageJob(job);
        Job dead = job;
        link.rig.publishJob(dead);
        ASSERT_EQ(dead.outcome->verdict, Verdict::Exported) << outcomeText(dead);
        // As it was in the moment between the two.
        std::string list = slurp(link.path("03e70002.flo"));
        ASSERT_TRUE(list.ends_with(link.line(1))) << list;
        list.resize(list.size() - link.line(1).size() + (torn ? 7 : 0));  // or a line that was cut off
        spill(link.path("03e70002.flo"), list);
        link.rig.restart();
        EXPECT_EQ(link.rig.adapter().recover(job.delivery.key, job.evidence).found, Found::Published);
        EXPECT_TRUE(slurp(link.path("03e70002.flo")).ends_with("\n" + link.line(1)))
            << slurp(link.path("03e70002.flo"));
    }
}

TEST(FtnOutbound, AFlowFileHasItsModeWhateverTheUmask) {
    SKIP_ON_WINDOWS("no permission bits");
    const tests::Umask narrow(077);
    Link link(SettingMap{{"file_mode", "0664"}, {"folder_mode", "2775"}, {"routing", "direct"}});
    Job job = link.rig.job(1, 1);
    job.delivery.recipients[0].legacy = "Ann@3:999/2";
    job = link.rig.exportJob(std::move(job));
    ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    EXPECT_EQ(tests::modeOf(link.rig.folder() + "/outbound.003/03e70002.flo"), 0664u);
    EXPECT_EQ(tests::modeOf(link.rig.folder() + "/outbound.003"), 02775u);
}

// I7: nobody else waits for the trouble of one link.
TEST(FtnOutbound, TroubleWithOneLinkIsNobodyElses) {
    Link link(SettingMap{{"routing", "direct"}});
    fs::create_directory(link.path("03e70003.bsy"));
    spill(link.rig.folder() + "/outbound.003", "no folder");
    {
        std::ofstream large(link.path("03e70004.flo"));
        large << std::string(9 << 20, '~') << "\n";
    }
    std::vector<Job> jobs;
    for (const char* node : {"2:999/3", "3:999/2", "2:999/4", "2:999/5"}) {
        jobs.push_back(link.rig.job(static_cast<int>(jobs.size()) + 1, 1));
        jobs.back().delivery.recipients[0].legacy = std::string("Bob@") + node;
    }
    link.rig.adapter().stage(jobs, [] {});
    link.rig.adapter().publish(jobs, [] {});
    for (const Job& job : jobs) EXPECT_FALSE(job.outcome->adapterUnusable) << outcomeText(job);
    EXPECT_EQ(jobs[0].outcome->verdict, Verdict::Deferred) << outcomeText(jobs[0]);
    EXPECT_EQ(jobs[1].outcome->verdict, Verdict::Deferred) << outcomeText(jobs[1]);
    EXPECT_EQ(jobs[2].outcome->verdict, Verdict::Deferred) << outcomeText(jobs[2]);
    EXPECT_EQ(jobs[3].outcome->verdict, Verdict::Exported) << outcomeText(jobs[3]);
    const auto seen = link.rig.adapter().recover(jobs[2].delivery.key, jobs[2].evidence);
    EXPECT_EQ(seen.found, Found::NotPublished) << seen.text;
    // What all of them need is everybody's.
    fs::rename(link.path(""), link.rig.folder() + "/gone");
    spill(link.rig.folder() + "/outbound", "no folder");
    EXPECT_TRUE(link.rig.exportJob(link.rig.job(9, 1)).outcome->adapterUnusable);
}

// As a mailer of DOS writes them on a share (KB Q152903).
TEST(FtnOutbound, LocksAndListsCountInAnyCase) {
    Link link(SettingMap{{"stale_lock", "1h"}, {"routing", "direct"}});
    const auto send = [&](int item, const char* to) {
        Job job = link.rig.job(item, 1);
        job.delivery.recipients[0].legacy = to;
        return link.rig.exportJob(std::move(job));
    };
    spill(link.path("03E70002.BSY"), "4711\n");
    const Job busy = send(1, "Bob@2:999/2");
    EXPECT_EQ(busy.outcome->verdict, Verdict::Deferred) << outcomeText(busy);
    EXPECT_EQ(busy.outcome->cause, Cause::Busy);
    EXPECT_THAT(busy.outcome->reason, HasSubstr("03E70002.BSY"));
    EXPECT_TRUE(tests::kOnWindows || !fs::exists(link.path("03e70002.bsy"))) << "there it is the same name";
    fs::last_write_time(link.path("03E70002.BSY"), fs::file_time_type::clock::now() - std::chrono::hours(2));
    spill(link.path("03E70002.Flo"), "^C:\\FILES\\A.ZIP\r\n");
    EXPECT_EQ(send(2, "Bob@2:999/2").outcome->verdict, Verdict::Exported) << "stale";
    EXPECT_FALSE(fs::exists(link.path("03E70002.BSY")));
    EXPECT_EQ(slurp(link.path("03E70002.Flo")), "^C:\\FILES\\A.ZIP\r\n" + link.line(2));
    EXPECT_TRUE(tests::kOnWindows || !fs::exists(link.path("03e70002.flo"))) << "likewise";
    fs::create_directory(link.path("03E70001.PNT"));
    EXPECT_EQ(send(3, "Ann@2:999/1.4").outcome->verdict, Verdict::Exported);
    EXPECT_EQ(slurp(link.path("03E70001.PNT/00000004.flo")), link.line(3));
}

// A stop waits for no mailer, and a recovery only a moment: no lease is kept alive meanwhile.
TEST(FtnOutbound, NobodyIsKeptWaitingByABusyLink) {
    Link link(SettingMap{{"lock_wait", "10m"}});
    Job job = link.rig.exportJob(link.rig.job(1, 1));
    fs::remove(link.path("03e70002.flo"));
    spill(link.path("03e70002.bsy"), "4711\n");
    EXPECT_TRUE(link.rig.adapter().recover(job.delivery.key, job.evidence).busy);
    std::vector<Job> jobs = {link.rig.job(2, 1)};
    link.rig.adapter().stage(jobs, [] {});
    int beats = 0;
    link.rig.adapter().publish(jobs, [&] {
        if (++beats == 3) link.rig.adapter().hasten();
    });
    EXPECT_EQ(jobs[0].outcome->verdict, Verdict::Deferred) << outcomeText(jobs[0]);
    EXPECT_TRUE(jobs[0].outcome->adapterUnusable) << "not counted";
    EXPECT_EQ(link.rig.adapter().recover(jobs[0].delivery.key, jobs[0].evidence).found, Found::NotPublished);
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

// A mail that is too large for a common packet stands between those that share one.
TEST(FtnOutbound, APacketIsListedOnceWhateverStandsBetweenItsMails) {
    Link link(SettingMap{{"bundle", "8"}, {"text_limit", "0"}});
    std::vector<Job> jobs;
    for (int item = 1; item <= 5; ++item) {
        std::string text = AdapterRig::kPlain;
        while (item % 2 == 0 && text.size() < 100'000) text += "a line of a large mail\r\n";
        jobs.push_back(link.rig.job(item, 1, text));
    }
    link.rig.adapter().stage(jobs, [] {});
    link.rig.adapter().publish(jobs, [] {});
    for (const Job& job : jobs) EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    EXPECT_EQ(slurp(link.path("03e70002.flo")), link.line(1) + link.line(2) + link.line(4));
}

TEST(FtnOutbound, AListThatIsGivenANameTwiceHasItOnce) {
    Link link;
    ftn::FlowPlan plan;
    plan.folder = link.rig.folder();
    plan.zone = 2;
    ASSERT_TRUE(link.rig.probed().ok());
    spill(link.rig.folder() + "/postern-packets/00000001.pkt", "x");
    const auto flow = ftn::Flow::open(*ftn::parseNode("2:999/2"), plan);
    ASSERT_TRUE(flow.ok()) << flow.error().text;
    const auto packets = Folder::open(link.rig.folder() + "/postern-packets");
    ASSERT_TRUE(packets.ok());
    ASSERT_TRUE((*flow)->add(*packets, {"00000001.pkt", "00000002.pkt", "00000001.pkt"}).ok());
    EXPECT_EQ(slurp(link.path("03e70002.flo")), link.line(1));
}

}  // namespace
}  // namespace postern::adapters
