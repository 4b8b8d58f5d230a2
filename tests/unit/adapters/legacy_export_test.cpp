// What the adapters b2f, fbb, mhs, mmff and gwapi make of mails, read back by strict readers: any mail at
// all, and the cases that each format is known for.

#include <random>

#include <gtest/gtest.h>

#include "adapters/item_code.h"
#include "tests/adapter_rig.h"
#include "tests/kit/platform.h"
#include "tests/legacy_readers.h"
#include "tests/unit/adapters/legacy_mails.h"

namespace postern::adapters {

using tests::AdapterRig;
using tests::SettingMap;
using tests::slurp;

namespace {

tests::B2fMessage b2fOf(const std::string& mail, SettingMap settings = {}) {
    settings.insert(kCall.begin(), kCall.end());
    AdapterRig rig("b2f", settings);
    auto read = tests::readB2f(exported(rig, mail));
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text);
    return read.ok() ? *read : tests::B2fMessage();
}

// A mail of anything: bytes of all kinds, long lines, commands of all formats, files.
std::string anyMail(std::mt19937& random) {
    static const std::vector<std::string> kPieces = {
        "\r\n",
        "\n",
        "/EX\r\n",
        "/ex\r\n",
        "\x1a",
        "SP N0USR < N0BAD\r\n",
        "***\r\n",
        "From ",
        "-END-\r\n",
        "SUBJECT= x;",
        "TEXT:5\r\n",
        "TO:x\r\n",
        "Mid: X\r\n",
        "\xff\xfe",
        "\xc3\xa4\xe2\x82\xac",
        ";",
        "\t",
        "=?utf-8?q?=0D=0A?=",
        "  ",
        "https://example.org/",
        "\xf0\x9f\x98\x80",
        "{}",
        ",",
        std::string("\0", 1),
        "word ",
    };
    const auto some = [&](std::size_t most) {
        std::string text;
        for (std::size_t left = random() % most; left > 0; --left)
            text += random() % 4 == 0 ? std::string(1, static_cast<char>(random()))
                                      : kPieces[random() % kPieces.size()];
        return text;
    };
    const auto line = [&] {
        std::string text = some(40);
        std::erase(text, '\r');
        std::erase(text, '\n');
        return text;
    };
    std::string mail =
        random() % 8 == 0 ? "" : "From: " + line() + " <a" + std::to_string(random() % 9) + "@b.org>\r\n";
    mail += "To: " + line() + "\r\nSubject: " + line() + line() + "\r\n";
    if (random() % 2 == 0) return mail + "\r\n" + some(200) + std::string(random() % 300, 'x') + some(100);
    mail += "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + some(100);
    for (std::size_t files = random() % 4; files > 0; --files)
        mail += "\r\n--b\r\nContent-Type: application/x-y; name=\"" + line() +
                "\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + some(60);
    return mail + "\r\n--b--\r\n";
}

}  // namespace

TEST(LegacyExport, AnyMailIsReadBackByItsStrictReader) {
    struct Case {
        const char* kind;
        SettingMap settings;
    };
    const std::vector<Case> cases = {
        {"b2f", {{"call", "N0AAA"}, {"wrap", "40"}}},
        {"b2f", {{"call", "N0AAA"}, {"charset", "us-ascii"}, {"sender", "smtp"}}},
        {"fbb", {{"call", "N0GW"}, {"attachments", "uuencode"}}},
        {"fbb", {{"call", "N0GW"}, {"charset", "cp850"}}},
        {"mhs", {{"author", "comment"}}},
        {"mhs", {{"charset", "shift_jis"}, {"format", "smf-71"}}},
        {"mmff", {{"line_ends", "cr"}}},
        {"mmff", {{"line_ends", "crlf"}}},
        {"gwapi", {}}};
    for (const Case& which : cases) {
        std::mt19937 random(1);
        AdapterRig rig(which.kind, which.settings);
        std::vector<Job> jobs;
        const int mails = tests::kOnWindows ? 20 : 60;  // Wine makes each file slowly
        for (int item = 1; item <= mails; ++item) jobs.push_back(rig.job(item, 1, anyMail(random)));
        rig.adapter().stage(jobs, [] {});
        rig.adapter().publish(jobs, [] {});
        for (const Job& job : jobs)
            ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << tests::outcomeText(job);
        if (std::string(which.kind) == "fbb") {
            const auto read = tests::readFbb(slurp(rig.folder() + "/mail.in"));
            EXPECT_EQ(read.fault, "");
            EXPECT_EQ(read.messages.size(), jobs.size());
            continue;
        }
        for (const std::string& file : rig.visible()) {
            const std::string bytes = slurp(rig.folder() + "/" + file);
            const std::string kind = which.kind;
            std::string fault;
            const auto take = [&](const auto& read) { fault = read.ok() ? "" : read.error().text; };
            if (kind == "b2f") take(tests::readB2f(bytes));
            if (kind == "mhs") take(tests::readSmf(bytes));
            if (kind == "mmff")
                take(tests::readMmff(bytes, which.settings.at("line_ends") == "cr" ? "\r" : "\r\n"));
            if (kind == "gwapi") take(tests::readGwApi(bytes));
            ASSERT_EQ(fault, "") << kind << " " << file << "\n" << bytes;
        }
        EXPECT_EQ(rig.visible().size(), jobs.size());
    }
}

TEST(ItemCode, NamesTheItemInFewCharacters) {
    EXPECT_EQ(itemCode(ItemId{1}, 7), "0000001");
    EXPECT_EQ(itemCode(ItemId{36 * 36 - 1}, 3), "0ZZ");
    const std::string id = networkId("GW", "abcdefgh12345678", ItemId{36});
    EXPECT_EQ(id.size(), 12u);
    EXPECT_EQ(id.substr(0, 2), "GW");
    EXPECT_EQ(id.substr(5), "0000010");
    EXPECT_NE(id, networkId("GW", "another-store-00", ItemId{36}));
}

TEST(B2fExport, SaysSizesSendersAndFilesExactly) {
    const auto read = b2fOf(withFile("r\xc3\xa9sum\xc3\xa9 1.dat", "AAECAwQFBgcICQ=="));
    EXPECT_EQ(read.id.size(), 12u);
    EXPECT_EQ(read.from, "N0AAA");
    EXPECT_EQ(read.to, std::vector<std::string>{"N0BBB"});
    EXPECT_EQ(read.date, "2023/11/14 22:13");
    EXPECT_EQ(read.body, "From: Alice Example <alice@example.org>\r\n\r\nHello.\r\n");
    ASSERT_EQ(read.files.size(), 1u);
    EXPECT_EQ(read.files[0].data, std::string("\0\1\2\3\4\5\6\7\10\11", 10));
    EXPECT_EQ(read.files[0].name, "=?iso-8859-1?q?r=E9sum=E9_1.dat?=");
}

// Found by letters_fuzz: pat takes no longer name, as it stands in the header.
TEST(B2fExport, AFileNameBeyondUsAsciiIsCutSoThatItsEncodedWordFits) {
    std::string name;
    for (int i = 0; i < 120; ++i) name += "\xc3\xa9";
    const auto read = b2fOf(withFile(name + ".dat", "AAEC"));
    ASSERT_EQ(read.files.size(), 1u);
    EXPECT_LE(read.files[0].name.size(), 255u);
    EXPECT_GT(read.files[0].name.size(), 235u) << "no more than needed";
    EXPECT_TRUE(read.files[0].name.ends_with("=E9.dat?=")) << read.files[0].name;
}

TEST(B2fExport, ABodyIsNeverEmptyAndTheSenderMayBeTheAuthor) {
    const auto read = b2fOf(mailWith("Subject: \xc3\xa4\r\n", ""), {{"sender", "smtp"}});
    EXPECT_EQ(read.from, "SMTP:alice@example.org");
    EXPECT_EQ(read.body, "(no text)\r\n");
    EXPECT_EQ(read.subject, "=?iso-8859-1?q?=E4?=");
}

// pat keeps these in its out box for ever and tells nobody; a title over 255 bytes ends its sessions besides.
TEST(B2fExport, ASubjectIsNeitherEmptyNorTooLongOnTheAir) {
    for (const char* header : {"", "Subject:\r\n", "Subject: \t \r\n"})
        EXPECT_EQ(b2fOf(mailWith(header, "x\r\n")).subject, "(no subject)") << header;
    const auto subjectOf = [](const std::string& unit, int times) {
        std::string subject;
        for (int i = 0; i < times; ++i) subject += unit;
        return subject;
    };
    const std::string umlaut = "\xc3\xa4";
    for (const char* charset : {"iso-8859-1", "us-ascii"})
        for (const std::string& subject :
             {subjectOf(umlaut, 40), subjectOf(umlaut, 34), subjectOf(umlaut, 128),
              subjectOf("a" + umlaut, 60), subjectOf("x", 128) + umlaut, subjectOf("x", 129),
              subjectOf("=?_", 40), subjectOf("\xe2\x82\xac", 50), subjectOf("word " + umlaut + " ", 20)}) {
            const auto read =
                b2fOf(mailWith("Subject: " + subject + "\r\n", "x\r\n"), {{"charset", charset}});
            EXPECT_GE(read.subject.size(), 34u) << subject;
            EXPECT_TRUE(read.body.starts_with("Subject: ") || read.subject.find("...") == std::string::npos)
                << read.subject << "\n"
                << read.body;
        }
    AdapterRig rig("b2f", kCall);
    const Job job =
        rig.exportJob(rig.job(1, 1, mailWith("Subject: " + subjectOf(umlaut, 40) + "\r\n", "x\r\n")));
    EXPECT_NE(
        std::find(job.notes.begin(), job.notes.end(), "the subject was cut; the whole stands in the text"),
        job.notes.end());
    const auto read = b2fOf(mailWith("Subject: " + subjectOf(umlaut, 40) + "\r\n", "x\r\n"));
    EXPECT_EQ(read.body.substr(0, 51), "Subject: " + subjectOf("\xe4", 40) + "\r\n");
    const auto whole = b2fOf(mailWith("Subject: " + subjectOf("x", 128) + "\r\n", "x\r\n"));
    EXPECT_EQ(whole.subject, subjectOf("x", 128));
}

TEST(B2fExport, OverTheLimitItIsRejectedOrGoesWithoutFiles) {
    std::string large;
    for (int line = 0; line < 2500; ++line) large += std::string(76, 'A') + "\r\n";
    const std::string mail = withFile("large.bin", large);
    AdapterRig strict("b2f", kCall);
    const Job refused = strict.exportJob(strict.job(1, 1, mail));
    ASSERT_EQ(refused.outcome->verdict, Verdict::Rejected) << tests::outcomeText(refused);
    EXPECT_NE(refused.outcome->reason.find("total_limit is 120000"), std::string::npos)
        << refused.outcome->reason;
    EXPECT_TRUE(strict.visible().empty());
    const auto read = b2fOf(mail, {{"over_limit", "drop-files"}});
    EXPECT_TRUE(read.files.empty());
    EXPECT_NE(read.body.find("large.bin"), std::string::npos) << read.body;
}

TEST(B2fExport, TakesStationsAndInternetAddressesAndNothingElse) {
    AdapterRig rig("b2f", kCall);
    const auto refuses = [&](const std::string& legacy) {
        return rig.adapter().refuses({1, "bob@legacy.example", legacy}).has_value();
    };
    for (const char* good :
         {"N0BBB", "n0bbb-10", "SHELTER1", "N0BBB@winlink.org", "SMTP:bob@example.org", "bob@example.org"})
        EXPECT_FALSE(refuses(good)) << good;
    for (const char* bad : {"N0BBB:1", "A-VERY-LONG-NAME", "-N0BBB", "N0 BBB", "12345", "SMTP:bob",
                            "SMTP:", "\"a:b\"@example.org", "N0BBB\r\nCc: X"})
        EXPECT_TRUE(refuses(bad)) << bad;
}

TEST(MhsExport, WritesTheFieldsThatEveryReaderKnows) {
    AdapterRig rig("mhs", {});
    const auto read = tests::readSmf(exported(rig, withFile("A long name.dat", "AAECAwQFBgcICQ==")));
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->format, "SMF-70");
    EXPECT_EQ(read->field("To"), "bob@HUB");
    EXPECT_EQ(read->field("From"), "alice@INTERNET {SMTP: alice@example.org}");
    EXPECT_EQ(read->field("Date"), "14-Nov-23 22:13");
    ASSERT_EQ(read->parcels.size(), 1u);
    EXPECT_EQ(read->parcels[0].first, "00000101");
    EXPECT_EQ(read->parcels[0].second, "A_LONG_N.DAT");
    EXPECT_EQ(slurp(rig.folder() + "/PARCEL/00000101"), std::string("\0\1\2\3\4\5\6\7\10\11", 10));
}

TEST(MhsExport, AddressesKeepTheirForm) {
    AdapterRig short70("mhs", {{"workgroup", "HUB"}}), long71("mhs", {{"format", "smf-71"}});
    const auto refuses = [](AdapterRig& rig, const std::string& legacy) {
        return rig.adapter().refuses({1, "bob@legacy.example", legacy}).has_value();
    };
    for (const char* good : {"bob", "bob@HUB", "bob@HUB { FAX: 123 }", "/general@MBBS {MBBS: /general}",
                             "user@host {CCMAIL:test,user}"})
        EXPECT_FALSE(refuses(short70, good)) << good;
    for (const char* bad : {"bobby-long@HUB", "bob@WORKGROUP", "b ob@HUB", "bob@HUB {a", "bob@HUB {a}b}",
                            "@HUB", "bob@HUB (x)", "bob,jim@HUB", "bob@HUB {}", "bob\r\nX: y@HUB"})
        EXPECT_TRUE(refuses(short70, bad)) << bad;
    EXPECT_FALSE(refuses(long71, "bobby-long@WORKGROUP"));
    EXPECT_TRUE(refuses(long71, "bob")) << "no workgroup";
}

TEST(MmffExport, SizesCountTheTerminatorsThatAreWritten) {
    for (const auto& [name, end] : {std::pair{"cr", "\r"}, {"lf", "\n"}, {"crlf", "\r\n"}}) {
        AdapterRig rig("mmff", {{"line_ends", name}});
        const auto read = tests::readMmff(exported(rig, withFile("NOTE.TXT", "YWJjZGVmZw==")), end);
        ASSERT_TRUE(read.ok()) << name << read.error().text;
        EXPECT_EQ(read->to, std::vector<std::string>{"CSI:NET/PO/BOB"});
        EXPECT_EQ(read->from, "SMTP:alice@example.org");
        EXPECT_EQ(read->date + " " + read->time, "2023-11-14 22:13");
        EXPECT_EQ(read->text,
                  std::string("From: Alice Example <alice@example.org>") + end + end + "Hello." + end);
        ASSERT_EQ(read->files.size(), 1u);
        EXPECT_EQ(read->files[0].name, "NOTE.TXT");
        EXPECT_EQ(read->files[0].data, "abcdefg");
    }
}

TEST(MmffExport, TakesTheAddressTypesOfTheFormat) {
    AdapterRig rig("mmff", {});
    const auto refuses = [&](const std::string& legacy) {
        return rig.adapter().refuses({1, "bob@legacy.example", legacy}).has_value();
    };
    for (const char* good : {"NET/PO/BOB", "CSI:NET/PO/BOB", "smtp:bob@example.org", "bob@example.org",
                             "FAX:+1 555 1234", "X400:/c=us/admd=x", "MHS:bob@HUB {x}"})
        EXPECT_FALSE(refuses(good)) << good;
    for (const char* bad : {"NET/PO", "NET/PO/TOOLONGNAME1", "CSI:a//b", "FOO:bar", "SMTP:x", "NET/PO/B\nO"})
        EXPECT_TRUE(refuses(bad)) << bad;
}

TEST(GwApiExport, NamesItsTextAndFilesByTheItemAlone) {
    AdapterRig rig("gwapi", {});
    const auto read = tests::readGwApi(exported(rig, withFile("\xc3\x84.txt", "YWJjZGVmZw==")));
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->to(), std::vector<std::string>{"DOM.PO.bob"});
    EXPECT_EQ(read->keyword("FROM-TEXT"), "Alice Example <alice@example.org>");
    EXPECT_EQ(read->keyword("MSG-FILE"), "00000101.TXT");
    EXPECT_EQ(slurp(rig.folder() + "/ATT_IN/00000101.TXT"), "Hello.\r\n");
    ASSERT_EQ(read->attachments.size(), 1u);
    EXPECT_EQ(read->attachments[0].current, "00000102.ATH");
    EXPECT_EQ(read->attachments[0].size, "7");
    EXPECT_EQ(slurp(rig.folder() + "/ATT_IN/00000102.ATH"), "abcdefg");
}

TEST(GwApiExport, ASubjectEndsNoValue) {
    AdapterRig rig("gwapi", {});
    const auto read = tests::readGwApi(exported(rig, mailWith("Subject: a; -END- ;b\r\n", "x\r\n")));
    ASSERT_TRUE(read.ok()) << read.error().text;
    EXPECT_EQ(read->keyword("SUBJECT"), "a, -END- ,b");
}

// Nobody is told of a Bcc: these formats show everybody, so each recipient gets a file of his own unless the
// administrator says otherwise.
TEST(LegacyExport, NobodyIsShownToOthersByDefault) {
    for (const char* kind : {"b2f", "fbb", "mhs", "mmff", "gwapi"}) {
        AdapterRig rig(kind, kind == std::string("b2f") || kind == std::string("fbb") ? kCall : SettingMap());
        EXPECT_EQ(rig.adapter().grouping().mostRecipients, 1) << kind;
    }
}

}  // namespace postern::adapters
