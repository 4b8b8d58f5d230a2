#pragma once
// The configuration as the service uses it: parsed, checked, immutable. A reload makes a new one and swaps it
// whole (KB Q166609). Reading is in load.h; every key stands in the table keys.h.

#include <chrono>
#include <string>
#include <vector>

#include "adapters/registry.h"
#include "base/clock.h"
#include "base/log.h"
#include "queue/queue.h"

namespace postern::config {

// Where something was written, for messages: "postern.toml:12:3".
struct Place {
    std::string file;
    int line = 0, column = 0;
};
std::string placeText(const Place& place);

struct Problem {
    Place place;
    std::string text;  // what is wrong and what would be right
};

enum class Protocol { Smtp, Lmtp };

struct Limits {
    std::int64_t messageSize = 50LL << 20;  // bytes, as announced by SIZE (RFC 1870)
    int recipients = 1000;                  // per mail (RFC 5321 4.5.3.1.8 asks for at least 100)
    int commandLine = 2048;                 // bytes with CRLF
    int textLine = 65536;                   // bytes with CRLF; RFC 5321 says 1000, real mail says more
    int sessions = 1000;                    // at once
    int sessionsPerAddress = 50;
    int errors = 20;          // refused commands before the session is closed
    Millis idle{300'000};     // without a command or data (RFC 5321 4.5.3.2: 5 minutes)
    Millis total{3'600'000};  // a whole session
    bool operator==(const Limits&) const = default;
};

struct Listener {
    std::string name;  // "smtp", "lmtp-1": in logs and in message.source
    Protocol protocol = Protocol::Smtp;
    std::string host;        // empty with a Unix socket
    int port = 0;            // 0: any free one, written to the log
    std::string socketPath;  // a Unix socket, LMTP only
    Limits limits;
    Place place;
};

struct Route {
    std::string pattern;  // "user@domain", "*@domain", "*@*.domain", "*"
    std::string adapter;
    std::string legacy;  // template: {local} {domain} {address}; other text as it is; "{{" is "{"
    Place place;
};

enum class OnDoubt { Hold, Resend };

struct Adapter {
    std::string name;
    std::string kind;
    adapters::Settings settings;
    int watchers = 2;
    int batch = 64;
    OnDoubt onDoubt = OnDoubt::Hold;
    queue::RetryPolicy retry;
    Place place;
};

struct Config {
    std::string file;           // the main file it was read from
    std::string hostname;       // in greetings, Received lines and names
    std::string store;          // folder, absolute
    std::string controlSocket;  // <store>/control.sock by default
    Severity logLevel = Severity::Info;
    std::vector<Listener> listeners;
    std::vector<Route> routes;      // first match wins
    std::vector<Adapter> adapters;  // by name
    Millis lease{60'000};
    Millis pollInterval{5'000};
    Millis retention{7LL * 24 * 3'600'000};  // how long settled mail stays readable
    Millis stopLimit{20'000};                // SIGTERM to exit
    std::int64_t reserve = 64LL << 20;       // bytes kept free on the store's volume: below, senders get 452
    std::int64_t inlineBody = 65536;
    int holdAfterDeaths = 5;
    std::int64_t submitMessageSize = 50LL << 20;  // largest mail of `postern submit`
};

const Adapter* adapterNamed(const Config& config, std::string_view name);

}  // namespace postern::config
