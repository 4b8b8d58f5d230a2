#pragma once
// Looks after the space of the service: fills the ballast when there is room, warns once when a volume runs
// low and once when it has room again, and says how long the store's will last. What it knows is shown by
// `postern status` and the metrics.
//
// Thread rule: one thread of its own; overview() from any; constructor and destructor on the owner's.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/sync.h"
#include "connector/disk/forecast.h"
#include "connector/disk/room.h"

namespace postern::disk {

// The volume of an adapter's folder, as its watcher last found it.
struct FolderSpace {
    std::string adapter, path;
    Volume volume;
};

struct Overview {
    std::optional<RoomState> room;  // not set: it could not be asked, `error` says why
    std::string error;
    Outlook outlook;  // until new mail is refused
    std::int64_t ballastWanted = 0, ballastHeld = 0;
    std::string ballastTrouble;                   // why it is not there; empty: it is, or none is wanted
    std::vector<FolderSpace> folders;             // of adapters
    bool isLow(const FolderSpace& folder) const;  // and not on a volume of the store's
    // What to tell an operator, each with what it is about: "disk", "adapter NAME".
    std::vector<std::pair<std::string, std::string>> troubles() const;
};

struct WatchOptions {
    std::function<std::int64_t()> ballast;                   // bytes, as configured now
    std::function<std::vector<FolderSpace>()> folders = {};  // may be empty
    Millis interval{5'000};
};

class Watch {
  public:
    // The references outlive it. With `start` false only runOnce() looks: for tests.
    Watch(Room& room, store::Ballast& ballast, Clock& clock, WatchOptions options, bool start = true);
    ~Watch();

    void runOnce();
    Overview overview() const;

  private:
    void run();
    bool stopping() const EXCLUDES(mutex_);
    void fillBallast(const RoomState& state, Overview& into);
    void noteRelease();
    void waitLonger();
    Result<void> tryToFill(const RoomState& state, std::int64_t wanted);
    void sayOfStore(const RoomState& room);
    void say(const std::string& about, const Volume& volume, std::int64_t warnBelow);

    Room& room_;
    store::Ballast& ballast_;
    Clock& clock_;
    const WatchOptions options_;

    // The looking thread's own.
    Forecast forecast_;
    std::map<std::string, bool> low_;  // as last told, by what it is about
    bool missingTold_ = false;
    bool outSeen_ = false;               // that it is given away is known
    std::optional<SteadyTime> triedAt_;  // when it was filled again, or could not be, the last time
    SteadyTime notBefore_{};             // is it filled again
    Millis pause_{0};                    // until then, from the moment when it was given away

    mutable Mutex mutex_;
    Condition wake_;
    bool stopping_ GUARDED_BY(mutex_) = false;
    Overview last_ GUARDED_BY(mutex_);
    std::jthread thread_;  // last member: it uses all the others
};

}  // namespace postern::disk
