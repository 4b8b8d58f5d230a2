#include "connector/disk/watch.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"

namespace postern::disk {

namespace {

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

// The disk's own trouble: the worst of it.
std::string storeTrouble(const Overview& seen) {
    const RoomState& room = *seen.room;
    if (const std::string refusal = room.refusal(); !refusal.empty())
        return "new mail is refused: " + refusal + ": make room on the store's volume";
    const bool soon = seen.outlook.kind == Outlook::Kind::Filling && seen.outlook.left < kSoon;
    if (!room.low() && !soon) return {};
    return "the store's volume runs low: " + freeText(room.volume) +
           (seen.outlook.kind == Outlook::Kind::Filling
                ? "; new mail will be refused in " + outlookText(seen.outlook)
                : std::string());
}

// A share of another machine may be small: then a tenth of it.
std::int64_t limitOf(const FolderSpace& folder, const RoomState& store) {
    return std::min(store.warnBelow, folder.volume.bytes / 10);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Overview::troubles() const {
    std::vector<std::pair<std::string, std::string>> all;
    if (!room) {
        if (!error.empty()) all.emplace_back(kStore, "the free space can not be asked: " + error);
        return all;
    }
    if (std::string text = storeTrouble(*this); !text.empty()) all.emplace_back(kStore, std::move(text));
    if (!ballastTrouble.empty()) all.emplace_back("ballast", ballastTrouble);
    for (const FolderSpace& each : folders)
        if (each.volume.id != room->volume.id && isLow(each.volume, limitOf(each, *room)))
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
        const std::int64_t missing = std::max<std::int64_t>(0, seen.ballastWanted - ballast_.held());
        forecast_.note(clock_.steady(), state->volume.freeBytes - missing);
        seen.outlook = forecast_.outlook(state->spare());
        seen.room = *state;
        say(kStore, state->volume, state->warnBelow);
        for (const FolderSpace& each : seen.folders)
            if (each.volume.id != state->volume.id)
                say(aboutAdapter(each.adapter), each.volume, limitOf(each, *state));
    } else {
        seen.error = state.error().text;
    }
    seen.ballastHeld = ballast_.held();
    MutexLock lock(mutex_);
    last_ = std::move(seen);
}

// Only from what new mail may use: a ballast that takes the reserve would help nobody.
void Watch::fillBallast(const RoomState& state, Overview& into) {
    const std::int64_t wanted = into.ballastWanted;
    const std::int64_t held = ballast_.held();
    const bool out = ballast_.released();
    if (held == wanted && !out) {
        missingTold_ = false;
        return;
    }
    // What was given away must not come straight back: that would be one full disk after the other.
    const std::int64_t needed = wanted - held + std::max(state.reserve, wanted / 4);
    Result<void> filled =
        fail(Errc::NoSpace, formatSize(state.storeFree) + " are free, " + formatSize(needed) + " are needed");
    if (wanted <= held || state.storeFree >= needed) filled = ballast_.fill(wanted);
    if (filled.ok()) room_.took(wanted - held);
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

// Ample only when there is a little more than was missing: nobody wants to read of it every minute.
void Watch::say(const std::string& about, const Volume& volume, std::int64_t warnBelow) {
    bool& told = low_[about];
    const bool low = isLow(volume, told ? warnBelow + warnBelow / 16 : warnBelow);
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
