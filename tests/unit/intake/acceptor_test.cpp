#include "connector/intake/acceptor.h"

#include <atomic>
#include <future>
#include <limits>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/intake/house.h"

namespace postern::intake {
namespace {

// I1: the message, its items and their history are there when the answer comes, and the watchers know.
TEST(Acceptor, I1_MessageAndItemsAreThereWhenTheAnswerComes) {
    House house;
    const auto demo = house.notifier().subscribe("demo");
    const auto other = house.notifier().subscribe("other");
    const auto third = house.notifier().subscribe("third");
    const Answer answer = house.accept(
        house.mail({"joe@example.org", "1@example.net", "2@example.net"}, "Received: us\r\nbody\r\n"));
    EXPECT_EQ(answer.code, 250);
    EXPECT_EQ(answer.text, "Ok: queued as m1");
    const auto stored = house.stored();
    ASSERT_EQ(stored.size(), 1u);
    EXPECT_EQ(stored[0].body, "body\r\n");
    EXPECT_EQ(stored[0].items,
              (std::vector<std::string>{"demo/1: joe@example.org=joe", "other/1: 1@example.net=1@example.net",
                                        "other/2: 2@example.net=2@example.net"}));
    EXPECT_GE(house.count("SELECT count(*) FROM history"), 3);
    const SteadyTime now = std::chrono::steady_clock::now();
    EXPECT_TRUE(demo->waitUntil(now));
    EXPECT_TRUE(other->waitUntil(now));
    EXPECT_FALSE(third->waitUntil(now));
    EXPECT_EQ(house.notifier().counters().published, 2) << "one hint per adapter, not per item";
}

TEST(Acceptor, KeepsALargeBodyInAFileAndNoneOfARefusedMail) {
    House house;
    const std::string text = "Received: us\r\n" + std::string(3 * kInlineBody, 'x') + "\r\n";
    EXPECT_EQ(house.accept(house.mail({"joe@example.org"}, text)).code, 250);
    EXPECT_EQ(house.bodyFiles(), 1u);
    EXPECT_EQ(house.stored()[0].body.size(), text.size() - 14);

    auto doomed = house.mail({"joe@example.org"}, text);
    house.acceptor().setRouter(house.router({}));
    doomed.recipients[0].destination.adapter = "gone";
    const Answer answer = house.accept(std::move(doomed));
    EXPECT_EQ(answer.code, 451) << answer.text;
    EXPECT_EQ(house.bodyFiles(), 1u);
    EXPECT_EQ(house.count("SELECT count(*) FROM message"), 1);
}

// A body that is dropped on the way (a client that went away) leaves nothing behind (KB Q190709).
TEST(Acceptor, Q190709_ADroppedBodyLeavesNoFile) {
    House house;
    {
        const auto mail = house.mail({"joe@example.org"}, std::string(3 * kInlineBody, 'x'));
        EXPECT_TRUE(mail.body->inFile());
    }
    EXPECT_EQ(house.bodyFiles(), 0u);
}

TEST(Acceptor, RefusesWhatTheQueueRefusesAndStoresNothing) {
    House house;
    auto none = house.mail({}, "x\r\n");
    EXPECT_EQ(house.accept(std::move(none)).code, 451);
    EXPECT_EQ(house.count("SELECT count(*) FROM message"), 0);
}

TEST(Acceptor, RoomIsWhatIsFreeBesideTheReserve) {
    House plenty;
    EXPECT_TRUE(plenty.acceptor().checkRoom(0).ok());
    EXPECT_TRUE(plenty.acceptor().checkRoom(1 << 20).ok());
    EXPECT_EQ(plenty.acceptor().checkRoom(std::numeric_limits<std::int64_t>::max()).error().code,
              Errc::NoSpace);
    EXPECT_TRUE(plenty.acceptor().checkRoom(0).ok()) << "one impossible wish changes nothing";

    House full(std::numeric_limits<std::int64_t>::max() / 2);
    EXPECT_EQ(full.acceptor().checkRoom(0).error().code, Errc::NoSpace);
}

// A volume of any size, and what is said of it.
class Room : public testing::Test {
  protected:
    static constexpr std::int64_t kReserve = 64 << 20;

    Room() {
        setLogSink([this](Severity, std::string_view line) {
            for (const char* event : {"store.full", "store.room"})
                if (line.find(event) != std::string_view::npos) said_.emplace_back(event);
        });
    }
    ~Room() override { setLogSink({}); }
    bool takes(std::int64_t announced, std::int64_t free, std::int64_t files = 1000) {
        // What the store's log still holds needs its room as well.
        volume_ = {std::int64_t{1} << 50, free + house_.store().counters().logBytes, 2000, files, 1};
        house_.clock().advance(Millis(1'001));  // it looks again
        return acceptor_.checkRoom(announced).ok();
    }

    House house_;
    Volume volume_{};
    std::vector<std::string> said_;
    Acceptor acceptor_{house_.store(), house_.notifier(), house_.clock(), disk::Limits{{kReserve}, {}},
                       [this](const std::string&) -> Result<Volume> { return volume_; }};
};

TEST_F(Room, Q189587_short_of_room_is_said_once_and_so_is_room_again) {
    EXPECT_TRUE(takes(0, kReserve));
    EXPECT_TRUE(said_.empty()) << "nothing to say";
    for (int mail = 0; mail < 3; ++mail) EXPECT_FALSE(takes(0, kReserve - 1));
    for (int mail = 0; mail < 3; ++mail) EXPECT_TRUE(takes(0, kReserve));
    EXPECT_EQ(said_, (std::vector<std::string>{"store.full"})) << "the log's next megabyte would end it";
    for (int mail = 0; mail < 3; ++mail) EXPECT_TRUE(takes(0, kReserve + (16 << 20)));
    EXPECT_FALSE(takes(0, 1LL << 40, 0)) << "no file can be made";
    EXPECT_EQ(said_, (std::vector<std::string>{"store.full", "store.room", "store.full"}));
}

TEST_F(Room, Q178758_free_space_is_counted_in_64_bits) {
    constexpr std::int64_t kFourGib = std::int64_t{1} << 32;
    for (const std::int64_t spare :
         {std::int64_t{3}, kFourGib - 3, kFourGib, kFourGib + 3, std::int64_t{1} << 44}) {
        const std::int64_t fits = spare / 3 * 2 + 1;
        EXPECT_TRUE(takes(fits, kReserve + spare)) << spare;
        EXPECT_FALSE(takes(fits + 2, kReserve + spare)) << spare;
    }
    EXPECT_FALSE(takes(0, 0));
    EXPECT_EQ(said_, (std::vector<std::string>{"store.full"}))
        << "a mail that is too large is not the disk's fault";
}

TEST(Acceptor, BeforeTheFirstRoutesItIsStopped) {
    House house;
    Acceptor fresh(house.store(), house.notifier(), house.clock(), {});
    EXPECT_EQ(fresh.routeRecipient("joe@example.org", {}).error().code, Errc::Stopped);
}

TEST(Acceptor, AnswersInTheWordsOfSmtp) {
    const struct {
        Errc code;
        int reply;
        const char* enhanced;
    } cases[] = {
        {Errc::NoSpace, 452, "4.3.1"},  {Errc::Io, 451, "4.3.0"},       {Errc::Corrupt, 451, "4.3.0"},
        {Errc::Stopped, 421, "4.3.2"},  {Errc::NotFound, 550, "5.1.1"}, {Errc::Invalid, 550, "5.1.3"},
        {Errc::Denied, 550, "5.7.1"},   {Errc::Busy, 451, "4.3.0"},     {Errc::Unavailable, 451, "4.3.0"},
        {Errc::Internal, 451, "4.3.0"}, {Errc::Exists, 451, "4.3.0"},
    };
    for (const auto& each : cases) {
        const Answer got = answerFor(fail(each.code, "x"));
        EXPECT_EQ(got.code, each.reply) << errcName(each.code);
        EXPECT_EQ(got.enhanced, each.enhanced) << errcName(each.code);
    }
}

TEST(Acceptor, TakesMailFromManyThreadsWhileRoutesAreReplaced) {
    House house;
    constexpr int kThreads = 4, kEach = 50;
    std::atomic<int> accepted{0};
    std::atomic<bool> over{false};
    std::jthread reloader([&] {
        while (!over) house.acceptor().setRouter(house.router(House::routes()));
    });
    {
        std::vector<std::jthread> senders;
        for (int t = 0; t < kThreads; ++t) {
            senders.emplace_back([&] {
                for (int i = 0; i < kEach; ++i) {
                    const std::string body(static_cast<std::size_t>(i % 5 == 0 ? 2 * kInlineBody : 100), 'x');
                    if (house.accept(house.mail({"joe@example.org"}, body)).code == 250) ++accepted;
                }
            });
        }
    }
    over = true;
    EXPECT_EQ(accepted, kThreads * kEach);
    EXPECT_EQ(house.count("SELECT count(*) FROM message"), kThreads * kEach);
    EXPECT_EQ(house.bodyFiles(), static_cast<std::size_t>(kThreads * kEach / 5));
}

config::Rule onHeader(const char* header, config::RuleAction action) {
    config::Rule rule;
    rule.name = "policy";
    rule.header = header;
    rule.action = action;
    rule.text = "not that";
    return rule;
}

// What its header or its true size decides is decided when the text is here, before anything is stored.
TEST(Acceptor, TheCompleteMailIsJudgedBeforeItIsStored) {
    House house;
    house.acceptor().setRouter(house.router(
        House::routes(),
        {onHeader("X-Spam: yes", config::RuleAction::Reject), onHeader("X-Odd: *", config::RuleAction::Hold)},
        100));
    const auto answerTo = [&](const char* header, std::size_t size) {
        auto mail = house.mail({"joe@example.org"}, std::string(size, 'x'));
        mail.header = header;
        const Answer answer = house.accept(std::move(mail));
        return std::to_string(answer.code) + " " + answer.enhanced + " " + answer.text;
    };
    EXPECT_EQ(answerTo("X-Spam: yes\r\n", 10), "550 5.7.1 not that");
    EXPECT_EQ(answerTo("", 101), "552 5.3.4 the mail has 101 bytes, adapter demo takes at most 100");
    EXPECT_EQ(house.count("SELECT count(*) FROM message"), 0);
    EXPECT_EQ(answerTo("X-Odd: 1\r\n", 10).substr(0, 3), "250");
    EXPECT_EQ(house.count("SELECT count(*) FROM item WHERE state = 'held'"), 1);
    EXPECT_EQ(answerTo("", 100).substr(0, 3), "250");
    EXPECT_EQ(house.count("SELECT count(*) FROM item WHERE state = 'ready'"), 1);
}

// The destructor waits for answers that are out: nothing is called back into a dead acceptor.
TEST(Acceptor, EndsOnlyWhenAllIsAnswered) {
    House house;
    std::atomic<int> answers{0};
    {
        Acceptor brief(house.store(), house.notifier(), house.clock(), {});
        brief.setRouter(house.router(House::routes()));
        for (int i = 0; i < 20; ++i) {
            brief.accept(house.mail({"joe@example.org"}, std::string(2 * kInlineBody, 'x')),
                         [&](const Answer&) { ++answers; });
        }
    }
    EXPECT_EQ(answers, 20);
}

}  // namespace
}  // namespace postern::intake
