// Mails of tests/corpus as b2f, fbb, mhs, mmff and gwapi write them, every file of each.

#include "tests/golden_corpus.h"

namespace postern::adapters {

namespace {

struct Golden {
    const char* kind;
    tests::SettingMap settings;
};

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
    const std::vector<Golden> goldens = {
        {"b2f", {{"call", "N0AAA"}}}, {"fbb", {{"call", "N0GW"}}}, {"mhs", {}}, {"mmff", {}}, {"gwapi", {}}};
    for (const Golden& golden : goldens)
        for (const std::string name : {"plain", "attachment", "dsn", "emoji", "latin1", "flowed"})
            tests::expectGolden(std::string(golden.kind) + "/" + name + ".txt",
                                written(golden, tests::mailOf("corpus/" + name)));
}

}  // namespace postern::adapters
