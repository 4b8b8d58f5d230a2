// SMTP smuggling: whatever stands in a text, one DATA is one mail, and nothing in it or right behind it
// begins a second one.

#include <gtest/gtest.h>

#include "tests/unit/intake/house.h"

namespace postern::intake {
namespace {

struct Sequence {
    const char* name;
    std::string bytes;
};

// What some server or other has taken for the end of a text.
std::vector<Sequence> sequences() {
    using namespace std::string_literals;
    return {
        {"LF.LF", "\n.\n"s},
        {"CR.CR", "\r.\r"s},
        {"CR.LF", "\r.\n"s},
        {"LF.CR", "\n.\r"s},
        {"LF.CRLF", "\n.\r\n"s},
        {"CRLF.LF", "\r\n.\n"s},
        {"CR.CRLF", "\r.\r\n"s},
        {"CRLF.CR", "\r\n.\r"s},
        {"CRLF NUL.CRLF", "\r\n\0.\r\n"s},
        {"CRLF.NUL CRLF", "\r\n.\0\r\n"s},
        {"CRLF.CR CRLF", "\r\n.\r\r\n"s},
        {"CR CRLF.CR CRLF", "\r\r\n.\r\r\n"s},
        {"CR CRLF.CRLF", "\r\r\n.\r\n"s},
        {"LF.CR CRLF", "\n.\r\r\n"s},
    };
}

class Smuggling : public testing::TestWithParam<config::Protocol> {
  protected:
    // Plays `text` behind a 354, cut in two at `cut`, and then everything a smuggler sends.
    void play(const std::string& text, std::size_t cut, const std::string& what) {
        ScriptedDoor door(house_.store());
        Talk talk(house_, door, listenerOf(GetParam()));
        talk.say(GetParam() == config::Protocol::Lmtp ? "LHLO evil" : "EHLO evil");
        talk.say("MAIL FROM:<outer@example.com>");
        talk.say("RCPT TO:<joe@example.org>");
        ASSERT_EQ(talk.say("DATA").substr(0, 3), "354");
        talk.send(text.substr(0, cut));
        talk.send(text.substr(cut));
        const std::string replies = talk.read();
        EXPECT_EQ(talk.mails(), 0) << what;
        EXPECT_EQ(replies.substr(0, 4), "550 ") << what;
        EXPECT_EQ(replies.find("354"), std::string::npos) << what;
        EXPECT_EQ(replies.find("250"), std::string::npos) << what;
        EXPECT_TRUE(talk.session().closing()) << what;
    }

    House house_;
};

// Each sequence, followed by a second mail, cut at every byte over two segments: no second mail, and the
// outer one is refused too.
TEST_P(Smuggling, R16_NoSequenceBeginsASecondMail) {
    const std::string second =
        "MAIL FROM:<inner@example.com>\r\nRCPT TO:<joe@example.org>\r\nDATA\r\ninner\r\n.\r\n";
    for (const Sequence& sequence : sequences()) {
        const std::string text = "Subject: outer\r\n\r\nouter" + sequence.bytes + second;
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            play(text, cut, std::string(sequence.name) + " cut at " + std::to_string(cut));
        }
    }
}

// The same at the beginning of a text, one byte at a time.
TEST_P(Smuggling, R16_NorAtTheBeginningByteByByte) {
    for (const Sequence& sequence : sequences()) {
        ScriptedDoor door(house_.store());
        Talk talk(house_, door, listenerOf(GetParam()));
        talk.say(GetParam() == config::Protocol::Lmtp ? "LHLO evil" : "EHLO evil");
        talk.say("MAIL FROM:<outer@example.com>");
        talk.say("RCPT TO:<joe@example.org>");
        talk.say("DATA");
        const std::string text = sequence.bytes +
                                 "MAIL FROM:<inner@example.com>\r\nRCPT TO:<joe@example.org>\r\n"
                                 "DATA\r\ninner\r\n.\r\n";
        for (const char c : text) talk.send(std::string_view(&c, 1));
        EXPECT_EQ(talk.mails(), 0) << sequence.name;
        EXPECT_TRUE(talk.session().closing()) << sequence.name;
    }
}

// Data hidden behind a bare line end in a command is not run either.
TEST_P(Smuggling, R16_NoCommandHidesInACommand) {
    for (const std::string ends : {"\n", "\r", "\n\r", "\r\r"}) {
        ScriptedDoor door(house_.store());
        Talk talk(house_, door, listenerOf(GetParam()));
        talk.say(GetParam() == config::Protocol::Lmtp ? "LHLO evil" : "EHLO evil");
        talk.send("NOOP" + ends + "MAIL FROM:<inner@example.com>" + ends + "RCPT TO:<joe@example.org>" +
                  ends + "\r\n");
        EXPECT_FALSE(talk.session().inTransaction());
        EXPECT_EQ(talk.read().substr(0, 9), "500 5.5.2");
    }
}

INSTANTIATE_TEST_SUITE_P(Protocols, Smuggling,
                         testing::Values(config::Protocol::Smtp, config::Protocol::Lmtp),
                         [](const auto& protocol) {
                             return protocol.param == config::Protocol::Smtp ? "Smtp" : "Lmtp";
                         });

}  // namespace
}  // namespace postern::intake
