// Mail for the people in the chat: who is told, what is told again to who comes later, and storms.

#include <gtest/gtest.h>

#include "base/digest.h"
#include "tests/unit/chat/chat_rig.h"

namespace postern::chat {
namespace {

using testing::Test;

std::string all(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

std::size_t count(const std::string& text, const std::string& word) {
    std::size_t found = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
    return found;
}

class MailBoardTest : public Test {
  protected:
    static Settings withMail() {
        Settings settings = openHouse();
        settings.queue.channel = "#queue";
        settings.mail = {{"board", "/nowhere", {"#Alerts", "#fax"}, 3, 2}};
        return settings;
    }
    MailBoardTest() : rig(withMail()) {
        rig.addAccount("anna", "pencil", "operator");
        rig.addAccount("vera", "pencil", "viewer");
        rig.addAccount("send", "pencil", "send");
    }
    // Logs on with the account, and another nick if one is given; what comes back.
    std::string logOn(const std::string& account, const std::string& caps = {}, std::string nick = {}) {
        if (nick.empty()) nick = account;
        EXPECT_TRUE(rig.connect(nick));
        rig.say(nick, "CAP REQ :sasl" + (caps.empty() ? "" : " " + caps));
        rig.say(nick, "AUTHENTICATE PLAIN");
        rig.say(nick, "AUTHENTICATE " +
                          base64Encode(std::string("\0", 1) + account + std::string("\0", 1) + "pencil"));
        rig.say(nick, "NICK " + nick);
        rig.say(nick, "USER " + nick + " 0 * :x");
        rig.say(nick, "CAP END");
        return all(rig.take(nick));
    }
    std::string join(const std::string& name, const std::string& channel) {
        rig.say(name, "JOIN " + channel);
        return all(rig.take(name));
    }
    static Mail mail(std::int64_t number, std::vector<std::string> more = {}) {
        Mail made{number, ItemId{100 + number}, fromMillis(1'700'000'000'000 + number * 1'000), {}};
        made.lines = {std::to_string(100 + number) + " Ann: Hello"};
        made.lines.insert(made.lines.end(), more.begin(), more.end());
        return made;
    }
    void bring(const std::string& target, std::vector<Mail> mails, bool past = false, std::int64_t more = 0) {
        MailFound found;
        found.past = past;
        found.parts = {{"board", target, std::move(mails), more}};
        rig.hall().bring(found);
        rig.settle();
    }

    ChatRig rig;
};

TEST_F(MailBoardTest, AChannelHearsItOnceAndNobodyElse) {
    logOn("vera");
    logOn("anna");
    join("vera", "#alerts");
    bring("#alerts", {mail(1, {"101| the roof"})});
    EXPECT_EQ(all(rig.take("vera")),
              ":postern!postern@chat.test PRIVMSG #Alerts :101 Ann: Hello\n"
              ":postern!postern@chat.test PRIVMSG #Alerts :101| the roof\n");
    EXPECT_TRUE(rig.take("anna").empty());
}

TEST_F(MailBoardTest, WhoComesLaterHearsTheLastOnesWithTheirTime) {
    bring("#alerts", {mail(1), mail(2)}, true);
    bring("#alerts", {mail(3), mail(4, {"104| more"})});
    logOn("vera", "server-time batch message-tags");
    const std::string heard = join("vera", "#alerts");
    EXPECT_EQ(heard.find("101 Ann"), std::string::npos) << "three are kept";
    EXPECT_NE(heard.find("BATCH +replay1 chathistory #Alerts"), std::string::npos) << heard;
    EXPECT_NE(heard.find(
                  "time=2023-11-14T22:13:22.000Z :postern!postern@chat.test PRIVMSG #Alerts :102 Ann: Hello"),
              std::string::npos)
        << heard;
    EXPECT_LT(heard.find(":102 Ann"), heard.find(":103 Ann"));
    EXPECT_NE(heard.find(":104| more"), std::string::npos);
    EXPECT_NE(heard.find("BATCH -replay1"), std::string::npos);
    logOn("anna");
    EXPECT_NE(join("anna", "#alerts").find("PRIVMSG #Alerts :2023-11-14T22:13:22Z 102 Ann: Hello"),
              std::string::npos);
    EXPECT_EQ(join("anna", "#fax").find("Ann: Hello"), std::string::npos);
}

TEST_F(MailBoardTest, WhoIsQuickerThanTheFirstLookHearsTheLogAllTheSame) {
    logOn("vera");
    join("vera", "#alerts");
    logOn("anna");
    bring("#alerts", {mail(1), mail(2), mail(3), mail(4)}, true);
    const std::string heard = all(rig.take("vera"));
    EXPECT_EQ(heard.find("101 Ann"), std::string::npos) << "three are kept";
    EXPECT_NE(heard.find("PRIVMSG #Alerts :2023-11-14T22:13:22Z 102 Ann: Hello"), std::string::npos) << heard;
    EXPECT_EQ(count(heard, "PRIVMSG #Alerts"), 3u) << heard;
    EXPECT_TRUE(rig.take("anna").empty());
    bring("anna", {mail(1)}, true);
    EXPECT_NE(all(rig.take("anna")).find("PRIVMSG anna :2023-11-14T22:13:21Z 101 Ann: Hello"),
              std::string::npos);
}

TEST_F(MailBoardTest, APersonIsAnAccountWhateverTheNick) {
    logOn("vera", {}, "phone");
    logOn("vera", {}, "desk");
    logOn("send", {}, "Vera");  // a nick is nobody's
    bring("Vera", {mail(1)});
    EXPECT_EQ(all(rig.take("phone")), ":postern!postern@chat.test PRIVMSG phone :101 Ann: Hello\n");
    EXPECT_EQ(all(rig.take("desk")), ":postern!postern@chat.test PRIVMSG desk :101 Ann: Hello\n");
    EXPECT_TRUE(rig.take("Vera").empty());
}

TEST_F(MailBoardTest, APersonWhoLogsOnAgainHearsItAgain) {
    bring("vera", {mail(1)});
    EXPECT_NE(logOn("vera").find("PRIVMSG vera :2023-11-14T22:13:21Z 101 Ann: Hello"), std::string::npos);
    rig.vanish("vera");
    EXPECT_NE(logOn("vera").find("101 Ann: Hello"), std::string::npos);
    EXPECT_EQ(logOn("anna").find("101 Ann: Hello"), std::string::npos);
}

TEST_F(MailBoardTest, AnAccountNamedLikeAChannelHearsNothingOfIt) {
    rig.addAccount("#alerts", "pencil", "send");
    bring("#alerts", {mail(1)}, true);
    EXPECT_EQ(logOn("#alerts", {}, "eve").find("Ann: Hello"), std::string::npos);
    bring("#alerts", {mail(2)});
    EXPECT_TRUE(rig.take("eve").empty());
}

TEST_F(MailBoardTest, WhoMayNotLookAtTheQueueMayNotEnter) {
    logOn("send");
    EXPECT_NE(join("send", "#alerts").find(" 473 send #Alerts "), std::string::npos);
    bring("#alerts", {mail(1)});
    EXPECT_TRUE(rig.take("send").empty());
}

TEST_F(MailBoardTest, AStormIsAFewMailsAndACount) {
    logOn("vera");
    join("vera", "#alerts");
    join("vera", "#fax");
    bring("#alerts", {mail(1), mail(2), mail(3)}, false, 40);
    bring("#alerts", {mail(4)});
    bring("#fax", {mail(1)});
    const std::string heard = all(rig.take("vera"));
    EXPECT_EQ(count(heard, "PRIVMSG #Alerts"), 2u) << heard;
    EXPECT_EQ(count(heard, "PRIVMSG #fax"), 1u) << "each channel has room of its own";
    rig.pass(Millis(4'999));
    EXPECT_TRUE(rig.take("vera").empty());
    rig.pass(Millis(1));
    const std::string summary = all(rig.take("vera"));
    EXPECT_NE(summary.find("PRIVMSG #Alerts :... and 42 more mails in 5s; leave #Alerts and join it again to "
                           "hear the last 3"),
              std::string::npos)
        << summary;
    rig.pass(Millis(60'000));
    EXPECT_EQ(all(rig.take("vera")).find("more mail"), std::string::npos);
    bring("#alerts", {mail(5)});
    EXPECT_EQ(rig.take("vera").size(), 1u);
}

TEST_F(MailBoardTest, APersonIsToldHowToHearTheRestOfAStorm) {
    logOn("vera");
    bring("vera", {mail(1), mail(2), mail(3)});
    rig.take("vera");
    rig.pass(Millis(5'000));
    EXPECT_EQ(all(rig.take("vera")),
              ":postern!postern@chat.test PRIVMSG vera :... and 1 more mail in 5s; log on again to hear the "
              "last 3\n");
}

TEST_F(MailBoardTest, ALogThatSomebodyRemovedIsForgotten) {
    bring("Vera", {mail(1)});
    bring("#alerts", {mail(2)});
    MailFound found;
    found.gone = {{"board", "vera"}, {"board", "#alerts"}, {"other", "anna"}};
    rig.hall().bring(found);
    EXPECT_EQ(logOn("vera").find("101 Ann: Hello"), std::string::npos) << "another may have the name now";
    EXPECT_EQ(join("vera", "#fax").find("403"), std::string::npos);
    EXPECT_EQ(join("vera", "#alerts").find(" 403 "), std::string::npos) << "channels last";
}

TEST_F(MailBoardTest, WhoLogsOnWhenHeIsInAlreadyHearsHisMail) {
    bring("vera", {mail(1)});
    rig.logOn("guest");
    const auto prove = [&] {
        rig.say("guest", "AUTHENTICATE PLAIN");
        rig.say("guest", "AUTHENTICATE " + base64Encode(std::string("\0vera\0pencil", 12)));
        return all(rig.take("guest"));
    };
    EXPECT_EQ(count(prove(), "PRIVMSG guest :2023-11-14T22:13:21Z 101 Ann: Hello"), 1u);
    EXPECT_EQ(count(prove(), "101 Ann: Hello"), 0u) << "he has that account already";
}

TEST_F(MailBoardTest, ALogOfAnotherConfigurationIsHeardByNobody) {
    logOn("anna");
    rig.say("anna", "JOIN #old");
    rig.take("anna");
    bring("#old", {mail(1)});
    EXPECT_TRUE(rig.take("anna").empty());
}

TEST_F(MailBoardTest, AReplayNeverOverflowsWhoIsTold) {
    Settings settings = withMail();
    settings.mail.front().keep = 1000;
    ChatRig wide(settings);
    wide.addAccount("vera", "pencil", "viewer");
    MailFound found;
    found.past = true;
    found.parts = {{"board", "#alerts", {}, 0}};
    for (std::int64_t number = 1; number <= 1000; ++number)
        found.parts.front().mails.push_back(
            mail(number, std::vector<std::string>(10, std::string(400, 'x'))));
    wide.hall().bring(found);
    ASSERT_TRUE(wide.connect("vera"));
    wide.say("vera", "CAP REQ :sasl batch server-time message-tags");
    wide.say("vera", "AUTHENTICATE PLAIN");
    wide.say("vera", "AUTHENTICATE " + base64Encode(std::string("\0vera\0pencil", 12)));
    wide.say("vera", "NICK vera");
    wide.say("vera", "USER vera 0 * :x");
    wide.say("vera", "CAP END");
    wide.take("vera");
    wide.stopReading("vera");
    wide.say("vera", "JOIN #alerts");
    EXPECT_FALSE(wide.closed("vera"));
    EXPECT_LT(wide.hall().output(wide.id("vera")).size(), settings.limits.sendQueueHard / 2 + 4'096);
    wide.readAgain("vera");
    const std::string heard = all(wide.take("vera"));
    EXPECT_NE(heard.find("1100 Ann"), std::string::npos) << "the newest are told";
    EXPECT_EQ(heard.find(":101 Ann"), std::string::npos);
}

TEST_F(MailBoardTest, WhoIsThereIsKnownByAccount) {
    const auto before = rig.hall().comings();
    logOn("vera", {}, "phone");
    EXPECT_NE(rig.hall().comings(), before);
    const std::set<std::string, std::less<>> here{"vera"};
    EXPECT_EQ(rig.hall().accountsHere(), here);
    const auto between = rig.hall().comings();
    rig.vanish("phone");
    EXPECT_NE(rig.hall().comings(), between);
    EXPECT_TRUE(rig.hall().accountsHere().empty());
}

}  // namespace
}  // namespace postern::chat
