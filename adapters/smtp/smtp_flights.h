#pragma once
// The mails that stand before their final dot, each on its open connection, and what became of the last ones.
// What makes A2 and A3 hold for a protocol: the dot of one attempt is taken out by one caller only, and never
// again once recover() has withdrawn it.
//
//   Waiting --begin--> Sending --end--> ended (remembered, the oldest are forgotten)
//   Waiting --withdraw--> ended: not published; its connection is dropped without the dot
//
// Thread rule: any thread.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/smtp/smtp_session.h"
#include "base/sync.h"

namespace postern::adapters {

struct SmtpFlight {
    std::unique_ptr<SmtpSession> session;
    std::size_t host = 0;
    std::vector<int> accepted;               // ordinals, in the order of RCPT
    std::vector<RecipientVerdict> notTaken;  // known before the dot
    bool tooMany = false;
};

class SmtpFlights {
  public:
    // Those of the item's earlier epochs that still wait are withdrawn: it was claimed anew, so their marks
    // were never written, or came to nothing.
    void add(const DeliveryKey& key, SmtpFlight flight);
    // The one who gets it may send the dot, and calls end(). Nothing: somebody else has, or it is not here.
    std::optional<SmtpFlight> begin(const DeliveryKey& key);
    void end(const DeliveryKey& key, Outcome outcome);
    // It is never published from now on. False: it is not waiting here.
    bool withdraw(const DeliveryKey& key, const std::string& why);
    // Withdraws those of which `isOver` says so; how many.
    int sweep(const std::function<bool(const DeliveryKey&)>& isOver);

    // How it ended, while that is remembered.
    std::optional<Outcome> ended(const DeliveryKey& key) const;

    // One look for recover(): what waits is withdrawn, for `why`; of everything else, how it stands.
    struct Standing {
        enum class Is { Withdrawn, Sending, Ended, Absent } is = Is::Absent;
        Outcome outcome = {};  // Ended
    };
    Standing ask(const DeliveryKey& key, const std::string& why);

  private:
    struct Less {
        bool operator()(const DeliveryKey& a, const DeliveryKey& b) const {
            return a.item.value != b.item.value ? a.item.value < b.item.value : a.epoch.value < b.epoch.value;
        }
    };
    struct Place {
        std::optional<SmtpFlight> flight;  // empty while Sending
    };
    void remember(const DeliveryKey& key, Outcome outcome) REQUIRES(mutex_);

    mutable Mutex mutex_;
    std::map<DeliveryKey, Place, Less> places_ GUARDED_BY(mutex_);
    std::map<DeliveryKey, Outcome, Less> ended_ GUARDED_BY(mutex_);
    std::deque<DeliveryKey> oldest_ GUARDED_BY(mutex_);
};

}  // namespace postern::adapters
