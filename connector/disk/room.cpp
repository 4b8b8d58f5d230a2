// Diagnostics: store.full and store.room, once each time it changes and not once per mail (KB Q189587).

#include "connector/disk/room.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace postern::disk {

namespace {

constexpr Millis kLookAgain{1'000};  // how old the last look at the free space may be
constexpr std::int64_t kLargest = std::int64_t{1} << 60;
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

bool isLow(const Volume& volume, std::int64_t warnBelow, bool told) {
    const std::int64_t files = fewFiles(volume);
    return volume.freeBytes < warnBelow + (told ? warnBelow / 16 : 0) ||
           volume.freeFiles < files + (told ? files / 16 : 0);
}

bool Place::low() const {
    Volume whole = volume;
    whole.freeBytes -= missing;
    return isLow(whole, warnBelow);
}

const Place& RoomState::tight() const {
    return bodies && bodies->spare() < store.spare() ? *bodies : store;
}

std::int64_t RoomState::freeFiles() const {
    return bodies ? std::min(bodies->volume.freeFiles, store.volume.freeFiles) : store.volume.freeFiles;
}

const char* RoomState::tightName() const {
    return &tight() == &store ? "the store's volume" : "the volume of the store's bodies";
}

namespace {

std::string fewFilesText(const Place& place) {
    const std::int64_t least = fewestFiles(place.volume);
    if (place.volume.freeFiles > least) return {};
    return std::to_string(place.volume.freeFiles) + " inodes are free, " + std::to_string(least) +
           " are kept";
}

}  // namespace

std::string RoomState::refusal() const {
    std::string few = fewFilesText(store);
    if (few.empty() && bodies) few = fewFilesText(*bodies);
    if (!few.empty()) return few;
    if (ballastOut)
        return "the disk was full and the ballast is given away; " + formatSize(store.volume.freeBytes) +
               " are free now";
    if (spare() >= 0) return {};
    const Place& place = tight();
    return formatSize(place.volume.freeBytes) + " are free on " + tightName() + "; " +
           formatSize(place.reserve) + " are kept (reserve), " + formatSize(place.log + claimed) +
           " are for mail on its way in";
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

Place Room::placeOf(const Volume& volume) const {
    return Place{volume, limits_.reserve.of(volume.bytes), limits_.warnBelow.of(volume.bytes)};
}

// The bodies may stand on a volume of their own.
Result<void> Room::lookAgain() {
    const SteadyTime now = clock_.steady();
    const auto isClose = [reserve = limits_.reserve](const Volume& volume) {
        return volume.freeFiles < fewestFiles(volume) + kCloseFiles ||
               volume.freeBytes < reserve.of(volume.bytes) + kCloseBytes;
    };
    if (lookedAt_ && now - *lookedAt_ < kLookAgain && !isClose(lastStore_) && !isClose(lastBodies_))
        return {};
    POSTERN_LET(volume, look_(store_.folder()));
    POSTERN_LET(bodies, look_(joinPath(store_.folder(), "bodies")));
    lookedAt_ = now;
    lastStore_ = volume;
    lastBodies_ = bodies;
    taken_ = 0;
    return {};
}

Result<RoomState> Room::look() {
    RoomState state;
    {
        MutexLock lock(mutex_);
        POSTERN_TRY(lookAgain());
        state.store = placeOf(lastStore_);
        state.store.volume.freeBytes -= taken_;
        if (lastBodies_.id != lastStore_.id) {
            state.bodies = placeOf(lastBodies_);
            state.bodies->volume.freeBytes -= taken_;
        }
    }
    state.store.log = store_.logBytes();
    state.claimed = sumOf(claimed_);
    state.ballastOut = store_.ballast().released();
    tell(state);
    return state;
}

namespace {

// While the log grows and is folded back, what is spare goes up and down by what it holds at most: that it is
// over is told only where that can not make it begin anew.
bool isAmple(const RoomState& state, std::int64_t logLimit) {
    const auto enough = [logLimit](const Place& place) {
        const Volume& volume = place.volume;
        const std::int64_t files = fewestFiles(volume);
        return volume.freeBytes - place.reserve >= std::min(logLimit, volume.bytes / 8) &&
               volume.freeFiles > files + files / 8;
    };
    return !state.ballastOut && state.tight().spare() >= 0 && enough(state.store) &&
           (!state.bodies || enough(*state.bodies));
}

}  // namespace

// What others announced is no lack of room yet.
void Room::tell(const RoomState& state) {
    RoomState alone = state;
    alone.claimed = 0;
    const std::string refusal = alone.refusal();
    {
        MutexLock lock(mutex_);
        const bool over = refusing_ && refusal.empty() && isAmple(state, store_.checkpointBytes());
        const bool begins = !refusing_ && !refusal.empty();
        if (!over && !begins) return;
        refusing_ = begins;
    }
    LogLine line(refusal.empty() ? LogEvent::StoreRoom : LogEvent::StoreFull);
    line.with("free", state.tight().volume.freeBytes).with("reserve", state.tight().reserve);
    if (!refusal.empty()) line.with("reason", refusal);
}

// The log's bytes stay counted until an idle second or many of them: folded back, they are no lack of room.
void Room::askForFold(const RoomState& state, std::int64_t needed) {
    const std::int64_t log = state.tight().log;
    if (log > 0 && state.spare() < needed && state.spare() + log >= needed) store_.foldSoon();
}

Result<RoomState> Room::state() {
    POSTERN_LET(state, look());
    askForFold(state, 0);
    return state;
}

namespace {

// Half as much again: the bytes, their indexes and the log they pass through. Compared by division, since a
// client may announce any number.
Result<void> admit(std::int64_t announced, const RoomState& state) {
    const std::string refusal = state.refusal();
    if (!refusal.empty()) return fail(Errc::NoSpace, "the store is short of room: " + refusal);
    if (announced / 2 <= state.spare() / 3) return {};
    return fail(Errc::NoSpace, std::string(state.tightName()) + " has no room for " + formatSize(announced) +
                                   ": " + formatSize(state.spare()) + " are left for new mail");
}

}  // namespace

Result<void> Room::check(std::int64_t announced) {
    POSTERN_LET(claimed, claimOrNot(announced, false));
    return {};
}

Result<Claim> Room::claim(std::int64_t announced) {
    return claimOrNot(announced, true);
}

Result<Claim> Room::claimOrNot(std::int64_t announced, bool keeps) {
    if (store_.broken()) return fail(Errc::Io, "the store is broken and takes no mail");
    announced = std::max<std::int64_t>(announced, 0);  // nobody makes room by taking less than nothing
    POSTERN_LET(state, look());
    Result<void> admitted;
    {
        MutexLock lock(mutex_);
        state.claimed = sumOf(claimed_);  // with those who asked meanwhile
        admitted = admit(announced, state);
        if (admitted.ok()) return keeps ? Claim(claimed_, announced + announced / 2) : Claim();
    }
    askForFold(state, std::min(announced, kLargest) / 2 * 3);
    return admitted.error();
}

void Room::took(std::int64_t bytes) {
    MutexLock lock(mutex_);
    taken_ += bytes;
}

}  // namespace postern::disk
