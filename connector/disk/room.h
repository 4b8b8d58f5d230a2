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
// Less than `warnBelow` bytes are free, or few inodes.
bool isLow(const Volume& volume, std::int64_t warnBelow);

struct RoomState {
    Volume volume;               // the store's; free are the smaller ones of it and of the bodies' volume
    std::int64_t storeFree = 0;  // of the store's alone, where the ballast stands
    std::int64_t reserve = 0, warnBelow = 0;  // bytes
    std::int64_t log = 0;                     // bytes to fold back into the database
    std::int64_t claimed = 0;                 // bytes for mail on its way in
    bool ballastOut = false;

    std::int64_t spare() const { return volume.freeBytes - reserve - log - claimed; }  // may be negative
    // Why no mail is taken, for operators; empty: mail is taken.
    std::string refusal() const;
    bool low() const { return isLow(volume, warnBelow); }
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
    Result<RoomState> look() REQUIRES(mutex_);
    void note(const RoomState& state) REQUIRES(mutex_);

    store::Store& store_;
    Clock& clock_;
    const LookAtVolume look_;
    const Claim::Sum claimed_;
    Mutex mutex_;
    Limits limits_ GUARDED_BY(mutex_);
    std::optional<SteadyTime> lookedAt_ GUARDED_BY(mutex_);
    Volume last_ GUARDED_BY(mutex_);
    std::int64_t lastStoreFree_ GUARDED_BY(mutex_) = 0;
    std::int64_t taken_ GUARDED_BY(mutex_) = 0;  // since then
    bool refusing_ GUARDED_BY(mutex_) = false;   // as last told
};

}  // namespace postern::disk
