// One message in the forms that the adapters for Internet mail offer.
#include "adapters/message_format.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "adapters/kinds.h"

namespace postern::adapters {
namespace {

using testing::HasSubstr;
using testing::Not;

// "\n" to CRLF, as on the wire.
std::string wire(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
    return out;
}

const std::string kMail = wire(
    "Received: from a by b; Tue, 14 Nov 2023 22:13:20 +0000\n"
    "From: =?utf-8?Q?J=C3=B6rg?= <j@x.example>\nTo: b@y.example\nDate: Tue, 14 Nov 2023 22:13:20 +0000\n"
    "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\nMIME-Version: 1.0\n"
    "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n"
    "Content-Transfer-Encoding: 8bit\n\nSch\xc3\xb6nen Tag\n--b\nContent-Type: application/octet-stream; "
    "name=cat.txt\nContent-Transfer-Encoding: base64\n\nQ2F0\n--b--\n");

// The settings of "drop" with some of them changed.
Settings settingsWith(const std::vector<std::pair<std::string, std::string>>& changed) {
    Settings settings;
    for (const Setting& setting : kindNamed("drop")->settings)
        if (setting.fallback != nullptr) settings.set(setting.key, setting.fallback);
    for (const auto& [key, value] : changed) settings.set(key, value);
    return settings;
}

std::string whyNot(const std::vector<std::pair<std::string, std::string>>& changed) {
    const auto format = messageFormat(settingsWith(changed));
    return format.ok() ? "nothing is wrong" : format.error().text;
}

struct Formed {
    std::string bytes;
    std::vector<std::string> notes;
    bool eightBit = false, utf8Header = false;
    bool noted(const std::string& part) const {
        return std::any_of(notes.begin(), notes.end(),
                           [&](const std::string& note) { return note.find(part) != std::string::npos; });
    }
};

Formed form(const std::string& message, const std::vector<std::pair<std::string, std::string>>& changed,
            const mail::Carrier& carrier = {}) {
    Formed out;
    StringSource source(message);
    Delivery delivery;
    delivery.sender = "j@x.example";
    delivery.message = &source;
    const auto format = messageFormat(settingsWith(changed));
    EXPECT_TRUE(format.ok());
    if (!format.ok()) return out;
    const auto formed = FormedMessage::make(delivery, *format, carrier, out.notes);
    EXPECT_TRUE(formed.ok());
    if (!formed.ok()) return out;
    std::string again;
    for (std::string* bytes : {&out.bytes, &again})
        EXPECT_TRUE(formed
                        ->writeTo([&](std::string_view piece) -> Result<void> {
                            *bytes += piece;
                            return {};
                        })
                        .ok());
    EXPECT_EQ(out.bytes, again);
    out.eightBit = formed->eightBit();
    out.utf8Header = formed->utf8Header();
    return out;
}

TEST(MessageFormat, SettingsAreChecked) {
    EXPECT_EQ("nothing is wrong", whyNot({}));
    EXPECT_THAT(whyNot({{"line_limit", "10"}}), HasSubstr("line_limit"));
    EXPECT_THAT(whyNot({{"header_limit", "10"}}), HasSubstr("header_limit"));
    EXPECT_THAT(whyNot({{"recode_text", "klingon"}}), HasSubstr("recode_text"));
    EXPECT_THAT(whyNot({{"charset", "klingon"}}), HasSubstr("charset"));
    std::vector<std::string> keys;
    for (const Setting& setting : messageSettings({}, {"format=plain"})) keys.emplace_back(setting.key);
    EXPECT_THAT(keys, testing::ElementsAre("format", "line_limit", "header_limit", "recode_text",
                                           "transfer_encoding"));
}

TEST(MessageFormat, OriginalIsTheMessageAsFarAsItFits) {
    const Formed whole = form(kMail, {});
    EXPECT_EQ(kMail, whole.bytes);
    EXPECT_TRUE(whole.notes.empty());
    EXPECT_TRUE(whole.eightBit);
    EXPECT_FALSE(whole.utf8Header);
    mail::Carrier carrier;
    carrier.eightBit = false;
    const Formed fitted = form(kMail, {}, carrier);
    EXPECT_FALSE(fitted.eightBit);
    EXPECT_THAT(fitted.bytes, HasSubstr("Sch=C3=B6nen Tag"));
    EXPECT_FALSE(fitted.notes.empty());
}

TEST(MessageFormat, SevenBitForEveryReceiver) {
    const Formed formed = form(kMail, {{"format", "7bit"}, {"transfer_encoding", "base64"}});
    EXPECT_FALSE(formed.eightBit);
    EXPECT_THAT(formed.bytes, HasSubstr("U2Now7ZuZW4gVGFn"));
}

TEST(MessageFormat, PlainIsOneTextThatNeedsNoMime) {
    const Formed formed = form(kMail, {{"format", "plain"}});
    EXPECT_EQ(wire("Received: from a by b; Tue, 14 Nov 2023 22:13:20 +0000\n"
                   "From: Jorg <j@x.example>\nTo: b@y.example\nSubject: Grusse\n"
                   "Date: Tue, 14 Nov 2023 22:13:20 +0000\n\n"),
              formed.bytes.substr(0, formed.bytes.find("\r\n\r\n") + 4));
    EXPECT_THAT(formed.bytes, HasSubstr("\r\nSchonen Tag\r\n"));
    EXPECT_THAT(formed.bytes, HasSubstr("begin 644 cat.txt\r\n#0V%T\r\n"));
    EXPECT_FALSE(formed.eightBit);
}

TEST(MessageFormat, PlainInACharsetIsDeclaredAndGivesWayToTheCarrier) {
    const std::vector<std::pair<std::string, std::string>> cp850 = {
        {"format", "plain"}, {"charset", "cp850"}, {"attachments", "mime"}};
    const Formed formed = form(kMail, cp850);
    EXPECT_THAT(formed.bytes, HasSubstr("Content-Type: text/plain; charset=cp850\r\n"
                                        "Content-Transfer-Encoding: 8bit\r\n\r\nSch\x94nen Tag\r\n"));
    EXPECT_THAT(formed.bytes, HasSubstr("Content-Disposition: attachment; filename=cat.txt\r\n\r\nQ2F0\r\n"));
    EXPECT_THAT(formed.bytes, HasSubstr("From: =?cp850?Q?J=94rg?= <j@x.example>\r\n"));
    EXPECT_TRUE(formed.eightBit);
    EXPECT_FALSE(formed.utf8Header);
    mail::Carrier carrier;
    carrier.eightBit = false;
    const Formed fitted = form(kMail, cp850, carrier);
    EXPECT_FALSE(fitted.eightBit);
    EXPECT_THAT(fitted.bytes, HasSubstr("\r\nSchonen Tag\r\n"));
}

TEST(MessageFormat, PlainLinesAreNeverTooLong) {
    const std::string mail =
        wire("From: a@x.example\nReferences: " +
             [] {
                 std::string ids;
                 for (int i = 0; i < 40; ++i) ids += "<id" + std::to_string(i) + "@x.example>\n ";
                 return ids;
             }() +
             "\nContent-Type: text/plain; charset=utf-8\n\n" + std::string(5000, 'x') + "\n");
    const Formed formed = form(mail, {{"format", "plain"}, {"wrap", "0"}, {"charset", "utf-8"}});
    for (std::size_t at = 0, end = 0; at < formed.bytes.size(); at = end + 2) {
        end = formed.bytes.find("\r\n", at);
        ASSERT_NE(std::string::npos, end);
        EXPECT_LE(end - at, 998U);
    }
    EXPECT_THAT(formed.bytes, HasSubstr("<id9@x.example>"));
    EXPECT_THAT(formed.bytes, Not(HasSubstr("<id10@x.example>")));
    EXPECT_THAT(formed.bytes, HasSubstr("<id30@x.example>"));
}

std::string headerOf(const Formed& formed) {
    return formed.bytes.substr(0, formed.bytes.find("\r\n\r\n") + 2);
}

void expectLines(const std::string& bytes, std::size_t limit) {
    for (std::size_t at = 0, end = 0; at < bytes.size(); at = end + 2) {
        end = bytes.find("\r\n", at);
        ASSERT_NE(std::string::npos, end);
        EXPECT_LE(end - at, limit) << bytes.substr(at, end - at);
    }
}

TEST(MessageFormat, PlainLosesNoFieldToALongWord) {
    const std::string word(1000, 'w');
    const std::string mail = wire("From: a@x.example\nTo: " + word + "@y.example, \"" + word +
                                  "\" <b@y.example>\nSubject:\n " + word + "\n\nhi\n");
    const Formed formed = form(mail, {{"format", "plain"}});
    expectLines(formed.bytes, 998);
    EXPECT_THAT(formed.bytes, HasSubstr("Subject:\r\n =?"));
    EXPECT_THAT(formed.bytes, HasSubstr("<b@y.example>"));
    EXPECT_TRUE(formed.noted("an address of 1010 bytes in To"));
    StringSource source(formed.bytes);
    const auto read = mail::readMessage(source);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(word, read->subject);
    ASSERT_EQ(2U, read->to.size());
    EXPECT_EQ(word, read->to[1].name);
}

TEST(MessageFormat, PlainNamesFilesAsTheTargetDoes) {
    const std::string mail = wire(
        "From: a@x.example\nMIME-Version: 1.0\nContent-Type: application/x-z;\n"
        " name*=utf-8''%EF%BC%8E%EF%BC%8E%EF%BC%8F%EF%BC%8E%EF%BC%8E%EF%BC%8Fx.exe\n"
        "Content-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nQ2F0\n");
    const Formed formed = form(mail, {{"format", "plain"}, {"attachments", "mime"}});
    EXPECT_THAT(formed.bytes, HasSubstr("; filename=_.._x.exe\r\n"));
    std::string two = "From: a@x.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n";
    for (int i = 0; i < 2; ++i) two += "--b\nContent-Type: application/x-z; name=\"a long name.text\"\n\nx\n";
    const Formed dos =
        form(wire(two + "--b--\n"), {{"format", "plain"}, {"attachments", "mime"}, {"file_names", "dos"}});
    EXPECT_THAT(dos.bytes, Not(HasSubstr("filename=\"a long")));
    EXPECT_THAT(dos.bytes, HasSubstr("~1."));
}

TEST(MessageFormat, PlainAnnouncesTheBytesOfUuencodedNames) {
    const std::string mail = wire(
        "From: a@x.example\nMIME-Version: 1.0\nContent-Type: application/x-z;\n name*=utf-8''%C3%BC.zip\n"
        "Content-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nQ2F0\n");
    const Formed formed = form(
        mail,
        {{"format", "plain"}, {"charset", "cp850"}, {"attachments", "uuencode"}, {"notes_in_text", "false"}});
    EXPECT_THAT(formed.bytes, HasSubstr("begin 644 \x81.zip\r\n"));
    EXPECT_TRUE(formed.eightBit);
    EXPECT_THAT(headerOf(formed), HasSubstr("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=cp850\r\n"
                                            "Content-Transfer-Encoding: 8bit\r\n"));
}

TEST(MessageFormat, PlainKeepsBothLimits) {
    std::string mail =
        "Received: from a by b; Tue, 14 Nov 2023 22:13:20 +0000\nFrom: a@x.example\nTo: c@x.example";
    for (int i = 0; i < 200; ++i) mail += ",\n user" + std::to_string(i) + "@recipients.example";
    mail += "\nSubject: " + std::string(90, 's') +
            "\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
            "--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n";
    for (int i = 0; i < 300; ++i) mail += "\xe6\xbc\xa2";
    mail += "\n--b\nContent-Type: application/x-z; name=" + std::string(150, 'n') + ".zip\n\nx\n--b--\n";
    for (const char* charset : {"utf-8", "shift_jis", "iso-2022-jp", "gb18030", "us-ascii"})
        for (const char* files : {"uuencode", "mime"}) {
            const Formed formed = form(wire(mail), {{"format", "plain"},
                                                    {"charset", charset},
                                                    {"wrap", "0"},
                                                    {"attachments", files},
                                                    {"line_limit", "100"},
                                                    {"header_limit", "1024"}});
            expectLines(formed.bytes, 100);
            EXPECT_LE(headerOf(formed).size(), 1024U);
            EXPECT_TRUE(formed.noted("the list in To was cut")) << charset;
            if (std::string(charset) == "us-ascii") continue;
            StringSource source(formed.bytes);
            auto read = mail::readMessage(source);
            ASSERT_TRUE(read.ok());
            std::string text = read->text;
            std::erase(text, '\n');
            std::string wanted;
            for (int i = 0; i < 300; ++i) wanted += "\xe6\xbc\xa2";
            EXPECT_THAT(text, testing::StartsWith(wanted)) << charset;
        }
}

TEST(MessageFormat, PlainCountsWhatNamesLose) {
    const std::string mail = wire("From: a@x.example\nTo: =?utf-8?Q?=E6=BC=A2?= <b@x.example>\n\nhi\n");
    EXPECT_TRUE(form(mail, {{"format", "plain"}}).noted("1 character of the recipients' names became '?'"));
    EXPECT_FALSE(form(mail, {{"format", "plain"}, {"on_loss", "allow"}}).noted("became '?'"));
    StringSource source(mail);
    Delivery delivery;
    delivery.message = &source;
    std::vector<std::string> notes;
    const auto format = messageFormat(settingsWith({{"format", "plain"}, {"on_loss", "bounce"}}));
    ASSERT_TRUE(format.ok());
    const auto refused = FormedMessage::make(delivery, *format, {}, notes);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(Errc::Invalid, refused.error().code);
}

TEST(MessageFormat, PlainWritesNoMessageInBase64) {
    const std::string mail = wire(
        "From: a@x.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\n"
        "Content-Type: message/rfc822\nContent-Disposition: attachment; filename=in.eml\n\nSubject: "
        "inner\n\nx\n--b--\n");
    const Formed formed = form(mail, {{"format", "plain"}, {"attachments", "mime"}});
    EXPECT_THAT(formed.bytes, HasSubstr("Content-Type: application/octet-stream"));
    EXPECT_THAT(formed.bytes, Not(HasSubstr("message/rfc822")));
}

TEST(MessageFormat, PlainQuotesWhatEncodedWordsHid) {
    const std::string mail = wire(
        "From: a@x.example\nTo: =?utf-8?Q?x,eve=40evil.example?= <b,eve@evil.example>, =?utf-8?Q?a=2C_b?=:;\n"
        "Cc: \"odd, one\"@x.example, c@[192.0.2.1]\n\nhi\n");
    const Formed formed = form(mail, {{"format", "plain"}});
    StringSource before(mail), after(formed.bytes);
    const auto read = mail::readMessage(before);
    const auto again = mail::readMessage(after);
    ASSERT_TRUE(read.ok() && again.ok());
    EXPECT_EQ(read->to.size(), again->to.size()) << formed.bytes;
    for (const mail::Mailbox& mailbox : again->to) EXPECT_NE("eve@evil.example", mailbox.address);
    EXPECT_EQ(read->cc, again->cc) << formed.bytes;
}

}  // namespace
}  // namespace postern::adapters
