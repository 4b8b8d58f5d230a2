// Every mail of tests/corpus as a cc:Mail import file, compared byte for byte with what a person has read and
// found right. POSTERN_UPDATE_GOLDEN=1 writes the files anew, to be read again before they are committed.

#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"
#include "tests/ccmail_reader.h"

namespace postern::adapters {

namespace fs = std::filesystem;

namespace {

std::string withCrlf(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\r') continue;
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

std::string asCcmail(const std::string& mail, const std::string& codePage) {
    tests::AdapterRig rig("ccmail", {{"post_office", "PO1"}, {"gateway", "GATEWAY"}, {"charset", codePage}});
    const Job job = rig.exportJob(rig.job(1, 1, mail));
    EXPECT_EQ(rig.visible().size(), 1u) << tests::outcomeText(job);
    return rig.content("msg0001.ccm");
}

// The post office that such a mail would be for.
std::string codePageFor(const std::string& name) {
    if (name == "russian") return "cp866";
    if (name == "greek") return "cp737";
    return name == "japanese" ? "cp932" : "cp850";
}

}  // namespace

TEST(CcmailGolden, TheCorpusIsWrittenAsRead) {
    const bool update = std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr;
    const std::string golden = std::string(POSTERN_TESTS_FOLDER) + "/golden/ccmail";
    if (update) fs::create_directories(golden);
    int compared = 0;
    for (const auto& entry : fs::directory_iterator(std::string(POSTERN_TESTS_FOLDER) + "/corpus")) {
        if (entry.path().extension() != ".eml") continue;
        const std::string name = entry.path().stem();
        const std::string got = asCcmail(withCrlf(tests::slurp(entry.path())), codePageFor(name));
        const auto read = tests::readCcmail(got);
        EXPECT_TRUE(read.ok()) << name << ": " << (read.ok() ? "" : read.error().text);
        const std::string path = golden + "/" + name + ".ccm";
        if (update) tests::spill(path, got);
        EXPECT_EQ(got, tests::slurp(path)) << name;
        ++compared;
    }
    EXPECT_GE(compared, 12);
}

}  // namespace postern::adapters
