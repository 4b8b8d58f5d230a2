#pragma once
// Tells senders what became of their mail (RFC 3461, 3464) by mails of our own: null sender, source "report",
// an item like any other, made in the transaction of the very change they tell of. docs/REPORTS.md has the
// rules.
//
// What stands in the way of a report (no route, a lost mail) is no reason to undo a failure: it is written
// into the item's history and the log, never silence (KB Q177793). Only errors of the store are handed back,
// and then neither the change nor the report was made.
//
// Thread rule: any thread; tell() on the store's writer thread. It blocks on nothing but the bytes of the
// mail.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/sync.h"
#include "connector/config/config.h"
#include "connector/routing/router.h"
#include "mail/report.h"
#include "queue/fate.h"
#include "store/messages.h"
#include "store/notifier.h"
#include "store/store.h"

namespace postern::reports {

class Reporter {
  public:
    // Both outlive the reporter, and the notifier outlives the store.
    Reporter(store::Store& store, store::Notifier& notifier);

    // From now on; until the first call every report is one that can not be made.
    void use(std::shared_ptr<const routing::Router> router, const config::Config& config);

    // The queue's Teller.
    Result<void> tell(store::WriteSession& session, const queue::Fate& fate);

  private:
    struct Rules {
        std::shared_ptr<const routing::Router> router;
        config::Reports reports;
        std::string hostname, from;
    };
    struct Original;
    struct Mailing;
    struct News {
        LogEvent event;
        ItemId item;
        std::string adapter;  // to notify; may be empty
        std::string text;
    };

    std::shared_ptr<const Rules> rules() const;
    Original readOriginal(store::WriteSession& session, const Rules& rules, const queue::Fate& fate) const;
    Result<void> tellSender(store::WriteSession& session, const Rules& rules, const queue::Fate& fate,
                            const Original& original);
    Result<void> tellPostmaster(store::WriteSession& session, const Rules& rules, const queue::Fate& fate,
                                const Original& original);
    Result<void> send(store::WriteSession& session, const Rules& rules, const queue::Fate& fate,
                      const Original& original, const Mailing& mailing);
    mail::Report describe(const Rules& rules, const queue::Fate& fate, const Original& original,
                          const Mailing& mailing) const;
    Result<void> notMade(store::WriteSession& session, const queue::Fate& fate, const std::string& why);
    void afterCommit(store::Store::Work look, News news);

    store::Store& store_;
    store::Notifier& notifier_;
    mutable Mutex mutex_;
    std::shared_ptr<const Rules> rules_ GUARDED_BY(mutex_);
};

}  // namespace postern::reports
