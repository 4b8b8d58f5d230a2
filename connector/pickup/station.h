#pragma once
// All pickup folders of the service, on one thread. Thread rule: any thread, but stop() once.

#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "base/sync.h"
#include "connector/pickup/pickup.h"

namespace postern::pickup {

class Station {
  public:
    // REQUIRES: `door` and `clock` outlive it.
    Station(std::string hostname, intake::Door& door, Clock& clock);
    ~Station();  // stops

    // These folders from now on; one whose settings did not change goes on where it was. Takes effect when
    // the batch in hand is done.
    void use(std::vector<config::Pickup> pickups);
    // The folders that could not be used at their last look, by the pickup's name.
    std::map<std::string, Error> troubles() const;
    // Returns when the batch in hand is done: every file is removed, given back or set aside.
    void stop();

  private:
    struct Due {
        std::unique_ptr<Pickup> pickup;
        SteadyTime at;
    };
    void run();
    bool waitFor(SteadyTime until);  // false: stop
    void adopt();
    bool interrupted();
    void lookAtDue();
    void tellTroubles();
    SteadyTime nextLook() const;

    const std::string hostname_;
    intake::Door& door_;
    Clock& clock_;
    std::vector<Due> due_;  // of the thread
    mutable Mutex mutex_;
    Condition wake_;
    std::optional<std::vector<config::Pickup>> next_ GUARDED_BY(mutex_);
    std::map<std::string, Error> troubles_ GUARDED_BY(mutex_);
    bool stopping_ GUARDED_BY(mutex_) = false;
    std::jthread thread_;  // last: it uses all the others
};

}  // namespace postern::pickup
