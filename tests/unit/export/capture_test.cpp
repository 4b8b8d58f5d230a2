#include "connector/export/capture.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "adapters/spool/staged_file.h"
#include "connector/export/exporter.h"
#include "tests/fake_clock.h"
#include "tests/kit/modes.h"
#include "tests/kit/post_office.h"

namespace postern::exporting {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

// Converts to what the test says, or throws.
class Odd final : public adapters::Adapter {
  public:
    bool throws = false;
    std::size_t bytes = 0;
    mutable std::size_t written = 0;
    std::string refuses;

    Result<void> probe() override { return {}; }
    void stage(std::span<adapters::Job> jobs, const std::function<void()>&) override {
        for (adapters::Job& job : jobs) job.evidence = "staged";
    }
    void publish(std::span<adapters::Job> jobs, const std::function<void()>&) override {
        for (adapters::Job& job : jobs) job.outcome = adapters::exported("here");
    }
    void abandon(adapters::Job&) override {}
    Result<std::optional<adapters::Outcome>> convert(adapters::Job&,
                                                     adapters::StagedFile& file) const override {
        if (throws) throw std::runtime_error("odd");
        if (!refuses.empty()) return std::optional(adapters::rejected(refuses));
        for (written = 0; written < bytes; written += 1000)
            POSTERN_TRY(file.write(std::string(std::min<std::size_t>(1000, bytes - written), 'x')));
        return std::optional<adapters::Outcome>();
    }
    adapters::Recovery recover(const adapters::DeliveryKey&, std::string_view) override { return {}; }
    Result<int> sweep(const std::function<bool(const adapters::DeliveryKey&)>&) override { return 0; }
    std::string describe() const override { return "odd"; }
};

class CaptureTest : public testing::Test {
  protected:
    CaptureTest() : office_(clock_), queue_(office_.store(), clock_, {"us"}) {
        settings_.name = "out";
        settings_.capture = Millis{60'000};
    }
    void exportAll(adapters::Adapter& adapter, int count) {
        office_.post("out", next_, count);
        next_ += count;
        Pulse pulse(clock_);
        Exporter exporter(
            {office_.store(), queue_, adapter, settings_, counters_, pulse, {}, [this] { return reserve_; }});
        for (;;) {
            const auto round = exporter.exportBatch([&] { return asked_++ >= stopAfter_; }, 10);
            ASSERT_TRUE(round.ok()) << round.error().text;
            if (round->claimed == 0) return;
        }
    }
    fs::path folder() const { return fs::path(office_.folder("store")) / "captured" / "out"; }
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        if (!fs::exists(folder())) return found;
        for (const auto& entry : fs::directory_iterator(folder()))
            found.push_back(entry.path().filename().string());
        std::sort(found.begin(), found.end());
        return found;
    }
    std::string history(ItemId item) {
        std::string text;
        EXPECT_TRUE(office_.store()
                        .read([&](store::ReadSession& session) -> Result<void> {
                            POSTERN_LET(rows, queue::readHistory(session, item));
                            for (const queue::HistoryRow& row : rows)
                                text += row.what + ": " + row.detail + "\n";
                            return {};
                        })
                        .ok());
        return text;
    }
    // As if its copy were made so long ago.
    void age(const std::string& name, std::chrono::seconds by) {
        fs::last_write_time(folder() / name, fs::last_write_time(folder() / name) - by);
    }
    Result<int> prune(Millis keep, std::int64_t limit) {
        return pruneCaptured(office_.folder("store"), "out", keep, limit, Clock::system().now());
    }

    tests::FakeClock clock_;
    tests::PostOffice office_;
    queue::Queue queue_;
    config::Adapter settings_;
    Counters counters_;
    int next_ = 1;
    std::int64_t reserve_ = 0;
    int asked_ = 0, stopAfter_ = 1'000'000;
};

using Names = std::vector<std::string>;

TEST_F(CaptureTest, TheCopyIsByteForByteWhatTheReaderGetsAndNobodyElseReadsIt) {
    const struct {
        const char* kind;
        std::map<std::string, std::string> settings;
        const char* live;
    } kinds[] = {{"drop", {}, ""}, {"maildir", {}, "new"}, {"ccmail", {{"post_office", "PO1"}}, ""}};
    for (const auto& each : kinds) {
        auto settings = each.settings;
        settings["folder"] = office_.folder(each.kind);
        const auto adapter = tests::makeAdapter(each.kind, "out", settings);
        ASSERT_TRUE(adapter->probe().ok()) << each.kind;
        exportAll(*adapter, 1);
        const auto copies = capturedOf(office_.folder("store"), ItemId{next_ - 1});
        ASSERT_TRUE(copies.ok()) << copies.error().text;
        ASSERT_EQ(copies->size(), 1u) << each.kind;
        if (!tests::kOnWindows) {
            EXPECT_EQ(tests::modeOf(copies->at(0).path), 0600u);
        }
        std::vector<fs::path> files;
        for (const auto& entry : fs::directory_iterator(fs::path(office_.folder(each.kind)) / each.live))
            if (entry.is_regular_file() && entry.path().filename().string()[0] != '.')
                files.push_back(entry.path());
        ASSERT_EQ(files.size(), 1u) << each.kind;
        EXPECT_EQ(slurp(copies->at(0).path), slurp(files[0])) << each.kind;
    }
    if (tests::kOnWindows) return;  // no permission bits
    EXPECT_EQ(tests::modeOf(folder().string()), 0700u);
    EXPECT_EQ(tests::modeOf(folder().parent_path().string()), 0700u);
}

TEST_F(CaptureTest, OffMakesNone) {
    settings_.capture = Millis{0};
    Odd adapter;
    exportAll(adapter, 1);
    EXPECT_TRUE(names().empty());
    EXPECT_FALSE(fs::exists(folder().parent_path()));
}

TEST_F(CaptureTest, WhatGoesWrongIsSaidAndTheMailGoesOn) {
    Odd adapter;
    adapter.throws = true;
    exportAll(adapter, 1);
    EXPECT_NE(
        history(ItemId{1}).find("note: no copy of it was captured: the adapter failed unexpectedly: odd"),
        std::string::npos)
        << history(ItemId{1});
    adapter.throws = false;
    adapter.refuses = "not today";
    exportAll(adapter, 1);
    EXPECT_NE(history(ItemId{2}).find("captured: not today"), std::string::npos) << history(ItemId{2});
    adapter.refuses.clear();
    adapter.bytes = 5000;
    settings_.captureLimit = 4096;
    exportAll(adapter, 1);
    EXPECT_NE(history(ItemId{3}).find("more than capture_limit"), std::string::npos) << history(ItemId{3});
    fs::remove_all(folder());
    std::ofstream(folder()) << "in the way";
    adapter.bytes = 1;
    exportAll(adapter, 1);
    EXPECT_NE(history(ItemId{4}).find("no copy of it was captured"), std::string::npos) << history(ItemId{4});
    EXPECT_EQ(office_.states()[queue::State::Exported], 4);
}

TEST_F(CaptureTest, ACopyThatGetsTooLongIsNotWrittenToItsEnd) {
    Odd adapter;
    adapter.bytes = 50'000'000;
    settings_.captureLimit = 4096;
    exportAll(adapter, 1);
    EXPECT_NE(history(ItemId{1}).find("more than capture_limit"), std::string::npos) << history(ItemId{1});
    EXPECT_LT(adapter.written, 200'000u);
    EXPECT_TRUE(names().empty());
}

TEST_F(CaptureTest, TheReserveIsForMail) {
    Odd adapter;
    adapter.bytes = 10;
    reserve_ = std::int64_t{1} << 60;
    exportAll(adapter, 1);
    EXPECT_NE(history(ItemId{1}).find("no copy of it was captured: its folder's disk has no more than"),
              std::string::npos)
        << history(ItemId{1});
    EXPECT_TRUE(names().empty());
    EXPECT_EQ(office_.states()[queue::State::Exported], 1);
}

TEST_F(CaptureTest, AStopWaitsForNoMoreCopies) {
    Odd adapter;
    stopAfter_ = 3;  // before the batch, and before two copies
    office_.post("out", 1, 5);
    Pulse pulse(clock_);
    Exporter exporter({office_.store(), queue_, adapter, settings_, counters_, pulse});
    ASSERT_TRUE(exporter.exportBatch([&] { return asked_++ >= stopAfter_; }, 10).ok());
    EXPECT_EQ(names().size(), 2u);
    EXPECT_EQ(office_.states()[queue::State::Exported], 5);
}

TEST_F(CaptureTest, OneInTheWayKeepsNoOtherFromBeingRemoved) {
    Odd adapter;
    exportAll(adapter, 1);
    const fs::path all = folder().parent_path();
    fs::create_directory(folder() / ".part-in-the-way");  // no file: it can not be removed
    fs::create_directory(all / "zzz");                    // an adapter that comes behind
    std::ofstream(all / "zzz" / "item-9-1") << "a copy";
    std::ofstream(folder() / ".part-item-9-1-abcdefgh") << "half";
    EXPECT_FALSE(pruneAllCaptured(office_.folder("store"), {}, Clock::system().now()).ok()) << "it is said";
    EXPECT_FALSE(fs::exists(folder() / "item-1-1"));
    EXPECT_FALSE(fs::exists(folder() / ".part-item-9-1-abcdefgh"));
    EXPECT_FALSE(fs::exists(all / "zzz" / "item-9-1"));
}

TEST_F(CaptureTest, ABurstDoesNotWaitForTheHousekeeper) {
    Odd adapter;
    adapter.bytes = 1000;
    settings_.captureLimit = 8000;
    settings_.capture = std::chrono::hours(24 * 365 * 100);  // the test's clock stands at another time
    exportAll(adapter, 50);
    EXPECT_LE(names().size(), 9u);
    EXPECT_GE(names().size(), 7u);
}

TEST_F(CaptureTest, OldOnesGoAndThenTheOldestOverTheLimit) {
    Odd adapter;
    adapter.bytes = 100;
    exportAll(adapter, 4);
    ASSERT_EQ(names(), (Names{"item-1-1", "item-2-1", "item-3-1", "item-4-1"}));
    age("item-3-1", std::chrono::seconds(500));
    age("item-2-1", std::chrono::seconds(50));
    EXPECT_EQ(prune(Millis{100'000}, 10'000).value(), 1);
    EXPECT_EQ(names(), (Names{"item-1-1", "item-2-1", "item-4-1"}));
    EXPECT_EQ(prune(Millis{100'000}, 250).value(), 1);
    EXPECT_EQ(names(), (Names{"item-1-1", "item-4-1"}));
    EXPECT_EQ(prune(Millis{100'000}, 200).value(), 0);
    std::ofstream(folder() / ".part-item-9-1-abcdefgh") << "half";
    EXPECT_EQ(prune(Millis{100'000}, 200).value(), 0) << "somebody may be writing it";
    age(".part-item-9-1-abcdefgh", std::chrono::hours(2));
    EXPECT_EQ(prune(Millis{100'000}, 200).value(), 1);
    std::ofstream(folder() / "notes.txt") << "an operator's own";
    EXPECT_EQ(prune(Millis{0}, 200).value(), 2);
    EXPECT_EQ(names(), (Names{"notes.txt"}));
}

TEST_F(CaptureTest, AnAdapterThatMakesNoCopiesAnyMoreLosesThem) {
    Odd adapter;
    exportAll(adapter, 1);
    config::Config config;
    config.adapters.push_back(settings_);
    const std::string store = office_.folder("store");
    EXPECT_EQ(pruneAllCaptured(store, config, Clock::system().now()).value(), 0);
    config.adapters[0].capture = Millis{0};
    EXPECT_EQ(pruneAllCaptured(store, config, Clock::system().now()).value(), 1);
    exportAll(adapter, 1);
    EXPECT_EQ(pruneAllCaptured(store, {}, Clock::system().now()).value(), 1);
    EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace postern::exporting
