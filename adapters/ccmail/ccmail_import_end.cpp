// What the end of a run means for each of its files. Every step may be done twice: a crash between any two
// of them does it again.

#include <algorithm>

#include "adapters/ccmail/ccmail_import.h"
#include "base/log.h"
#include "base/set_aside.h"
#include "base/text.h"

namespace postern::adapters::ccmail {

namespace {

constexpr Millis kLongestDelay{15 * 60'000};
constexpr int kUndeliverable = 5;

std::string doubtText(const RunEnd& end) {
    const std::string what = !end.seen ? "nobody saw how the import program ended (the service did before it)"
                                       : "the import program " + end.text;
    return what + ", and the file was left: it was not imported, or it was and not deleted";
}

constexpr const char* kAfterDoubt =
    ". Look in the post office. If it is there: 'postern queue resolve ID --exported'. If not: 'postern "
    "queue "
    "resolve ID --resend' makes it anew";
constexpr const char* kAfterRefusal = ". Its sender was told. To try it all the same, move it to Submit";

}  // namespace

Result<void> Importer::finish(const Run& run, const RunEnd& end) {
    Verdicts verdicts;
    POSTERN_LET(given, undeliverables());
    verdicts.given = std::move(given);
    POSTERN_LET(unexplained, isUnexplained(run, end, verdicts.given));
    verdicts.unexplained = unexplained;
    for (const RunEntry& entry : run.entries) {
        POSTERN_TRY(judge(run, entry, end, verdicts));
        verdicts.given.erase(stemOf(importedName(entry.name)));
    }
    POSTERN_TRY(strays(verdicts.given, run));
    POSTERN_TRY(folders_->import.sync());
    if (verdicts.imported > 0)
        LogLine(LogEvent::ImportDone)
            .with("adapter", plan_.adapter)
            .with("files", verdicts.imported)
            .with("of", static_cast<int>(run.entries.size()));
    pace(run, end);
    POSTERN_TRY(drop("run"));  // first: without it the others mean nothing
    POSTERN_TRY(drop("started"));
    return drop("ended");
}

// Something could not be delivered, every file is gone, and no .und is there: whom it means nobody can tell.
// A .und that was read before a crash is an answer of this run by now.
Result<bool> Importer::isUnexplained(const Run& run, const RunEnd& end, const Undeliverables& given) const {
    bool explained = !end.exited() || end.code != kUndeliverable || !given.empty();
    for (const RunEntry& entry : run.entries) {
        POSTERN_LET(present, folders_->import.has(importedName(entry.name)));
        explained = explained || present;
    }
    if (!explained)
        POSTERN_TRY(folders_->answers.list([&](std::string_view name) {
            explained = name.ends_with("." + run.id + ".und");
            return !explained;
        }));
    return !explained;
}

Result<void> Importer::judge(const Run& run, const RunEntry& entry, const RunEnd& end, Verdicts& verdicts) {
    const Undeliverables& given = verdicts.given;
    const std::string name = importedName(entry.name);
    POSTERN_LET(present, folders_->import.has(name));
    if (const auto found = given.find(stemOf(name)); found != given.end())
        return giveBack(run, entry, found->second, present);
    // A program that writes one .und for all (CCMAIL.UND) can only mean the one file it was given.
    if (run.entries.size() == 1 && given.size() == 1 && !itemOfName(given.begin()->first))
        return giveBack(run, entry, given.begin()->second, present);
    if (!present && verdicts.unexplained)
        return refuse(run, entry, ".doubt",
                      "the import program " + end.text + ", and left no .und that says what");
    if (!present) {
        ++verdicts.imported;
        return {};
    }
    if (end.noPostOffice()) return putBack(entry);
    if (!end.failed()) return refuse(run, entry, ".doubt", doubtText(end));
    if (entry.attempts + 1 < plan_.attempts) return tryAgain(entry);
    return refuse(run, entry, ".refused",
                  "the import program left it behind " + std::to_string(entry.attempts + 1) +
                      " times; last: it " + end.text);
}

// The import file first: with it gone, what is left is done again without importing anything.
Result<void> Importer::giveBack(const Run& run, const RunEntry& entry, const std::string& given,
                                bool present) {
    if (present)
        POSTERN_TRY(takeAside(importedName(entry.name), entry.name,
                              "the import program gave it back; see the .und file"));
    if (!itemOfName(entry.name))
        return takeAside(given, given, "undeliverable; the file was not made by this service");
    const std::string name = stemOf(entry.name) + "." + run.id + ".und";
    POSTERN_LET(moved, folders_->import.moveNoReplace(given, folders_->answers, name));
    if (moved == Moved::TargetExists)
        return takeAside(given, given, "a second answer of one run for one file");
    return folders_->answers.sync();
}

// The answer first: with it there, what is left is only where the file lies.
Result<void> Importer::refuse(const Run& run, const RunEntry& entry, const std::string& kind,
                              const std::string& reason) {
    const std::string name = stemOf(entry.name) + "." + run.id + kind;
    if (itemOfName(entry.name))
        POSTERN_TRY(replaceFile(joinPath(folders_->answers.path(), name), reason, 0600));
    return takeAside(importedName(entry.name), entry.name,
                     reason + (kind == ".doubt" ? kAfterDoubt : kAfterRefusal));
}

Result<void> Importer::takeAside(const std::string& name, const std::string& wanted,
                                 const std::string& reason) {
    const auto as = setAside(folders_->import, name, folders_->bad, wanted, reason);
    if (!as.ok()) return as.error().code == Errc::NotFound ? Result<void>() : as.error();
    LogLine(LogEvent::ImportSetAside)
        .with("adapter", plan_.adapter)
        .with("file", joinPath(folders_->bad.path(), *as))
        .with("reason", reason);
    return {};
}

// Where another file has its name by now it stays in Import, and is in the next run.
Result<void> Importer::putBack(const RunEntry& entry) {
    POSTERN_LET(source, sourceOf(entry));
    POSTERN_TRY(folders_->import.moveNoReplace(importedName(entry.name), source, entry.name));
    return source.sync();
}

Result<void> Importer::tryAgain(const RunEntry& entry) {
    POSTERN_LET(again, sourceOf({entry.attempts + 1, entry.name}));
    const std::string name = importedName(entry.name);
    POSTERN_LET(moved, folders_->import.moveNoReplace(name, again, entry.name));
    if (moved == Moved::TargetExists)
        return takeAside(name, entry.name, "another file of its name is tried again");
    return again.sync();
}

// Undeliverables whose file was in no run that we know: left over from before (KB Q212788), or with a name of
// the program's own.
Result<void> Importer::strays(const Undeliverables& given, const Run& run) {
    for (const auto& [stem, name] : given) {
        if (itemOfName(stem)) {
            const RunEntry entry{0, stem + ".ccm"};
            POSTERN_LET(present, folders_->import.has(entry.name));
            POSTERN_TRY(giveBack(run, entry, name, present));
        } else {
            POSTERN_TRY(takeAside(name, name,
                                  "undeliverable, but its name does not tell of which file: see whom it "
                                  "names, and tell the senders"));
        }
    }
    return {};
}

// One without a byte says nothing of anybody: a program may make it in advance.
Result<Importer::Undeliverables> Importer::undeliverables() const {
    Undeliverables found;
    std::vector<std::string> empty;
    POSTERN_TRY(folders_->import.list([&](std::string_view name) {
        if (!isUndeliverable(name)) return true;
        const auto facts = folders_->import.facts(name);
        if (facts.ok() && facts->regular && facts->size == 0)
            empty.emplace_back(name);
        else
            found.emplace(stemOf(name), name);
        return true;
    }));
    for (const std::string& name : empty)
        if (const auto gone = folders_->import.remove(name);
            !gone.ok() && gone.error().code != Errc::NotFound)
            return gone.error();
    return found;
}

Result<void> Importer::settle(const std::string& name) {
    POSTERN_TRY(stillThere());
    if (name.ends_with(".und")) {
        const auto as = setAside(folders_->answers, name, folders_->bad, name,
                                 "what the import program gave back; the senders were told");
        return as.ok() || as.error().code == Errc::NotFound ? Result<void>() : as.error();
    }
    const auto removed = folders_->answers.remove(name);
    if (!removed.ok() && removed.error().code != Errc::NotFound) return removed;
    return folders_->answers.sync();
}

void Importer::pace(const Run& run, const RunEnd& end) {
    constexpr int kMostDoublings = 10;
    const SteadyTime moment = Clock::system().steady();
    postponed_ = end.noPostOffice() ? std::min(postponed_ + 1, kMostDoublings) : 0;
    Millis delay = plan_.interval;
    for (int i = 1; i < postponed_ && delay < kLongestDelay; ++i) delay *= 2;
    if (end.exited() && end.code == 0 && run.full) delay = Millis(0);
    next_ = moment + delay;
    const std::string what = "the import program " + end.text;
    if (!end.noPostOffice())
        blocked_.clear();
    else if (blocked_.empty() || end.code != blockedBy_)
        blocked_ = what;  // the same words while it lasts: equal events collapse (KB Q242944)
    blockedBy_ = end.noPostOffice() ? end.code : 0;
    // Who asks says the others: attend() fails with `blocked_`, and a doubt is said with its file.
    const bool fine = end.exited() && (end.code == 0 || end.code == kUndeliverable);
    tell(fine || !end.seen || end.noPostOffice() ? "" : what);
}

}  // namespace postern::adapters::ccmail
