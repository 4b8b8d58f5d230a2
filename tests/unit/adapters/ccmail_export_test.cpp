// Mail through the whole cc:Mail adapter and back through the strict reader.

#include <set>

#include <gtest/gtest.h>

#include "mail/charset.h"
#include "tests/adapter_rig.h"
#include "tests/ccmail_reader.h"
#include "tests/kit/platform.h"
#include "tests/mac_writer.h"

namespace postern::adapters {

using tests::AdapterRig;
using tests::CcmailMessage;

namespace {

const tests::SettingMap kAtPo1 = {{"post_office", "PO1"}, {"gateway", "GATEWAY"}};

tests::SettingMap with(const tests::SettingMap& more) {
    tests::SettingMap settings = more;
    settings.insert(kAtPo1.begin(), kAtPo1.end());
    return settings;
}

struct Exported {
    Job job;
    std::string bytes;
    CcmailMessage message;
};

// Exports one mail and reads it back; a file the reader refuses fails the test.
Exported exported(const tests::SettingMap& settings, const std::string& mail,
                  const std::vector<Recipient>& recipients = {{1, "bob@legacy.example", "Sysop, Bob"}},
                  const std::string& sender = "alice@example.org") {
    AdapterRig rig("ccmail", with(settings));
    Job job = rig.job(1, 1, mail);
    job.delivery.recipients = recipients;
    job.delivery.sender = sender;
    Exported result;
    result.job = rig.exportJob(std::move(job));
    EXPECT_EQ(rig.visible(), std::vector<std::string>{"msg0001.ccm"}) << tests::outcomeText(result.job);
    result.bytes = rig.content("msg0001.ccm");
    const auto columns = settings.contains("size_columns") ? std::stoul(settings.at("size_columns")) : 12;
    auto read = tests::readCcmail(result.bytes, columns);
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text) << "\n" << result.bytes;
    if (read.ok()) result.message = std::move(*read);
    return result;
}

std::string base64(const std::string& bytes) {
    static const char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            out += i + k > bytes.size() ? '=' : kDigits[(group >> (18 - 6 * k)) & 63];
        if (i / 3 % 19 == 18) out += "\r\n";
    }
    return out + "\r\n";
}

std::string part(const std::string& name, const std::string& bytes) {
    return "--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"" +
           name + "\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64(bytes);
}

std::string multipart(const std::string& text,
                      const std::vector<std::pair<std::string, std::string>>& files) {
    std::string mail =
        "From: Alice Example <alice@example.org>\r\nSubject: files\r\nMIME-Version: 1.0\r\n"
        "Date: Tue, 2 Jun 1998 08:39:00 +0000\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\n" +
        text + "\r\n";
    for (const auto& [name, bytes] : files) mail += part(name, bytes);
    return mail + "--b--\r\n";
}

std::string allBytes() {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
}

}  // namespace

TEST(CcmailExport, PlainMailIsTheLayoutOfTheDescription) {
    const Exported got =
        exported({{"sender", "name"}},
                 "From: \"Example, Alice\" <alice@example.org>\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
                 "To: bob@legacy.example\r\nSubject: Gateway test\r\n\r\n"
                 "Hello from the gateway.\r\nLine two.\r\n");
    EXPECT_EQ(got.bytes,
              "Message:\r\n188         \r\nFrom: Example, Alice at GATEWAY\r\nDate: 11/14/23 22:13\r\n"
              "To: Sysop, Bob at PO1\r\nSubject: Gateway test\r\nContents:\r\n62          \r\nText item:\r\n"
              "36          \r\nHello from the gateway.\r\nLine two.\r\n");
    EXPECT_TRUE(got.job.notes.empty()) << testing::PrintToString(got.job.notes);
}

TEST(CcmailExport, SizesMayStandUnpadded) {
    const Exported got = exported({{"size_columns", "0"}}, AdapterRig::kPlain);
    EXPECT_EQ(got.message.text(), "Hello from the gateway.\r\nLine two.\r\n");
}

TEST(CcmailExport, RolesComeFromTheHeaderAndRecipientsFromTheEnvelope) {
    const std::string mail =
        "From: a@x\r\nTo: Bob <BOB@legacy.example>, eve@elsewhere.example\r\n"
        "Cc: carol@legacy.example\r\nSubject: x\r\n\r\nTo: mallory at PO1\r\n";
    const std::vector<Recipient> three = {{1, "carol@legacy.example", "Carol"},
                                          {2, "bob@legacy.example", "Bob"},
                                          {3, "dave@legacy.example", "Dave"}};
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(exported({}, mail, three).message.recipients,
              (Pairs{{"To", "Bob at PO1"}, {"cc", "Carol at PO1"}, {"Bcc", "Dave at PO1"}}));
    EXPECT_EQ(exported({{"hidden_recipients", "to"}}, mail, three).message.recipients,
              (Pairs{{"To", "Bob at PO1"}, {"To", "Dave at PO1"}, {"cc", "Carol at PO1"}}));
    EXPECT_EQ(exported({}, mail, {three[2]}).message.recipients, (Pairs{{"To", "Dave at PO1"}}));
}

TEST(CcmailExport, Q181797_EqualLegacyNamesGetOneLine) {
    const Exported got = exported({}, AdapterRig::kPlain,
                                  {{1, "bob@legacy.example", "Bob"}, {2, "robert@legacy.example", "BOB"}});
    EXPECT_EQ(got.message.recipients.size(), 1u);
}

TEST(CcmailExport, Q192594_NullSenderHasAnAuthor) {
    EXPECT_EQ(exported({}, "Subject: report\r\n\r\nx\r\n", {{1, "b@x", "Bob"}}, "").message.from,
              "Postmaster at GATEWAY");
    EXPECT_EQ(exported({{"null_sender", "Mail Gateway"}}, "\r\nx\r\n", {{1, "b@x", "Bob"}}, "").message.from,
              "Mail Gateway at GATEWAY");
}

TEST(CcmailExport, Q224597_AMissingOrOddDateBecomesTheTimeOfReceipt) {
    for (const char* date : {"", "Date: garbage\r\n", "Date: Thu, 1 Jan 1900 00:00:00 +0000\r\n",
                             "Date: Thu, 1 Jan 9999 00:00:00 +0000\r\n"}) {
        const Exported got = exported({}, std::string(date) + "Subject: x\r\n\r\nx\r\n");
        EXPECT_EQ(got.message.date, "11/14/23 22:13") << date;
        EXPECT_FALSE(got.job.notes.empty()) << date;
    }
}

TEST(CcmailExport, FilesKeepEveryByteAndTheirOrder) {
    std::vector<std::pair<std::string, std::string>> files = {{"all.bin", allBytes()},
                                                              {"empty.dat", ""},
                                                              {"crlf.txt", "a\nb\r\nc\r"},
                                                              {"long.bin", std::string(200'000, '\x1a')}};
    const Exported got = exported({}, multipart("see files", files));
    ASSERT_EQ(got.message.items.size(), 5u);
    const char* names[] = {"ALL.BIN", "EMPTY.DAT", "CRLF.TXT", "LONG.BIN"};
    for (std::size_t i = 0; i < files.size(); ++i) {
        const tests::CcmailItem& item = got.message.items[i + 1];
        EXPECT_TRUE(item.isFile);
        EXPECT_EQ(item.name, names[i]);
        EXPECT_EQ(item.date, "06/02/98 8:39");
        EXPECT_TRUE(item.data == files[i].second) << item.name << ": " << item.data.size();
    }
}

TEST(CcmailExport, Q190297_ShortNamesAreUniqueAndLongOnesAnOption) {
    const std::string mail = multipart("x", {{"Longfilename1.txt", "1"},
                                             {"Longfilename2.txt", "2"},
                                             {"CON.txt", "3"},
                                             {"../../etc/passwd", "4"}});
    const Exported brief = exported({}, mail);
    std::set<std::string> seen;
    for (const auto& item : brief.message.items)
        EXPECT_TRUE(!item.isFile || (seen.insert(item.name).second && item.name.size() <= 12)) << item.name;
    EXPECT_EQ(seen.size(), 4u) << testing::PrintToString(seen);
    EXPECT_FALSE(seen.contains("CON.TXT"));
    EXPECT_EQ(exported({}, mail).bytes, brief.bytes) << "the same again";
    const Exported kept = exported({{"file_names", "long"}}, mail);
    EXPECT_EQ(kept.message.items.at(1).name, "Longfilename1.txt");
    EXPECT_EQ(kept.message.items.at(4).name, "passwd");
}

// As the titles of other items (KB Q184991), and without the brackets that stop IMPORT elsewhere.
TEST(CcmailExport, LongNamesStayWithinATitleAndApart) {
    const std::string front(40, 'n');
    const std::string mail =
        multipart("x", {{front + "1.text", "1"}, {front + "2.text", "2"}, {"a[1].txt", "3"}});
    const Exported got = exported({{"file_names", "long"}}, mail);
    ASSERT_EQ(got.message.items.size(), 4u);
    EXPECT_EQ(got.message.items[1].name, std::string(25, 'n') + ".text");
    EXPECT_EQ(got.message.items[2].name, std::string(23, 'n') + "~1.text");
    EXPECT_EQ(got.message.items[3].name, "a_1_.txt");
    EXPECT_NE(got.message.text().find(front + "1.text"), std::string::npos) << "the reader finds its name";
    EXPECT_EQ(exported({{"file_names", "long"}, {"title_limit", "60"}}, mail).message.items[1].name,
              front + "1.text");
}

// Read back as any mail program reads MacBinary: name, bytes and checksum.
TEST(CcmailExport, FilesMayStandInMacBinary) {
    std::string whole;
    for (int i = 0; i < 3; ++i) whole += allBytes();
    for (const std::size_t size : {0u, 1u, 127u, 128u, 129u, 700u}) {
        const std::string bytes = whole.substr(0, size);
        const Exported got = exported({{"file_form", "macbin2"}}, multipart("x", {{"report.doc", bytes}}));
        ASSERT_EQ(got.message.items.size(), 2u);
        const std::string& data = got.message.items[1].data;
        EXPECT_EQ(data.size(), 128 + (size + 127) / 128 * 128);
        const std::string mail =
            "From: a@x\r\nMIME-Version: 1.0\r\nContent-Type: application/macbinary; name=x.bin\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n" +
            base64(data);
        const Exported back = exported({}, mail);
        ASSERT_EQ(back.message.items.size(), 2u) << size;
        EXPECT_EQ(back.message.items[1].name, "REPORT.DOC");
        EXPECT_EQ(back.message.items[1].data, bytes);
        EXPECT_EQ(tests::withCrc(data.substr(0, 124)), data.substr(0, 126));
    }
}

// 20,000 bytes of text stay a text, one more does not; and no character is cut where texts are split.
TEST(CcmailExport, Q190555_TheEdgeOfTheTextLimit) {
    const auto mail = [](const std::string& text) {
        return "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
               "Content-Transfer-Encoding: 8bit\r\n\r\n" +
               text;
    };
    for (const std::size_t size : {19'999u, 20'000u, 20'001u}) {
        const Exported got = exported({}, mail(std::string(size - 2, 'x') + "\r\n"));
        EXPECT_EQ(got.message.items.size(), size <= 20'000 ? 1u : 2u) << size;
        EXPECT_EQ(got.message.items.back().isFile, size > 20'000) << size;
    }
    for (const std::string before : {"", "x"}) {
        std::string text = before;
        for (int i = 0; i < 25'000; ++i) text += "\xe8\xb3\x87";
        const Exported got = exported({{"long_text", "split"}, {"charset", "cp932"}}, mail(text + "\r\n"));
        ASSERT_GE(got.message.items.size(), 3u);
        std::string joined;
        for (const auto& item : got.message.items) {
            EXPECT_LE(item.data.size(), 20'000u);
            joined += mail::toUtf8(item.data, "cp932");  // each for itself
        }
        EXPECT_TRUE(joined == text + "\r\n");
    }
}

TEST(CcmailExport, Q195203_TheDateBehindANameIsAnOption) {
    const Exported got = exported({{"file_dates", "false"}}, multipart("x", {{"a.doc", "1"}}));
    EXPECT_NE(got.bytes.find("File item: A.DOC\r\n"), std::string::npos) << got.bytes;
}

TEST(CcmailExport, Q190555_LongTextBecomesAFileOrSeveralItems) {
    std::string body;
    for (int i = 0; body.size() < 61'000; ++i)
        body += "This is line number " + std::to_string(i) + " of many.\r\n";
    const std::string mail = "Subject: long\r\n\r\n" + body;
    const Exported attached = exported({}, mail);
    ASSERT_EQ(attached.message.items.size(), 2u);
    EXPECT_EQ(attached.message.items[1].name, "UNNAMED.TXT");
    EXPECT_TRUE(attached.message.items[1].data == body);
    EXPECT_LT(attached.message.items[0].data.size(), 200u);
    EXPECT_FALSE(attached.job.notes.empty());
    const Exported split = exported({{"long_text", "split"}}, mail);
    EXPECT_EQ(split.message.items.size(), 4u);
    for (const auto& item : split.message.items) EXPECT_LE(item.data.size(), 20'000u);
    EXPECT_TRUE(split.message.text() == body);
}

TEST(CcmailExport, Q156844_ACutSubjectStandsWholeInTheText) {
    const std::string subject(200, 's');
    const Exported got = exported({}, "Subject: " + subject + "\r\n\r\nbody\r\n");
    EXPECT_EQ(got.message.subject, std::string(57, 's') + "...");
    EXPECT_EQ(got.message.text(), "Subject: " + subject + "\r\n\r\nbody\r\n");
    EXPECT_EQ(
        exported({{"subject_limit", "200"}}, "Subject: " + subject + "\r\n\r\nbody\r\n").message.subject,
        subject);
}

TEST(CcmailExport, WrapBreaksLinesAtTheColumn) {
    const std::string mail =
        "Subject: x\r\n\r\n" + std::string(40, 'a') + " " + std::string(40, 'b') + "\r\n";
    EXPECT_EQ(exported({{"wrap", "72"}}, mail).message.text(),
              std::string(40, 'a') + " \r\n" + std::string(40, 'b') + "\r\n");
    EXPECT_EQ(exported({}, mail).message.text(), std::string(40, 'a') + " " + std::string(40, 'b') + "\r\n");
}

TEST(CcmailExport, TextLeavesInTheCodePageWithItsLossesNoted) {
    const std::string mail =
        "From: a@x\r\nDate: Tue, 2 Jun 1998 08:39:00 +0000\r\nSubject: "
        "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\nMIME-Version: 1.0\r\n\r\n"
        "10 \xe2\x82\xac \xe2\x80\x9cx\xe2\x80\x9d \xd0\x91 \xe8\xb3\x87\r\n";
    const Exported got = exported({}, mail);
    EXPECT_EQ(got.message.subject,
              "Gr\x81\xe1"
              "e");
    EXPECT_EQ(
        got.message.text(),
        "10 EUR \"x\" B ?\r\n\r\n[Postern: 1 character of the text became '?' (not in cp850: U+8CC7)]\r\n");
    ASSERT_EQ(got.job.notes.size(), 1u) << testing::PrintToString(got.job.notes);
    EXPECT_NE(got.job.notes[0].find("1 character of the text"), std::string::npos) << got.job.notes[0];
    EXPECT_EQ(exported({{"charset", "cp866"}}, mail).message.text().substr(0, 14), "10 EUR \"x\" \x81 ?");
}

// As intake cuts recipients into items: as many as the header holds, none twice, none lost.
TEST(CcmailExport, Q166499_GroupsKeepTheHeaderUnderItsLimit) {
    AdapterRig rig("ccmail", kAtPo1);
    const Grouping grouping = rig.adapter().grouping();
    ASSERT_GT(grouping.mostHeaderBytes, 0);
    std::vector<std::vector<Recipient>> groups(1);
    int bytes = 0;
    for (int i = 1; i <= 300; ++i) {
        const Recipient recipient{i, "user" + std::to_string(i) + "@legacy.example",
                                  "Surname" + std::to_string(i) + ", Given"};
        const int more = grouping.headerBytes(recipient);
        if (bytes + more > grouping.mostHeaderBytes) {
            groups.emplace_back();
            bytes = 0;
        }
        bytes += more;
        groups.back().push_back(recipient);
    }
    ASSERT_GT(groups.size(), 1u);
    // The longest From and Subject there can be.
    const std::string mail = "From: " + std::string(200, 'W') + " <" + std::string(64, 'l') + "@" +
                             std::string(180, 'd') + ".example>\r\nSubject: " + std::string(500, 'S') +
                             "\r\n\r\nx\r\n";
    std::set<std::string> all;
    for (const auto& group : groups) {
        const Exported got = exported({}, mail, group);
        EXPECT_LE(got.message.headerBytes, 4096u);
        for (const auto& [label, text] : got.message.recipients) EXPECT_TRUE(all.insert(text).second) << text;
    }
    EXPECT_EQ(all.size(), 300u);
}

TEST(CcmailExport, AHeaderOverTheLimitIsRejectedWithBothNumbers) {
    AdapterRig rig("ccmail", kAtPo1);
    Job job = rig.job(1, 1);
    job.delivery.recipients.clear();
    for (int i = 1; i <= 300; ++i)
        job.delivery.recipients.push_back(
            {i, "u" + std::to_string(i) + "@x", "Somebody Number " + std::to_string(i)});
    job = rig.exportJob(std::move(job));
    ASSERT_EQ(job.outcome->verdict, Verdict::Rejected) << tests::outcomeText(job);
    EXPECT_NE(job.outcome->reason.find("4096"), std::string::npos) << job.outcome->reason;
    EXPECT_TRUE(rig.visible().empty());
}

TEST(CcmailExport, NamesRepeatAfter65536ItemsAndWait) {
    AdapterRig rig("ccmail", kAtPo1);
    rig.exportJob(rig.job(0x1000a, 1));
    EXPECT_EQ(rig.visible(), std::vector<std::string>{"msg000a.ccm"});
    const Job job = rig.exportJob(rig.job(0x2000a, 1));
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << tests::outcomeText(job);
    EXPECT_FALSE(job.outcome->adapterUnusable);
}

// Whatever bytes come in, one well-formed message comes out.
TEST(CcmailExport, AnyBytesMakeOneReadableFile) {
    std::uint64_t state = 42;
    const auto next = [&] {
        return state = state * 6364136223846793005U + 1442695040888963407U, state >> 33;
    };
    static const std::string kSeeds[] = {"\r\n",
                                         ": ",
                                         "From: ",
                                         "Subject: ",
                                         "Contents:\r\n62          \r\n",
                                         "--b\r\n",
                                         "Content-Type: multipart/mixed; boundary=b\r\n",
                                         "=?utf-8?B?DQo=?=",
                                         "\x1a",
                                         "Text item:\r\n",
                                         "To: bob@legacy.example\r\n",
                                         "\xff",
                                         "\0"};
    AdapterRig rig("ccmail", kAtPo1);
    const int rounds = tests::kOnWindows ? 60 : 300;  // Wine makes each file slowly
    for (int round = 1; round <= rounds; ++round) {
        std::string mail;
        for (std::uint64_t pieces = next() % 40; pieces > 0; --pieces)
            mail += next() % 3 == 0 ? std::string(1, static_cast<char>(next() & 0xff))
                                    : kSeeds[next() % std::size(kSeeds)];
        const Job job = rig.exportJob(rig.job(round, 1, mail));
        ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << testing::PrintToString(mail);
        const auto read = tests::readCcmail(tests::slurp(job.outcome->target));
        ASSERT_TRUE(read.ok()) << read.error().text << testing::PrintToString(mail);
        EXPECT_EQ(read->recipients.size(), 1u);
    }
}

}  // namespace postern::adapters
