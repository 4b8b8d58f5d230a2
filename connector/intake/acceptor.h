#pragma once
// The one door through which mail enters the store, for every way in (SMTP, LMTP, submit): recipients are
// routed when they are named; the message, its body, its items and their history are stored in one
// transaction; only then is the sender told yes (I1), and after that the watchers get a hint.
//
// Thread rule: any thread. The routing table is swapped whole by a reload.

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "connector/disk/room.h"
#include "connector/intake/door.h"
#include "connector/routing/router.h"
#include "store/messages.h"
#include "store/notifier.h"
#include "store/store.h"

namespace postern::intake {

class Acceptor final : public Door {
  public:
    // `look` as disk::Room's.
    Acceptor(store::Store& store, store::Notifier& notifier, Clock& clock, const disk::Limits& limits,
             disk::LookAtVolume look = lookAtVolume);
    // Waits until every mail handed to accept() has had its answer. REQUIRES: the store still lives.
    ~Acceptor() override;

    // Who may log on; without it nobody can for now. Call before the first session.
    void setAccounts(accounts::Directory directory);
    void setRouter(std::shared_ptr<const routing::Router> router);

    disk::Room& room();

    const std::string& storeId() const override;
    Result<void> checkRoom(std::int64_t announced) override;
    Result<disk::Claim> claimRoom(std::int64_t announced) override;
    // Stopped before the first setRouter().
    Result<routing::Router::Routed> routeRecipient(const std::string& address,
                                                   const Envelope& envelope) const override;
    std::unique_ptr<store::BodyWriter> newBody() const override;

    // `done` runs on the store's writer thread, on a thread of the acceptor, or, for a mail refused at once,
    // on the caller's. A body in a file is synced on a thread of the acceptor, so that neither the caller nor
    // the writer waits for the disk.
    void accept(IncomingMail mail, std::function<void(const Answer&)> done) override;
    void logOn(LogOnStep step, LogOnDesk::Done done) override;
    void confirm(MessageId message) override;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::intake
