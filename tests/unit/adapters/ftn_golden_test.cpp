// Every mail of tests/corpus as a netmail packet, compared byte for byte with what a person has read and
// found right. POSTERN_UPDATE_GOLDEN=1 writes the files anew, to be read again before they are committed.

#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"
#include "tests/ftn_reader.h"

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

// The network that such a mail would be for.
std::string charsetFor(const std::string& name) {
    if (name == "russian") return "cp866";
    if (name == "greek") return "cp737";
    return name == "japanese" || name == "emoji" ? "utf-8" : "cp437";
}

std::string asPacket(const std::string& mail, const std::string& name) {
    tests::AdapterRig rig("ftn", {{"address", "2:999/1.5"},
                                  {"link", "2:999/2"},
                                  {"password", "GOLDEN"},
                                  {"date_zone", "CET-1CEST,M3.5.0,M10.5.0/3"},
                                  {"charset", charsetFor(name)}});
    Job job = rig.job(1, 1, mail);
    job.delivery.recipients[0].legacy = "Bob Sysop@2:5020/100.3";
    job = rig.exportJob(std::move(job));
    EXPECT_EQ(rig.visible().size(), 1u) << tests::outcomeText(job);
    return rig.content("00000001.pkt");
}

}  // namespace

TEST(FtnGolden, TheCorpusIsWrittenAsRead) {
    const bool update = std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr;
    const std::string golden = std::string(POSTERN_TESTS_FOLDER) + "/golden/ftn";
    if (update) fs::create_directories(golden);
    int compared = 0;
    for (const auto& entry : fs::directory_iterator(std::string(POSTERN_TESTS_FOLDER) + "/corpus")) {
        if (entry.path().extension() != ".eml") continue;
        const std::string name = entry.path().stem();
        const std::string got = asPacket(withCrlf(tests::slurp(entry.path())), name);
        const auto read = tests::readFtnPacket(got);
        EXPECT_TRUE(read.ok()) << name << ": " << (read.ok() ? "" : read.error().text);
        const std::string path = golden + "/" + name + ".pkt";
        if (update) tests::spill(path, got);
        EXPECT_EQ(got, tests::slurp(path)) << name;
        ++compared;
    }
    EXPECT_GE(compared, 12);
}

}  // namespace postern::adapters
