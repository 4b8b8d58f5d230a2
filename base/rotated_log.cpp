#include "base/rotated_log.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "base/file.h"

namespace postern {

namespace {

constexpr Millis kAgain{60'000};

std::chrono::sys_days dayOf(WallTime time) {
    return std::chrono::floor<std::chrono::days>(time);
}

std::string stamp(WallTime time) {
    const CivilTime at = civilUtc(time);
    char text[32];
    (void)std::snprintf(text, sizeof text, "%04d%02d%02dT%02d%02d%02dZ", at.year, at.month, at.day, at.hour,
                        at.minute, at.second);
    return text;
}

}  // namespace

struct RotatedLog::Impl {
    std::string current() const { return name + ".log"; }
    Result<void> reopen();
    bool due(WallTime now) const;
    void putAside(WallTime now);
    void removeOldest();

    Folder folder;
    std::string name;
    const Clock& clock;
    File file = {};
    std::int64_t size = 0;
    std::chrono::sys_days day = {};  // of its first line; of its last one where we found it
    WallTime tried = {};             // when it could not be put aside
};

Result<void> RotatedLog::Impl::reopen() {
    POSTERN_LET(opened, File::openAppend(joinPath(folder.path(), current())));
    POSTERN_LET(facts, opened.facts());
    size = facts.size;
    day = dayOf(size > 0 ? fromMillis(facts.changedNanos / 1'000'000) : clock.now());
    file = std::move(opened);
    return {};
}

bool RotatedLog::Impl::due(WallTime now) const {
    return size > 0 && (size >= kLogLimit || dayOf(now) != day) && now - tried >= kAgain;
}

// Closed first: Windows renames no file that is open without its consent.
void RotatedLog::Impl::putAside(WallTime now) {
    (void)file.close();
    const auto moved = folder.moveNoReplace(current(), folder, name + "-" + stamp(now) + ".log");
    tried = moved.ok() && *moved == Moved::Done ? WallTime{} : now;
    (void)reopen();  // a file that is not open is tried again with the next line
    if (tried == WallTime{}) removeOldest();
}

void RotatedLog::Impl::removeOldest() {
    std::vector<std::string> aside;
    const auto listed = folder.list([&](std::string_view each) {
        const std::string form = name + "-00000000T000000Z.log";
        if (each.size() == form.size() && each.starts_with(name + "-2") && each.ends_with("Z.log"))
            aside.emplace_back(each);
        return true;
    });
    if (!listed.ok()) return;
    std::sort(aside.begin(), aside.end());
    for (std::size_t i = 0; i + kLogsKept < aside.size(); ++i) (void)folder.remove(aside[i]);
}

RotatedLog::RotatedLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RotatedLog::~RotatedLog() = default;

Result<std::unique_ptr<RotatedLog>> RotatedLog::open(const std::string& folder, const std::string& name,
                                                     const Clock& clock) {
    POSTERN_LET(made, Folder::make(folder));
    auto impl = std::make_unique<Impl>(Impl{std::move(made), name, clock});
    POSTERN_TRY(impl->reopen());
    return std::unique_ptr<RotatedLog>(new RotatedLog(std::move(impl)));
}

void RotatedLog::write(std::string_view lines) {
    const WallTime now = impl_->clock.now();
    if (impl_->due(now)) impl_->putAside(now);
    if (!impl_->file.isOpen() && !impl_->reopen().ok()) return;
    if (!impl_->file.write(lines).ok()) return;
    if (impl_->size == 0) impl_->day = dayOf(now);
    impl_->size += static_cast<std::int64_t>(lines.size());
}

}  // namespace postern
