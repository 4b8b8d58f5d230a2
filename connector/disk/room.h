#pragma once
// Whether the store's volume has room for one more mail (RELIABILITY 2.5). New mail needs
//
//   free space  >=  reserve + what the store's log still has to bring home + what others announced
//                   + half as much again as this one announces
//
// on the volume of the store, and on that of its bodies where that is another; some inodes; and a ballast
// that was not given away. Export asks nobody.
//
// Thread rule: any thread.

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/sync.h"
#include "base/volume.h"
#include "connector/config/amount.h"
#include "connector/disk/claim.h"
#include "store/store.h"

namespace postern::disk {

using LookAtVolume = std::function<Result<Volume>(const std::string& folder)>;

struct Limits {
    config::Amount reserve{};    // hard: below it new mail is told to come later
    config::Amount warnBelow{};  // soft: below it operators are warned
};

// Inodes below which new mail is refused, and below which operators are warned: for small volumes shares of
// them, for large ones so many. 0 on a volume that knows no limit.
std::int64_t fewestFiles(const Volume& volume);
std::int64_t fewFiles(const Volume& volume);
// Less than `warnBelow` bytes are free, or few inodes. Once that was told, a little more must be free.
bool isLow(const Volume& volume, std::int64_t warnBelow, bool told = false);

// A volume that new mail needs, with the limits that are meant for it: a share is one of its own size.
struct Place {
    Volume volume;
    std::int64_t reserve = 0, warnBelow = 0;  // bytes
    std::int64_t log = 0;                     // bytes to fold back into the database; the store's volume only
    std::int64_t missing = 0;  // bytes that the ballast will take there; as whoever fills it knows
    std::int64_t spare() const { return volume.freeBytes - reserve - log; }  // may be negative
    bool low() const;
};

struct RoomState {
    Place store;
    std::optional<Place> bodies;  // on a volume of their own
    std::int64_t claimed = 0;     // bytes for mail on its way in
    bool ballastOut = false;

    const Place& tight() const;  // the one with less to spare
    const char* tightName() const;
    std::int64_t freeFiles() const;                                   // of either, the fewer
    std::int64_t spare() const { return tight().spare() - claimed; }  // may be negative
    // Why no mail is taken, for operators; empty: mail is taken.
    std::string refusal() const;
    bool low() const { return store.low() || (bodies && bodies->low()); }
};

class Room {
  public:
    // `store` and `clock` outlive it. `look` is asked once a second at most, on any thread that asks here.
    Room(store::Store& store, Clock& clock, Limits limits, LookAtVolume look = lookAtVolume);

    void setLimits(const Limits& limits);

    // Io: the store is broken. NoSpace, with what is short: no room for `announced` bytes (0: not known).
    Result<void> check(std::int64_t announced);
    // The same, and until the Claim ends others do not get it.
    Result<Claim> claim(std::int64_t announced);
    // A mail was handed to the store: counts until the next look.
    void took(std::int64_t bytes);

    Result<RoomState> state();

  private:
    Result<RoomState> look() EXCLUDES(mutex_);
    Result<void> lookAgain() REQUIRES(mutex_);
    Place placeOf(const Volume& volume) const REQUIRES(mutex_);
    Result<Claim> claimOrNot(std::int64_t announced, bool keeps) EXCLUDES(mutex_);
    void tell(const RoomState& state) EXCLUDES(mutex_);
    void askForFold(const RoomState& state, std::int64_t needed);

    store::Store& store_;
    Clock& clock_;
    const LookAtVolume look_;
    const Claim::Sum claimed_;
    Mutex mutex_;
    Limits limits_ GUARDED_BY(mutex_);
    std::optional<SteadyTime> lookedAt_ GUARDED_BY(mutex_);
    Volume lastStore_ GUARDED_BY(mutex_);
    Volume lastBodies_ GUARDED_BY(mutex_);
    std::int64_t taken_ GUARDED_BY(mutex_) = 0;  // since then
    bool refusing_ GUARDED_BY(mutex_) = false;   // as last told
};

}  // namespace postern::disk
