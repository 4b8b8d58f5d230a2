#pragma once
// What a session asks of the service behind it: room, a route for each recipient, and to keep a mail. The
// Acceptor is the real door; the tests have a scripted one.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "connector/disk/claim.h"
#include "connector/intake/log_on.h"
#include "connector/routing/router.h"
#include "store/messages.h"

namespace postern::intake {

// An answer in SMTP's terms (RFC 5321 4.2, RFC 3463), for every way in.
struct Answer {
    int code = 250;
    std::string enhanced = "2.0.0";
    std::string text;
    MessageId message{};  // accepted: what it was stored as
    bool part = false;    // that is a mail to these recipients and to others: who reads this confirms nothing
    bool accepted() const { return code < 300; }
};

// The answer for a refusal: "452 4.3.1" for a full disk, "451 4.3.0" for a broken store, "421 4.3.2" while
// shutting down, "550 5.1.1" for no route, "550 5.1.3" for an address the adapter can not take, "550 5.7.1"
// for a rule that rejects, "552 5.3.4" for a mail larger than the adapter takes. What is our own trouble is
// said in general words; the log has the details.
Answer answerFor(const Error& error);

// What is known of a mail when its recipients are named; rules decide on it.
struct Envelope {
    std::string sender;     // empty: the null reverse path
    std::int64_t size = 0;  // as announced; 0: not known
    std::string source;     // the listener's or pickup's name, "submit"
    std::string account;    // who logged on; empty: nobody
};

// A mail on its way in: filled by a session, handed over whole.
struct IncomingMail {
    store::NewMessage message;
    std::vector<routing::Router::Routed> recipients;  // each one came from routeRecipient()
    std::unique_ptr<store::BodyWriter> body;          // not sealed yet
    std::string trace;                                // the id in its Received line; for the log
    std::string header;      // its header block as received, cut at 64 KiB: for rules on fields
    std::string digest;      // SHA-256 of the content as received, 32 bytes; empty: no look for duplicates
    bool confirmed = false;  // its sender can not miss the answer: no duplicate of it is expected
    Millis duplicatesWithin{0};  // the listener's
    disk::Claim room = {};       // of the free space, until it is stored
};

class Door {
  public:
    virtual ~Door() = default;

    // The name of the store behind it, for the trace field that ends loops.
    virtual const std::string& storeId() const = 0;

    // At MAIL time: room for `announced` bytes (0: unknown) beside the reserve, and a store that takes
    // writes?
    virtual Result<void> checkRoom(std::int64_t announced) = 0;
    // The same, and the room is kept for the caller: for who may send, and means to now.
    virtual Result<disk::Claim> claimRoom(std::int64_t announced) = 0;
    // At RCPT time.
    virtual Result<routing::Router::Routed> routeRecipient(const std::string& address,
                                                           const Envelope& envelope) const = 0;
    virtual std::unique_ptr<store::BodyWriter> newBody() const = 0;

    // Keeps the mail and calls `done` exactly once, from any thread and perhaps before accept() returns, when
    // it is on the disk or refused.
    virtual void accept(IncomingMail mail, std::function<void(const Answer&)> done) = 0;

    // Calls `done` exactly once, from any thread and perhaps before it returns.
    virtual void logOn(LogOnStep step, LogOnDesk::Done done) = 0;

    // The sender of that message has read our "250": a second copy is wanted from now on (RFC 1047).
    virtual void confirm(MessageId message) = 0;
};

}  // namespace postern::intake
