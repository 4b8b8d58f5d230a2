#pragma once
// What a client meets who talks to the front door: a session with a real acceptor and a real store behind it.

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "tests/unit/intake/house.h"

namespace postern::tests {

// A client may err as often as a test wants.
inline config::Listener patient() {
    config::Listener listener = intake::listenerOf(config::Protocol::Smtp);
    listener.limits.errors = 10'000;
    return listener;
}

// One session with a real acceptor and store behind it.
struct Desk {
    explicit Desk(const config::Listener& listener = patient()) : talk(house, house.acceptor(), listener) {
        talk.read();
        talk.say("EHLO client.example");
    }
    std::string from(const std::string& path) { return talk.say("MAIL FROM:" + path); }
    std::string to(const std::string& path) { return talk.say("RCPT TO:" + path); }
    // Sends an empty mail; what the store has of it.
    intake::Stored end() {
        talk.say("DATA");
        const std::string answer = talk.say("\r\nx\r\n.");
        EXPECT_THAT(answer, testing::StartsWith("250"));
        const auto all = house.stored();
        return all.empty() ? intake::Stored() : all.back();
    }
    // The item that a mail for `path` alone makes.
    std::vector<std::string> itemsFor(const std::string& path) {
        EXPECT_THAT(from("<a@c.example>"), testing::StartsWith("250"));
        EXPECT_THAT(to(path), testing::StartsWith("250")) << path;
        return end().items;
    }

    intake::House house;
    intake::Talk talk;
};

}  // namespace postern::tests
