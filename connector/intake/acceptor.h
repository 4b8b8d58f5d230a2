#pragma once
// The one door through which mail enters the store, for every way in (SMTP, LMTP, submit): recipients are
// routed when they are named; the message, its body, its items and their history are stored in one
// transaction; only then is the sender told yes (I1), and after that the watchers get a hint.
//
// Thread rule: any thread. The routing table is swapped whole by a reload.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/sync.h"
#include "connector/routing/router.h"
#include "store/messages.h"
#include "store/notifier.h"
#include "store/store.h"

namespace postern::intake {

// An answer in SMTP's terms (RFC 5321 4.2, RFC 3463), for every way in.
struct Answer {
    int code = 250;
    std::string enhanced = "2.0.0";
    std::string text;
    bool accepted() const { return code < 300; }
};
// "452 4.3.1 ..." for a full disk, "451 4.3.0 ..." for a broken store, "550 5.1.1 ..." for no route.
Answer answerFor(const Error& error);

// A mail on its way in: filled by a session, handed over whole.
struct IncomingMail {
    store::NewMessage message;
    std::vector<routing::Router::Routed> recipients;  // each one came from routeRecipient()
    std::unique_ptr<store::BodyWriter> body;          // not sealed yet
};

class Acceptor {
  public:
    Acceptor(store::Store& store, store::Notifier& notifier, Clock& clock, std::int64_t reserve);
    ~Acceptor();

    void setRouter(std::shared_ptr<const routing::Router> router);

    // At MAIL time: room for `announced` bytes (0: unknown) beside the reserve, and a store that takes
    // writes?
    Result<void> checkRoom(std::int64_t announced);
    // At RCPT time.
    Result<routing::Router::Routed> routeRecipient(const std::string& address) const;
    std::unique_ptr<store::BodyWriter> newBody() const;

    // Stores the mail and calls `done` once, when it is on the disk or refused: from another thread, or before
    // accept() returns when it is refused at once. A body in a file is synced on a thread of the acceptor, so that
    // neither the caller nor the writer waits for it. REQUIRES: every recipient came from routeRecipient().
    void accept(IncomingMail mail, std::function<void(const Answer&)> done);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::intake
