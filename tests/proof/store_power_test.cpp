// R6: power cuts under the real store, at every write, sync, truncation, making and removal of a file of its
// life. Whatever was answered "ok" must be there afterwards, whatever was refused must not, nothing by
// halves, and the store must open and go on.
//
// POSTERN_POWER_IMAGES: how many disks are looked at (1,500); POSTERN_POWER_SEED: of what is left to chance.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/proof/recording_disk.h"
#include "tests/unit/store/open_store.h"

namespace postern::tests {
namespace {

using store::ReadSession;
using store::Statement;
using store::Store;
using store::WriteSession;

std::int64_t numberFrom(const char* name, std::int64_t otherwise) {
    const char* value = std::getenv(name);
    return value == nullptr ? otherwise : std::strtoll(value, nullptr, 10);
}

store::StoreOptions optionsOn(const RecordingDisk&, const std::string& folder) {
    store::StoreOptions options;
    options.folder = folder;
    options.migrations = store::messageMigrations();
    options.migrations.push_back(
        {2, "notes", "CREATE TABLE note (text TEXT NOT NULL CHECK (text <> 'forbidden')) STRICT;"});
    options.engineOption = RecordingDisk::kName;
    options.checkpointBytes = 60 << 10;
    options.readers = 1;
    options.idle = Millis(1);
    return options;
}

// What works did, in the order in which they were handed in: the state of the store behind each.
using Notes = std::multiset<std::string>;

class Ledger {
  public:
    Ledger() { states_.emplace_back(); }

    // The next work: some notes, each twice, of a size by chance; now and then older ones are removed, and
    // one work in eight is refused by the database in its middle.
    store::Store::Work next(std::mt19937_64& chance) {
        const auto number = states_.size();
        Notes state = states_.back();
        std::vector<std::string> removed;
        if (number % 3 == 0 && !state.empty()) removed.push_back(*state.begin());
        const bool refused = chance() % 8 == 0;
        const std::size_t size = chance() % 5 == 0 ? 20'000 : chance() % 900;
        const std::string text =
            std::to_string(number) + " " + std::string(size, static_cast<char>('a' + number % 26));
        if (!refused) {
            for (const std::string& each : removed) state.erase(each);
            state.insert({text, text});
        }
        states_.push_back(std::move(state));
        return [=](WriteSession& session) -> Result<void> {
            POSTERN_TRY(addNote(session, text));
            for (const std::string& each : removed)
                POSTERN_TRY(session.run("DELETE FROM note WHERE text = ?1", each));
            POSTERN_TRY(addNote(session, text));
            if (refused) POSTERN_TRY(addNote(session, "forbidden"));
            return {};
        };
    }

    std::int64_t works() const { return static_cast<std::int64_t>(states_.size()) - 1; }
    const Notes& behind(std::int64_t work) const { return states_.at(static_cast<std::size_t>(work)); }

  private:
    std::vector<Notes> states_;
};

Files contentOf(const std::string& folder) {
    Files files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename().generic_string();
        if (!name.starts_with("postern.db") || name.ends_with("-shm")) continue;
        const auto read = readFile(entry.path().generic_string(), 1 << 30);
        EXPECT_TRUE(read.ok());
        files[entry.path().generic_string()] = *read;
    }
    return files;
}

// The disk as the cut left it. The log's index is made anew by whoever opens first.
void putBack(const std::string& folder, const Files& files) {
    for (const auto& [path, content] : contentOf(folder)) std::filesystem::remove(path);
    std::filesystem::remove(folder + "/postern.db-shm");
    for (const auto& [path, content] : files) std::ofstream(path, std::ios::binary) << content;
}

Notes notesOf(Store& store) {
    Notes texts;
    const auto read = store.read([&](ReadSession& session) -> Result<void> {
        Statement row = session.query("SELECT text FROM note");
        while (row.next()) texts.emplace(row.text(0));
        return row.finish();
    });
    EXPECT_TRUE(read.ok()) << describe(read);
    return texts;
}

// Marks: a work that was handed in, and one that was answered.
std::int64_t handedIn(std::int64_t work) {
    return work * 2;
}
std::int64_t answered(std::int64_t work) {
    return work * 2 + 1;
}

// A life of a store: bursts of works, which share commits, with folds of the log between them.
void live(RecordingDisk& disk, const std::string& folder, Ledger& ledger, int bursts,
          std::mt19937_64& chance) {
    const auto store = openStore(optionsOn(disk, folder));
    ASSERT_TRUE(store);
    for (int burst = 0; burst < bursts; ++burst) {
        Signal last;
        const auto count = 1 + chance() % 5;
        for (std::uint64_t i = 0; i < count; ++i) {
            auto work = ledger.next(chance);
            const auto number = ledger.works();
            const bool ends = i + 1 == count;
            disk.mark(handedIn(number));
            store->write(std::move(work), [&, number, ends](const Result<void>&) {
                disk.mark(answered(number));
                if (ends) last.raise();
            });
        }
        ASSERT_TRUE(last.wait());
        if (chance() % 4 == 0) store->foldSoon();
    }
}

// Looks at disks after cuts, and counts.
class Examiner {
  public:
    Examiner(RecordingDisk& disk, std::string folder, const Ledger& ledger)
        : disk_(disk), folder_(std::move(folder)), ledger_(ledger) {}

    // Empty, or what is wrong with the store on this disk, which must be as behind one of the works between
    // these two.
    std::string verdict(const Files& image, std::int64_t least, std::int64_t most) {
        ++images;
        putBack(folder_, image);
        auto opened = Store::open(optionsOn(disk_, folder_));
        if (!opened.ok()) return "it does not open: " + opened.error().text;
        const Notes found = notesOf(**opened);
        bool known = false;
        for (auto work = least; work <= most && !known; ++work) known = ledger_.behind(work) == found;
        if (!known) return std::to_string(found.size()) + " notes, which is no state it may be in";
        const Result<void> further =
            (*opened)->write([](WriteSession& session) { return addNote(session, "it goes on"); });
        return further.ok() ? "" : "it takes nothing more: " + describe(further);
    }

    // The same, and every cut of the opening itself: a second one, during recovery.
    std::string verdictOfSecondCuts(const Files& image, std::int64_t least, std::int64_t most,
                                    std::mt19937_64& chance) {
        putBack(folder_, image);
        disk_.begin();
        const bool opens = Store::open(optionsOn(disk_, folder_)).ok();
        const std::vector<DiskStep> steps = disk_.end();
        if (!opens) return "it does not open";
        Platter platter(image, Platter::Flushes::Honoured);
        for (const DiskStep& step : steps) {
            platter.live(step);
            for (const auto left :
                 {Platter::Left::Everything, Platter::Left::OnlyTheSynced, Platter::Left::Some}) {
                ++secondCuts;
                if (auto wrong = verdict(platter.afterPowerCut(left, chance), least, most); !wrong.empty())
                    return wrong + " (a second cut)";
            }
        }
        return "";
    }

    std::int64_t images = 0;
    std::int64_t secondCuts = 0;

  private:
    RecordingDisk& disk_;
    const std::string folder_;
    const Ledger& ledger_;
};

struct Cuts {
    std::int64_t images = 0;
    std::int64_t secondCuts = 0;
    std::int64_t steps = 0;
    std::string wrong;
};

// One life, of two openings, and cuts at all of its steps.
Cuts cutOneLife(std::uint64_t seed, Platter::Flushes flushes) {
    std::mt19937_64 chance(seed);
    const TempFolder folder;
    const std::string place = folder / "store";
    RecordingDisk disk;
    Ledger ledger;
    live(disk, place, ledger, 0, chance);
    const Files before = contentOf(place);
    disk.begin();
    live(disk, place, ledger, 6, chance);
    live(disk, place, ledger, 3, chance);
    const std::vector<DiskStep> steps = disk.end();

    Cuts cuts;
    Examiner examiner(disk, place, ledger);
    Platter platter(before, flushes);
    std::int64_t least = 0, most = 0;
    for (const DiskStep& step : steps) {
        ++cuts.steps;
        platter.live(step);
        if (step.kind == DiskStep::Marked) {
            (step.offset % 2 == 0 ? most : least) = step.offset / 2;
            continue;
        }
        for (const auto left : {Platter::Left::Everything, Platter::Left::OnlyTheSynced, Platter::Left::Some,
                                Platter::Left::Some}) {
            const Files image = platter.afterPowerCut(left, chance);
            cuts.wrong = examiner.verdict(image, least, most);
            if (cuts.wrong.empty() && chance() % 100 == 0)
                cuts.wrong = examiner.verdictOfSecondCuts(image, least, most, chance);
            if (!cuts.wrong.empty()) {
                cuts.wrong += "; seed " + std::to_string(seed) + ", step " + std::to_string(cuts.steps);
                break;
            }
        }
        if (!cuts.wrong.empty()) break;
    }
    cuts.images = examiner.images;
    cuts.secondCuts = examiner.secondCuts;
    return cuts;
}

TEST(StorePower, NothingAnsweredIsLostAtAnyCut) {
    const auto wanted = numberFrom("POSTERN_POWER_IMAGES", 1500);
    auto seed = static_cast<std::uint64_t>(numberFrom("POSTERN_POWER_SEED", 1));
    Cuts all;
    int lives = 0;
    while (all.images < wanted) {
        const Cuts cuts = cutOneLife(seed++, Platter::Flushes::Honoured);
        ASSERT_EQ(cuts.wrong, "");
        ASSERT_GT(cuts.steps, 50) << "nothing was recorded";
        all.images += cuts.images;
        all.secondCuts += cuts.secondCuts;
        ++lives;
    }
    EXPECT_GT(all.secondCuts, 0);
    std::cout << "power cuts of the store: " << all.images << " images of " << lives << " lives, "
              << all.secondCuts << " of them second cuts; 0 lost, 0 doubled" << std::endl;
}

// The control: where a disk says "synced" and is not, the very same search finds what is lost.
TEST(StorePower, ADiskThatLiesLosesMail) {
    EXPECT_NE(cutOneLife(1, Platter::Flushes::Ignored).wrong, "");
}

}  // namespace
}  // namespace postern::tests
