// MHS, MS Mail and GroupWise: what the articles tell of their connectors, for what is written there.

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"
#include "tests/kit/drive.h"
#include "tests/legacy_readers.h"

namespace postern::tests {

using adapters::Job;
using adapters::Verdict;

namespace {

std::string fileOf(AdapterRig& rig, const std::string& mail) {
    const Job job = rig.exportJob(rig.job(1, 1, mail));
    EXPECT_TRUE(job.outcome && job.outcome->verdict == Verdict::Exported) << outcomeText(job);
    return rig.visible().empty() ? std::string() : slurp(rig.folder() + "/" + rig.visible().front());
}

SmfMessage smfOf(const std::string& mail, const SettingMap& settings = {}) {
    AdapterRig rig("mhs", settings);
    const auto read = readSmf(fileOf(rig, mail));
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text);
    return read.ok() ? *read : SmfMessage();
}

const std::string kTwoFiles =
    "From: a@b.org\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\n\r\nText.\r\n--b\r\nContent-Type: a/b; name=one.dat\r\n\r\n1\r\n--b\r\nContent-Type: a/b; "
    "name=two.dat\r\n\r\n2\r\n--b--\r\n";

}  // namespace

TEST(Regress, Q194145_the_parcel_stands_before_its_name) {
    const SmfMessage read = smfOf(kTwoFiles);
    std::vector<std::string> order;
    for (const auto& [name, value] : read.fields)
        if (name.starts_with("Attachment")) order.push_back(name);
    EXPECT_EQ(order,
              (std::vector<std::string>{"Attachment", "Attachment-name", "Attachment", "Attachment-name"}));
    EXPECT_EQ(read.parcels.size(), 2u);
}

TEST(Regress, Q194144_a_long_To_stays_on_its_line) {
    AdapterRig rig("mhs", {{"most_recipients", "20"}});
    Job job = rig.job(1, 1);
    job.delivery.recipients.clear();
    for (int i = 1; i <= 7; ++i)
        job.delivery.recipients.push_back(
            {i, "u@legacy.example", "user" + std::to_string(i) + "@HUB {CCMAIL:test,user}"});
    job = rig.exportJob(std::move(job));
    const auto read = readSmf(slurp(rig.folder() + "/" + rig.visible().at(0)));
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->to().size(), 7u);
}

TEST(Regress, Q124746_a_comment_has_no_comma) {
    const SmfMessage read =
        smfOf("From: \"Lee, Ann (Sales)\" <ann@example.org>\r\n\r\nx\r\n", {{"author", "comment"}});
    EXPECT_EQ(read.field("From"), "ann@INTERNET {SMTP: ann@example.org} (Lee; Ann Sales)");
}

// The reader refuses what SMF-70 does not know.
TEST(Regress, Q130436_only_fields_of_SMF_70_are_written) {
    const SmfMessage read = smfOf(
        "From: a@b.org\r\nSubject: Kept\r\nNotification-Correlator: x\r\nX-Odd: y\r\n"
        "Importance: high\r\nMessage-ID: <1@b.org>\r\n\r\nx\r\n",
        {{"format", "smf-71"}});
    EXPECT_EQ(read.field("Subject"), "Kept");
}

TEST(Regress, Q135927_no_line_of_a_message_reaches_the_79th_column) {
    std::string text;
    for (const int length : {73, 74, 75, 78, 79, 80, 158, 159, 160})
        text += std::string(static_cast<std::size_t>(length), 'x') + "\r\n";
    text += "https://example.org/" + std::string(200, 'y') + "\r\n";
    const SmfMessage read = smfOf("From: a@b.org\r\n\r\n" + text, {{"author", "address"}});
    std::string got = read.body, wanted = text;
    for (std::string* each : {&got, &wanted})
        std::erase_if(*each, [](char c) { return c == '\r' || c == '\n'; });
    EXPECT_EQ(got, wanted);
    for (std::size_t at = 0; at < read.body.size(); at = read.body.find('\n', at) + 1)
        ASSERT_LE(read.body.find('\r', at) - at, 74u);
}

TEST(Regress, Q128431_braces_can_be_left_out) {
    const SmfMessage read = smfOf("From: someone.long@b.org\r\n\r\nx\r\n", {{"extended_sender", "false"}});
    EXPECT_EQ(read.field("From"), "someonel@INTERNET");
}

TEST(Regress, Q118785_every_token_and_the_size_of_the_text) {
    AdapterRig rig("mmff", {});
    const auto read = readMmff(fileOf(rig, kTwoFiles), "\r\n");
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->files.size(), 2u);
    EXPECT_EQ(read->text, "From: a@b.org\r\n\r\nText.\r\n");
}

TEST(Regress, Q87223_a_copy_is_a_TO) {
    AdapterRig rig("mmff", {{"most_recipients", "9"}});
    Job job = rig.job(1, 1, "From: a@b.org\r\nTo: x@legacy.example\r\nCc: y@legacy.example\r\n\r\nx\r\n");
    job.delivery.recipients = {{1, "x@legacy.example", "N/P/X"}, {2, "y@legacy.example", "N/P/Y"}};
    job = rig.exportJob(std::move(job));
    const auto read = readMmff(slurp(rig.folder() + "/" + rig.visible().at(0)), "\r\n");
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->to, (std::vector<std::string>{"CSI:N/P/X", "CSI:N/P/Y"}));
}

TEST(Regress, Q216476_one_who_is_named_twice_gets_it_once) {
    AdapterRig rig("mmff", {{"most_recipients", "9"}});
    Job job = rig.job(1, 1);
    job.delivery.recipients = {{1, "x@legacy.example", "N/P/X"}, {2, "alias@legacy.example", "CSI:N/P/X"}};
    job = rig.exportJob(std::move(job));
    const auto read = readMmff(slurp(rig.folder() + "/" + rig.visible().at(0)), "\r\n");
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->to.size(), 1u);
}

TEST(Regress, Q85055_line_ends_are_those_of_the_setting) {
    for (const auto& [name, end] : {std::pair{"cr", "\r"}, {"lf", "\n"}, {"crlf", "\r\n"}}) {
        AdapterRig rig("mmff", {{"line_ends", name}});
        EXPECT_TRUE(readMmff(fileOf(rig, kTwoFiles), end).ok()) << name;
    }
}

TEST(Regress, Q252689_a_strange_file_name_is_no_name_of_ours) {
    for (const char* name : {"=?utf-8?q?=C3=84.txt?=", "=?utf-8?q?=D1=82.txt?=", "\xff\xfe.txt", "../../x"}) {
        AdapterRig rig("gwapi", {});
        const std::string mail =
            "From: a@b.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
            "\r\n--b\r\n\r\nText.\r\n--b\r\nContent-Type: a/b; name=\"" +
            std::string(name) + "\"\r\n\r\n1\r\n--b--\r\n";
        EXPECT_TRUE(readGwApi(fileOf(rig, mail)).ok()) << name;
        EXPECT_EQ(rig.companions(), (std::vector<std::string>{"ATT_IN/00000101.TXT", "ATT_IN/00000102.ATH"}))
            << name;
    }
}

TEST(Regress, Q234585_a_list_of_attachments_is_well_formed) {
    AdapterRig rig("gwapi", {});
    const auto read = readGwApi(fileOf(rig, kTwoFiles));
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->attachments.size(), 2u);
}

TEST(Regress, Q221429_a_missing_setting_is_said_at_the_start) {
    const auto made = makeKind("gwapi", {{"folder", onDrive("/tmp")}, {"domain", "DOM"}}, kRigContext);
    ASSERT_FALSE(made.ok());
    EXPECT_NE(made.error().text.find("post_office"), std::string::npos) << made.error().text;
}

}  // namespace postern::tests
