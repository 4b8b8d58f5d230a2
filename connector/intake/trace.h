#pragma once
// The trace fields that stand above every mail that comes in (RFC 5321 4.4), and what ends a loop.
// Thread rule: any thread.

#include <string>
#include <string_view>

#include "base/clock.h"

namespace postern::intake {

inline constexpr std::string_view kTraceField = "Postern-Trace";

// Mail that carries our own trace field so often already is in a loop. A list with members on both sides of
// the gateway may well pass it twice (KB Q166654), and a forward on each side once more; five times is
// nobody's wish.
inline constexpr int kMostOwnTraces = 5;

struct TraceFacts {
    std::string helo;       // what the client called itself; shown as far as it is plain
    std::string literal;    // "[192.0.2.1]"; empty: local
    std::string hostname;   // ours
    std::string protocol;   // "ESMTPSA" (RFC 3848, RFC 6531 4.3)
    std::string tls;        // the clause of RFC 8314 7.4: "TLS_AES_256_GCM_SHA384 (TLSv1.3)"; empty: none
    std::string id;         // traceId()
    std::string recipient;  // the only one; empty: none or several, which are nobody's business
    std::string storeId;    // of the store that keeps it
    WallTime when;
};

// Received and, right under it, our own field with the store's id; both with their line ends.
std::string traceLines(const TraceFacts& facts);

// Ten characters of [a-z0-9] that name one mail in its Received line and in the log. Not a secret.
std::string traceId();

}  // namespace postern::intake
