#pragma once
// A hall with a channel of the queue, accounts of every role, and orders that the test answers.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "tests/unit/chat/chat_rig.h"

namespace postern::chat {

class StewardTest : public testing::Test {
  protected:
    static Settings withQueue() {
        Settings settings = openHouse();
        settings.queue.channel = "#queue";
        settings.queue.replayed = 3;
        settings.mail = {{"board", "/nowhere", {}, 3, 2}};
        return settings;
    }
    StewardTest() : rig(withQueue()) {
        rig.addAccount("anna", "pencil", "operator");
        rig.addAccount("vera", "pencil", "viewer");
        rig.addAccount("send", "pencil", "send");
    }
    // Logs on with the account of that name; what comes back is dropped.
    void logOn(const std::string& name, const std::string& caps = {}, Peer peer = Peer()) {
        ASSERT_TRUE(rig.connect(name, std::move(peer)));
        rig.say(name, "CAP REQ :sasl" + (caps.empty() ? "" : " " + caps));
        rig.say(name, "AUTHENTICATE PLAIN");
        rig.say(name, "AUTHENTICATE " +
                          base64Encode(std::string("\0", 1) + name + std::string("\0", 1) + "pencil"));
        rig.say(name, "NICK " + name);
        rig.say(name, "USER " + name + " 0 * :x");
        rig.say(name, "CAP END");
        rig.take(name);
        ASSERT_NE(rig.client(name), nullptr);
        ASSERT_TRUE(rig.client(name)->registered);
        ASSERT_EQ(rig.client(name)->account, name);
    }
    void enter(const std::string& name, const std::string& caps = {}) {
        logOn(name, caps);
        rig.say(name, "JOIN #queue");
        rig.take(name);
    }
    // How many orders `line` gave; they are forgotten.
    std::size_t orders(const std::string& name, const std::string& line) {
        rig.say(name, line);
        return rig.hall().takeOrders().size();
    }
    // The one order that `line` gave; null when there is not exactly one.
    std::unique_ptr<const Order> orderOf(const std::string& name, const std::string& line) {
        rig.say(name, line);
        auto orders = rig.hall().takeOrders();
        if (orders.size() != 1) return nullptr;
        return std::move(orders.front());
    }
    void answer(const Order& order, std::vector<admin::Record> rows, std::optional<Error> error = {}) {
        Outcome outcome;
        outcome.from = order.from;
        outcome.number = order.number;
        outcome.rows = std::move(rows);
        outcome.error = std::move(error);
        rig.hall().settle(std::move(outcome));
    }
    void happens(LogEvent event, std::int64_t item, const std::string& line) {
        admin::FeedEvent news;
        news.at = rig.clock().now();
        news.event = event;
        news.item = ItemId{item};
        news.line = line;
        rig.hall().tell(news);
    }
    static admin::Record would(std::int64_t id, bool done) {
        return admin::Record()
            .add("id", id)
            .add("done", done)
            .add("text", done ? "would be done: deleted" : "is final");
    }

    ChatRig rig;
};

inline std::string all(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

}  // namespace postern::chat
