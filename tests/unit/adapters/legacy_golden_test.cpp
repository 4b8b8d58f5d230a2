// Mails of tests/corpus as b2f, fbb, mhs, mmff and gwapi write them, every file of each, compared byte for
// byte with what a person has read and found right. POSTERN_UPDATE_GOLDEN=1 writes them anew, to be read
// again before they are committed.

#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"

namespace postern::adapters {

namespace fs = std::filesystem;

namespace {

struct Golden {
    const char* kind;
    tests::SettingMap settings;
};

std::string withCrlf(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\r') continue;
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

// Every file under its name, one behind the other.
std::string written(const Golden& golden, const std::string& mail) {
    tests::AdapterRig rig(golden.kind, golden.settings);
    const Job job = rig.exportJob(rig.job(1, 1, mail));
    EXPECT_TRUE(job.outcome && job.outcome->verdict == Verdict::Exported) << tests::outcomeText(job);
    std::string all;
    for (const std::string& file : tests::visibleFiles(rig.folder()))
        all += "=== " + file + "\n" + tests::slurp(rig.folder() + "/" + file) + "\n";
    return all;
}

}  // namespace

TEST(LegacyGolden, TheCorpusIsWrittenAsRead) {
    const bool update = std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr;
    const std::string tests = POSTERN_TESTS_FOLDER;
    const std::vector<Golden> goldens = {
        {"b2f", {{"call", "N0AAA"}}}, {"fbb", {{"call", "N0GW"}}}, {"mhs", {}}, {"mmff", {}}, {"gwapi", {}}};
    int compared = 0;
    for (const Golden& golden : goldens) {
        const std::string folder = tests + "/golden/" + golden.kind;
        if (update) fs::create_directories(folder);
        for (const char* name : {"plain", "attachment", "dsn", "emoji", "latin1", "flowed"}) {
            const std::string got =
                written(golden, withCrlf(tests::slurp(tests + "/corpus/" + name + ".eml")));
            const std::string path = folder + "/" + name + ".txt";
            if (update) tests::spill(path, got);
            EXPECT_EQ(got, tests::slurp(path)) << path;
            ++compared;
        }
    }
    EXPECT_EQ(compared, 30);
}

}  // namespace postern::adapters
