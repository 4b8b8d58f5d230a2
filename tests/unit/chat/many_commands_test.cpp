// Q254282: an object of each chat command was never freed. Clients come, ask things that succeed, fail and
// throw, are refused, and half of them vanish before the answer is there. Nothing may be left of it, and the
// second half may not need memory that the first did not need. POSTERN_CHAT_COMMANDS says how many, 100,000
// unless set.

#include <cstdlib>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "connector/chat/order_desk.h"
#include "tests/kit/memory.h"
#include "tests/unit/chat/chat_rig.h"

namespace postern::chat {
namespace {

std::int64_t commandsWanted() {
    const char* given = std::getenv("POSTERN_CHAT_COMMANDS");
    return given == nullptr ? 100'000 : std::atoll(given);
}

// What the desk does with an order, on this thread.
Outcome outcomeOf(const Order& order) {
    Outcome outcome;
    outcome.from = order.from;
    outcome.number = order.number;
    if (order.number % 3 == 1) outcome.error = fail(Errc::NotFound, "there is no such item");
    for (int row = 0; row < 20 && order.number % 3 == 0; ++row)
        outcome.rows.push_back(
            admin::Record().add("id", row + 1).add("done", true).add("text", "would be done: x"));
    if (order.number % 3 == 2) outcome.more = 5;
    return outcome;
}

class ManyCommands : public testing::Test {
  protected:
    ManyCommands() : rig_(settings()) { rig_.addAccount("anna", "pencil", "operator"); }
    static Settings settings() {
        Settings settings = openHouse();
        settings.queue.channel = "#queue";
        return settings;
    }
    // One client's life: a hundred commands, most of them for the queue. How many were carried out.
    std::int64_t visit(std::int64_t number) {
        const std::string name = "n" + std::to_string(number);
        const std::int64_t before = rig_.hall().counters().commands;
        rig_.connect(name);
        rig_.say(name, "CAP REQ :sasl batch labeled-response message-tags");
        rig_.say(name, "AUTHENTICATE PLAIN");
        rig_.say(name, "AUTHENTICATE " + base64Encode(std::string("\0anna\0pencil", 12)));
        rig_.say(name, "NICK " + name);
        rig_.say(name, "USER u 0 * :u");
        rig_.say(name, "CAP END");
        rig_.say(name, "@label=1 JOIN #queue");
        std::vector<std::unique_ptr<const Order>> orders;
        for (int time = 0; time < 8; ++time) {
            askAll(name, orders);
            if (time < 7) settleAll(orders);
        }
        rig_.say(name, "PRIVMSG #queue \xff");
        if (number % 2 == 0) rig_.vanish(name);
        settleAll(orders);
        if (number % 2 == 1) rig_.vanish(name);
        rig_.forget(name);
        return rig_.hall().counters().commands - before;
    }
    void askAll(const std::string& name, std::vector<std::unique_ptr<const Order>>& orders) {
        for (const char* said :
             {"!status", "!hold 17 why", "!delete 3-7", "!list state=held", "!confirm nonono", "!ack 5",
              "!mute 1m", "!filter off", "!frobnicate", "!retry 1,2", "!help", "!show 17"}) {
            rig_.say(name, std::string("@label=2 PRIVMSG #queue :") + said);
            for (auto& order : rig_.hall().takeOrders()) orders.push_back(std::move(order));
        }
    }
    void settleAll(std::vector<std::unique_ptr<const Order>>& orders) {
        for (const auto& order : orders) rig_.hall().settle(outcomeOf(*order));
        orders.clear();
        rig_.settle();
    }

    ChatRig rig_;
};

TEST_F(ManyCommands, LeaveNothingBehind) {
    const std::int64_t alive = Order::alive(), wanted = commandsWanted();
    std::int64_t done = 0, visits = 0;
    while (done < wanted / 2) done += visit(++visits);
    const Held half = rig_.hall().held();
    tests::MemoryGrowth memory;
    while (done < wanted) done += visit(++visits);
    const long grown = memory.most();
    EXPECT_EQ(Order::alive(), alive);
    EXPECT_EQ(rig_.hall().held(), half);
    EXPECT_EQ(rig_.hall().held().orders, 0U);
    EXPECT_EQ(rig_.hall().held().clients, 0U);
#ifndef POSTERN_SANITIZED  // their bookkeeping grows with every allocation
    EXPECT_LT(grown, 1024) << "KiB in the second half";
#else
    EXPECT_GE(grown, 0);
#endif
    RecordProperty("commands", std::to_string(done));
}

}  // namespace
}  // namespace postern::chat
