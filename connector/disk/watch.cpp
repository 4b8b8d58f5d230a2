#include "connector/disk/watch.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"

namespace postern::disk {

namespace {

constexpr Millis kShortestPause{60'000}, kLongestPause{3'600'000};  // between a release and the next filling
constexpr Millis kQuiet{3'600'000};      // without a release: the next one does not count as one in a row
constexpr Millis kSoon{24 * 3'600'000};  // a store that will be full within a day is worth a warning
constexpr char kStore[] = "disk";

std::string aboutAdapter(const std::string& name) {
    return "adapter " + name;
}

std::string freeText(const Volume& volume) {
    std::string text = formatSize(volume.freeBytes) + " of " + formatSize(volume.bytes) + " are free";
    if (volume.files > 0 && volume.freeFiles < fewFiles(volume))
        text += ", and " + std::to_string(volume.freeFiles) + " inodes";
    return text;
}

// Full seconds, as milliseconds.
std::int64_t secondsUp(SteadyTime::duration left) {
    return std::chrono::ceil<std::chrono::seconds>(left).count() * 1000;
}

// The disk's own trouble: the worst of it.
std::string storeTrouble(const Overview& seen) {
    const RoomState& room = *seen.room;
    if (const std::string refusal = room.refusal(); !refusal.empty())
        return "new mail is refused: " + refusal + ": make room there";
    const bool soon = seen.outlook.kind == Outlook::Kind::Filling && seen.outlook.left < kSoon;
    if (!room.low() && !soon) return {};
    const bool bodies = !room.store.low() && room.bodies && room.bodies->low();
    const Place& place = bodies ? *room.bodies : room.low() ? room.store : room.tight();
    return std::string(&place == &room.store ? "the store's volume" : "the volume of the store's bodies") +
           " runs low: " + freeText(place.volume) +
           (place.missing > 0 ? ", of which the ballast takes " + formatSize(place.missing) : "") +
           (seen.outlook.kind == Outlook::Kind::Filling
                ? "; new mail will be refused in " + outlookText(seen.outlook)
                : std::string());
}

bool isApart(const FolderSpace& folder, const RoomState& room) {
    return folder.volume.id != room.store.volume.id &&
           (!room.bodies || folder.volume.id != room.bodies->volume.id);
}

// A share of another machine may be small: then a tenth of it.
std::int64_t limitOf(const FolderSpace& folder, const RoomState& store) {
    return std::min(store.store.warnBelow, folder.volume.bytes / 10);
}

}  // namespace

bool Overview::isLow(const FolderSpace& folder) const {
    return room && isApart(folder, *room) && disk::isLow(folder.volume, limitOf(folder, *room));
}

std::vector<std::pair<std::string, std::string>> Overview::troubles() const {
    std::vector<std::pair<std::string, std::string>> all;
    if (!room) {
        if (!error.empty()) all.emplace_back(kStore, "the free space can not be asked: " + error);
        return all;
    }
    if (std::string text = storeTrouble(*this); !text.empty()) all.emplace_back(kStore, std::move(text));
    if (!ballastTrouble.empty()) all.emplace_back("ballast", ballastTrouble);
    for (const FolderSpace& each : folders)
        if (isLow(each))
            all.emplace_back(aboutAdapter(each.adapter),
                             "the volume of " + each.path + " runs low: " + freeText(each.volume));
    return all;
}

Watch::Watch(Room& room, store::Ballast& ballast, Clock& clock, WatchOptions options, bool start)
    : room_(room), ballast_(ballast), clock_(clock), options_(std::move(options)) {
    if (start) thread_ = std::jthread([this] { run(); });
}

Watch::~Watch() {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notifyAll();
}

void Watch::run() {
    nameThisThread("disk-watch");
    for (;;) {
        runOnce();
        MutexLock lock(mutex_);
        const SteadyTime next = clock_.steady() + options_.interval;
        while (!stopping_ && clock_.steady() < next) wake_.waitUntil(mutex_, next);
        if (stopping_) return;
    }
}

void Watch::runOnce() {
    Overview seen;
    seen.ballastWanted = options_.ballast();
    if (options_.folders) seen.folders = options_.folders();
    auto state = room_.state();
    if (state.ok()) {
        fillBallast(*state, seen);
        if (auto again = room_.state(); again.ok()) state = std::move(again);
        // As if the ballast were always there: that it goes or comes is no growth of the store.
        state->store.missing = std::max<std::int64_t>(0, seen.ballastWanted - ballast_.held());
        const Place& tight = state->tight();
        forecast_.note(clock_.steady(), tight.volume.freeBytes - tight.missing);
        seen.outlook = forecast_.outlook(state->spare() - tight.missing);
        seen.room = *state;
        sayOfStore(*state);
        for (const FolderSpace& each : seen.folders)
            if (isApart(each, *state)) say(aboutAdapter(each.adapter), each.volume, limitOf(each, *state));
    } else {
        seen.error = state.error().text;
    }
    seen.ballastHeld = ballast_.held();
    MutexLock lock(mutex_);
    last_ = std::move(seen);
}

// Where the file system does not say what is short (a quota, a limit on file sizes), it finds room for the
// ballast each time, and the next commit has none: each time in a row it waits twice as long.
void Watch::noteRelease() {
    const bool out = ballast_.released();
    if (out == outSeen_) return;
    outSeen_ = out;
    if (!out) return;
    waitLonger();
}

void Watch::waitLonger() {
    const SteadyTime now = clock_.steady();
    const bool inARow = triedAt_ && now - *triedAt_ < kQuiet;
    pause_ = inARow ? std::clamp(pause_ * 2, kShortestPause, kLongestPause) : Millis{0};
    notBefore_ = now + pause_;
}

// Only from what new mail may use: a ballast that takes the reserve would help nobody.
Result<void> Watch::tryToFill(const RoomState& state, std::int64_t wanted) {
    const std::int64_t held = ballast_.held();
    // What was given away must not come straight back: that would be one full disk after the other.
    const std::int64_t needed = wanted - held + std::max(state.store.reserve, wanted / 4);
    if (wanted > held && state.store.volume.freeBytes < needed)
        return fail(Errc::NoSpace, formatSize(state.store.volume.freeBytes) + " are free, " +
                                       formatSize(needed) + " are needed");
    const SteadyTime now = clock_.steady();
    if (wanted > held && now < notBefore_)
        return fail(Errc::NoSpace, "the last times it did not stay long; the next try is in " +
                                       formatDurationMillis(secondsUp(notBefore_ - now)));
    const Result<void> filled = ballast_.fill(wanted, [this] { return stopping(); });
    if (!filled.ok() || outSeen_) triedAt_ = clock_.steady();
    outSeen_ = outSeen_ && !filled.ok();
    if (!filled.ok()) waitLonger();
    POSTERN_TRY(filled);
    room_.took(std::max<std::int64_t>(0, wanted - held));
    return {};
}

void Watch::fillBallast(const RoomState& state, Overview& into) {
    const std::int64_t wanted = into.ballastWanted;
    ballast_.look();
    noteRelease();
    const bool out = ballast_.released();
    if (ballast_.held() == wanted && !out) {
        missingTold_ = false;
        return;
    }
    const Result<void> filled = tryToFill(state, wanted);
    if (filled.ok()) {
        if (wanted > 0) LogLine(LogEvent::StoreBallastIn).with("bytes", wanted);
        missingTold_ = false;
        return;
    }
    into.ballastTrouble = std::string(out ? "it was given away when the disk was full, and waits for room: "
                                          : "the space kept for a full disk is not there: ") +
                          filled.error().text;
    if (!missingTold_ && !out)
        LogLine(LogEvent::StoreBallastMissing).with("bytes", wanted).with("reason", filled.error().text);
    missingTold_ = true;
}

bool Watch::stopping() const {
    MutexLock lock(mutex_);
    return stopping_;
}

void Watch::sayOfStore(const RoomState& room) {
    const auto sayOf = [this](const std::string& about, const Place& place) {
        Volume whole = place.volume;
        whole.freeBytes -= place.missing;
        say(about, whole, place.warnBelow);
    };
    sayOf(kStore, room.store);
    if (room.bodies) sayOf("bodies", *room.bodies);
}

// Ample only when there is a little more than was missing: nobody wants to read of it every minute.
void Watch::say(const std::string& about, const Volume& volume, std::int64_t warnBelow) {
    bool& told = low_[about];
    const bool low = isLow(volume, warnBelow, told);
    if (told == low) return;
    told = low;
    LogLine(low ? LogEvent::DiskLow : LogEvent::DiskAmple)
        .with("about", about)
        .with("free", volume.freeBytes)
        .with("of", volume.bytes)
        .with("free_files", volume.freeFiles);
}

Overview Watch::overview() const {
    MutexLock lock(mutex_);
    return last_;
}

}  // namespace postern::disk
