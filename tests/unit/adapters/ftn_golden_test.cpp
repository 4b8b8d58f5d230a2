// Every mail of tests/corpus as a netmail packet.

#include "tests/ftn_reader.h"
#include "tests/golden_corpus.h"

namespace postern::adapters {

namespace {

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
    std::string got = rig.content("00000001.pkt");
    const auto read = tests::readFtnPacket(got);
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text);
    return got;
}

}  // namespace

TEST(FtnGolden, TheCorpusIsWrittenAsRead) {
    tests::expectCorpus("ftn", ".pkt", &asPacket);
}

}  // namespace postern::adapters
