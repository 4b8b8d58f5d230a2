// Mails of tests/corpus as b2f, fbb, mhs, mmff and gwapi write them, every file of each.

#include "tests/golden_corpus.h"

namespace postern::adapters {

namespace {

struct Golden {
    const char* folder;
    const char* kind;
    tests::SettingMap settings;
    bool dos = true;  // writes the code page of the country
};

// What a system in that country is set to.
std::string charsetFor(const std::string& name) {
    if (name == "russian") return "cp866";
    if (name == "greek") return "cp737";
    return name == "japanese" ? "shift_jis" : "";
}

// Every file under its name, one behind the other.
std::string written(const Golden& golden, const std::string& mail, const std::string& name) {
    tests::SettingMap settings = golden.settings;
    if (golden.dos && !charsetFor(name).empty()) settings["charset"] = charsetFor(name);
    tests::AdapterRig rig(golden.kind, settings);
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
        {"b2f", "b2f", {{"call", "N0AAA"}}, false},
        {"fbb", "fbb", {{"call", "N0GW"}}, false},
        {"mhs", "mhs", {}},
        {"mhs71", "mhs", {{"format", "smf-71"}, {"folders", "gateway"}, {"author", "comment"}}},
        {"mmff", "mmff", {}},
        {"gwapi", "gwapi", {}}};
    for (const Golden& golden : goldens)
        tests::expectCorpus(golden.folder, ".txt", [&](const std::string& mail, const std::string& name) {
            return written(golden, mail, name);
        });
}

}  // namespace postern::adapters
