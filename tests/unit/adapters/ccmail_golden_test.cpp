// Every mail of tests/corpus as a cc:Mail import file.

#include "tests/ccmail_reader.h"
#include "tests/golden_corpus.h"

namespace postern::adapters {

namespace {

// The post office that such a mail would be for.
std::string codePageFor(const std::string& name) {
    if (name == "russian") return "cp866";
    if (name == "greek") return "cp737";
    return name == "japanese" ? "cp932" : "cp850";
}

std::string asCcmail(const std::string& mail, const std::string& name) {
    tests::AdapterRig rig("ccmail",
                          {{"post_office", "PO1"}, {"gateway", "GATEWAY"}, {"charset", codePageFor(name)}});
    const Job job = rig.exportJob(rig.job(1, 1, mail));
    EXPECT_EQ(rig.visible().size(), 1u) << tests::outcomeText(job);
    std::string got = rig.content("msg0001.ccm");
    const auto read = tests::readCcmail(got);
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text);
    return got;
}

}  // namespace

TEST(CcmailGolden, TheCorpusIsWrittenAsRead) {
    tests::expectCorpus("ccmail", ".ccm", &asCcmail);
}

}  // namespace postern::adapters
