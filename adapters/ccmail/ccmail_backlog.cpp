#include "adapters/ccmail/ccmail_backlog.h"

#include "adapters/ccmail/ccmail_run.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace postern::adapters::ccmail {

namespace {
constexpr Millis kBetweenLooks{250};
}

Result<std::optional<std::string>> Backlog::full() {
    const MutexLock lock(mutex_);
    if (looked_ && !over()) return std::optional<std::string>();
    const SteadyTime now = Clock::system().steady();
    if (!full_.empty() && now < next_) return std::optional(full_);
    POSTERN_TRY(look());
    next_ = now + kBetweenLooks;
    const bool before = !full_.empty();
    full_.clear();
    if (!over()) return std::optional<std::string>();
    full_ = std::to_string(files_) + " files (" + formatSize(bytes_) + ") wait in " + plan_.folders.front() +
            ", and nobody imports them";
    if (!before) LogLine(LogEvent::ImportFailed).with("adapter", plan_.adapter).with("reason", full_);
    return std::optional(full_);
}

void Backlog::add(std::int64_t bytes) {
    const MutexLock lock(mutex_);
    ++files_;
    bytes_ += bytes;
}

bool Backlog::over() const {
    return (plan_.mostFiles > 0 && files_ >= plan_.mostFiles) ||
           (plan_.mostBytes > 0 && bytes_ >= plan_.mostBytes);
}

Result<void> Backlog::look() {
    Waiting waiting;
    for (const std::string& path : plan_.folders) POSTERN_TRY(lookInto(path, 1, waiting));
    files_ = waiting.files;
    bytes_ = waiting.bytes;
    looked_ = true;
    return {};
}

Result<void> Backlog::lookInto(const std::string& path, int depth, Waiting& waiting) {
    const auto folder = Folder::open(path);
    if (!folder.ok()) return folder.error().code == Errc::NotFound ? Result<void>() : folder.error();
    std::vector<std::string> below;
    POSTERN_TRY(folder->list([&](std::string_view name) {
        if (!isImportFile(name)) {
            if (depth > 0 && parseInt(name)) below.emplace_back(name);
            return true;
        }
        ++waiting.files;
        if (const auto facts = folder->facts(name); facts.ok())
            waiting.bytes += facts->size;  // else: just taken
        return true;
    }));
    for (const std::string& name : below) POSTERN_TRY(lookInto(joinPath(path, name), depth - 1, waiting));
    return {};
}

}  // namespace postern::adapters::ccmail
