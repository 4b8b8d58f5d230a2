// FidoNet addresses and the bytes of packets.

#include <random>

#include <gtest/gtest.h>

#include "adapters/ftn/ftn_message.h"
#include "adapters/ftn/ftn_text.h"
#include "tests/ftn_reader.h"

namespace postern::adapters::ftn {
namespace {

std::string inText(const std::string& text, const std::string& charset = "cp437", std::size_t piece = 65536) {
    std::string out;
    TextWriter writer(
        [&](std::string_view bytes) -> Result<void> {
            out += bytes;
            return {};
        },
        softCrSubstitute(charset));
    writer.begin();
    for (std::size_t at = 0; at < text.size(); at += piece)
        EXPECT_TRUE(writer.write(std::string_view(text).substr(at, piece)).ok());
    EXPECT_TRUE(writer.end().ok());
    return out;
}

std::string named(const std::string& legacy, const std::string& address = "bob@legacy.example") {
    const auto person = addressee({1, address, legacy}, {"fidonet.org", Node{2, 999, 2, 0}});
    return person.ok() ? person->name + " @ " + nodeText(person->node) : "refused: " + person.error().text;
}

TEST(FtnAddress, NodesAreReadAndWritten) {
    for (const char* text : {"2:999/1", "1:1/0", "2:999/1.5", "32767:32767/32767.32767"}) {
        const auto node = parseNode(text);
        ASSERT_TRUE(node) << text;
        EXPECT_EQ(nodeText(*node), text);
    }
    EXPECT_EQ(parseNode("2:5020/100.3@fidonet"), (Node{2, 5020, 100, 3}));
    EXPECT_EQ(parseNode("2:999/1.0"), (Node{2, 999, 1, 0}));
    for (const char* text : {"", "999/1", "2:999", "0:1/1", "2:0/1", "2:999/1.", "2:999/-1", "2:999/32768",
                             "a:b/c", "2:999/1 ", "2/3:4", "2:999/123456"})
        EXPECT_FALSE(parseNode(text)) << text;
}

TEST(FtnAddress, InternetAddressesLeadToPeople) {
    for (const auto& [address, person] :
         {std::pair{"Bob.Sysop@f2.n999.z2.fidonet.org", Person{"Bob Sysop", {2, 999, 2, 0}}},
          {"Ann@p12.f7.n5.z1.fidonet.org", Person{"Ann", {1, 5, 7, 12}}},
          {"\"J. R. Ewing\"@f4.n3.z2.fidonet.org", Person{"J. R. Ewing", {2, 3, 4, 0}}}}) {
        const auto found = personOf(address, "fidonet.org", 9);
        ASSERT_TRUE(found) << person.name;
        EXPECT_EQ(*found, person);
    }
    EXPECT_EQ(personOf("bob_sysop@F2.N999.FIDONET.ORG", "fidonet.org", 7),
              (Person{"bob sysop", {7, 999, 2, 0}}));
    for (const char* address :
         {"bob@fidonet.org", "bob@f2.fidonet.org", "bob@n999.f2.z2.fidonet.org", "bob@f2.n999.z2.example.org",
          "bob@x.f2.n999.z2.fidonet.org", "bob@f99999.n1.z1.fidonet.org", "bob@f2.n999.z0.fidonet.org",
          "f2.n999.z2.fidonet.org", "bob@f2.n999.z2.notfidonet.org"})
        EXPECT_FALSE(personOf(address, "fidonet.org", 2)) << address;
}

TEST(FtnAddress, RecipientsArePeople) {
    EXPECT_EQ(named("Bob Sysop@2:5020/100.3"), "Bob Sysop @ 2:5020/100.3");
    EXPECT_EQ(named("Bob Sysop@2:5020/100@fidonet"), "Bob Sysop @ 2:5020/100");
    EXPECT_EQ(named("Bob Sysop"), "Bob Sysop @ 2:999/2");
    EXPECT_EQ(named("Bob.Sysop@f9.n8.z7.fidonet.org"), "Bob Sysop @ 7:8/9");
    EXPECT_EQ(named("", "Bob.Sysop@f9.n8.z7.fidonet.org"), "Bob Sysop @ 7:8/9");
    EXPECT_EQ(named("", "bob.sysop@bbs.example"), "bob sysop @ 2:999/2");
    EXPECT_TRUE(named("", "bob@fidonet.org").starts_with("refused: ")) << named("", "bob@fidonet.org");
    EXPECT_EQ(named("bob.sysop@bbs.example", "bob.sysop@bbs.example"), "bob sysop @ 2:999/2");
    EXPECT_TRUE(named("ann@legacy.example").starts_with("refused: ")) << named("ann@legacy.example");
    EXPECT_TRUE(named("Bob@2:999/x").starts_with("refused: "));
    EXPECT_TRUE(named(" ").starts_with("refused: "));
    EXPECT_TRUE(named("Bob\rSysop").starts_with("refused: "));
    // The text would say to whom that gateway sends it on.
    EXPECT_TRUE(named("uucp@2:999/7").starts_with("refused: "));
}

// What the specification's own bytes are (FORMATS.md 6.2, tossed by crashmail and iftoss).
TEST(FtnPacket, HeadsAreAsConsumersRead) {
    PacketHead head{{2, 999, 1, 0}, {2, 999, 2, 0}, {2023, 11, 14, 22, 13, 20, 2}, ""};
    const std::string bytes = packetHead(head);
    ASSERT_EQ(bytes.size(), kPacketHeadBytes);
    const std::string wanted(
        "\x01\0\x02\0\xe7\x07\x0a\0\x0e\0\x16\0\x0d\0\x14\0\0\0\x02\0\xe7\x03\xe7\x03\xff", 25);
    EXPECT_EQ(bytes.substr(0, 25), wanted);
    EXPECT_EQ(bytes.substr(34, 16), std::string("\x02\0\x02\0\0\0\0\x01\0\x01\x01\0\x02\0\x02\0", 16));
    EXPECT_EQ(dateText({2023, 11, 4, 2, 3, 0, 6}), "04 Nov 23  02:03:00");
    EXPECT_EQ(msgidSerial({"<abc@example.org>", "", 1}), "2bdf4368");
}

TEST(FtnPacket, WhatIsWrittenIsReadBack) {
    std::mt19937 random(20231114);
    const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
    const auto node = [&] {
        return Node{1 + below(32767), 1 + below(32767), below(32768), below(3) * below(32768)};
    };
    const auto text = [&](std::size_t most) {
        std::string bytes(static_cast<std::size_t>(below(static_cast<int>(most) + 1)), ' ');
        for (char& c : bytes) c = static_cast<char>(' ' + below(224));
        return bytes;
    };
    for (int round = 0; round < 2000; ++round) {
        PacketHead head{node(),
                        node(),
                        {1980 + below(150), 1 + below(12), 1 + below(28), below(24), below(60), below(60), 0},
                        text(8)};
        MessageHead mail;
        mail.from = node();
        mail.to = node();
        mail.attributes = static_cast<unsigned>(below(65536));
        mail.time = {1980 + below(100), 1 + below(12), 1 + below(28), below(24), below(60), below(60), 0};
        mail.toName = "a" + text(34);
        mail.fromName = "b" + text(34);
        mail.subject = text(71);
        const auto zone = [](Node each) { return nodeText({each.zone, each.net, each.node, 0}); };
        std::string bytes =
            packetHead(head) + messageHead(mail) + "\x01INTL " + zone(mail.to) + " " + zone(mail.from) + "\r";
        if (mail.to.point != 0) bytes += "\x01TOPT " + std::to_string(mail.to.point) + "\r";
        if (mail.from.point != 0)
            bytes +=
                "\x01"
                "FMPT " +
                std::to_string(mail.from.point) + "\r";
        bytes += "x\r" + std::string(1, '\0') + packetEnd();
        const auto read = tests::readFtnPacket(bytes);
        ASSERT_TRUE(read.ok()) << read.error().text;
        const auto same = [](const Node& a, const tests::FtnPlace& b) {
            return Node{b.zone, b.net, b.node, b.point} == a;
        };
        EXPECT_TRUE(same(head.from, read->from) && same(head.to, read->to));
        EXPECT_EQ(read->year, head.time.year);
        EXPECT_EQ(read->month, head.time.month);
        EXPECT_EQ(read->second, head.time.second);
        EXPECT_EQ(read->password, head.password);
        ASSERT_EQ(read->messages.size(), 1u);
        const auto& got = read->messages.front();
        EXPECT_TRUE(same(mail.from, got.from) && same(mail.to, got.to));
        EXPECT_EQ(static_cast<unsigned>(got.attributes), mail.attributes);
        EXPECT_EQ(got.date, dateText(mail.time));
        EXPECT_EQ(got.toName, mail.toName);
        EXPECT_EQ(got.fromName, mail.fromName);
        EXPECT_EQ(got.subject, mail.subject);
        EXPECT_EQ(got.text, "x\n");
    }
}

TEST(FtnText, NothingIsTakenForATossersOwn) {
    const std::string text =
        "AREA:SYSOP\nAREA:two\n---\n--- GoldED\n----\n * Origin: here (2:1/1)\nSEEN-BY: 1/1\n"
        "seen-by: 1\n--\n * Star\n";
    const std::string wanted =
        "AREA+SYSOP\rAREA:two\r-+-\r-+- GoldED\r----\r + Origin: here (2:1/1)\rSEEN+BY: 1/1\r"
        "seen+by: 1\r--\r * Star\r";
    for (const std::size_t piece : {1u, 2u, 3u, 7u, 1000u})
        EXPECT_EQ(inText(text, "cp437", piece), wanted) << piece;
}

TEST(FtnText, ControlCharactersAreLeftOut) {
    EXPECT_EQ(inText(std::string("\x01MSGID: x\na\0b\rc\x1a\td\n\nlast", 24)), "MSGID: x\rabc\td\r\rlast\r");
    EXPECT_EQ(inText(""), "");
}

// FORMATS.md 6.1: one tosser replaces 0x8D by a blank.
TEST(FtnText, TheSoftCrIsNeverWritten) {
    EXPECT_EQ(softCrSubstitute("cp437"), 'i');
    EXPECT_EQ(softCrSubstitute("cp850"), 'i');
    EXPECT_EQ(softCrSubstitute("cp866"), 'H');
    EXPECT_EQ(softCrSubstitute("windows-1250"), 'T');
    EXPECT_EQ(softCrSubstitute("windows-1252"), 0) << "the page has no such character";
    EXPECT_EQ(softCrSubstitute("utf-8"), 0);
    EXPECT_EQ(softCrSubstitute("shift_jis"), 0) << "half of a character there";
    EXPECT_EQ(inText("\x8d\x8d x\n", "cp866"), "HH x\r");
    EXPECT_EQ(inText("0123456789\x8d\n", "cp437"), "0123456789i\r");
    EXPECT_EQ(inText("\xc4\x8d\n", "utf-8"), "\xc4\x8d\r");
}

TEST(FtnMessage, CharsetsHaveTheirNames) {
    for (const auto& [charset, label] : {std::pair{"cp437", "CP437 2"},
                                         {"CP866", "CP866 2"},
                                         {"utf-8", "UTF-8 4"},
                                         {"us-ascii", "ASCII 1"},
                                         {"iso-8859-1", "LATIN-1 2"},
                                         {"iso-8859-15", "LATIN-9 2"},
                                         {"windows-1251", "CP1251 2"},
                                         {"koi8-r", "KOI8-R 2"}})
        EXPECT_EQ(charsetLabel(charset), label);
}

TEST(FtnMessage, SerialsAreStableAndDifferent) {
    const std::string id = "<abc@example.org>";
    EXPECT_EQ(msgidSerial({id, "", 1}), msgidSerial({id, "", 1}));
    EXPECT_NE(msgidSerial({id, "", 1}), msgidSerial({id, "", 2}));
    EXPECT_NE(msgidSerial({id, "", 1}), msgidSerial({id, "bob@x", 1}));
    EXPECT_NE(msgidSerial({id, "ann@x", 1}), msgidSerial({id, "bob@x", 1}));
}

}  // namespace
}  // namespace postern::adapters::ftn
