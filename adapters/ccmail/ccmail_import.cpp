#include "adapters/ccmail/ccmail_import.h"

#include <algorithm>
#include <set>

#include "base/folder_access.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

namespace postern::adapters::ccmail {

namespace {

constexpr int kMostRuns = 20;  // of one call, so that mail is exported in between
constexpr std::size_t kMostAnswers = 50;
constexpr std::size_t kMostAnswerBytes = 256 << 10;
constexpr std::size_t kMostRecordBytes = 4 << 20;
constexpr std::size_t kMostFound = 10'000;  // files taken along that somebody else put into Import
constexpr std::size_t kMostLooks = 100;     // files of `again` whose time is asked
constexpr std::int64_t kMostAttempts = 1000;
constexpr Millis kLook{200};
// The service ends: how long a program that works is waited for. It is not ended then; the next start sees
// what it did.
constexpr Millis kStopPatience{20'000};

SteadyTime now() {
    return Clock::system().steady();
}

std::string replaced(std::string text, const std::string& folder) {
    constexpr std::string_view kMark = "{folder}";
    for (auto at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at + folder.size()))
        text.replace(at, kMark.size(), folder);
    return text;
}

// Import files, the smallest names first, at most `most`: ours are as old as their names are small. Names
// that a record can not hold are left alone.
Result<std::vector<std::string>> firstFiles(const Folder& folder, std::size_t most, bool& more) {
    std::vector<std::string> heap;  // the greatest in front
    more = false;
    POSTERN_TRY(folder.list([&](std::string_view name) {
        if (!isImportFile(name) || name.find('\n') != std::string_view::npos) return true;
        heap.emplace_back(name);
        std::push_heap(heap.begin(), heap.end());
        if (heap.size() <= most) return true;
        more = true;
        std::pop_heap(heap.begin(), heap.end());
        heap.pop_back();
        return true;
    }));
    std::sort_heap(heap.begin(), heap.end());
    return heap;
}

// Two attempts of one item have one name before the program: the second waits for another run.
void addEach(const std::vector<std::string>& names, Run& run) {
    std::set<std::string> seen;
    for (const std::string& name : names)
        if (seen.insert(importedName(name)).second) run.entries.push_back({0, name});
}

ImportAnswer::Kind kindOf(std::string_view name) {
    if (name.ends_with(".doubt")) return ImportAnswer::Kind::Doubt;
    return name.ends_with(".refused") ? ImportAnswer::Kind::Refused : ImportAnswer::Kind::Undeliverable;
}

Result<std::string> beginningOf(const Folder& folder, const std::string& name) {
    POSTERN_LET(file, folder.openRead(name));
    std::string bytes(kMostAnswerBytes, '\0');
    POSTERN_LET(size, file.readAt(0, bytes.data(), bytes.size()));
    bytes.resize(size);
    return bytes;
}

}  // namespace

Result<void> Importer::probe() {
    folders_.reset();
    const auto make = [&](const char* name) {
        return Folder::make(joinPath(plan_.folder, name), plan_.folderMode);
    };
    POSTERN_LET(submit, make("Submit"));
    POSTERN_LET(import, make("Import"));
    POSTERN_LET(bad, make("Bad"));
    POSTERN_LET(state, Folder::make(plan_.state, 0700));
    POSTERN_LET(again, Folder::make(joinPath(plan_.state, "again"), 0700));
    POSTERN_LET(answers, Folder::make(joinPath(plan_.state, "answers"), 0700));
    for (const Folder* folder : {&submit, &import, &bad, &state}) {
        const auto may = folder->mayWrite();
        if (!may.ok()) return explainDenied(may.error(), {folder->path()});
        POSTERN_LET(one, folder->sameVolume(submit));
        if (!one)
            return fail(Errc::Unavailable, folder->path() + " is on another volume than " + submit.path());
    }
    if (const auto runs = canRun(plan_.program.front()); !runs.ok())
        return runs.error().within("import_program");
    folders_.emplace(Folders{std::move(submit), std::move(import), std::move(bad), std::move(state),
                             std::move(again), std::move(answers)});
    if (blocked_.empty()) next_ = SteadyTime();
    return {};
}

Result<void> Importer::stillThere() const {
    if (!folders_) return fail(Errc::Unavailable, plan_.folder + " was not opened yet");
    for (const Folder* folder : {&folders_->submit, &folders_->import, &folders_->bad, &folders_->state,
                                 &folders_->again, &folders_->answers})
        POSTERN_TRY(folder->stillThere());
    return {};
}

Result<std::vector<ImportAnswer>> Importer::attend(const std::function<bool()>& stopping) {
    bool more = true;
    for (int run = 0; run < kMostRuns && more; ++run) {
        POSTERN_TRY(stillThere());
        POSTERN_LET(lock, File::openAppend(joinPath(plan_.state, "lock")));
        POSTERN_LET(ours, lock.tryLock());
        if (!ours) return whileAnotherWorks();
        othersSince_.reset();
        POSTERN_TRY(endInterrupted());
        POSTERN_LET(ready, answers());
        if (!ready.empty()) return ready;
        if (stopping()) break;
        POSTERN_LET(full, runOnce(lock, stopping));
        more = full;
    }
    POSTERN_LET(ready, answers());
    if (ready.empty() && !blocked_.empty()) return fail(Errc::Unavailable, blocked_);
    return ready;
}

// It is waited for, but not in silence for ever.
Result<std::vector<ImportAnswer>> Importer::whileAnotherWorks() {
    const std::string what = "the program of an earlier run still works; nothing is touched until it ends";
    tell(what);
    if (!othersSince_) othersSince_ = now();
    POSTERN_LET(ready, answers());
    if (ready.empty() && now() - *othersSince_ >= plan_.deadline)
        return fail(Errc::Unavailable, what + ", and its deadline is over: see what it waits for, or end it");
    return ready;
}

// The program began and we did not see to its end.
Result<void> Importer::endInterrupted() {
    POSTERN_LET(open, openRun());
    POSTERN_LET(started, folders_->state.has("started"));
    if (!open || !started) return {};
    POSTERN_LET(text, kept("ended"));
    return finish(*open, (text ? parseRunEnd(*text) : std::nullopt).value_or(RunEnd{}));
}

// True: another run may follow at once.
Result<bool> Importer::runOnce(File& lock, const std::function<bool()>& stopping) {
    POSTERN_LET(open, openRun());
    if (!open && now() < next_) return false;
    POSTERN_LET(chosen, open ? Result<Run>(*open) : choose());
    Run run = chosen;
    POSTERN_TRY(gather(run));
    if (run.entries.empty()) {
        blocked_.clear();  // nothing waits, so nothing is kept from a post office
        POSTERN_TRY(drop("run"));
        return false;
    }
    POSTERN_TRY(keep("started", ""));
    POSTERN_LET(end, start(run, lock, stopping));
    if (!end) return false;
    POSTERN_TRY(keep("ended", formatRunEnd(*end)));
    POSTERN_TRY(finish(run, *end));
    return blocked_.empty() && now() >= next_;
}

Result<std::optional<Run>> Importer::openRun() {
    POSTERN_LET(text, kept("run"));
    if (!text) return std::optional<Run>();
    auto run = parseRun(*text);
    if (!run)
        return fail(Errc::Corrupt, joinPath(plan_.state, "run") +
                                       " is damaged: see which files of Import were imported, move them to "
                                       "Bad or Submit, and remove it");
    return run;
}

// The files of the next run, recorded before anything is moved.
Result<Run> Importer::choose() {
    POSTERN_TRY(drop("ended"));
    POSTERN_TRY(drop("started"));
    Run run;
    run.id = randomName(8);
    POSTERN_LET(given, undeliverables());
    POSTERN_TRY(strays(given, Run{run.id, {}, false}));
    bool more = false;
    POSTERN_LET(found, firstFiles(folders_->import, kMostFound, more));
    addEach(found, run);
    run.full = !run.entries.empty();
    turnOfAgain_ = !turnOfAgain_;
    bool chosen = run.full;
    if (!chosen && turnOfAgain_) {
        POSTERN_LET(again, chooseAgain(run));
        chosen = again;
    }
    if (!chosen) {
        POSTERN_LET(fresh, firstFiles(folders_->submit, static_cast<std::size_t>(plan_.batch), more));
        addEach(fresh, run);
        run.full = fresh.size() == static_cast<std::size_t>(plan_.batch);
    }
    if (run.entries.empty() && !turnOfAgain_) POSTERN_TRY(chooseAgain(run));
    if (!run.entries.empty()) POSTERN_TRY(keep("run", formatRun(run)));
    return run;
}

// One file that an earlier run left behind, alone, so that no other is blamed for it. Those nearest to their
// end come first: whoever is refused stops waiting, and its sender hears of it.
Result<bool> Importer::chooseAgain(Run& run) {
    POSTERN_LET(there, attemptsThere());
    for (const int attempts : there) {
        const Millis wait = waitAfter(attempts, plan_.interval);
        POSTERN_LET(folder, Folder::open(joinPath(folders_->again.path(), std::to_string(attempts))));
        bool more = false;
        POSTERN_LET(names, firstFiles(folder, kMostLooks, more));
        for (const std::string& name : names) {
            POSTERN_LET(file, folder.openRead(name));
            POSTERN_LET(moved, file.touchedNanos());
            if (!isDue(fromMillis(moved / 1'000'000), wait, Clock::system().now())) continue;
            run.entries.push_back({attempts, name});
            run.full = true;
            return true;
        }
    }
    return false;
}

// The numbers of the folders in `again`, the greatest first: also of times when more attempts were allowed.
Result<std::vector<int>> Importer::attemptsThere() const {
    std::vector<int> found;
    POSTERN_TRY(folders_->again.list([&](std::string_view name) {
        const auto number = parseInt(name);
        if (number && *number > 0 && *number <= kMostAttempts) found.push_back(static_cast<int>(*number));
        return true;
    }));
    std::sort(found.rbegin(), found.rend());
    return found;
}

// Moves the files to where the program reads. Those that are gone, as somebody else took them, are left out.
Result<void> Importer::gather(Run& run) {
    std::vector<RunEntry> there;
    for (RunEntry& entry : run.entries) {
        POSTERN_LET(source, sourceOf(entry));
        const std::string name = importedName(entry.name);
        POSTERN_LET(moved, source.moveNoReplace(entry.name, folders_->import, name));
        if (moved == Moved::Done) POSTERN_TRY(source.sync());
        // A person may have put it right into Import, under its name elsewhere.
        if (name != entry.name)
            POSTERN_TRY(folders_->import.moveNoReplace(entry.name, folders_->import, name));
        POSTERN_LET(has, folders_->import.has(name));
        if (has) there.push_back(std::move(entry));
    }
    run.entries = std::move(there);
    return folders_->import.sync();
}

// Nothing: it still works, and the service ends.
Result<std::optional<RunEnd>> Importer::start(const Run& run, File& lock,
                                              const std::function<bool()>& stopping) {
    ProcessPlan plan;
    for (const std::string& argument : plan_.program)
        plan.arguments.push_back(replaced(argument, folders_->import.path()));
    plan.environment = plan_.environment;
    plan.folder = folders_->import.path();
    plan.handed = {lock.handle()};
    plan.endsWithUs = true;  // only where the lock can not be its own as well
    auto child = ChildProcess::start(plan);
    if (!child.ok()) {
        POSTERN_TRY(drop("started"));
        return child.error().within("import_program");
    }
    const SteadyTime begun = now();
    std::optional<SteadyTime> patience;
    for (;;) {
        if (const auto end = child->wait(kLook)) return std::optional(runEndOf(*end));
        if (now() - begun >= plan_.deadline)
            return std::optional(runEndOf(child->stop(ProcessEnd::How::TimedOut)));
        if (!stopping()) continue;
        if (!patience) patience = now() + kStopPatience;
        if (now() < *patience) continue;
        tell("the service ends while a run of " + std::to_string(run.entries.size()) + " files goes on");
        return std::optional<RunEnd>();
    }
}

Result<std::vector<ImportAnswer>> Importer::answers() const {
    std::vector<std::string> names;
    POSTERN_TRY(folders_->answers.list([&](std::string_view name) {
        if (itemOfName(name)) names.emplace_back(name);
        return names.size() < kMostAnswers;
    }));
    std::sort(names.begin(), names.end());
    std::vector<ImportAnswer> answers;
    for (const std::string& name : names) {
        POSTERN_LET(text, beginningOf(folders_->answers, name));
        answers.push_back({kindOf(name), name, *itemOfName(name), epochOfName(name), std::move(text)});
    }
    return answers;
}

Result<void> Importer::keep(const std::string& name, const std::string& bytes) const {
    return replaceFile(joinPath(plan_.state, name), bytes, 0600);
}

Result<std::optional<std::string>> Importer::kept(const std::string& name) const {
    POSTERN_LET(there, folders_->state.has(name));
    if (!there) return std::optional<std::string>();
    POSTERN_LET(text, readFile(joinPath(plan_.state, name), kMostRecordBytes));
    return std::optional(std::move(text));
}

Result<void> Importer::drop(const std::string& name) const {
    const auto removed = folders_->state.remove(name);
    if (!removed.ok()) return removed.error().code == Errc::NotFound ? Result<void>() : removed;
    return folders_->state.sync();
}

Result<Folder> Importer::sourceOf(const RunEntry& entry) const {
    if (entry.attempts == 0) return Folder::open(folders_->submit.path());
    return Folder::make(joinPath(folders_->again.path(), std::to_string(entry.attempts)), 0700);
}

void Importer::tell(std::string trouble) {
    if (!trouble.empty() && trouble != trouble_)  // equal events collapse (KB Q242944)
        LogLine(LogEvent::ImportFailed).with("adapter", plan_.adapter).with("reason", trouble);
    trouble_ = std::move(trouble);
}

}  // namespace postern::adapters::ccmail
