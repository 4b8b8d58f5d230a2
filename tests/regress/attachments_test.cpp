// Attachments and their names (theme H), and sizes (theme I): what the articles tell, and what we do.

#include <chrono>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "mail/convert.h"
#include "mail/downgrade.h"
#include "mail/rtf.h"
#include "tests/mac_writer.h"
#include "tests/regress/mails.h"
#include "tests/tnef_writer.h"

namespace postern {
namespace {

using mail::Carrier;
using mail::Converted;
using mail::Profile;
using testing::HasSubstr;
using tests::base64Of;
using tests::binHex;
using tests::binHexForks;
using tests::binHexLines;
using tests::mailOf;
using tests::ReadMail;
using tests::TnefWriter;
using tests::wire;

const std::string kMixed = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n";

// One part with `fields` (each ended by "\n"), in base64.
std::string part(const std::string& fields, std::string_view bytes) {
    return "--b\n" + fields + "Content-Transfer-Encoding: base64\n\n" + base64Of(bytes) + "\n";
}

std::string named(const std::string& name, const std::string& type = "application/octet-stream") {
    return "Content-Type: " + type + "\nContent-Disposition: attachment; filename=\"" + name + "\"\n";
}

ReadMail mixed(const std::string& parts) {
    return ReadMail(mailOf(kMixed, "\n--b\n\nHello.\n" + parts + "--b--\n"));
}

Converted converted(const ReadMail& mail, const Profile& profile) {
    auto done = mail::convert(mail.message, {"alice@example.org", WallTime()}, profile);
    EXPECT_TRUE(done.ok()) << done.error().text;
    return done.ok() ? std::move(*done) : Converted();
}

std::string textOf(const Converted& done) {
    std::string all;
    EXPECT_TRUE(done.writeTexts([&](std::string_view piece) -> Result<void> {
                        all += piece;
                        return {};
                    })
                    .ok());
    return all;
}

// What takes longer is not linear; a slow machine has room.
class Quick {
  public:
    ~Quick() {
        const auto took = std::chrono::steady_clock::now() - start_;
        EXPECT_LT(std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), 20'000);
    }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST(Regress, Q197363_a_file_is_a_file_whatever_it_holds) {
    const std::string fax = "\x0a\x05\x01\x08" + std::string(60, '\0');
    const ReadMail mail = mixed(part(named("photo.pcx", "image/x-pcx"), fax));
    ASSERT_EQ(1U, mail.message.attachments.size());
    EXPECT_EQ("photo.pcx", mail.message.attachments[0].name);
    EXPECT_EQ(fax, mail.bytes(0));
}

TEST(Regress, Q237886_a_damaged_part_is_noted_and_the_others_go_on) {
    const ReadMail mail =
        mixed(part(named("one.bin"), "first") + "--b\n" + named("two.bin") +
              "Content-Transfer-Encoding: base64\n\nc2Vjb2*5k\n" + part(named("three.bin"), "third"));
    ASSERT_EQ(3U, mail.message.attachments.size());
    EXPECT_EQ("first", mail.bytes(0));
    EXPECT_EQ("third", mail.bytes(2));
    EXPECT_TRUE(mail.message.attachments[1].damaged);
    EXPECT_TRUE(mail.hasNote("two.bin is damaged"));
}

TEST(Regress, Q152166_nothing_is_taken_off_a_name_for_its_dots) {
    const ReadMail mail = mixed(part(named("Excel 4.0 Test", "application/vnd.ms-excel"), "x"));
    EXPECT_EQ("Excel 4.0 Test", mail.message.attachments.at(0).name);
    EXPECT_EQ("Excel 4.0 Test", converted(mail, {}).files.at(0).name);
}

TEST(Regress, Q190557_forbidden_characters_become_underscores_and_names_stay_apart) {
    Profile profile;
    profile.forbiddenInNames = "$ ";
    const ReadMail mail =
        mixed(part(named("TEST._$_"), "1") + part(named("TEST.___"), "2") + part(named("a b.txt"), "3"));
    const Converted done = converted(mail, profile);
    ASSERT_EQ(3U, done.files.size());
    std::set<std::string> names;
    for (const auto& file : done.files) {
        names.insert(file.name);
        EXPECT_EQ(std::string::npos, file.name.find_first_of("$ ")) << file.name;
    }
    EXPECT_EQ(3U, names.size());
    EXPECT_TRUE(names.contains("a_b.txt"));
}

TEST(Regress, Q196853_quotes_are_syntax) {
    const ReadMail mail = mixed(part("Content-Disposition: attachment; filename=\"\"x\"\"\n", "1"));
    EXPECT_EQ("x", mail.message.attachments.at(0).name);
}

constexpr const char* kJapanese = "=?utf-8?B?6LOH5paZLmRvYw==?=";  // two characters and ".doc"
constexpr const char* kInCp932 = "\x8e\x91\x97\xbf.doc";

TEST(Regress, Q187581_a_name_in_uuencode_is_in_the_charset_of_the_target) {
    Profile profile;
    profile.charset = "cp932";
    profile.attachments = mail::AttachmentMode::Uuencode;
    const ReadMail mail = mixed(part(named(kJapanese), "data"));
    EXPECT_THAT(textOf(converted(mail, profile)), HasSubstr(std::string("begin 644 ") + kInCp932 + "\n"));
}

TEST(Regress, Q228534_names_of_double_byte_characters_stay) {
    Profile profile;
    profile.charset = "cp932";
    const ReadMail mail = mixed(part(named(kJapanese), "data"));
    EXPECT_EQ(kInCp932, converted(mail, profile).files.at(0).name);
}

constexpr std::string_view kUuencoded = "begin 644 cat.txt\n#0V%T\n`\nend\n";

TEST(Regress, Q175704_uuencode_is_decoded_only_without_a_mime_version) {
    const std::string body = "Hello.\n" + std::string(kUuencoded) + "Bye.\n";
    const ReadMail without(mailOf("Subject: old\n", body));
    ASSERT_EQ(1U, without.message.attachments.size());
    EXPECT_EQ("cat.txt", without.message.attachments[0].name);
    EXPECT_EQ("Cat", without.bytes(0));
    EXPECT_EQ("Hello.\nBye.\n", without.message.text);
    const ReadMail with(mailOf("MIME-Version: 1.0\nContent-Type: text/plain\n", body));
    EXPECT_TRUE(with.message.attachments.empty());
    EXPECT_EQ(body, with.message.text);
}

TEST(Regress, Q175580_uuencode_with_trailing_characters_and_text_behind_its_end) {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    std::string lines;
    for (std::size_t at = 0; at < all.size(); at += 45) {
        const std::string_view line = std::string_view(all).substr(at, 45);
        lines += static_cast<char>(' ' + line.size());
        for (std::size_t i = 0; i < line.size(); i += 3) {
            std::uint32_t bits = 0;
            for (std::size_t k = 0; k < 3; ++k)
                bits = bits << 8U | (i + k < line.size() ? static_cast<unsigned char>(line[i + k]) : 0U);
            for (int k = 3; k >= 0; --k) {
                const auto digit = bits >> (6 * k) & 63U;
                lines += static_cast<char>(digit == 0 ? '`' : ' ' + digit);
            }
        }
        lines += "XY\n";  // a checksum that some encoders add, and more
    }
    const ReadMail mail(mailOf("", "Before.\nbegin 0644 all.bin\n" + lines + " \nend\nAfter.\n"));
    ASSERT_EQ(1U, mail.message.attachments.size());
    EXPECT_EQ(all, mail.bytes(0));
    EXPECT_EQ("Before.\nAfter.\n", mail.message.text);
    // Two files, and one that the message ends in.
    const ReadMail cut(mailOf("", std::string(kUuencoded) + "begin 644 b\n#0V%T\n#0V%T\n"));
    ASSERT_EQ(2U, cut.message.attachments.size());
    EXPECT_EQ("CatCat", cut.bytes(1));
    EXPECT_TRUE(cut.hasNote("has no end"));
}

TEST(Regress, Q118595_a_text_with_begin_in_it_is_a_text) {
    for (const std::string body :
         {"begin 2nd chapter of it\nIT WAS A DARK NIGHT\nENDEAVOR\nend\n",
          "begin 644 words\nplain words\nend\n", "begin 644\n#0V%T\nend\n", "begin 64 x\n#0V%T\nend\n",
          "begin 64400 x\n#0V%T\nend\n", "begin 644 empty\nend\n", " begin 644 x\n#0V%T\n`\nend\n"}) {
        const ReadMail mail(mailOf("", body));
        EXPECT_TRUE(mail.message.attachments.empty()) << body;
        EXPECT_EQ(body, mail.message.text);
    }
}

ReadMail binHexMail(const std::string& text) {
    return mixed(part("Content-Type: application/mac-binhex40; name=\"packed.hqx\"\n", text));
}

TEST(Regress, Q159175_odd_binhex_is_attached_as_it_is_and_quickly) {
    const Quick quick;
    const std::string data = std::string("a\x90", 2) + std::string(300, 'z');
    const ReadMail whole = binHexMail(binHex("Read Me", data, "fork"));
    ASSERT_EQ(1U, whole.message.attachments.size());
    EXPECT_EQ("Read Me", whole.message.attachments[0].name);
    EXPECT_EQ(data, whole.bytes(0));
    // A run of one: 11 90 01 is one byte 11.
    std::string forks = binHexForks("n", "\x11", "");
    forks.insert(forks.find('\x11') + 1, "\x90\x01");
    EXPECT_EQ("\x11",
              binHexMail("(This file must be converted with BinHex 4.0)\n" + binHexLines(forks)).bytes(0));
    EXPECT_EQ("", binHexMail(binHex("empty", "", "")).bytes(0));
    // Without its first line, cut, with a wrong checksum, nothing at all, and one that would grow for ever.
    std::string bomb;
    for (int i = 0; i < 100'000; ++i) bomb += "z\x90\xff";
    for (const std::string& odd :
         {binHex("n", "data").substr(47), binHex("n", "data").substr(0, 60),
          binHex("n", "data").replace(55, 1, "!"),
          std::string("(This file must be converted with BinHex 4.0)"), std::string(),
          "(This file must be converted with BinHex 4.0)\n" + binHexLines(bomb)}) {
        const ReadMail mail = binHexMail(odd);
        ASSERT_EQ(1U, mail.message.attachments.size());
        EXPECT_EQ("packed.hqx", mail.message.attachments[0].name);
        EXPECT_EQ(odd, mail.bytes(0));
        EXPECT_TRUE(mail.hasNote("BinHex is attached as it is"));
    }
}

TEST(Regress, Q181955_a_name_wins_over_a_type) {
    for (const char* type :
         {"application/octet-stream", "text/plain", "application/x-unknown", "image/gif"}) {
        const ReadMail mail = mixed(part(named("x.doc", type), "d"));
        EXPECT_EQ("x.doc", mail.message.attachments.at(0).name) << type;
        EXPECT_EQ("x.doc", converted(mail, {}).files.at(0).name) << type;
    }
}

TEST(Regress, Q232370_attachments_do_not_need_a_subject) {
    const ReadMail mail = mixed(part(named("a.bin"), "bytes"));
    EXPECT_EQ("", mail.message.subject);
    EXPECT_EQ("a.bin", mail.message.attachments.at(0).name);
    EXPECT_EQ("bytes", mail.bytes(0));
}

TEST(Regress, Q146598_names_made_up_are_unique) {
    const std::string nameless = "Content-Type: application/octet-stream\n";
    const ReadMail mail = mixed(part(nameless, "1") + part(nameless, "2") + part(named(".profile"), "3") +
                                part(named(".profile"), "4"));
    for (const auto names : {mail::FileNames::Long, mail::FileNames::Dos}) {
        Profile profile;
        profile.fileNames = names;
        const Converted done = converted(mail, profile);
        std::set<std::string> all;
        for (const auto& file : done.files) all.insert(file.name);
        EXPECT_EQ(4U, all.size());
    }
}

TEST(Regress, Q175104_the_data_fork_of_macintosh_files) {
    const std::string data = std::string("data\0fork", 9), resource = "resource fork";
    const ReadMail twin = mixed(
        "--b\nContent-Type: multipart/appledouble; boundary=a\n\n--a\nContent-Type: application/applefile\n"
        "Content-Transfer-Encoding: base64\n\n" +
        base64Of(tests::appleFile(true, "My File", "", resource)) +
        "\n--a\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n" +
        base64Of(data) + "\n--a--\n");
    ASSERT_EQ(1U, twin.message.attachments.size());
    EXPECT_EQ("My File", twin.message.attachments[0].name);
    EXPECT_EQ(data, twin.bytes(0));
    const std::map<std::string, std::string> forms = {
        {"application/applefile", tests::appleFile(false, "My File", data, resource)},
        {"application/macbinary", tests::macBinary("My File", data, resource)}};
    for (const auto& [type, bytes] : forms) {
        const ReadMail mail = mixed(part(named("packed", type), bytes));
        ASSERT_EQ(1U, mail.message.attachments.size()) << type;
        EXPECT_EQ("My File", mail.message.attachments[0].name) << type;
        EXPECT_EQ(data, mail.bytes(0)) << type;
        for (const std::size_t size : {std::size_t{0}, std::size_t{20}, std::size_t{60}, bytes.size() / 2}) {
            const ReadMail cut = mixed(part(named("packed", type), bytes.substr(0, size)));
            EXPECT_EQ("packed", cut.message.attachments.at(0).name) << type << size;
            EXPECT_EQ(bytes.substr(0, size), cut.bytes(0)) << type << size;
        }
    }
}

TEST(Regress, Q183976_an_attachment_over_the_limit_is_left_out_with_both_numbers) {
    Profile profile;
    profile.attachmentLimit = 100;
    for (const std::size_t size : {std::size_t{99}, std::size_t{100}, std::size_t{101}}) {
        const ReadMail mail = mixed(part(named("x.bin"), std::string(size, 'x')));
        const Converted done = converted(mail, profile);
        EXPECT_EQ(size > 100 ? 0U : 1U, done.files.size()) << size;
        const std::string notes = done.notes.empty() ? "" : done.notes.back();
        if (size > 100) {
            EXPECT_THAT(notes, testing::AllOf(HasSubstr("101"), HasSubstr("100")));
        }
    }
}

TEST(Regress, Q182307_text_attachments_without_quoted_printable_if_asked) {
    Carrier carrier;
    carrier.preferBase64 = true;
    const std::string message =
        mailOf(kMixed,
               "--b\n\nHi\n--b\nContent-Type: text/plain; name=a.txt\nContent-Transfer-Encoding: "
               "quoted-printable\n\nGr=C3=BC=C3=9Fe=\n!\n--b--\n");
    const std::string out = tests::carried(message, carrier);
    EXPECT_EQ(std::string::npos, out.find("quoted-printable"));
    EXPECT_EQ(ReadMail(message).bytes(0), ReadMail(out).bytes(0));
}

TEST(Regress, Q182827_encoding_is_linear) {
    const Quick quick;
    Carrier carrier;
    carrier.lineLimit = 998;
    const std::string message = mailOf("Content-Type: text/plain\n", std::string(8'000'000, '=') + "\n");
    EXPECT_GT(tests::carried(message, carrier).size(), 24'000'000U);
}

TEST(Regress, Q111857_the_order_of_headers_does_not_matter) {
    std::vector<std::string> fields = {"Content-Transfer-Encoding: base64\n", "Content-Type: image/png\n",
                                       "Content-Disposition: attachment; filename=a.png\n",
                                       "Content-ID: <x@y>\n"};
    std::sort(fields.begin(), fields.end());
    do {
        std::string all;
        for (const std::string& field : fields) all += field;
        const ReadMail mail = mixed("--b\n" + all + "\naGVsbG8=\n");
        EXPECT_EQ("a.png", mail.message.attachments.at(0).name) << all;
        EXPECT_EQ("image/png", mail.message.attachments.at(0).type) << all;
        EXPECT_EQ("hello", mail.bytes(0)) << all;
    } while (std::next_permutation(fields.begin(), fields.end()));
}

TEST(Regress, Q174890_tnef_is_unpacked_or_attached_and_never_made) {
    const Quick quick;
    tests::PropertyWriter text;
    text.text(0x1000, "Said in TNEF.");
    std::string tnef =
        TnefWriter().messageProperties(text).file("LONGNA~1.DOC", "Long name.doc", "document").bytes();
    const std::string fields = named("winmail.dat", "application/ms-tnef");
    const ReadMail good = mixed(part(fields, tnef));
    ASSERT_EQ(1U, good.message.attachments.size());
    EXPECT_EQ("Long name.doc", good.message.attachments[0].name);
    EXPECT_EQ("document", good.bytes(0));
    EXPECT_EQ("Hello.\n\n----- Text of winmail.dat -----\n\nSaid in TNEF.\n", good.message.text);
    EXPECT_TRUE(good.hasNote("the text inside of winmail.dat"));
    const ReadMail alone(
        mailOf("MIME-Version: 1.0\n" + fields + "Content-Transfer-Encoding: base64\n", base64Of(tnef)));
    EXPECT_EQ("Said in TNEF.\n", alone.message.text);
    const ReadMail cut = mixed(part(fields, tnef.substr(0, tnef.size() - 30)));
    EXPECT_EQ("winmail.dat", cut.message.attachments.at(0).name);
    EXPECT_EQ(tnef.substr(0, tnef.size() - 30), cut.bytes(0));
    EXPECT_TRUE(cut.hasNote("TNEF is attached as it is"));
    std::string outer = TnefWriter().message("inner", tnef).bytes();
    EXPECT_THAT(mixed(part(fields, outer)).message.text, HasSubstr("Said in TNEF."));
    for (int depth = 0; depth < 1000; ++depth) outer = TnefWriter().message("m", outer).bytes();
    const ReadMail deep = mixed(part(fields, outer));
    ASSERT_EQ(1U, deep.message.attachments.size());
    EXPECT_EQ(outer, deep.bytes(0));
}

TEST(Regress, Q192940_a_damaged_rich_text_costs_no_text) {
    tests::PropertyWriter rich;
    rich.bytes(0x1009, 0x102, "LZFu but damaged");
    const std::string tnef = TnefWriter().messageProperties(rich).file("a.txt", "", "kept").bytes();
    const ReadMail mail = mixed(part(named("winmail.dat", "application/ms-tnef"), tnef));
    EXPECT_EQ("Hello.\n", mail.message.text);
    EXPECT_EQ("kept", mail.bytes(0));
    EXPECT_TRUE(mail.hasNote("damaged"));
}

// As Outlook sends it: the text is in winmail.dat alone, as rich text that it did not compress.
ReadMail richMail(std::size_t size) {
    const std::string rtf = "{\\rtf1 " + std::string(size, 'x') + "}";
    const auto bytes = static_cast<std::uint32_t>(rtf.size());
    tests::PropertyWriter rich;
    rich.bytes(0x1009, 0x102,
               tests::little(bytes + 12, 4) + tests::little(bytes, 4) + "MELA" + tests::little(0, 4) + rtf);
    return ReadMail(mailOf(kMixed, "\n" +
                                       part(named("winmail.dat", "application/ms-tnef"),
                                            TnefWriter().messageProperties(rich).bytes()) +
                                       "--b--\n"));
}

TEST(Regress, Q140962_rich_text_around_and_far_over_64_KB) {
    const Quick quick;
    Profile profile;
    profile.charset = "cp850";
    profile.notesInText = false;
    for (const std::size_t size : {std::size_t{65535}, std::size_t{65536}, std::size_t{65537}}) {
        const ReadMail mail = richMail(size);
        EXPECT_EQ(std::string(size, 'x') + "\n", mail.message.text);
        EXPECT_EQ(std::string(size, 'x') + "\n", textOf(converted(mail, profile)));
        profile.textLimit = 20'000;
        const Converted asFile = converted(mail, profile);
        ASSERT_EQ(1U, asFile.files.size());
        EXPECT_EQ(static_cast<std::int64_t>(size) + 1, asFile.files[0].size());
        profile.textLimit = 0;
    }
    const ReadMail far = richMail(8'000'000);
    ASSERT_EQ(1U, far.message.attachments.size()) << "longer than a text may be: a file";
    EXPECT_EQ(std::string(8'000'000, 'x') + "\n", far.bytes(0));
}

TEST(Regress, Q253029_messages_inside_messages_to_a_depth_of_twenty_then_as_files) {
    const Quick quick;
    const auto nested = [](int depth) {
        std::string text;
        for (int i = 0; i < depth; ++i)
            text += "Subject: level " + std::to_string(i) +
                    "\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n";
        return ReadMail(wire(text + "Subject: the innermost\n\nat the bottom\n"));
    };
    for (const int depth : {1, 20}) {
        const ReadMail mail = nested(depth);
        EXPECT_TRUE(mail.message.text.ends_with("Subject: the innermost\n\nat the bottom\n")) << depth;
        EXPECT_EQ(0U, mail.message.attachments.size()) << depth;
    }
    const ReadMail deeper = nested(21);
    EXPECT_THAT(deeper.message.text, HasSubstr("Subject: level 20\n"));
    EXPECT_THAT(deeper.message.text, testing::Not(HasSubstr("innermost")));
    ASSERT_EQ(1U, deeper.message.attachments.size());
    EXPECT_EQ("ATT00001.EML", deeper.message.attachments[0].name);
    EXPECT_EQ(wire("Subject: the innermost\n\nat the bottom\n"), deeper.bytes(0));
    // As most programs forward: a few words, and the message beside them.
    const auto forwarded = [](int depth) {
        std::string text =
            "Subject: the innermost\nMIME-Version: 1.0\n"
            "Content-Type: multipart/alternative; boundary=in\n\n--in\n\nat the bottom\n--in--\n";
        for (int i = depth; i-- > 0;) {
            const std::string b = "b" + std::to_string(i) + "e";
            text = "Subject: level " + std::to_string(i) +
                   "\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=" + b + "\n\n--" + b +
                   "\n\nSee below.\n--" + b + "\nContent-Type: message/rfc822\n\n" + text + "\n--" + b +
                   "--\n";
        }
        return ReadMail(wire(text));
    };
    for (const int depth : {15, 16, 20}) {
        const ReadMail mail = forwarded(depth);
        EXPECT_FALSE(mail.message.opaque) << depth;
        EXPECT_THAT(mail.message.text, HasSubstr("Subject: the innermost\n\nat the bottom\n")) << depth;
        EXPECT_EQ(0U, mail.message.attachments.size()) << depth;
    }
    const ReadMail below = forwarded(21);
    EXPECT_THAT(below.message.text, HasSubstr("Subject: level 20\n"));
    ASSERT_EQ(1U, below.message.attachments.size());
    EXPECT_THAT(below.bytes(0), HasSubstr("at the bottom"));
    const ReadMail deepest = nested(1000);
    EXPECT_TRUE(deepest.message.opaque);
    EXPECT_TRUE(deepest.hasNote("the whole message is attached"));
    EXPECT_THAT(deepest.bytes(0), HasSubstr("at the bottom"));
}

TEST(Regress, Q183818_many_recipients_cost_linear_time) {
    const Quick quick;
    std::string list = "To: first@example.org";
    for (int i = 0; i < 2500; ++i) list += ",\n user" + std::to_string(i) + "@example.org";
    std::string many;
    for (int i = 0; i < 3; ++i) many += list + "\n";  // as many as the limits let through
    const ReadMail mail(mailOf(many, "Hi\n"));
    EXPECT_FALSE(mail.message.opaque);
    EXPECT_EQ(1U, mail.message.to.size());  // the field that mailOf() has is the first
    Carrier carrier;
    carrier.lineLimit = 998;
    carrier.headerLimit = 65536;
    StringSource source(wire("From: a@example.org\n" + list + "\n\nHi\n"));
    auto made = mail::Downgraded::make(source, carrier);
    ASSERT_TRUE(made.ok());
}

}  // namespace
}  // namespace postern
