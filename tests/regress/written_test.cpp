// Theme G where a message is written anew: its form, its label and its names.
#include "mail/downgrade.h"
#include "mail/plain_message.h"
#include "tests/adapter_rig.h"
#include "tests/regress/mails.h"

namespace postern::tests {
namespace {

// `bytes` as the plainest message for `profile`.
std::string plainOf(const std::string& bytes, const mail::Profile& profile) {
    const ReadMail read(bytes);
    auto converted =
        mail::convert(read.message, {"alice@example.org", fromMillis(1'700'000'000'000)}, profile);
    EXPECT_TRUE(converted.ok());
    std::string out;
    if (!converted.ok()) return out;
    const mail::PlainLimits limits;
    const auto header = mail::plainHeader(read.message, profile, limits, {}, *converted);
    EXPECT_TRUE(header.ok());
    if (!header.ok()) return out;
    const auto written = mail::writePlainMessage(*header, *converted, profile, limits,
                                                 [&](std::string_view piece) -> Result<void> {
                                                     out += piece;
                                                     return {};
                                                 });
    EXPECT_TRUE(written.ok());
    return out;
}

TEST(Regress, Q222508_a_plain_text_stays_one_plain_text) {
    const std::string bytes = mailOf("Subject: s\n", "Grüße\n");
    for (const char* charset : {"utf-8", "iso-8859-1", "us-ascii"})
        EXPECT_EQ(plainOf(bytes, {.charset = charset}).find("multipart"), std::string::npos) << charset;
    EXPECT_EQ(carried(bytes, oldHost()).find("multipart"), std::string::npos);
    AdapterRig rig("drop", {});
    const adapters::Job job = rig.exportJob(rig.job(1, 1, bytes));
    ASSERT_EQ(rig.visible().size(), 1U) << outcomeText(job);
    EXPECT_EQ(rig.content(rig.visible()[0]).find("multipart"), std::string::npos);
}

TEST(Regress, Q176185_the_label_holds_for_every_charset) {
    const std::string text = "Привет, мир\n";
    const std::string bytes =
        mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=windows-1251\n",
               "\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0\n");
    for (const char* charset :
         {"koi8-r", "iso-8859-5", "cp866", "shift_jis", "iso-2022-jp", "gb18030", "utf-8"}) {
        const ReadMail read(plainOf(bytes, {.charset = charset}));
        EXPECT_EQ(read.message.text, text) << charset;
    }
    mail::Carrier carrier = oldHost();
    carrier.charset = "koi8-r";
    const std::string recoded = carried(bytes, carrier);
    EXPECT_NE(recoded.find("koi8-r"), std::string::npos);
    EXPECT_EQ(ReadMail(recoded).message.text, text);
}

TEST(Regress, Q157000_a_target_with_escapes_gets_plain_names) {
    const std::string bytes = mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type: application/pdf; name=\"" +
                                         encodedWord("\xec\x9e\x90\xeb\xa3\x8c.pdf", "utf-8") + "\"\n",
                                     "x\n");
    for (const char* charset : {"iso-2022-kr", "iso-2022-jp", "euc-kr", "us-ascii", "cp437"}) {
        const std::string out =
            plainOf(bytes, {.charset = charset, .attachments = mail::AttachmentMode::Uuencode});
        const auto begin = out.find("begin 644 ");
        ASSERT_NE(begin, std::string::npos) << charset;
        const std::string name = out.substr(begin + 10, out.find("\r\n", begin) - begin - 10);
        EXPECT_TRUE(name.ends_with(".pdf")) << name;
        EXPECT_TRUE(std::all_of(name.begin(), name.end(),
                                [](char c) { return static_cast<unsigned char>(c) > 0x20; }))
            << charset << " " << name;
        const std::string mime =
            plainOf(bytes, {.charset = charset, .attachments = mail::AttachmentMode::Mime});
        ASSERT_EQ(ReadMail(mime).message.attachments.size(), 1U) << charset;
        EXPECT_TRUE(ReadMail(mime).message.attachments[0].name.ends_with(".pdf")) << charset;
    }
}

}  // namespace
}  // namespace postern::tests
