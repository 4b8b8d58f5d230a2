#pragma once
// What an operator may set, and the limits that keep a stranger from harming the service. Values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace postern::chat {

struct Limits {
    std::size_t clients = 256;
    std::size_t perAddress = 8;  // connections at once; clients that are not logged on count
    std::size_t perLoopback = 64;
    std::size_t newPerMinute = 30;  // of one address; the loopback's are not counted

    Millis registration{30'000};  // from the connection to 001, whatever happens between: never extended
    std::size_t registrationLines = 100;
    std::size_t registrationBytes = 16 * 1024;
    Millis idle{120'000};    // silence before the first PING
    Millis probe{60'000};    // from the first PING to the second, and from that to the end
    Millis stalled{60'000};  // lines wait for a client that takes no byte

    std::size_t receiveQueue = 16 * 1024;     // bytes not carried out yet; then we read no more
    std::size_t sendQueueSoft = 256 * 1024;   // bytes not sent yet; then we do not read from that client
    std::size_t sendQueueHard = 1024 * 1024;  // then its connection ends
    std::int64_t burst = 10;                  // commands at once; then one each `interval`. 0: any number
    Millis interval{500};
    std::size_t bytesPerMinute = 250 * 1024;

    std::size_t nick = 30;
    std::size_t user = 18;
    std::size_t realName = 128;
    std::size_t channel = 64;
    std::size_t topic = 390;
    std::size_t reason = 300;  // of KICK, PART, QUIT and AWAY
    std::size_t key = 23;
    std::size_t channels = 20;  // of one client
    std::size_t bans = 50;      // of one channel
    std::size_t targets = 4;    // of one command

    int loginTries = 3;                 // wrong ones, then the connection ends
    std::size_t loginTriesLately = 10;  // wrong ones of one account, and of one address, within `lately`
    Millis lately{600'000};
    std::size_t saslBytes = 4 * 1024;
};

// Where operators watch and steer the queue (steward.h).
struct QueueChannel {
    std::string channel{};         // empty: there is none
    std::string nick = "postern";  // of the service's own voice; nobody else may have it
    std::size_t replayed = 50;     // events told to who enters
};

// One adapter of the kind "chat".
struct MailPlace {
    std::string adapter;
    std::string folder;                   // of its logs (adapters/chat/chat_entry.h)
    std::vector<std::string> channels{};  // they last, and who may enter the queue's may enter them
    std::size_t keep = 50;                // mails of each log
    std::size_t atOnce = 5;               // mails told in a channel within five seconds
};

struct Settings {
    std::string serverName = "postern";
    std::string network = "Postern";
    std::string version = "postern";
    std::string password{};              // for PASS; empty: none is asked for
    bool accountNeeded = true;           // nobody gets 001 without having logged on (SASL)
    bool anyoneCreates = false;          // channels; else only server operators and admins do
    std::vector<std::string> lasting{};  // channels that are there without members
    QueueChannel queue{};
    std::vector<MailPlace> mail{};  // only with a channel of the queue
    Limits limits{};
};

}  // namespace postern::chat
