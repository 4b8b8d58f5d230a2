// Answers as lines: what is left out of a long one, and what shows it.

#include "connector/chat/answer_lines.h"

#include <gtest/gtest.h>

namespace postern::chat {
namespace {

admin::Request asked(const std::string& verb, std::initializer_list<std::pair<std::string, std::string>> by) {
    admin::Request request;
    request.verb = verb;
    for (const auto& [name, value] : by) request.fields[name] = value;
    return request;
}

std::vector<admin::Record> history(int rows) {
    std::vector<admin::Record> all;
    for (int i = 1; i <= rows; ++i)
        all.push_back(admin::Record()
                          .add("type", "history")
                          .add("id", std::int64_t{17})
                          .add("who", "postern")
                          .add("what", "deferred")
                          .add("detail", "try " + std::to_string(i)));
    return all;
}

std::vector<admin::Record> items(int count) {
    std::vector<admin::Record> all;
    for (int i = 1; i <= count; ++i)
        all.push_back(admin::Record().add("id", std::int64_t{i}).add("state", "held"));
    return all;
}

TEST(AnswerLines, OfALongHistoryTheNewestIsTold) {
    const auto lines = answerLines(asked("queue.log", {{"ids", "17"}}), history(40));
    ASSERT_EQ(lines.size(), 16u);
    EXPECT_EQ(lines.front(), "... 25 older lines are left out; 'postern queue log 17' shows all");
    EXPECT_NE(lines[1].find("try 26"), std::string::npos) << lines[1];
    EXPECT_NE(lines.back().find("try 40"), std::string::npos) << lines.back();
    const auto longer = answerLines(asked("queue.log", {{"ids", "17"}}), history(40), 500);
    EXPECT_EQ(longer.front(), "... 525 older lines are left out; 'postern queue log 17' shows all");
    EXPECT_EQ(answerLines(asked("queue.log", {{"ids", "17"}}), history(15)).size(), 15u);
}

TEST(AnswerLines, TheFactsOfAnItemStayBeforeItsHistory) {
    std::vector<admin::Record> rows = {
        admin::Record().add("type", "item").add("id", std::int64_t{17}).add("state", "ready")};
    const auto past = history(40);
    rows.insert(rows.end(), past.begin(), past.end());
    const auto lines = answerLines(asked("queue.show", {{"ids", "17"}}), rows);
    ASSERT_EQ(lines.size(), 16u);
    EXPECT_EQ(lines[0], "id 17, state ready");
    EXPECT_EQ(lines[1], "... 26 older lines are left out; 'postern queue show 17' shows all");
    EXPECT_NE(lines[2].find("try 27"), std::string::npos) << lines[2];
    EXPECT_NE(lines.back().find("try 40"), std::string::npos) << lines.back();
}

TEST(AnswerLines, OfManyItemsWithTheirHistoriesThereIsOneCount) {
    std::vector<admin::Record> rows;
    for (int i = 0; i < 200; ++i) {
        rows.push_back(admin::Record().add("type", "item").add("id", std::int64_t{i + 1}));
        const auto past = history(2);
        rows.insert(rows.end(), past.begin(), past.end());
    }
    const auto lines = answerLines(asked("queue.show", {{"ids", "1-200"}}), rows, 30);
    ASSERT_EQ(lines.size(), 16u);
    EXPECT_EQ(lines[0], "id 1");
    EXPECT_EQ(lines.back(), "... 615 more; 'postern queue show 1-200' shows all");
    for (const std::string& line : lines) EXPECT_EQ(line.find("older"), std::string::npos) << line;
}

// It is pasted into a shell.
TEST(AnswerLines, TheCommandTakesValuesOfSeveralWordsAndLeavesItsLimitOut) {
    const auto command = [](const std::string& verb,
                            std::initializer_list<std::pair<std::string, std::string>> by) {
        return answerLines(asked(verb, by), items(16)).back();
    };
    EXPECT_EQ(command("queue.list", {{"error", "is not in"}, {"limit", "20"}}),
              "... 1 more; 'postern queue list --error \"is not in\"' shows all");
    EXPECT_EQ(command("queue.list", {{"from", "$(reboot)\"`x`\\"}}),
              "... 1 more; 'postern queue list --from \"\\$(reboot)\\\"\\`x\\`\\\\\"' shows all");
    EXPECT_EQ(command("operate", {{"change", "hold"}, {"reason", "a look"}, {"adapter", "fax"}, {"who", ""}}),
              "... 1 more; 'postern queue list --adapter fax' shows all");
    EXPECT_EQ(command("operate", {{"change", "retry"}, {"ids", "1-20"}}),
              "... 1 more; 'postern queue list --id 1-20' shows all");
}

TEST(AnswerLines, OfALongListTheFirstAreToldAndTheCommandForTheRest) {
    const auto lines = answerLines(
        asked("queue.list", {{"adapter", "fax"}, {"state", "held"}, {"message_id", "a@b"}}), items(40));
    ASSERT_EQ(lines.size(), 16u);
    EXPECT_TRUE(lines.front().starts_with("1 held")) << lines.front();
    EXPECT_EQ(lines.back(),
              "... 25 more; 'postern queue list --adapter fax --message-id a@b --state held' shows all");
    EXPECT_EQ(answerLines(asked("queue.list", {{"all", "true"}, {"ids", "1-40"}}), items(40)).back(),
              "... 25 more; 'postern queue list --all --id 1-40' shows all");
    EXPECT_EQ(answerLines(asked("queue.list", {}), items(100)).back(),
              "... 85 more or even others; 'postern queue list' shows all")
        << "the list itself ended";
    EXPECT_EQ(answerLines(asked("queue.summary", {{"by", "sender"}}), items(16)).back(),
              "... 1 more; 'postern queue summary --by sender' shows all");
}

}  // namespace
}  // namespace postern::chat
