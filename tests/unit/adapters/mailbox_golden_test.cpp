// Mails as each mailbox and pickup format writes them.

#include "tests/golden_corpus.h"

namespace postern::adapters {

using tests::slurp;

namespace {

struct Golden {
    const char* folder;  // under tests/golden
    const char* kind;
    tests::SettingMap settings;
    const char* extension;
};

const std::vector<Golden>& goldens() {
    static const std::vector<Golden> all = {
        {"bsmtp", "bsmtp", {}, ".bsmtp"},
        {"mbox", "mbox", {}, ".mbox"},
        {"maildir", "maildir", {}, ".eml"},
        {"mh", "mh", {}, ".eml"},
        {"pickup/replay", "pickup", {{"mode", "replay"}}, ".eml"},
        {"pickup/pickup", "pickup", {{"mode", "pickup"}}, ".eml"},
        {"pickup/iis", "pickup", {{"mode", "iis"}}, ".eml"},
    };
    return all;
}

std::string written(const Golden& golden, const std::string& mail) {
    tests::AdapterRig rig(golden.kind, golden.settings);
    const Job job = rig.exportJob(rig.job(1, 1, mail));
    const auto files = tests::visibleFiles(rig.folder());
    EXPECT_EQ(files.size(), 1u) << golden.folder << ": " << tests::outcomeText(job);
    return files.empty() ? std::string() : slurp(rig.folder() + "/" + files.front());
}

}  // namespace

TEST(MailboxGolden, EachFormatIsWrittenAsRead) {
    for (const Golden& golden : goldens())
        for (const std::string name :
             {"plain", "attachment", "dsn", "emoji", "mailbox_lines", "several_recipients"})
            tests::expectGolden(std::string(golden.folder) + "/" + name + golden.extension,
                                written(golden, tests::mailOf("golden/mailbox_mails/" + name)));
}

}  // namespace postern::adapters
