// Diagnostics: store.full and store.room, once each time it changes and not once per mail (KB Q189587).

#include "connector/disk/room.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace postern::disk {

namespace {

constexpr Millis kLookAgain{1'000};  // how old the last look at the free space may be
constexpr std::int64_t kFewest = 100, kFewestShare = 20;
constexpr std::int64_t kFew = 10'000, kFewShare = 10;
// So little above the limits may be gone within that time: then each look is a fresh one.
constexpr std::int64_t kCloseFiles = 1'000, kCloseBytes = 256 << 20;

std::int64_t sumOf(const Claim::Sum& sum) {
    return sum->load();
}

}  // namespace

std::int64_t fewestFiles(const Volume& volume) {
    return std::min(kFewest, volume.files / kFewestShare);
}

std::int64_t fewFiles(const Volume& volume) {
    return std::min(kFew, volume.files / kFewShare);
}

std::string RoomState::refusal() const {
    if (volume.freeFiles <= fewestFiles(volume))
        return std::to_string(volume.freeFiles) + " inodes are free, " + std::to_string(fewestFiles(volume)) +
               " are kept";
    if (ballastOut)
        return "the disk was full and the ballast is given away; " + formatSize(volume.freeBytes) +
               " are free now";
    if (spare() >= 0) return {};
    return formatSize(volume.freeBytes) + " are free; " + formatSize(reserve) + " are kept (reserve), " +
           formatSize(log + claimed) + " are for mail on its way in";
}

bool isLow(const Volume& volume, std::int64_t warnBelow) {
    return volume.freeBytes < warnBelow || volume.freeFiles < fewFiles(volume);
}

Room::Room(store::Store& store, Clock& clock, Limits limits, LookAtVolume look)
    : store_(store),
      clock_(clock),
      look_(std::move(look)),
      claimed_(std::make_shared<std::atomic<std::int64_t>>(0)),
      limits_(limits) {}

void Room::setLimits(const Limits& limits) {
    MutexLock lock(mutex_);
    limits_ = limits;
}

// The bodies may stand on a volume of their own, and then the smaller of both decides.
Result<RoomState> Room::look() {
    const SteadyTime now = clock_.steady();
    const bool close = last_.freeFiles < fewestFiles(last_) + kCloseFiles ||
                       last_.freeBytes < limits_.reserve.of(last_.bytes) + kCloseBytes;
    if (!lookedAt_ || close || now - *lookedAt_ >= kLookAgain) {
        POSTERN_LET(volume, look_(store_.folder()));
        const std::int64_t storeFree = volume.freeBytes;
        POSTERN_LET(bodies, look_(joinPath(store_.folder(), "bodies")));
        if (bodies.id != volume.id) {
            volume.freeBytes = std::min(volume.freeBytes, bodies.freeBytes);
            if (bodies.freeFiles < volume.freeFiles) {
                volume.freeFiles = bodies.freeFiles;
                volume.files = bodies.files;
            }
        }
        lookedAt_ = now;
        lastStoreFree_ = storeFree;
        last_ = volume;
        taken_ = 0;
    }
    RoomState state;
    state.volume = last_;
    state.volume.freeBytes -= taken_;
    state.storeFree = lastStoreFree_ - taken_;
    state.reserve = limits_.reserve.of(last_.bytes);
    state.warnBelow = limits_.warnBelow.of(last_.bytes);
    state.log = store_.counters().logBytes;
    state.claimed = sumOf(claimed_);
    state.ballastOut = store_.ballast().released();
    note(state);
    return state;
}

// What others announced is no lack of room yet.
void Room::note(const RoomState& state) {
    RoomState alone = state;
    alone.claimed = 0;
    const std::string refusal = alone.refusal();
    if (refusing_ == !refusal.empty()) return;
    refusing_ = !refusal.empty();
    LogLine line(refusing_ ? LogEvent::StoreFull : LogEvent::StoreRoom);
    line.with("free", state.volume.freeBytes).with("reserve", state.reserve);
    if (refusing_) line.with("reason", refusal);
}

Result<RoomState> Room::state() {
    MutexLock lock(mutex_);
    return look();
}

Result<void> Room::check(std::int64_t announced) {
    POSTERN_TRY(claim(announced));
    return {};
}

Result<Claim> Room::claim(std::int64_t announced) {
    if (store_.broken()) return fail(Errc::Io, "the store is broken and takes no mail");
    announced = std::max<std::int64_t>(announced, 0);  // nobody makes room by taking less than nothing
    MutexLock lock(mutex_);
    POSTERN_LET(state, look());
    const std::string refusal = state.refusal();
    if (!refusal.empty()) return fail(Errc::NoSpace, "the store's volume is short of room: " + refusal);
    // Half as much again: the bytes, their indexes and the log they pass through. Compared by division, since
    // a client may announce any number.
    if (announced / 2 > state.spare() / 3)
        return fail(Errc::NoSpace, "the store's volume has no room for " + formatSize(announced) + ": " +
                                       formatSize(state.spare()) + " are left for new mail");
    return Claim(claimed_, announced + announced / 2);
}

void Room::took(std::int64_t bytes) {
    MutexLock lock(mutex_);
    taken_ += bytes;
}

}  // namespace postern::disk
