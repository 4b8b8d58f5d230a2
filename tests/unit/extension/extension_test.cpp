// Adapters from shared libraries: found, refused, made, and kept from harm.

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <Poco/SharedLibrary.h>
#include <gmock/gmock.h>

#include "adapters/extension/loader.h"
#include "connector/config/load.h"
#include "tests/adapter_rig.h"
#include "tests/kit/drive.h"
#include "tests/kit/programs.h"
#include "tests/kit/variables.h"

namespace postern::tests {

using adapters::Job;
using adapters::Verdict;
using testing::HasSubstr;

namespace {

namespace fs = std::filesystem;

std::string libraries() {
    static const std::string folder = builtLibraries(POSTERN_LIBRARIES);
    return folder;
}

// "slip.so"
std::string libraryNamed(const std::string& name) {
    return name + Poco::SharedLibrary::suffix();
}

std::vector<adapters::Refused> loadAll() {
    return adapters::loadExtensions(libraries(), {"kind", "retry_first"});
}

std::string whyRefused(const std::string& name) {
    for (const adapters::Refused& refused : loadAll())
        if (fs::path(refused.path).filename() == libraryNamed(name)) return refused.reason;
    return "(not refused)";
}

bool isListed(const std::string& name) {
    return std::ranges::any_of(adapters::kinds(),
                               [&](const adapters::Kind* kind) { return name == kind->name; });
}

// Libraries there that no version of ours would take.
constexpr std::size_t kRefused = 6;

class Extension : public testing::Test {
  protected:
    Extension() { loadAll(); }
};

std::string mail(const std::string& subject, const std::string& more = "") {
    return "From: Zo\xc3\xab <zoe@example.org>\r\nTo: bob@legacy.example\r\nSubject: " + subject +
           "\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n" + more + "\r\nHello.\r\n";
}

}  // namespace

TEST_F(Extension, TheSamplesKindIsThereWithItsOwnAndTheCommonSettings) {
    const adapters::Kind* slip = adapters::kindNamed("slip");
    ASSERT_NE(slip, nullptr);
    std::set<std::string> keys;
    for (const adapters::Setting& setting : slip->settings) keys.insert(setting.key);
    for (const char* key : {"folder", "title", "charset", "wrap", "date_zone", "file_mode"})
        EXPECT_TRUE(keys.contains(key)) << key;
    EXPECT_FALSE(keys.contains("book"));
}

TEST_F(Extension, TheSamplePrintsSlips) {
    AdapterRig rig("slip", {{"title", "MEMO"}});
    const Job job =
        rig.exportJob(rig.job(7, 1,
                              mail("Gr\xc3\xbc\xc3\x9f"
                                   "e",
                                   "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n")));
    ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    ASSERT_EQ(rig.visible(), std::vector<std::string>{"0000000007.prn"});
    EXPECT_EQ(rig.content("0000000007.prn"),
              "To:     bob\r\nFrom:   Zoe\r\nDate:   2023-11-14 22:13\r\n"
              "Re:     Grusse\r\nMEMO" +
                  std::string(76, '-') + "\r\nHello.\r\n\f");
}

TEST_F(Extension, TheSampleRefusesWhatItsPaperCanNotHold) {
    AdapterRig rig("slip", {});
    EXPECT_EQ(rig.adapter().refuses({1, "bob@legacy.example", std::string(31, 'b')}),
              "names on slips have at most 30 letters");
    EXPECT_EQ(rig.adapter().refuses({1, "bob@legacy.example", "bob"}), std::nullopt);
    EXPECT_EQ(rig.adapter().grouping().mostRecipients, 1);
    const auto made =
        makeKind("slip", {{"folder", onDrive("/x")}, {"title", std::string(41, '-')}}, kRigContext);
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().text, "title: at most 40 letters");
}

TEST_F(Extension, ALibraryOfAnotherVersionIsRefusedWithBothVersions) {
    EXPECT_THAT(whyRefused("outdated"), HasSubstr("was built for \"postern-adapter 99 libstdc++-1\""));
    EXPECT_THAT(whyRefused("outdated"), HasSubstr("this is \"postern-adapter 1 "));
    EXPECT_THAT(whyRefused("outdated"), HasSubstr("build it again with this version's header"));
    EXPECT_FALSE(isListed("outdated"));
}

TEST_F(Extension, ALibraryThatIsNoneOfOursIsRefused) {
    EXPECT_THAT(whyRefused("nothing"), HasSubstr("is no adapter library"));
}

TEST_F(Extension, ALibraryWithATakenNameIsRefusedAsAWhole) {
    EXPECT_EQ(whyRefused("taken"), "brings a kind \"maildir\" that exists");
    EXPECT_FALSE(isListed("fine"));
}

TEST_F(Extension, ALibraryThatTakesAKeyOfEverybodysIsRefused) {
    EXPECT_THAT(whyRefused("reserved"), HasSubstr("a setting \"retry_first\", which it has already"));
    EXPECT_FALSE(isListed("reserved"));
}

TEST_F(Extension, ALibraryWithTwoKindsOfOneNameIsRefused) {
    EXPECT_EQ(whyRefused("twins"), "brings a kind \"twin\" that exists");
    EXPECT_FALSE(isListed("twin"));
}

TEST_F(Extension, ALibraryOfAnotherLayoutIsRefused) {
    EXPECT_THAT(whyRefused("debugged"), HasSubstr("libstdc++-1-debug"));
    EXPECT_THAT(whyRefused("outdated"), HasSubstr("libstdc++-1 poco-0x"));
    EXPECT_FALSE(isListed("debugged"));
}

TEST_F(Extension, ABrokenFileIsRefusedAndAMissingFolderIsEmpty) {
    const TempFolder folder;
    spill(folder / libraryNamed("torn"), slurp(joinPath(libraries(), libraryNamed("slip"))).substr(0, 20));
    spill(folder / "readme.txt", "no library");
    fs::create_directory(folder / libraryNamed("folder"));
    const auto refused = adapters::loadExtensions(folder.path(), {});
    ASSERT_EQ(refused.size(), 2u);
    for (const adapters::Refused& each : refused) EXPECT_THAT(each.reason, HasSubstr("can not be loaded"));
    EXPECT_TRUE(adapters::loadExtensions(folder / "missing", {}).empty());
    EXPECT_TRUE(adapters::loadExtensions("", {}).empty());
}

TEST_F(Extension, LoadingFromManyThreadsLoadsOnce) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([] {
            for (int round = 0; round < 20; ++round) {
                EXPECT_EQ(loadAll().size(), kRefused);
                EXPECT_NE(adapters::kindNamed("slip"), nullptr);
            }
        });
    threads.clear();
    EXPECT_EQ(
        std::ranges::count_if(adapters::kinds(),
                              [](const adapters::Kind* kind) { return kind->name == std::string("slip"); }),
        1);
}

TEST_F(Extension, WhatALibraryThrowsDefersOneMail) {
    for (const auto& [way, reason] :
         std::vector<std::pair<std::string, std::string>>{{"write", "out of ink"},
                                                          {"number", "without a reason"},
                                                          {"file name", "the name book is lent"}}) {
        AdapterRig rig("throwing", {{"way", way}});
        const Job job = rig.exportJob(rig.job(1, 1));
        ASSERT_TRUE(job.outcome);
        EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << way;
        EXPECT_THAT(job.outcome->reason, HasSubstr(reason));
        EXPECT_TRUE(visibleFiles(rig.temp()).empty()) << "half a file was left";
        EXPECT_TRUE(fs::is_empty(rig.stage()) || visibleFiles(rig.stage()).empty());
    }
}

TEST_F(Extension, ARefusalRejectsAndANameIsCheckedBeforeItIsUsed) {
    AdapterRig refusing("throwing", {{"way", "refusal"}});
    Job job = refusing.exportJob(refusing.job(1, 1));
    EXPECT_EQ(job.outcome->verdict, Verdict::Rejected);
    EXPECT_EQ(job.outcome->reason, "no \"Hello\" here");
    AdapterRig climbing("throwing", {{"way", "name"}});
    job = climbing.exportJob(climbing.job(1, 1));
    EXPECT_EQ(job.outcome->verdict, Verdict::Rejected);
    EXPECT_THAT(job.outcome->reason, HasSubstr("../../etc/passwd"));
    EXPECT_TRUE(climbing.visible().empty());
}

TEST_F(Extension, WhatMakingAnAdapterComesToIsSaid) {
    const auto why = [](const std::string& way) {
        return makeKind("throwing", {{"folder", onDrive("/x")}, {"way", way}}, kRigContext).error().text;
    };
    EXPECT_THAT(why("make"), HasSubstr("not today"));
    EXPECT_THAT(why("silent"), HasSubstr("made nothing"));
    EXPECT_EQ(why("problem"), "way: there is none");
    setVariable("POSTERN_TEST_PROFILE_THROWS", "1");
    EXPECT_THAT(why("write"), HasSubstr("no profile"));
    setVariable("POSTERN_TEST_PROFILE_THROWS", std::nullopt);
    AdapterRig scared("throwing", {{"way", "recipient"}});
    EXPECT_EQ(scared.adapter().refuses({1, "bob@legacy.example", "bob"}), std::nullopt);
}

TEST_F(Extension, ATransportKeepsItsOwnPromises) {
    const TempFolder folder;
    AdapterRig rig("ledger", {{"book", folder / "book"}});
    ASSERT_TRUE(rig.probed().ok());
    Job job = rig.exportJob(rig.job(5, 1, mail("first")));
    EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    EXPECT_EQ(job.outcome->target, folder / "book");
    rig.publishJob(job);
    EXPECT_EQ(slurp(folder / "book"), kRigContext.storeId + "-5: first\n");
    rig.restart();
    EXPECT_EQ(rig.adapter().recover(job.delivery.key, job.evidence).found, adapters::Found::Published);
    EXPECT_EQ(rig.adapter().recover({ItemId{6}, Epoch{1}}, "6: x").found, adapters::Found::CannotTell);
    EXPECT_EQ(rig.adapter().describe(), "the ledger " + (folder / "book"));
}

// A store made anew counts its items from 1 again: what the other side has of the old one's is not ours.
TEST_F(Extension, AnotherStoresItemOfTheSameNumberIsAnotherMail) {
    const TempFolder folder;
    AdapterRig rig("ledger", {{"book", folder / "book"}});
    rig.exportJob(rig.job(5, 1, mail("first")));
    adapters::AdapterContext anew = kRigContext;
    anew.storeId = "zyxwvuts87654321";
    AdapterRig other("ledger", {{"book", folder / "book"}}, anew);
    Job job = other.job(5, 1, mail("second"));
    other.stageJob(job);
    EXPECT_EQ(other.adapter().recover(job.delivery.key, job.evidence).found, adapters::Found::CannotTell);
    other.publishJob(job);
    EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    EXPECT_EQ(slurp(folder / "book"), kRigContext.storeId + "-5: first\n" + anew.storeId + "-5: second\n");
    EXPECT_EQ(other.adapter().recover(job.delivery.key, job.evidence).found, adapters::Found::Published);
}

// The lease is as long as a stage and a publish of most kinds; a slow line may take longer than it.
TEST_F(Extension, AClaimIsKeptAliveWhileATransportIsAtWork) {
    const TempFolder folder;
    AdapterRig rig("ledger", {{"book", folder / "book"}});
    Job job = rig.job(1, 1, mail("slow"));
    rig.stageJob(job);
    std::atomic<int> beats{0};
    rig.adapter().publish({&job, 1}, [&] {
        if (++beats == 4) spill(folder / "book.ink", "");  // one beat is before the call
    });
    EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    const int last = beats;
    EXPECT_GE(last, 4);
    rig.exportJob(rig.job(2, 1, mail("quick")));
    EXPECT_EQ(beats, last) << "somebody beats on after the call";
}

TEST_F(Extension, WhatATransportThrowsBesideTheMailHarmsNobody) {
    const TempFolder folder;
    AdapterRig rig("ledger", {{"book", folder / "book"}});
    Job job = rig.job(1, 1, mail("clumsy"));
    rig.stageJob(job);
    rig.adapter().abandon(job);
    EXPECT_THAT(job.notes.back(), HasSubstr("it fell down"));
    rig.adapter().hasten();
    EXPECT_EQ(rig.exportJob(rig.job(2, 1, mail("next"))).outcome->verdict, Verdict::Exported);
}

TEST_F(Extension, WhatATransportThrowsInItsCommitIsInDoubtAndBeforeItIsNot) {
    const TempFolder folder;
    AdapterRig rig("ledger", {{"book", folder / "book"}});
    const std::vector<std::pair<std::string, Verdict>> ends = {{"lost", Verdict::Unknown},
                                                               {"later", Verdict::Deferred},
                                                               {"never", Verdict::Rejected},
                                                               {"no evidence", Verdict::Deferred}};
    for (const auto& [subject, verdict] : ends) {
        const Job job = rig.exportJob(rig.job(1, 1, mail(subject)));
        EXPECT_EQ(job.outcome->verdict, verdict) << subject;
        EXPECT_FALSE(job.outcome->reason.empty());
    }
    EXPECT_FALSE(fs::exists(folder / "book"));
}

// One mail that a library can not be asked about must not suspend the adapter for all the others (I7).
TEST_F(Extension, WhatATransportThrowsWhenAskedIsAskedAgainAndHoldsNobodyUp) {
    const TempFolder folder;
    AdapterRig rig("ledger", {{"book", folder / "book"}});
    Job job = rig.job(1, 1, mail("riddle"));
    rig.stageJob(job);
    const adapters::Recovery asked = rig.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_EQ(asked.found, adapters::Found::CannotTell);
    EXPECT_FALSE(asked.unusable);
    ASSERT_TRUE(asked.busy);
    EXPECT_THAT(asked.busy->text, HasSubstr("nobody can read this"));
}

TEST_F(Extension, TheConfigurationFindsKindsAndWarnsOfWhatWasRefused) {
    const TempFolder folder;
    const auto load = [&](const std::string& adapter) {
        spill(folder / "postern.toml",
              onDrive("store = \"" + (folder / "store") + "\"\nadapter_folder = '" + libraries() +
                      "'\n[[route]]\nrecipient = \"*\"\nadapter = \"paper\"\n" + "[adapter.paper]\n" +
                      adapter));
        return config::load(folder / "postern.toml");
    };
    const auto good = load("kind = \"slip\"\nfolder = \"/srv/slips\"\ntitle = \"MEMO\"\n");
    for (const config::Problem& problem : good.problems) ADD_FAILURE() << problem.text;
    int refused = 0;
    for (const config::Problem& warning : good.warnings)
        if (warning.text.ends_with("its kinds of adapter are not there")) {
            ++refused;
            EXPECT_EQ(warning.place.line, 2);
        }
    EXPECT_EQ(refused, static_cast<int>(kRefused));
    const auto bad = load("kind = \"slip\"\nfolder = \"/srv/slips\"\ntitel = \"MEMO\"\n");
    ASSERT_FALSE(bad.problems.empty());
    EXPECT_THAT(bad.problems.front().text, HasSubstr("title"));
}

// One old library stops one adapter: it is there, suspended, with the reason; everything else goes on.
TEST_F(Extension, AnAdapterWhoseLibraryWasRefusedWaits) {
    const TempFolder folder;
    const auto load = [&](const std::string& from, const std::string& kind) {
        spill(folder / "postern.toml",
              onDrive("store = \"" + (folder / "store") + "\"\nadapter_folder = '" + from +
                      "'\n[[route]]\nrecipient = \"*\"\nadapter = \"paper\"\n[adapter.paper]\nkind = \"" +
                      kind + "\"\nfolder = \"/srv/x\"\nwatchers = 2\n"));
        return config::load(folder / "postern.toml");
    };
    const auto loaded = load(libraries(), "outdated");
    for (const config::Problem& problem : loaded.problems) ADD_FAILURE() << problem.text;
    EXPECT_TRUE(std::ranges::any_of(loaded.warnings, [](const config::Problem& warning) {
        return warning.place.line == 7 &&
               warning.text.ends_with("the adapter is suspended, and its mail waits");
    }));
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(loaded.config->adapters.front().watchers, 2);
    AdapterRig rig("outdated", {});
    const std::string why = "the kind \"outdated\" may be in a library that was refused: " +
                            joinPath(libraries(), libraryNamed("outdated")) + " was built for";
    ASSERT_FALSE(rig.probed().ok());
    EXPECT_THAT(rig.probed().error().text, HasSubstr(why));
    EXPECT_EQ(rig.adapter().refuses({1, "bob@legacy.example", "bob"}), std::nullopt);
    Job job = rig.exportJob(rig.job(1, 1));
    EXPECT_TRUE(job.outcome->adapterUnusable) << outcomeText(job);
    EXPECT_TRUE(rig.adapter().recover(job.delivery.key, "x").unusable) << "nobody knows what it staged";
    EXPECT_FALSE(isListed("outdated"));
    // Where every library fits, a strange name is a mistake.
    const auto typo = load(folder.path(), "outdated");
    ASSERT_FALSE(typo.problems.empty());
    EXPECT_THAT(typo.problems.front().text, HasSubstr("there is no adapter kind \"outdated\""));
    EXPECT_TRUE(load(libraries(), "slip").problems.empty());
}

// What a stranger has is the header and Poco: the sample must need nothing else.
TEST_F(Extension, TheHeaderNeedsNothingElseOfOurs) {
    SKIP_ON_WINDOWS("the compiler is on the machine that builds");
    const TempFolder folder;
    fs::create_directories(folder / "postern");
    fs::copy_file(POSTERN_SOURCE_DIR "/include/postern/adapter.h", folder / "postern/adapter.h");
    const std::string command = POSTERN_COMPILER " -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I " +
                                folder.path() + " " POSTERN_SOURCE_DIR "/examples/adapter/slip.cpp";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

}  // namespace postern::tests
