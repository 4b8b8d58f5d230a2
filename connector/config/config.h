#pragma once
// The configuration as the service uses it: parsed, checked, immutable. A reload makes a new one and swaps it
// whole (KB Q166609). Reading is in load.h; every key stands in the table keys.h.

#include <chrono>
#include <string>
#include <vector>

#include "adapters/registry.h"
#include "base/clock.h"
#include "base/log.h"
#include "connector/config/amount.h"
#include "connector/config/policy.h"
#include "queue/queue.h"

namespace postern::config {

// Where something was written, for messages: "postern.toml:12:3"; column 0: the whole line, line 0: the file.
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
enum class Tls { Off, StartTls, Required, Implicit };  // Required: STARTTLS, and no mail before it
enum class Auth { Off, Offered, Required };            // only ever under TLS, or on a Unix socket

struct Limits {
    std::int64_t messageSize = 50LL << 20;  // bytes, as announced by SIZE (RFC 1870)
    int recipients = 1000;                  // per mail (RFC 5321 4.5.3.1.8 asks for at least 100)
    int commandLine = 2048;                 // bytes with CRLF
    int textLine = 65536;                   // bytes with CRLF; RFC 5321 says 1000, real mail says more
    int sessions = 1000;                    // at once
    int sessionsPerAddress = 50;
    int errors = 20;              // refused commands before the session is closed
    int hops = 100;               // the service's, see Config
    int idleCommands = 100;       // NOOP, RSET and the like between two mails, before they count as errors
    Millis firstCommand{60'000};  // from the connection to the first command, TLS handshake included
    Millis idle{300'000};         // without a command or data (RFC 5321 4.5.3.2: 5 minutes)
    Millis total{3'600'000};      // a whole session
    bool operator==(const Limits&) const = default;
};

struct Listener {
    std::string name;  // "smtp", "lmtp-1": in logs and in message.source
    Protocol protocol = Protocol::Smtp;
    std::string host;        // empty with a Unix socket
    int port = 0;            // 0: any free one, written to the log
    std::string socketPath;  // a Unix socket, LMTP only
    Limits limits;

    Tls tls = Tls::Off;
    std::string certificate, key;  // PEM files: the chain, and the key of its first certificate
    std::string clientCa;          // PEM file: who signs clients' certificates; empty: none is asked for
    // Who may send: "sha256:HEX" of the certificate, or the common name of one that client_ca has signed.
    std::vector<std::string> clientCertificates;
    Auth auth = Auth::Off;
    std::vector<std::string> networks{"127.0.0.0/8", "::1/128"};  // who may send without logging on
    bool submission = false;          // RFC 6409: a missing Date and Message-ID are added
    bool relaxedAddresses = false;    // blanks in local parts without quotes (KB Q191262)
    std::string socketMode = "0660";  // octal
    std::string socketOwner;          // "user:group", "user", ":group"; empty: the service's own
    Millis duplicatesWithin{0};       // RFC 1047 by content: see keys.cpp; 0: off
    Place place;
};

// A folder that mail is put into as files (Exchange's and IIS' Pickup).
struct Pickup {
    std::string name;
    std::string folder;    // *.eml are taken and removed when stored
    std::string setAside;  // bad ones go there with a .reason.txt; default: <folder>/bad
    Millis interval{2'000};
    Millis settle{10'000};  // a file is taken when it has not changed for so long
    std::int64_t messageSize = 50LL << 20;
    int hops = 100;  // the service's, see Config
    Place place;
};

// A file of lines "internet address,legacy address": asked before every route, in both directions.
struct Table {
    std::string name;
    std::string file;  // CSV, UTF-8
    std::string adapter;
    Place place;
};

enum class RuleAction { Accept, Reject, Hold, Route };

// Policy on mail coming in: the first rule all of whose conditions hold decides. Empty conditions hold.
struct Rule {
    std::string name;
    std::string sender, recipient;  // patterns as in Route; sender "<>" is the null reverse path
    std::string source;             // the listener's or pickup's name, "submit"
    std::int64_t largerThan = 0;    // bytes; 0: any
    std::string header;             // "Field: pattern" with * and ?, ASCII case ignored
    RuleAction action = RuleAction::Accept;
    std::string text;     // Reject: for the sender; Hold: the item's reason
    std::string adapter;  // Route
    Place place;
};

// Who is told what became of a mail (RFC 3461, 3464).
struct Reports {
    std::string adapter;  // which one carries them; empty: the routes decide by the sender's address
    std::string from;     // their author; default: Mail Delivery System, at postmaster or postmaster@hostname
    std::string postmaster;  // gets a copy of every failure, and the reports about mail without a sender
    Millis delayAfter{4LL * 3'600'000};  // when a delay is reported; 0: never
    std::int64_t returnLimit = 50'000;   // larger mail comes back as its header only
    Place place;
};

// The operators' way in by HTTP: page, interface, metrics.
enum class Anonymous { Nothing, Look };  // what those may who have not logged on
struct Http {
    std::string address;  // empty: off
    std::string host;     // with port, or socketPath: from the address
    int port = 0;
    std::string socketPath;
    Anonymous anonymous = Anonymous::Nothing;
    std::vector<std::string> hosts;  // further names we are called by, behind a proxy
    Place place;
};

// The operators' way in by any IRC client.
enum class ChatRole { Viewer, Operator, Admin };
struct ChatDoor {
    std::string address;  // empty: none
    std::string host;     // with port, or socketPath: from the address
    int port = 0;
    std::string socketPath;
    ChatRole role = ChatRole::Admin;  // the most that anybody may who comes this way
};
struct Chat {
    ChatDoor plain, tls;
    std::string certificate, key;  // PEM files
    std::string channel = "#queue";
    std::string nick = "postern";  // of the service's own voice
    int replay = 50;               // events told to who enters the channel
    int clients = 256;             // at once
    Millis registration{30'000};   // from the connection until logged on
    Millis idle{120'000};          // silence before the first PING
    Millis probe{60'000};          // from one PING to the next, and then to the end
    Place place;
    bool on() const { return !plain.address.empty() || !tls.address.empty(); }
};

enum class RouteUse { Both, Recipients, Replies };

struct Route {
    std::string pattern;  // "user@domain", "*@domain", "*@*.domain", "*"
    std::string adapter;
    std::string legacy;             // an addresses::NamePattern
    RouteUse use = RouteUse::Both;  // Replies: takes no recipient, only says what answers are typed to
    Place place = {};
};

enum class OnDoubt {
    Hold,
    Resend,
    ReceiverDedupes,  // as Resend: the receiver is known to drop the second of two by its Message-ID
};

struct Adapter {
    std::string name;
    std::string kind;
    adapters::Settings settings;
    int watchers = 2;
    int batch = 512;
    OnDoubt onDoubt = OnDoubt::Hold;
    queue::RetryPolicy retry;
    std::vector<std::string> retryRules;      // "CLASS FIRST LONGEST [AGE]": back-off per class of error
    std::vector<std::string> sendWindows;     // "Mon-Fri 08:00-18:00"; empty: always
    std::string timeZone = "UTC";             // of the windows, an IANA name
    std::string rate;                         // "100/1m": items that may begin in a time; empty: no limit
    std::int64_t messageSize = 0;             // larger mail is refused at once; 0: no limit
    std::string fallback;                     // the adapter that takes over after fallback_after attempts
    int fallbackAfter = 0;                    // 0: never
    Millis capture{0};                        // how long a copy of each artifact is kept; 0: none is made
    std::int64_t captureLimit = 100LL << 20;  // bytes of copies; the oldest go first
    Policy policy;                            // what retry_rules, send_windows, time_zone and rate mean
    Place place;
};

struct Config {
    std::string file;           // the main file it was read from
    std::string hostname;       // in greetings, Received lines and names
    std::string store;          // folder, absolute
    std::string controlSocket;  // <store>/control.sock by default
    Severity logLevel = Severity::Info;
    std::vector<Listener> listeners;
    std::vector<Pickup> pickups;
    std::vector<Table> tables;  // asked in order, before the routes
    std::vector<Rule> rules;    // first match wins
    std::vector<Route> routes;  // first match wins
    Reports reports;
    Http http;
    Chat chat;
    std::vector<Adapter> adapters;  // by name
    std::string adapterFolder;      // libraries with more kinds of adapter
    int sessions = 2000;            // at once, of all listeners
    Millis lease{60'000};
    Millis pollInterval{5'000};
    Millis retention{7LL * 24 * 3'600'000};  // how long settled mail stays readable
    Millis stopLimit{20'000};                // SIGTERM to exit
    Amount reserve{64LL << 20};              // kept free on the store's volume: below, senders get 452
    Amount warnBelow{1LL << 30};             // free space below which operators are warned
    std::int64_t ballast = 80LL << 20;       // bytes kept allocated for a full disk; 0: none
    std::int64_t inlineBody = 65536;
    int holdAfterDeaths = 5;
    int hops = 100;  // Received lines beyond which a mail is in a loop (KB Q160534)
    std::int64_t submitMessageSize = 50LL << 20;  // largest mail of `postern submit`
};

const Adapter* adapterNamed(const Config& config, std::string_view name);

}  // namespace postern::config
