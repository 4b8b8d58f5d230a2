// Mail for people on a real server: what a log has is told, who is there is known, and who comes is told to
// whoever has mail for them.

#include <atomic>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/log_tap.h"
#include "tests/unit/chat/server_rig.h"

namespace postern::chat {
namespace {

TEST_F(ChatServerTest, MailOfALogIsToldAndWhoIsThereIsKnown) {
    admin::Feed feed;
    Queue queue;
    queue.carryOut = [](const Order&, const admin::RowSink&) -> Result<void> { return {}; };
    queue.feed = &feed;
    queue.presence = std::make_shared<Presence>();
    Settings settings = withQueue();
    settings.mail = {{"board", folder_ / "log", {"#mail"}, 5, 5}};
    make(settings, queue);
    const auto put = [&](int number) {  // whole or not there, as the adapter does it
        std::filesystem::create_directories(folder_ / "log/%23mail");
        std::ofstream(folder_ / "aside", std::ios::binary)
            << "postern-chat 1\nitem " << number << "\nto #mail\n\n"
            << number << " Ann: Hello\n";
        std::filesystem::rename(folder_ / "aside", folder_ / ("log/%23mail/" + std::to_string(number)));
    };
    put(1);
    start();
    Caller ann = call();
    proveAnn(ann);
    EXPECT_TRUE(tests::waitFor([&] { return queue.presence->has("ANN"); }, kPatience));
    ann.send("JOIN #mail\r\n");
    // Whether she or the first look is quicker: afterwards the loop looks again each five seconds.
    EXPECT_NE(std::string::npos, ann.until("PRIVMSG #mail").find("Z 1 Ann: Hello"));
    put(2);  // nobody gives a hint; and before the time, or the loop could look just between the two
    clock_.advance(Millis(5'000));
    server_->tick();
    const auto told = [](int number) { return "PRIVMSG #mail :" + std::to_string(number) + " Ann: Hello"; };
    EXPECT_NE(std::string::npos, ann.until("PRIVMSG").find(told(2)));
    put(3);
    feed.push(clock_.now(), LogEvent::ItemExported, ItemId{3}, "adapter=board");
    server_->hint();
    EXPECT_NE(std::string::npos, ann.until("PRIVMSG #mail").find(told(3)));
    ann.vanish();
    EXPECT_TRUE(tests::waitFor([&] { return !queue.presence->has("ann"); }, kPatience));
}

// Mail that waits for them is tried then.
TEST_F(ChatServerTest, WhoComesIsAnOrderOfTheServiceItself) {
    Mutex mutex;
    std::vector<std::string> arrived;
    const auto known = [&] {
        MutexLock lock(mutex);
        return arrived;
    };
    Queue queue;
    queue.presence = std::make_shared<Presence>();
    queue.carryOut = [&](const Order& order, const admin::RowSink&) -> Result<void> {
        EXPECT_TRUE(queue.presence->has("ann")) << "whoever tries it finds her there";
        MutexLock lock(mutex);
        arrived.insert(arrived.end(), order.arrived.begin(), order.arrived.end());
        return {};
    };
    Settings settings = withQueue();
    settings.mail = {{"board", folder_ / "log", {}, 5, 5}};
    make(settings, queue);
    start();
    const std::vector<std::string> once{"ann"}, twice{"ann", "ann"};
    Caller guest = call(), first = call(), second = call();
    guest.logOn("guest");
    proveAnn(first);
    ASSERT_TRUE(tests::waitFor([&] { return known() == once; }, kPatience));
    second.send("CAP REQ :sasl\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE " +
                base64Encode(std::string("\0ann\0pencil", 11)) + "\r\nCAP END\r\n");
    second.until(" 903 ");
    second.logOn("phone");
    EXPECT_EQ(known(), once) << "she was there";
    first.vanish();
    second.vanish();
    ASSERT_TRUE(tests::waitFor([&] { return !queue.presence->has("ann"); }, kPatience));
    Caller again = call();
    proveAnn(again);
    EXPECT_TRUE(tests::waitFor([&] { return known().size() >= twice.size(); }, kPatience));
    server_->stop();
    EXPECT_EQ(known(), twice);
}

// However many come: the desk is there for people.
TEST_F(ChatServerTest, WhoComesMeanwhileIsTheNextOrder) {
    addAccount("bob", "pencil", "viewer");
    addAccount("eve", "pencil", "viewer");
    Mutex mutex;
    std::vector<std::vector<std::string>> orders;
    std::atomic<bool> goOn{false};
    Queue queue;
    queue.presence = std::make_shared<Presence>();
    queue.carryOut = [&](const Order& order, const admin::RowSink&) -> Result<void> {
        {
            MutexLock lock(mutex);
            orders.push_back(order.arrived);
        }
        EXPECT_TRUE(tests::waitFor([&] { return goOn.load(); }, kPatience));
        return {};
    };
    const auto count = [&] {
        MutexLock lock(mutex);
        return orders.size();
    };
    Settings settings = withQueue();
    settings.mail = {{"board", folder_ / "log", {}, 5, 5}};
    make(settings, queue);
    start();
    Caller ann = call(), bob = call(), eve = call();
    prove(ann, "ann");
    ASSERT_TRUE(tests::waitFor([&] { return count() == 1; }, kPatience));
    prove(bob, "bob");
    prove(eve, "eve");
    ASSERT_TRUE(tests::waitFor([&] { return queue.presence->has("eve"); }, kPatience));
    goOn = true;
    ASSERT_TRUE(tests::waitFor([&] { return count() == 2; }, kPatience));
    server_->stop();
    const std::vector<std::vector<std::string>> wanted{{"ann"}, {"bob", "eve"}};
    EXPECT_EQ(orders, wanted);
}

// The desk was busy, or the store was: who is still here is tried again, and who left is not.
TEST_F(ChatServerTest, WhatFailedForThoseWhoCameIsTriedAgainAfterAPause) {
    addAccount("bob", "pencil", "viewer");
    addAccount("eve", "pencil", "viewer");
    Mutex mutex;
    std::vector<std::vector<std::string>> orders;
    std::atomic<bool> goOn{false};
    Queue queue;
    queue.presence = std::make_shared<Presence>();
    queue.carryOut = [&](const Order& order, const admin::RowSink&) -> Result<void> {
        {
            MutexLock lock(mutex);
            orders.push_back(order.arrived);
        }
        EXPECT_TRUE(tests::waitFor([&] { return goOn.load(); }, kPatience));
        MutexLock lock(mutex);
        if (orders.size() < 3) return fail(Errc::Busy, "said in the log");
        return {};
    };
    const auto count = [&] {
        MutexLock lock(mutex);
        return orders.size();
    };
    std::atomic<int> refused{0};
    setLogTap([&](LogEvent event, ItemId, std::string_view) {
        if (event == LogEvent::ControlRefused) ++refused;
    });
    Settings settings = withQueue();
    settings.mail = {{"board", folder_ / "log", {}, 5, 5}};
    make(settings, queue);
    start();
    Caller ann = call(), bob = call(), eve = call();
    prove(ann, "ann");
    ASSERT_TRUE(tests::waitFor([&] { return count() == 1; }, kPatience));
    goOn = true;
    ASSERT_TRUE(tests::waitFor([&] { return refused == 1; }, kPatience));
    prove(bob, "bob");
    prove(eve, "eve");
    ASSERT_TRUE(tests::waitFor([&] { return queue.presence->has("eve"); }, kPatience));
    eve.vanish();
    ASSERT_TRUE(tests::waitFor([&] { return !queue.presence->has("eve"); }, kPatience));
    EXPECT_EQ(count(), 1u) << "not before the pause is over";
    for (const std::size_t wanted : {2u, 3u}) {
        clock_.advance(Millis(60'000));
        server_->tick();
        ASSERT_TRUE(tests::waitFor([&] { return count() == wanted; }, kPatience));
        const int failed = wanted == 2u ? 2 : refused.load();
        ASSERT_TRUE(tests::waitFor([&] { return refused == failed; }, kPatience));
    }
    server_->stop();
    setLogTap({});
    const std::vector<std::vector<std::string>> wanted{{"ann"}, {"ann", "bob"}, {"ann", "bob"}};
    EXPECT_EQ(orders, wanted);
}

}  // namespace
}  // namespace postern::chat
