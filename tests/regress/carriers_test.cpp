// What leaves for a carrier that can not take everything: folding, labels and 7-bit (themes F and G).

#include <gmock/gmock.h>

#include "mail/downgrade.h"
#include "mail/line_facts.h"
#include "tests/regress/mails.h"

namespace postern {
namespace {

using mail::Carrier;
using testing::HasSubstr;
using tests::carried;
using tests::mailOf;
using tests::oldHost;
using tests::ReadMail;

TEST(Regress, Q275504_folding_adds_no_blank) {
    Carrier carrier = oldHost();
    carrier.lineLimit = 200;
    std::string words, runs;
    for (int i = 0; i < 60; ++i) words += "word" + std::to_string(i) + " ";
    for (int i = 0; i < 60; ++i) runs += "two  blanks   three ";
    for (const std::string& subject :
         {std::string(300, 'x'), words + "end", runs + "end", std::string(190, 'y'),
          "a " + std::string(300, 'z') + " b", words + std::string(300, 'w')}) {
        const std::string message = mailOf("Subject: " + subject + "\n", "Hi\n");
        const std::string out = carried(message, carrier);
        EXPECT_LE(mail::lineFacts(out).longest, 200);
        EXPECT_EQ(subject, ReadMail(out).message.subject);
    }
}

TEST(Regress, Q288240_no_line_that_we_make_is_over_998_bytes) {
    std::string quoted, list = "To: first@example.org";
    for (int i = 0; i < 200; ++i) {
        quoted += "recipient number " + std::to_string(i) + " <user" + std::to_string(i) + "@example.org>, ";
        list += ", Someone <user" + std::to_string(i) + "@example.org>";
    }
    for (const std::string& fields :
         {std::string(), "Content-Type: text/html\n" + list + "\n", list + "\n"}) {
        const std::string out =
            carried(mailOf(fields, "-----Original Message-----\nTo: " + quoted + "\n"), oldHost());
        EXPECT_LE(mail::lineFacts(out).longest, 998) << fields;
        const std::string whole = ReadMail(out).message.text;
        EXPECT_THAT(whole, HasSubstr("recipient number 199"));
    }
}

// Label and bytes agree: what the label decodes is the text that was sent.
TEST(Regress, Q176185_the_label_says_what_the_encoder_used) {
    struct Case {
        const char *charset, *bytes, *text;
    };
    const Case cases[] = {
        {"windows-1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\n"},
        {"iso-8859-15", "\xa4", "\xe2\x82\xac\n"},
        {"koi8-r", "\xf0\xd2\xc9", "\xd0\x9f\xd1\x80\xd0\xb8\n"},
        {"utf-8", "\xc3\xa9", "\xc3\xa9\n"}};
    for (const Case& c : cases)
        for (const char* target : {"", "iso-8859-1", "windows-1251", "koi8-r", "us-ascii"})
            for (const bool eightBit : {false, true}) {
                Carrier carrier = oldHost();
                carrier.eightBit = eightBit;
                carrier.charset = target;
                const std::string message =
                    mailOf("MIME-Version: 1.0\nContent-Type: text/plain; charset=" + std::string(c.charset) +
                               "\nContent-Transfer-Encoding: 8bit\n",
                           std::string(c.bytes) + "\n");
                const ReadMail read(carried(message, carrier));
                EXPECT_EQ(c.text, read.message.text) << c.charset << " to " << target;
            }
}

TEST(Regress, Q157000_no_escape_sequence_stands_in_a_file_name) {
    const std::string korean = "\x1b$)C\x0eGQ1[\x0f.txt";  // ISO-2022-KR
    const ReadMail mail(mailOf("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n",
                               "--b\nContent-Type: application/octet-stream; name=\"" +
                                   tests::encodedWord(korean, "iso-2022-kr") + "\"\n\nx\n--b--\n"));
    EXPECT_EQ("\xed\x95\x9c\xea\xb8\x80.txt", mail.message.attachments.at(0).name);
    const std::string raw =
        mailOf("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n",
               "--b\nContent-Type: application/octet-stream; name=\"\xed\x95\x9c\xea\xb8\x80.txt\"\n"
               "\nx\n--b--\n");
    const std::string out = carried(raw, oldHost());
    EXPECT_THAT(out, HasSubstr("name*=utf-8''%ED%95%9C%EA%B8%80.txt\r\n"));
    EXPECT_EQ("\xed\x95\x9c\xea\xb8\x80.txt", ReadMail(out).message.attachments.at(0).name);
}

TEST(Regress, Q195215_what_is_7_bit_is_7_bit_to_its_last_byte) {
    for (const std::string& message :
         {mailOf("Subject: caf\xc3\xa9\n", "plain\n"), mailOf("Subject: plain\n", "caf\xc3\xa9\n"),
          mailOf("Subject: plain\n", "caf\xc3\xa9"), mailOf("X-Last: \xc3\xa9\n", ""),
          mailOf("", std::string(70'000, 'x') + "\n\xe9")}) {
        const std::string out = carried(message, oldHost());
        EXPECT_FALSE(mail::lineFacts(out).eightBit);
        EXPECT_EQ(ReadMail(message).message.subject, ReadMail(out).message.subject);
    }
}

TEST(Regress, Q169678_no_quoted_printable_where_a_reader_does_not_know_it) {
    Carrier carrier = oldHost();
    carrier.preferBase64 = true;
    const std::string message = mailOf(
        "Subject: \xe6\x97\xa5\xe6\x9c\xac caf\xc3\xa9\nMIME-Version: 1.0\nContent-Type: text/plain; "
        "charset=iso-2022-jp\n"
        "Content-Transfer-Encoding: quoted-printable\n",
        "=1B$BF|K\\=1B(B\n");
    const std::string out = carried(message, carrier);
    EXPECT_EQ(std::string::npos, out.find("quoted-printable"));
    EXPECT_EQ(std::string::npos, out.find("?Q?"));
    EXPECT_EQ("\xe6\x97\xa5\xe6\x9c\xac\n", ReadMail(out).message.text);
    EXPECT_EQ(ReadMail(message).message.subject, ReadMail(out).message.subject);
}

}  // namespace
}  // namespace postern
