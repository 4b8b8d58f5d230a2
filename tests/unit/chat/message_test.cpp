// Lines taken apart, put together and cut out of a stream.

#include "connector/chat/message.h"

#include <gtest/gtest.h>

#include "connector/chat/line_buffer.h"

namespace postern::chat {
namespace {

Message parsed(const std::string& line) {
    Message message;
    EXPECT_EQ(Parsed::Good, parseMessage(line, message)) << line;
    return message;
}

TEST(Messages, AreTakenApart) {
    const Message message = parsed("@a=b\\:c;+d;e= :ann!a@b  privmsg  #x,#y   :hello  there: you");
    EXPECT_EQ((Tags{{"a", "b;c"}, {"+d", ""}, {"e", ""}}), message.tags);
    EXPECT_EQ("ann!a@b", message.source);
    EXPECT_EQ("PRIVMSG", message.command);
    EXPECT_EQ((std::vector<std::string>{"#x,#y", "hello  there: you"}), message.parameters);
    EXPECT_EQ("", message.parameter(7));
}

TEST(Messages, HaveFifteenParametersAtMost) {
    const Message message = parsed("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 :17");
    ASSERT_EQ(kMostParameters, message.parameters.size());
    EXPECT_EQ("15 16 :17", message.parameters.back());
}

TEST(Messages, OfTwoTagsOfOneNameTheLastCounts) {
    EXPECT_EQ("2", parsed("@a=1;a=2;;=3 X").tags.at("a"));
}

TEST(Messages, ThatAreNone) {
    Message message;
    for (const char* line : {"", "   ", "@a=b", "@a=b ", ":source", ":source  "})
        EXPECT_EQ(Parsed::Empty, parseMessage(line, message)) << "'" << line << "'";
    EXPECT_EQ(Parsed::BadBytes, parseMessage(std::string("PRIVMSG a :b\0c", 14), message));
    EXPECT_EQ(Parsed::BadBytes, parseMessage("PRIVMSG a :b\rQUIT", message));
    EXPECT_EQ(Parsed::NoUtf8, parseMessage("@label=x PRIVMSG a :\xff", message));
    EXPECT_EQ("x", message.tags.at("label"));
    EXPECT_EQ("PRIVMSG", message.command);
}

TEST(Messages, TooLongByTagsOrByTheRest) {
    Message message;
    const std::string body = "X " + std::string(kLongestBody - 2, 'a');
    const std::string tags = "@a=" + std::string(kLongestClientTags - 4, 'b') + " ";
    ASSERT_EQ(kLongestClientTags, tags.size());
    EXPECT_EQ(Parsed::Good, parseMessage(tags + body, message));
    EXPECT_EQ(Parsed::TooLong, parseMessage(tags + body + "a", message));
    EXPECT_EQ(Parsed::TooLong, parseMessage("@c" + tags.substr(1) + "X", message));
}

TEST(Messages, EscapesOfTagsGoThereAndBack) {
    const std::string all = "a;b c\\d\re\nf:";
    EXPECT_EQ("a\\:b\\sc\\\\d\\re\\nf:", escapeTag(all));
    EXPECT_EQ(all, unescapeTag(escapeTag(all)));
    EXPECT_EQ("bx", unescapeTag("\\b\\x"));
    EXPECT_EQ("end", unescapeTag("end\\"));
    EXPECT_EQ("@a;b=c\\sd ", tagText({{"a", ""}, {"b", "c d"}}));
    EXPECT_EQ("", tagText({}));
}

TEST(Messages, ArePutTogether) {
    EXPECT_EQ(":s PRIVMSG #x :a b", writeMessage("s", "PRIVMSG", {"#x", "a b"}));
    EXPECT_EQ("X a b", writeMessage("", "X", {"a", "b"}));
    EXPECT_EQ("X a :b", writeMessage("", "X", {"a", "b"}, true));
    EXPECT_EQ("X :", writeMessage("", "X", {""}));
    EXPECT_EQ("X ::b", writeMessage("", "X", {":b"}));
    EXPECT_EQ("X * a_b _c d", writeMessage("", "X", {"", "a b", ":c", "d"}));
}

TEST(Messages, NothingInThemBecomesALineOfItsOwn) {
    const std::string evil("x\r\nKILL a\0b", 12);
    for (const std::string& line : {writeMessage(evil, "X", {evil, evil}), writeMessage("s", evil, {}, true)})
        EXPECT_EQ(std::string::npos, line.find_first_of(std::string("\r\n\0", 3))) << line;
}

TEST(Messages, AreCutBetweenCharacters) {
    std::string text;
    for (int i = 0; i < 400; ++i) text += "\xe2\x82\xac";
    const std::string line = writeMessage("s", "X", {text}, true);
    EXPECT_LE(line.size(), kLongestBody);
    EXPECT_GT(line.size(), kLongestBody - 3);
    EXPECT_EQ(0u, (line.size() - 6) % 3);
}

std::vector<std::string> linesOf(const std::string& bytes, std::size_t piece) {
    LineBuffer buffer;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
        buffer.add(std::string_view(bytes).substr(at, piece));
    std::vector<std::string> lines;
    while (auto line = buffer.take()) lines.push_back(*line);
    return lines;
}

TEST(LineBuffers, CutHoweverTheBytesCome) {
    const std::string bytes = "\r\n\nNICK ann\r\nUSER a\n\r\r\n b\r\r\nc\rd\nhalf";
    const std::vector<std::string> wanted{"NICK ann", "USER a", " b", "c\rd"};
    for (const std::size_t piece : {1, 2, 3, 7, 100}) EXPECT_EQ(wanted, linesOf(bytes, piece)) << piece;
}

TEST(LineBuffers, KeepNoMoreOfALineThanShowsThatItIsTooLong) {
    LineBuffer buffer;
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(buffer.add(std::string(1000, 'x')));
    EXPECT_LT(buffer.size(), 5000u);
    EXPECT_TRUE(buffer.add("\nPING a\r\n"));
    Message message;
    EXPECT_EQ(Parsed::TooLong, parseMessage(*buffer.take(), message));
    EXPECT_EQ("PING a", buffer.take());
    EXPECT_EQ(0u, buffer.size());
}

TEST(LineBuffers, EmptyLinesAreNone) {
    LineBuffer buffer;
    EXPECT_FALSE(buffer.add("\r\n\n\r\r\n"));
    EXPECT_EQ(0u, buffer.size());
    EXPECT_TRUE(buffer.add("a\n"));
    EXPECT_TRUE(buffer.holdsLine());
}

}  // namespace
}  // namespace postern::chat
