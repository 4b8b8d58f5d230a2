// Theme F: subjects and texts reach the reader as they were written.
#include <chrono>

#include "mail/charset.h"
#include "mail/text.h"
#include "tests/adapter_rig.h"
#include "tests/ccmail_reader.h"
#include "tests/regress/mails.h"

namespace postern::tests {
namespace {

std::string readSubject(const std::string& field) {
    return ReadMail(mailOf(field, "x\n")).message.subject;
}

std::string readBody(std::string_view body) {
    return ReadMail(mailOf("Subject: s\n", body)).message.text;
}

CcmailMessage exported(AdapterRig& rig, const std::string& bytes) {
    const adapters::Job job = rig.exportJob(rig.job(1, 1, bytes));
    EXPECT_TRUE(job.outcome && job.outcome->verdict == adapters::Verdict::Exported) << outcomeText(job);
    const auto files = rig.visible();
    if (files.size() != 1) ADD_FAILURE() << files.size() << " files";
    auto read = readCcmail(files.empty() ? "" : rig.content(files.front()));
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text);
    return read.ok() ? *read : CcmailMessage();
}

TEST(Regress, Q237189_prefixes_of_subjects_stay) {
    for (const std::string subject : {"Re: x", "Re[3]: x", "RE: x", "AW: x", "SV: VS: x", "回复: x"})
        EXPECT_EQ(readSubject("Subject: " + subject + "\n"), subject);
    AdapterRig rig("ccmail", {});
    EXPECT_EQ(exported(rig, mailOf("Subject: AW: Re: x\n", "x\n")).subject, "AW: Re: x");
}

TEST(Regress, Q184991_title_of_a_message_inside_stands_whole_in_the_text) {
    for (const std::size_t length : {30U, 31U, 60U, 61U, 200U}) {
        std::string title;
        while (title.size() < length) title += static_cast<char>('a' + title.size() % 26);
        const std::string inner = "From: carol@example.org\nSubject: " + title + "\n\ninner text\n";
        const ReadMail read(mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type: message/rfc822\n", inner));
        EXPECT_NE(read.message.text.find("Subject: " + title + "\n"), std::string::npos) << length;
    }
}

TEST(Regress, Q146782_leading_blanks_of_a_subject_stay) {
    EXPECT_EQ(readSubject("Subject:   a\n"), "  a");
    EXPECT_EQ(readSubject("Subject: a\n"), "a");
    EXPECT_EQ(readSubject("Subject:a\n"), "a");
}

TEST(Regress, Q141970_line_breaks_hidden_in_a_subject_become_blanks) {
    EXPECT_EQ(readSubject("Subject: =?utf-8?Q?a=0D=0ABcc:_x=00y?=\n"), "a  Bcc: x y");
    AdapterRig rig("ccmail", {});
    const CcmailMessage read = exported(rig, mailOf("Subject: =?utf-8?Q?a=0D=0ATo:_eve_at_PO?=\n", "x\n"));
    EXPECT_EQ(read.recipients.size(), 1U);
    EXPECT_EQ(read.subject, "a  To: eve at PO");
}

TEST(Regress, Q176045_unfolding_takes_the_line_break_only) {
    const ReadMail read(
        mailOf("Subject: a\n \tb\nMIME-Version: 1.0\nContent-Type: application/pdf;"
               " name=\"a\n b.pdf\"\n",
               "x"));
    EXPECT_EQ(read.message.subject, "a  b");  // a tab is shown as a blank
    ASSERT_EQ(read.message.attachments.size(), 1U);
    EXPECT_EQ(read.message.attachments[0].name, "a b.pdf");
}

TEST(Regress, Q182232_folded_fields_are_read_whole) {
    const ReadMail read(
        mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type:\n multipart/mixed;\n\tboundary\n =\n"
               " \"b1\"\n",
               "--b1\nContent-Type:\n text/plain;\n charset\n =\n utf-8\n\nMünze\n"
               "--b1\nContent-Type\n :\n application/pdf\n\npdf\n"
               "--b1\nContent-Disposition:\n attachment;\n filename*0=\n a;\n filename*1=b.txt\n"
               "\nfile\n--b1--\n"));
    EXPECT_EQ(read.message.text.substr(0, 7), "Münze\n");
    ASSERT_FALSE(read.message.attachments.empty());
    EXPECT_EQ(read.message.attachments.back().name, "ab.txt");
}

TEST(Regress, Q190041_a_long_message_id_stays_whole) {
    const std::string id = "<1@" + std::string(200, 'h') + ".example>";
    EXPECT_EQ(ReadMail(mailOf("Message-ID: " + id + "\n", "x\n")).message.messageId, id);
}

TEST(Regress, Q149780_the_wrap_column_is_observed) {
    std::string words;
    for (int i = 0; i < 1000; ++i) words += "abcde" + std::to_string(i % 7) + " ";
    for (const int columns : {0, 72, 76, 300}) {
        AdapterRig rig("ccmail", {{"wrap", std::to_string(columns)}});
        std::size_t longest = 0;
        const std::string text = exported(rig, mailOf("Subject: s\n", words + "\n")).text();
        for (std::size_t at = 0; at < text.size();) {
            const auto end = std::min(text.find("\r\n", at), text.size());
            longest = std::max(longest, end - at);
            at = end + 2;
        }
        const std::size_t most = columns == 0 ? words.size() : static_cast<std::size_t>(columns);
        EXPECT_LE(longest, most);
        EXPECT_GT(longest, most - 8);
    }
}

std::string withoutBreaks(std::string text) {
    text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
    return text;
}

TEST(Regress, Q176396_long_lines_lose_no_byte) {
    std::string line;
    while (line.size() < 100000) line += "0123456789 abcdefghijklmnopqrstuvwxyz";
    for (const int columns : {40, 72, 79, 80}) EXPECT_EQ(withoutBreaks(mail::wrap(line, columns)), line);
    EXPECT_EQ(withoutBreaks(readBody(std::string(100000, 'x') + "\n")), std::string(100000, 'x'));
}

TEST(Regress, Q124745_lines_about_the_width_lose_no_byte) {
    for (const int columns : {72, 79})
        for (const std::size_t length : {71U, 72U, 73U, 78U, 79U, 80U, 158U, 159U, 160U}) {
            std::string line;
            while (line.size() < length) line += static_cast<char>('a' + line.size() % 26);
            EXPECT_EQ(withoutBreaks(mail::wrap(line + "\n", columns)), line) << columns << " " << length;
        }
}

TEST(Regress, Q187643_dots_and_blanks_stay_where_they_are) {
    EXPECT_EQ(readBody("../.login .profile\n.\n..x\n"), "../.login .profile\n.\n..x\n");
    AdapterRig rig("ccmail", {{"wrap", "72"}});
    EXPECT_EQ(exported(rig, mailOf("Subject: s\n", "../.login .profile\n..x\n")).text(),
              "../.login .profile\r\n..x\r\n");
}

TEST(Regress, Q254916_the_first_column_is_text) {
    const std::string text = "+ plus\n0 zero\n1 one\n- minus\n  two\n";
    EXPECT_EQ(readBody(text), text);
    AdapterRig rig("ccmail", {});
    EXPECT_EQ(exported(rig, mailOf("Subject: s\n", text)).text(), wire(text));
}

TEST(Regress, Q185180_line_breaks_stay_and_the_last_line_ends) {
    const std::string text = "one\n\ntwo\n\nthree\n\nfour";
    EXPECT_EQ(readBody(text), text + "\n");
    EXPECT_EQ(readBody(text + "\n"), text + "\n");
    AdapterRig rig("ccmail", {});
    EXPECT_EQ(exported(rig, mailOf("Subject: s\n", text)).text(), wire(text + "\n"));
}

TEST(Regress, Q184718_line_ends_of_attachments_are_bytes) {
    for (const std::size_t length : {100U, 1000U}) {
        std::string bytes;
        while (bytes.size() < length) bytes += "line\n";
        const ReadMail read(
            mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type: text/plain; name=a.txt\n"
                   "Content-Disposition: attachment\nContent-Transfer-Encoding: base64\n",
                   base64Of(bytes)));
        EXPECT_EQ(read.bytes(0), bytes);
    }
}

TEST(Regress, Q176680_headers_quoted_in_a_text_are_text) {
    AdapterRig rig("ccmail", {});
    const std::string text = "> To: eve at PO\n> Cc: mallory at PO\nBcc: trudy at PO\nContents:\n";
    const CcmailMessage read = exported(rig, mailOf("Subject: s\n", text));
    ASSERT_EQ(read.recipients.size(), 1U);
    EXPECT_EQ(read.recipients[0].second.substr(0, 3), "bob");
    EXPECT_EQ(read.text(), wire(text));
}

TEST(Regress, Q183598_the_first_inline_text_is_the_text) {
    const std::string head = "Subject: s\nMIME-Version: 1.0\nContent-Type: ";
    EXPECT_EQ(ReadMail(mailOf(head + "text/plain; name=body.txt\n", "body\n")).message.text, "body\n");
    const ReadMail two(mailOf(head + "multipart/mixed; boundary=b\n",
                              "--b\n\nfirst\n--b\nContent-Type: text/plain\n\nsecond\n--b--\n"));
    EXPECT_EQ(two.message.text, "first\n\nsecond\n");
    EXPECT_TRUE(two.message.attachments.empty());
    const ReadMail named(mailOf(head + "multipart/mixed; boundary=b\n",
                                "--b\nContent-Type: text/plain; name=\"note\"\n\nfirst\n--b\n"
                                "Content-Type: text/plain; name=list.txt\n\nsecond\n--b--\n"));
    EXPECT_EQ(named.message.text, "first\n");
    ASSERT_EQ(named.message.attachments.size(), 1U);
    EXPECT_EQ(named.message.attachments[0].name, "list.txt");
}

TEST(Regress, Q192940_damaged_rich_text_leaves_the_plain_one_alone) {
    std::string rtf = "{\\rtf1\\ansi ";
    for (int i = 0; i < 20000; ++i) rtf += "{\\field{\\*\\fldinst";
    const auto begin = std::chrono::steady_clock::now();
    const ReadMail read(
        mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n",
               "--b\nContent-Type: text/plain\n\nthe text\n--b\nContent-Type: text/rtf\n\n" + rtf +
                   "\n--b\nContent-Type: application/ms-tnef; name=winmail.dat\n\nx\x9f>\"\n--b--\n"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
    EXPECT_EQ(read.message.text, "the text\n");
    EXPECT_EQ(read.message.attachments.size(), 2U);
}

TEST(Regress, Q186915_what_is_not_shown_is_attached_or_named) {
    const ReadMail read(
        mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n",
               "--b\n\none\n--b\nContent-Type: image/png\n\ntwo\n--b\n"
               "Content-Type: application/x-ole; name=\"o.bin\"\nContent-Transfer-Encoding: base64\n\n"
               "!!!!\n--b\n\nfour\n--b\nContent-Type: audio/basic\n\nfive\n--b--\n"));
    EXPECT_EQ(read.message.text, "one\n\nfour\n");
    EXPECT_EQ(read.message.attachments.size(), 3U);
    EXPECT_TRUE(read.hasNote("o.bin"));
}

TEST(Regress, Q159303_a_mail_without_a_body_is_exported) {
    for (const std::string bytes : {"Subject: s\r\n", "Subject: s\r\n\r\n"}) {
        EXPECT_EQ(ReadMail(bytes).message.text, "");
        AdapterRig rig("ccmail", {});
        const CcmailMessage read = exported(rig, bytes);
        EXPECT_EQ(read.text(), "");
        EXPECT_EQ(read.subject, "s");
    }
}

TEST(Regress, Q175841_the_header_may_end_with_the_data) {
    AdapterRig rig("ccmail", {});
    const CcmailMessage read = exported(rig, "Subject: x\r\n");
    EXPECT_EQ(read.subject, "x");
    EXPECT_NE(read.from.find("alice@example.org"), std::string::npos) << read.from;  // the envelope's
}

TEST(Regress, Q216767_a_mail_without_To_goes_where_its_envelope_says) {
    AdapterRig rig("ccmail", {});
    const CcmailMessage read = exported(
        rig, "From: a@example.org\r\nApparently-To: someone@else.example\r\nSubject: x\r\n\r\ntext\r\n");
    ASSERT_EQ(read.recipients.size(), 1U);
    EXPECT_EQ(read.recipients[0].second.substr(0, 3), "bob");
}

TEST(Regress, Q98209_every_line_end_ends_a_line) {
    for (const std::string end : {"\r", "\n", "\r\n"})
        EXPECT_EQ(ReadMail("Subject: s\r\n\r\n" + end + "one" + end + "two" + end).message.text,
                  "\none\ntwo\n");
}

TEST(Regress, Q134371_the_first_of_two_subjects_counts) {
    const ReadMail read(mailOf("Subject: first\nSubject: second\n", "x\n"));
    EXPECT_EQ(read.message.subject, "first");
    EXPECT_TRUE(read.hasNote("2 headers named Subject"));
}

TEST(Regress, Q181130_stray_control_bytes_go_and_rich_text_is_attached) {
    EXPECT_EQ(readBody("a\x1e\x1f\x01z\n"), "az\n");
    const ReadMail rich(mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type: text/rtf\n", "{\\rtf1 x}"));
    EXPECT_EQ(rich.message.text, "");
    EXPECT_EQ(rich.bytes(0), "{\\rtf1 x}");
}

TEST(Regress, Q232384_two_brackets_of_enriched_text_are_one) {
    const ReadMail read(mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type: text/enriched\n",
                               "This is <<test and <bold>bold</bold>\n"));
    EXPECT_EQ(read.message.text, "This is <test and bold\n");
}

TEST(Regress, Q252624_an_odd_parameter_holds_nothing_up) {
    const ReadMail read(
        mailOf("Subject: s\nMIME-Version: 1.0\nContent-Type: application/x-doc; x-mac-creator=;"
               " x-mac-type=\"\x01\xff(\"; =; name=a.doc\n",
               "bytes"));
    ASSERT_EQ(read.message.attachments.size(), 1U);
    EXPECT_EQ(read.message.attachments[0].name, "a.doc");
    EXPECT_EQ(read.bytes(0), "bytes");
}

}  // namespace
}  // namespace postern::tests
