// What the follower does when the store takes nothing, or when no telling can be made of an event.

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "base/log.h"
#include "connector/webhooks/follower.h"
#include "queue/history.h"
#include "queue/outbox.h"
#include "queue/queue.h"
#include "store/messages.h"
#include "tests/unit/queue/fixture.h"
#include "tests/unit/store/faulty_disk.h"

namespace postern::webhooks {
namespace {

constexpr Millis kPoll{250};
constexpr Millis kPatience{60'000};

// Lines of the log about webhooks; each is also what it is in the service, a hint.
class Heard {
  public:
    Heard() {
        setLogLevel(Severity::Warning);
        setLogSink([this](Severity, std::string_view line) {
            if (line.find("step=webhooks") == std::string_view::npos) return;
            const std::lock_guard lock(mutex_);
            lines_.emplace_back(line);
        });
    }
    ~Heard() { setLogSink({}); }
    std::vector<std::string> lines() {
        const std::lock_guard lock(mutex_);
        return lines_;
    }

  private:
    std::mutex mutex_;
    std::vector<std::string> lines_;
};

class FollowerTroubleTest : public queue::QueueTest {
  protected:
    // Counts the batches: each composes its first event.
    FollowerOptions options(Millis poll) {
        FollowerOptions options{{"gw.example.org", "store0000"}, poll};
        options.compose = [this](const queue::Event& event, const std::optional<EventItem>& item,
                                 const EventContext& context) {
            if (whenComposed_) whenComposed_();
            count();
            if (event.detail == "poison") throw std::runtime_error("no words for it");
            return document(event, item, context);
        };
        return options;
    }
    FollowerOptions alone() {
        FollowerOptions without = options(kPatience);
        without.alone = true;
        return without;
    }
    void count() {
        const std::lock_guard lock(mutex_);
        ++composed_;
        changed_.notify_all();
    }
    // A hint with each look, as every line of the log is one.
    bool waitFor(Follower& follower, int composed) {
        std::unique_lock lock(mutex_);
        const auto end = Clock::system().steady() + kPatience;
        while (composed_ < composed && Clock::system().steady() < end) {
            changed_.wait_for(lock, Millis{5});
            lock.unlock();
            follower.hint();
            lock.lock();
        }
        return composed_ >= composed;
    }
    void event(const char* detail, const char* item = "NULL") {
        sql((std::string("INSERT INTO event (at_ms, word, who, detail, adapter, item_id) VALUES (1000, "
                         "'queued', 'postern', '") +
             detail + "', 'maildir', " + item + ")")
                .c_str());
    }
    static Hook hook() { return {"hook", {"item.queued"}, {}, Millis{3'600'000}}; }

    void TearDown() override {
        queue_.reset();
        store_.reset();  // before its disk
    }

    tests::FaultyDisk disk_;
    Heard heard_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> whenComposed_;  // set before use()
    int composed_ = 0;
    store::Notifier notifier_;
};

// Its line in the log is a hint to itself: without its deafness this were a loop at full speed.
TEST_F(FollowerTroubleTest, AFullDiskIsTriedOncePerPollIntervalAndSaidOnce) {
    store::StoreOptions where;
    where.folder = folder_ / "faulty";
    where.engineOption = tests::FaultyDisk::kName;
    where.migrations = store::messageMigrations();
    for (const store::Migration& each : queue::queueMigrations()) where.migrations.push_back(each);
    queue_.reset();  // of the healthy store
    store_ = std::move(store::Store::open(std::move(where)).value());
    Follower follower(*store_, notifier_, Clock::system(), options(kPoll));
    // Full from the moment in which the follower has read the event and means to write.
    whenComposed_ = [this, full = false]() mutable {
        if (!std::exchange(full, true)) disk_.failWrites(tests::Fault::Full, "-wal");
    };
    ASSERT_TRUE(follower.use({hook()}).ok());
    event("one");
    const SteadyTime begun = Clock::system().steady();
    ASSERT_TRUE(waitFor(follower, 4));
    EXPECT_GE(Clock::system().steady() - begun, 2 * kPoll) << "it does not wait after an error";
    EXPECT_EQ(heard_.lines().size(), 1u) << heard_.lines().back();
    EXPECT_FALSE(store_->broken());
    EXPECT_EQ(number("SELECT count(*) FROM event"), 1) << "a full disk is not the event's fault";
    disk_.heal();
    const auto inbox = notifier_.subscribe("hook");
    EXPECT_TRUE(inbox->waitUntil(Clock::system().steady() + kPatience));
    EXPECT_EQ(number("SELECT count(*) FROM event"), 0);
    EXPECT_EQ(number("SELECT count(*) FROM item WHERE adapter = 'hook'"), 1);
}

TEST_F(FollowerTroubleTest, AWriteThatFailsLeavesTheEventsAndNoItems) {
    Follower follower(*store_, notifier_, Clock::system(), alone());
    ASSERT_TRUE(follower.use({hook()}).ok());
    event("one");
    event("two");
    // The second of the two items, so that the first one must be undone.
    sql("CREATE TRIGGER no_more BEFORE INSERT ON item WHEN (SELECT count(*) FROM item) > 0"
        " BEGIN SELECT RAISE(ABORT, 'the test says no'); END");
    EXPECT_FALSE(follower.runOnce().ok());
    EXPECT_EQ(number("SELECT count(*) FROM event"), 2);
    EXPECT_EQ(number("SELECT count(*) FROM item"), 0);
    sql("DROP TRIGGER no_more");
    EXPECT_TRUE(follower.runOnce().ok());
    EXPECT_EQ(number("SELECT count(*) FROM event"), 0);
    EXPECT_EQ(number("SELECT count(*) FROM item"), 2);
}

TEST_F(FollowerTroubleTest, AnEventNobodyCanTellOfIsSetAsideAndTheOthersAreTold) {
    Follower follower(*store_, notifier_, Clock::system(), alone());
    const ItemId item = post();
    ASSERT_TRUE(follower.use({hook()}).ok());
    event("one");
    event("poison", std::to_string(item.value).c_str());
    event("poison", "4711");  // purged
    event("two");
    EXPECT_FALSE(follower.runOnce().ok());
    EXPECT_EQ(number("SELECT count(*) FROM event"), 4) << "once may be chance";
    const auto second = follower.runOnce();
    ASSERT_TRUE(second.ok()) << second.error().text;
    EXPECT_EQ(*second, 2);
    EXPECT_EQ(number("SELECT count(*) FROM event"), 0);
    EXPECT_EQ(number("SELECT count(*) FROM item WHERE adapter = 'hook'"), 2);
    const queue::HistoryRow last = history(item).back();
    EXPECT_EQ(last.what, queue::history::kNote);
    EXPECT_EQ(last.detail, "no webhook is told of its \"queued\": it failed unexpectedly: no words for it");
    ASSERT_EQ(heard_.lines().size(), 2u);
    EXPECT_NE(heard_.lines()[0].find("set aside"), std::string::npos) << heard_.lines()[0];
}

// The thread lives: an exception that nobody takes would end the service.
TEST_F(FollowerTroubleTest, ItsThreadOutlivesAnEventNobodyCanTellOf) {
    Follower follower(*store_, notifier_, Clock::system(), options(kPoll));
    ASSERT_TRUE(follower.use({hook()}).ok());
    const auto inbox = notifier_.subscribe("hook");
    event("poison");
    event("two");
    follower.hint();
    EXPECT_TRUE(inbox->waitUntil(Clock::system().steady() + kPatience));
    EXPECT_EQ(number("SELECT count(*) FROM event"), 0);
    EXPECT_NE(heard_.lines().at(0).find("worker.failed"), std::string::npos) << heard_.lines()[0];
}

}  // namespace
}  // namespace postern::webhooks
