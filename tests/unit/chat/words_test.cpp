// Names, masks, modes, capabilities, numerics, and how often something happened lately.

#include <gtest/gtest.h>

#include "connector/chat/capabilities.h"
#include "connector/chat/commands.h"
#include "connector/chat/modes.h"
#include "connector/chat/names.h"
#include "connector/chat/numerics.h"
#include "connector/chat/tries.h"

namespace postern::chat {
namespace {

TEST(Names, NicksAtTheirLimits) {
    for (const std::size_t length : {1, 8, 9, 10, 30})
        EXPECT_TRUE(validNick(std::string(length, 'a'), 30)) << length;
    EXPECT_FALSE(validNick(std::string(31, 'a'), 30));
    for (const char* nick : {"a-b", "[x]", "\\`_^{|}", "x9"}) EXPECT_TRUE(validNick(nick, 30)) << nick;
    for (const char* nick : {"", "9x", "-a", "a b", "a!b", "a@b", "#a", "a.b", "\xc3\xa4", "*"})
        EXPECT_FALSE(validNick(nick, 30)) << nick;
}

TEST(Names, Channels) {
    for (const char* name : {"#a", "##", "#a#", "#../x", "#\xc3\xa4", "#[x]"})
        EXPECT_TRUE(validChannel(name, 64)) << name;
    for (const char* name :
         {"", "#", "a", "&a", "#a b", "#a,b", "#a:b", "#\x07", "#\x7f", "#\xff", "\xef\xbc\x83x"})
        EXPECT_FALSE(validChannel(name, 64)) << name;
}

TEST(Names, MasksAreMadeWhole) {
    const std::pair<const char*, const char*> cases[] = {
        {"ann", "ann!*@*"}, {"a*", "a*!*@*"},  {"u@h", "*!u@h"},     {"n!u", "n!u@*"},
        {"n!u@h", "n!u@h"}, {"!u@h", "*!u@h"}, {"n!@h", "n!*@h"},    {"n!u@", "n!u@*"},
        {"@", "*!*@*"},     {"!", "*!*@*"},    {"x@y!z", "x@y!z@*"}, {"*!*@*", "*!*@*"}};
    for (const auto& [mask, whole] : cases) EXPECT_EQ(whole, wholeMask(mask)) << mask;
    EXPECT_TRUE(fitsMask("A*!*@192.0.2.?", "ann!u@192.0.2.1"));
    EXPECT_FALSE(fitsMask("b*!*@*", "ann!u@h"));
}

TEST(Modes, ParametersGoToTheLettersThatTakeOne) {
    const std::vector<ModeChange> wanted{{true, 'o', "ann"}, {true, 'n', {}},  {false, 'k', "key"},
                                         {false, 'l', {}},   {true, 'l', "5"}, {true, 'b', {}}};
    EXPECT_EQ(wanted, readModes({"+on-kl", "ann", "key", "+lb", "5"}));
    EXPECT_EQ((std::vector<std::string>{"+on-kl+lb", "ann", "key", "5"}), writeModes(wanted));
    EXPECT_EQ(kMostModes, readModes({std::string(1000, 'n')}).size());
}

TEST(Capabilities, AsAWholeOrNotAtAll) {
    Caps none;
    const auto some = requestedCaps(none, " batch  sasl ", false);
    ASSERT_TRUE(some);
    EXPECT_EQ("batch sasl", capNames(*some));
    EXPECT_FALSE(requestedCaps(*some, "batch nonsense", false));
    EXPECT_FALSE(requestedCaps(*some, "sasl=PLAIN", false));
    EXPECT_EQ("sasl", capNames(*requestedCaps(*some, "-batch", false)));
    EXPECT_FALSE(requestedCaps(*some, "-cap-notify", true));
    EXPECT_EQ(*some, *requestedCaps(*some, "", false));
}

TEST(Numerics, HaveThreeDigits) {
    EXPECT_EQ("001", numericCode(Numeric::Welcome));
    EXPECT_EQ("366", numericCode(Numeric::EndOfNames));
    EXPECT_EQ("Cannot change mode for other users", numericText(Numeric::UsersDontMatch));
}

TEST(Commands, AreFoundByTheirName) {
    for (const char* name :
         {"AUTHENTICATE", "AWAY",  "CAP",    "INFO",     "INVITE",  "ISON",    "JOIN", "KICK",
          "KILL",         "LIST",  "LUSERS", "MODE",     "MOTD",    "NAMES",   "NICK", "NOTICE",
          "OPER",         "PART",  "PASS",   "PING",     "PONG",    "PRIVMSG", "QUIT", "TAGMSG",
          "TIME",         "TOPIC", "USER",   "USERHOST", "VERSION", "WHO",     "WHOIS"}) {
        ASSERT_NE(nullptr, findCommand(name)) << name;
        EXPECT_STREQ(name, findCommand(name)->name);
    }
    for (const char* name : {"", "A", "WHOI", "WHOISX", "ZZZ", "join"})
        EXPECT_EQ(nullptr, findCommand(name)) << name;
}

TEST(LatelyTried, SoOftenWithinTheWindow) {
    Tries tries(2, Millis(1000));
    const SteadyTime start(std::chrono::hours(1));
    EXPECT_TRUE(tries.allows("a", start));
    tries.note("a", start);
    EXPECT_TRUE(tries.allows("a", start));
    tries.note("a", start + Millis(500));
    EXPECT_FALSE(tries.allows("a", start + Millis(999)));
    EXPECT_TRUE(tries.allows("b", start));
    EXPECT_TRUE(tries.allows("a", start + Millis(1000)));
    EXPECT_TRUE(tries.allows("a", start + Millis(1500)));
    EXPECT_EQ(0u, tries.size());
}

TEST(LatelyTried, ForgetsTheQuietestOfTooMany) {
    Tries tries(1, Millis(1'000'000));
    const SteadyTime start(std::chrono::hours(1));
    for (std::size_t i = 0; i < Tries::kMostKeys + 10; ++i)
        tries.note("key " + std::to_string(i), start + Millis(static_cast<std::int64_t>(i)));
    EXPECT_EQ(Tries::kMostKeys, tries.size());
    EXPECT_TRUE(tries.allows("key 0", start + Millis(10'000)));
    EXPECT_FALSE(tries.allows("key 4000", start + Millis(10'000)));
}

}  // namespace
}  // namespace postern::chat
