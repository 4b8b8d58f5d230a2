// What connectors to cc:Mail failed at: empty items, files that can not be opened, damaged files from the
// other side.

#include <ctime>
#include <filesystem>

#include <gmock/gmock.h>

#include "adapters/ccmail/ccmail_und.h"
#include "tests/kit/platform.h"
#include "tests/regress/exported.h"
#include "tests/unit/adapters/ccmail_import_rig.h"

namespace postern::tests {

namespace fs = std::filesystem;
using adapters::Verdict;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Regress, Q178122_an_item_without_a_byte_is_an_item) {
    const char* const kEmpty[] = {
        "Subject: x\r\n\r\n",
        "Subject: x\r\n",
        "",
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n",
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        ("Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
         "--b\r\nContent-Type: text/plain\r\n\r\n\r\n--b--\r\n"),
    };
    for (const char* mail : kEmpty) {
        const CcmailMessage got = ccmailOf(mail);
        ASSERT_EQ(got.items.size(), 1u) << mail;
        EXPECT_FALSE(got.items[0].isFile) << mail;
        EXPECT_LE(got.items[0].data.size(), 2u) << mail << got.items[0].data;
    }
    const CcmailMessage file = ccmailOf(
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\n\r\n"
        "--b\r\nContent-Type: application/octet-stream; name=EMPTY.DAT\r\n\r\n\r\n--b--\r\n");
    ASSERT_EQ(file.items.size(), 2u);
    EXPECT_EQ(file.items[1].name, "EMPTY.DAT");
    EXPECT_EQ(file.items[1].data, "");
}

// On the way out: the mail waits with the path in its reason.
TEST(Regress, Q181512_a_working_file_that_can_not_be_made_is_said_and_the_mail_waits) {
    AdapterRig rig("ccmail", {{"post_office", "PO1"}});
    fs::rename(rig.stage(), rig.stage() + ".away");
    spill(rig.stage(), "a file in its place");
    const adapters::Job job = rig.exportJob(rig.job(1, 1));
    ASSERT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    EXPECT_TRUE(job.outcome->adapterUnusable);
    EXPECT_THAT(job.outcome->reason, HasSubstr(rig.stage()));
    EXPECT_FALSE(rig.adapter().probe().ok());
    fs::remove(rig.stage());
    fs::rename(rig.stage() + ".away", rig.stage());
    ASSERT_TRUE(rig.adapter().probe().ok());
    EXPECT_EQ(rig.exportJob(rig.job(1, 2)).outcome->verdict, Verdict::Exported);
}

// On the way back: what a run meant for a file is written down before the file is touched, or not at all.
TEST(Regress, Q181512_an_answer_that_can_not_be_written_is_made_again) {
    SKIP_ON_WINDOWS("the import program is a shell here; child_command_test.cpp imports everywhere");
    ImportRig rig("test -f ../lost || { touch ../lost; mv ../.postern-legacy/import/answers ../answers; }");
    rig.submit(1);
    const auto failed = rig.tryAttend();
    ASSERT_FALSE(failed.ok());
    EXPECT_THAT(failed.error().text, HasSubstr("answers"));
    EXPECT_THAT(rig.in("Import"), testing::ElementsAre(kOne));
    EXPECT_THAT(rig.in("Bad"), IsEmpty());
    fs::rename(rig.folder() + "/answers", rig.state("answers"));
    const auto answers = rig.attend();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_TRUE(answers[0].doubt);
    EXPECT_EQ(rig.runs(), std::string(kOne) + "\n") << "never imported again";
}

namespace {

std::vector<Recipient> annAndBob() {
    return {{1, "ann@x.example", "Ann"}, {2, "bob@x.example", "Bob"}};
}

// Reads it as what IMPORT gave back; somebody is always told, and it takes no time to speak of.
std::vector<int> refusedBy(const std::string& bytes) {
    adapters::ccmail::Options options;
    options.postOffice = "PO1";
    const auto began = std::clock();
    std::vector<int> ordinals;
    for (const auto& verdict : adapters::ccmail::givenBack(
             adapters::ccmail::readUndeliverable(bytes, "cp850"), annAndBob(), options))
        ordinals.push_back(verdict.ordinal);
    EXPECT_LT(std::clock() - began, CLOCKS_PER_SEC / 10) << bytes.substr(0, 200);
    EXPECT_FALSE(ordinals.empty()) << bytes.substr(0, 200);
    return ordinals;
}

std::string without(std::string text, const std::string& line) {
    const auto at = text.find(line);
    return text.erase(at, text.find("\r\n", at) + 2 - at);
}

}  // namespace

TEST(Regress, Q234745_a_damaged_file_that_comes_back_is_read_to_its_end) {
    AdapterRig rig("ccmail", {{"post_office", "PO1"}});
    adapters::Job job = rig.job(1, 1, "Subject: x\r\n\r\n*** Dear Ann ***\r\nTo: Ann at PO1\r\n");
    job.delivery.recipients = {annAndBob()[1]};
    rig.exportJob(std::move(job));
    const std::string whole = "*** no such mailbox ***\r\n" + rig.content("msg0001.ccm");
    ASSERT_EQ(refusedBy(whole), std::vector<int>{2});
    for (std::size_t cut = 0; cut < whole.size(); ++cut) (void)refusedBy(whole.substr(0, cut));
    for (const char* field : {"Message:", "From: ", "Date: ", "Subject: ", "Contents:", "Text item:"})
        EXPECT_THAT(refusedBy(without(whole, field)), testing::Contains(2)) << field;
    EXPECT_EQ(refusedBy(without(whole, "To: Bob")), (std::vector<int>{1, 2})) << "nobody is named: everybody";
    // Q287056 a size may be blank; others lead nowhere.
    const auto size = whole.find("Contents:\r\n") + 11;
    for (const char* odd :
         {"            ", "0           ", "-1          ", "999999999999", "9999999999999999999999", "x"})
        EXPECT_EQ(refusedBy(whole.substr(0, size) + odd + whole.substr(whole.find("\r\n", size))),
                  std::vector<int>{2})
            << odd;
    // Q184391 blocks are not always separated.
    std::string joined = whole;
    joined.erase(joined.rfind("\r\n"));
    EXPECT_EQ(refusedBy(joined + whole), std::vector<int>{2});
    (void)refusedBy(std::string(1 << 20, '*'));
    std::string many;
    while (many.size() < 1 << 20) many += "Contents:\r\n \r\n";
    (void)refusedBy(many);
}

}  // namespace postern::tests
