// A batch whose process dies at each of its system calls in turn: for adapters that put several mails into
// one file or list them for a mailer, and for folders of single files whose consumers take them at once. Each
// mail arrives once, whatever the consumer does meanwhile.

#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/conformance/adapter_cases.h"
#include "tests/kit/doomed.h"
#include "tests/kit/platform.h"

namespace postern::tests {

namespace fs = std::filesystem;
using adapters::Found;
using adapters::Job;
using adapters::Verdict;

namespace {

constexpr int kMails = 6;

// Beside the folder.
std::string marksOf(const AdapterRig& rig) {
    return rig.folder() + ".marks";
}

// The service's part: evidence is committed by one rename, all of it or nothing.
void commit(const std::string& path, const std::vector<Job>& jobs) {
    std::string text;
    for (const Job& job : jobs) text += job.evidence + "\n";
    spill(path + ".new", text);
    fs::rename(path + ".new", path);
}

// What dies on the way: six mails, staged, committed, published.
void exportBatch(AdapterRig& rig) {
    std::vector<Job> jobs;
    for (int item = 1; item <= kMails; ++item) jobs.push_back(rig.job(item, 1));
    rig.adapter().stage(jobs, [] {});
    commit(marksOf(rig), jobs);
    rig.adapter().publish(jobs, [] {});
}

std::vector<std::string> committed(const std::string& path) {
    std::vector<std::string> lines;
    std::ifstream in(path, std::ios::binary);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

struct Way {
    const char* label;
    const char* kind;
    SettingMap settings;
};

class CrashSteps : public testing::TestWithParam<std::tuple<Way, bool>> {
  protected:
    static const Way& way() { return std::get<0>(GetParam()); }
    static bool listed() { return way().settings.contains("mode"); }
    static bool isSingle() {
        return std::string(way().kind) == "maildir" || std::string(way().kind) == "pickup";
    }
    static bool isBoard() { return std::string(way().kind) == "fbb"; }

    // What the consumer honours, and what we must not leave behind.
    static std::string lockOf(const AdapterRig& rig) {
        return rig.folder() + (isBoard() ? "/mail.lck" : "/outbound/03e70002.bsy");
    }

    static std::size_t readAndRemove(const std::string& path) {
        if (!fs::exists(path)) return 0;
        const std::string bytes = slurp(path);
        fs::remove(path);
        if (isSingle()) {
            EXPECT_TRUE(bytes.ends_with(std::string("Line two.") + (bytes.ends_with("\r\n") ? "\r\n" : "\n")))
                << "torn: " << bytes;
            return 1;
        }
        if (isBoard()) {
            const auto read = readFbb(bytes);
            EXPECT_EQ(read.fault, "") << "torn";
            return read.messages.size();
        }
        const auto packet = readFtnPacket(bytes);
        EXPECT_TRUE(packet.ok()) << "torn: " << packet.error().text;
        return packet.ok() ? packet->messages.size() : 0;
    }

    // The consumer: takes what it may see, and counts the mails.
    static std::size_t consume(const AdapterRig& rig) {
        if (fs::exists(lockOf(rig))) return 0;
        std::size_t mails = 0;
        if (!listed()) {
            for (const std::string& file : visibleFiles(rig.folder()))
                mails += readAndRemove(rig.folder() + "/" + file);
            return mails;
        }
        const std::string flow = rig.folder() + "/outbound/03e70002.flo";
        for (const std::string& line : committed(flow)) mails += readAndRemove(line.substr(1));
        fs::remove(flow);
        return mails;
    }
};

}  // namespace

TEST_P(CrashSteps, EachMailArrivesOnce) {
    if (strangerKind() != nullptr) GTEST_SKIP() << "these are ours";
    if (const auto folder = doomedWords()) {
        SettingMap settings = way().settings;
        settings["folder"] = *folder;
        AdapterRig rig(way().kind, settings);
        doomed([&](const Step&) { exportBatch(rig); });
    }
    const bool takesAtOnce = std::get<1>(GetParam());
    // Each sixth call, and every one where POSTERN_EVERY_STEP is set: ./check --full does that. On Windows
    // fewer calls count, and each takes a start of this program.
    const int stride = std::getenv("POSTERN_EVERY_STEP") != nullptr ? 1 : kOnWindows ? 13 : 6;
    int kills = 0;
    for (int n = takesAtOnce ? 1 : 1 + stride / 2; n < 2000; n += stride) {
        AdapterRig rig(way().kind, way().settings);
        const bool killed = killedAtCall(n, rig.folder(), [&](const Step&) { exportBatch(rig); });
        std::size_t arrived = takesAtOnce ? consume(rig) : 0;
        rig.restart();
        ASSERT_TRUE(rig.probed().ok()) << n << ": " << rig.probed().error().text;
        std::vector<Job> again;
        const auto evidence = committed(marksOf(rig));
        if (evidence.empty()) {
            EXPECT_EQ(arrived + consume(rig), 0u) << n << ": published before the commit";
        }
        for (int item = 1; item <= kMails; ++item) {
            const auto found =
                evidence.empty()
                    ? Found::NotPublished
                    : rig.adapter()
                          .recover({ItemId{item}, Epoch{1}}, evidence.at(static_cast<std::size_t>(item - 1)))
                          .found;
            ASSERT_NE(found, Found::CannotTell) << n;
            if (found == Found::NotPublished) again.push_back(rig.job(item, 2));
        }
        rig.adapter().stage(again, [] {});
        rig.adapter().publish(again, [] {});
        for (const Job& job : again)
            ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << n << outcomeText(job);
        arrived += consume(rig);
        ASSERT_EQ(arrived, static_cast<std::size_t>(kMails)) << "killed at call " << n;
        EXPECT_FALSE(fs::exists(lockOf(rig))) << n;
        EXPECT_TRUE(visibleFiles(rig.folder()).empty()) << n << ": a packet that no list names";
        if (!killed) break;
        ++kills;
    }
    EXPECT_GT(kills, 30 / stride) << "the sweep does not reach its points";
}

namespace {

SettingMap netmail(SettingMap more) {
    more.emplace("address", "2:999/1");
    more.emplace("link", "2:999/2");
    return more;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(
    Ways, CrashSteps,
    testing::Combine(testing::Values(Way{"bundle", "ftn", netmail({{"bundle", "4"}})},
                                     Way{"bso", "ftn", netmail({{"mode", "bso"}})},
                                     Way{"bso_bundle", "ftn", netmail({{"mode", "bso"}, {"bundle", "4"}})},
                                     Way{"fbb", "fbb", {{"call", "N0GW"}}}, Way{"maildir", "maildir", {}},
                                     Way{"pickup", "pickup", {}}),
                     testing::Bool()),
    [](const auto& which) {
        return std::string(std::get<0>(which.param).label) +
               (std::get<1>(which.param) ? "_taken_at_once" : "_taken_late");
    });

}  // namespace postern::tests
