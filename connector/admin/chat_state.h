#pragma once
// What the service knows of its chat, for status, metrics and troubles. A value.

#include <cstdint>
#include <string>

namespace postern::admin {

struct ChatState {
    std::string places;                      // where it listens; empty: nowhere
    std::string unavailable;                 // why it is not there although it is wanted
    std::string lastDeath;                   // of its loop
    std::int64_t clients = 0, commands = 0;  // now; commands: waiting or being carried out
    // Since it was opened.
    std::int64_t deaths = 0, loggedOn = 0, refused = 0, notLoggedOn = 0, nickInUse = 0, wrongPasswords = 0;
    std::int64_t barred = 0;  // log-ons refused unseen: too many were wrong lately
    std::int64_t silent = 0, overflown = 0, stalled = 0, late = 0;  // ended for that reason
};

}  // namespace postern::admin
