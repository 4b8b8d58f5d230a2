#pragma once
// What an smtp or lmtp adapter is told: its hosts, and how to talk to them. One form for both kinds.
// Thread rule: pure; an SmtpPlan is immutable once made.

#include <string>
#include <string_view>
#include <vector>

#include "adapters/message_format.h"
#include "adapters/registry.h"
#include "base/clock.h"

namespace postern::adapters {

enum class SmtpTls {
    None,           // never, whatever is offered
    Opportunistic,  // when it is offered and works; nobody is verified
    Required,       // STARTTLS, and the certificate is verified; else no mail
    Implicit,       // TLS from the first byte (RFC 8314), verified
};
enum class SmtpAuth { Auto, Plain, Login, CramMd5 };

struct SmtpHost {
    std::string name;  // a name or an address
    int port = 25;
    std::string socketPath = {};  // not empty: a Unix socket
    std::string shown() const;    // as written, with its port
};

// How long each step may take (RFC 5321 4.5.3.2).
struct SmtpPatience {
    Millis connect, greeting, command, data, final;
};

struct SmtpPlan {
    bool lmtp = false;
    std::vector<SmtpHost> hosts;  // never empty; in order of preference
    std::string ownHostname;      // what our own listeners greet with: no host of ours may
    std::string helo;             // what we call ourselves
    std::string source;           // address to call from; empty: any
    SmtpTls tls = SmtpTls::Opportunistic;
    bool verify = true;
    bool oldTls = false;
    std::string caFile;
    std::string serverName;                 // in the certificate; empty: the host's
    std::vector<std::string> fingerprints;  // any of them is enough, whoever signed it
    SmtpAuth auth = SmtpAuth::Auto;
    std::string username;  // empty: no logging on
    std::string passwordFile;
    bool authWithoutTls = false;
    std::vector<std::string> ignored;  // keywords of EHLO that are not believed, upper case
    std::int64_t maxSize = 0;          // bytes as sent; 0: no limit of ours
    int mostRecipients = 100;
    Millis keep{};       // how long a connection without work stays open; 0: it is not kept
    Millis hostPause{};  // how long a host in trouble is asked last
    SmtpPatience patience{};
    MessageFormat format;

    bool ignores(std::string_view keyword) const;
    // The authorities are asked about the hosts' certificates.
    bool verifies() const {
        return (tls == SmtpTls::Required || tls == SmtpTls::Implicit) && verify && fingerprints.empty();
    }
};

std::vector<Setting> smtpSettings(bool lmtp);
// Errors begin with the key to change.
Result<SmtpPlan> smtpPlan(const AdapterContext& context, const Settings& settings, bool lmtp);

// "mx.example", "mx.example:2525", "[2001:db8::1]:25", "unix:/run/lmtp".
Result<SmtpHost> smtpHost(std::string_view text, int port);

}  // namespace postern::adapters
