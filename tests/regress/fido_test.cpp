// Rules of the other connectors that hold for FidoNet netmail too (themes F, G and H).

#include <gmock/gmock.h>

#include "base/text.h"
#include "mail/charset.h"
#include "tests/adapter_rig.h"
#include "tests/ftn_reader.h"
#include "tests/regress/mails.h"

namespace postern {
namespace {

using testing::HasSubstr;
using tests::FtnMessage;
using tests::mailOf;
using tests::outcomeText;

std::vector<FtnMessage> netmailOf(const std::string& message, tests::SettingMap settings = {}) {
    settings.emplace("address", "2:999/1");
    settings.emplace("link", "2:999/2");
    tests::AdapterRig rig("ftn", std::move(settings));
    const adapters::Job job = rig.exportJob(rig.job(1, 1, message));
    EXPECT_TRUE(job.outcome && job.outcome->verdict == adapters::Verdict::Exported) << outcomeText(job);
    const auto files = rig.visible();
    const auto packet = tests::readFtnPacket(files.empty() ? std::string() : rig.content(files[0]));
    EXPECT_TRUE(packet.ok()) << packet.error().text;
    return packet.ok() ? packet->messages : std::vector<FtnMessage>();
}

TEST(Regress, Q157000_netmail_names_of_files_are_plain) {
    const std::string bytes = mailOf(
        "Subject: s\nMIME-Version: 1.0\nContent-Type: application/pdf; "
        "name=\"=?utf-8?B?7J6Q66OMLnBkZg==?=\"\n",
        "x\n");
    for (const char* charset : {"iso-2022-kr", "euc-kr", "cp437"}) {
        const auto mails = netmailOf(bytes, {{"charset", charset}});
        ASSERT_EQ(mails.size(), 1U);
        const std::string& text = mails[0].text;
        const auto begin = text.find("begin 644 ");
        ASSERT_NE(begin, std::string::npos) << charset;
        const std::string line = text.substr(begin, text.find('\n', begin) - begin);
        EXPECT_TRUE(line.ends_with(".pdf")) << line;
        EXPECT_EQ(line.find('\x1b'), std::string::npos) << charset;
    }
}

TEST(Regress, Q247018_each_network_has_its_own_code_page) {
    const std::string text = "Grüße, Привет, 日本\n";
    for (const char* charset : {"cp437", "cp850", "cp866", "cp932", "utf-8"}) {
        const auto mails = netmailOf(
            mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n", text),
            {{"charset", charset}, {"notes_in_text", "false"}});
        ASSERT_EQ(mails.size(), 1U);
        EXPECT_EQ(mails[0].control("CHRS").substr(0, 2), upperAscii(std::string_view(charset)).substr(0, 2));
        const std::string back = mail::toUtf8(mails[0].text, charset);
        const std::string kept = std::string_view(charset) == "cp866"   ? "Привет"
                                 : std::string_view(charset) == "cp932" ? "日本"
                                                                        : "Gr";
        EXPECT_THAT(back, HasSubstr(kept)) << charset;
    }
}

TEST(Regress, Q193256_netmail_has_substitutes_for_what_the_page_lacks) {
    const auto mails = netmailOf(
        mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n", "5 € – “x” … ™\n"),
        {{"notes_in_text", "false"}});
    ASSERT_EQ(mails.size(), 1U);
    EXPECT_EQ(mails[0].text, "5 EUR - \"x\" ... (TM)\n");
}

TEST(Regress, Q195894_netmail_names_are_cut_between_characters) {
    std::string name;
    for (int i = 0; i < 40; ++i) name += "日";
    for (const char* charset : {"cp932", "utf-8", "euc-kr"}) {
        const auto mails =
            netmailOf("From: \"" + name + "\" <a@example.org>\r\nSubject: " + name + name + "\r\n\r\nx\r\n",
                      {{"charset", charset}});
        ASSERT_EQ(mails.size(), 1U);
        for (const std::string& cut : {mails[0].fromName, mails[0].subject}) {
            bool clean = false;
            (void)mail::toUtf8(cut, charset, &clean);
            EXPECT_TRUE(clean) << charset << ": " << testing::PrintToString(cut);
        }
    }
}

TEST(Regress, Q156844_a_cut_subject_leads_the_netmail) {
    const std::string subject(100, 's');
    const auto mails = netmailOf(mailOf("Subject: " + subject + "\n", "x\n"));
    ASSERT_EQ(mails.size(), 1U);
    EXPECT_EQ(mails[0].subject.size(), 71U);
    EXPECT_THAT(mails[0].text, HasSubstr(subject));
}

}  // namespace
}  // namespace postern
