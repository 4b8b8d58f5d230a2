// What is read of the logs that the adapter wrote.

#include "connector/chat/mail_desk.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "adapters/chat/chat_entry.h"
#include "tests/adapter_rig.h"

namespace postern::chat {
namespace {

namespace fs = std::filesystem;
using tests::AdapterRig;

class MailDeskTest : public testing::Test {
  protected:
    std::string folder() const { return temp_ / "logs"; }
    void put(const std::string& log, std::int64_t number, const std::string& to) {
        fs::create_directories(folder() + "/" + log);
        tests::spill(folder() + "/" + log + "/" + std::to_string(number),
                     adapters::chat::entryText({ItemId{number}, to, {std::to_string(number) + " a: b"}}));
    }
    MailFound look() {
        MailFound found = lookForMail({{"board", folder(), {"#mail"}, 3, 5}}, seen_);
        seen_ = found.seen;
        return found;
    }
    // "#mail 1 2, bob 7"
    std::string numbers(const MailFound& found) const {
        std::string text;
        for (const MailPart& part : found.parts) {
            text += (text.empty() ? "" : ", ") + part.target;
            for (const Mail& mail : part.mails) text += " " + std::to_string(mail.number);
            if (part.more > 0) text += " and " + std::to_string(part.more);
        }
        return text;
    }

    tests::TempFolder temp_;
    MailSeen seen_;
};

TEST_F(MailDeskTest, ReadsWhatTheAdapterWroteOnce) {
    AdapterRig rig("chat", {{"channels", "#mail"}});
    rig.exportJob(rig.job(17, 1));
    const std::vector<MailPlace> places = {{"legacy", rig.folder(), {"#mail"}, 50, 5}};
    const MailFound found = lookForMail(places, {});
    EXPECT_EQ(found.trouble, "");
    ASSERT_EQ(found.parts.size(), 1u);
    EXPECT_EQ(found.parts[0].adapter, "legacy");
    EXPECT_EQ(found.parts[0].target, "#mail");
    ASSERT_EQ(found.parts[0].mails.size(), 1u);
    const Mail& mail = found.parts[0].mails[0];
    EXPECT_EQ(mail.item.value, 17);
    EXPECT_EQ(mail.lines.front(), "17> Alice Example <alice@example.org>: Hello");
    const auto written = fs::last_write_time(rig.folder() + "/%23mail/1");
    EXPECT_GT(toMillis(mail.at), 1'700'000'000'000) << "the file's own time";
    EXPECT_TRUE(lookForMail(places, found.seen).parts.empty());
    EXPECT_EQ(fs::last_write_time(rig.folder() + "/%23mail/1"), written) << "it only reads";
}

TEST_F(MailDeskTest, ALogThatSomebodyRemovedIsForgotten) {
    using Gone = std::vector<std::pair<std::string, std::string>>;
    put("bob", 1, "bob");
    put("%23mail", 1, "#mail");
    look();
    EXPECT_EQ(seen_.size(), 2u);
    fs::remove_all(folder() + "/bob");
    EXPECT_EQ(look().gone, (Gone{{"board", "bob"}}));
    EXPECT_EQ(seen_.size(), 1u);
    EXPECT_EQ(look().gone, Gone());
    fs::remove_all(folder());
    EXPECT_EQ(look().gone, Gone()) << "it may be a disk that is not there: nothing is told twice for that";
    EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(MailDeskTest, OnlyWhatIsNewAndTheNewestOfThose) {
    EXPECT_EQ(numbers(look()), "");
    put("%23mail", 1, "#mail");
    put("bob", 7, "bob");
    EXPECT_EQ(numbers(look()), "#mail 1, bob 7 and 6");
    put("%23mail", 2, "#mail");
    EXPECT_EQ(numbers(look()), "#mail 2");
    for (int number = 3; number <= 10; ++number) put("%23mail", number, "#mail");
    EXPECT_EQ(numbers(look()), "#mail 8 9 10 and 5");
    for (int number = 11; number <= 20; ++number) put("%23mail", number, "#mail");
    for (int number = 11; number <= 18; ++number) fs::remove(folder() + "/%23mail/" + std::to_string(number));
    EXPECT_EQ(numbers(look()), "#mail 19 20 and 8") << "those that went meanwhile are counted";
    EXPECT_EQ(numbers(look()), "");
}

TEST_F(MailDeskTest, ALogThatWasEmptiedIsNewAgain) {
    for (int number = 1; number <= 3; ++number) put("%23mail", number, "#mail");
    look();
    fs::remove_all(folder() + "/%23mail");
    put("%23mail", 1, "#mail");
    EXPECT_EQ(numbers(look()), "#mail 1");
}

TEST_F(MailDeskTest, WhatIsNoMailIsPassedOverAndSaid) {
    put("%23mail", 3, "#other");
    tests::spill(folder() + "/%23mail/2", "garbage");
    tests::spill(folder() + "/%23mail/notes.txt", "an operator's");
    tests::spill(folder() + "/4", "a file beside the logs");
    fs::create_directories(folder() + "/.postern-board/stage");
    put("%23mail", 5, "#mail");
    const MailFound found = look();
    EXPECT_EQ(numbers(found), "#mail 5 and 4");
    EXPECT_NE(found.trouble.find("2: it is no entry of a chat's log"), std::string::npos) << found.trouble;
    EXPECT_EQ(numbers(look()), "");
}

TEST_F(MailDeskTest, WhatIsThereButIsNoMailIsCountedAlsoAlone) {
    fs::create_directories(folder() + "/%23mail");
    tests::spill(folder() + "/%23mail/2", "garbage");
    EXPECT_EQ(numbers(look()), "#mail and 2");
    EXPECT_EQ(numbers(look()), "");
}

// Between a listing and the reading all that was listed may go: no mail is lost count of.
TEST_F(MailDeskTest, EachIsReadOrCountedWhoeverTakesThemAway) {
    constexpr std::int64_t kAll = 30'000;
    put("bob", 1, "bob");
    std::atomic<bool> done{false};
    std::jthread others([&] {
        for (std::int64_t number = 1; number < kAll;) {  // the next comes as the last one goes
            std::error_code error;                       // some systems move no file that is being read
            fs::rename(folder() + "/bob/" + std::to_string(number),
                       folder() + "/bob/" + std::to_string(number + 1), error);
            if (!error) ++number;
        }
        done = true;
    });
    std::int64_t counted = 0;
    for (bool last = false; !last;) {
        last = done;
        for (const MailPart& part : look().parts)
            counted += static_cast<std::int64_t>(part.mails.size()) + part.more;
    }
    EXPECT_EQ(counted, kAll);
}

TEST_F(MailDeskTest, TheDeskAnswersOnItsOwnThread) {
    put("%23mail", 1, "#mail");
    Mutex mutex;
    Condition changed;
    std::vector<MailFound> answers;
    MailDesk desk({{"board", folder(), {"#mail"}, 3, 5}});
    ASSERT_TRUE(desk.look({}, true, [&](MailFound found) {
        MutexLock lock(mutex);
        answers.push_back(std::move(found));
        changed.notifyAll();
    }));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    MutexLock lock(mutex);
    while (answers.empty() && std::chrono::steady_clock::now() < deadline) changed.waitUntil(mutex, deadline);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_TRUE(answers[0].past);
    EXPECT_EQ(numbers(answers[0]), "#mail 1");
}

}  // namespace
}  // namespace postern::chat
