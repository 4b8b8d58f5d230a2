// Mails of tests/corpus as each mailbox and pickup format writes them, compared byte for byte with what a
// person has read and found right. POSTERN_UPDATE_GOLDEN=1 writes the files anew, to be read again before
// they are committed.

#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"

namespace postern::adapters {

namespace fs = std::filesystem;
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

std::string withCrlf(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\r') continue;
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
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
    const bool update = std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr;
    const std::string tests = POSTERN_TESTS_FOLDER;
    int compared = 0;
    for (const Golden& golden : goldens()) {
        const std::string folder = tests + "/golden/" + golden.folder;
        if (update) fs::create_directories(folder);
        for (const char* name :
             {"plain", "attachment", "dsn", "emoji", "mailbox_lines", "several_recipients"}) {
            const std::string got =
                written(golden, withCrlf(slurp(tests + "/golden/mailbox_mails/" + name + ".eml")));
            const std::string path = folder + "/" + name + golden.extension;
            if (update) tests::spill(path, got);
            EXPECT_EQ(got, slurp(path)) << path;
            ++compared;
        }
    }
    EXPECT_EQ(compared, 42);
}

}  // namespace postern::adapters
