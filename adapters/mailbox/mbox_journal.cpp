#include "adapters/mailbox/mbox_journal.h"

#include <algorithm>

#include "adapters/spool/spool_evidence.h"
#include "base/random.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr std::string_view kPrefix = ".journal-";
constexpr std::string_view kDoubt = ".doubt-";
constexpr std::size_t kLargestJournal = 1 << 20;
constexpr std::size_t kPiece = 65536;

// How the bytes in a mailbox compare with those that were to be added there.
enum class Match {
    Whole,  // all there
    Torn,   // the beginning of them, or holes where a power failure lost them, and nothing behind
    Other,  // somebody else's
};

Result<std::size_t> readFull(File& file, std::int64_t offset, char* into, std::size_t wanted) {
    std::size_t filled = 0;
    while (filled < wanted) {
        POSTERN_LET(got,
                    file.readAt(offset + static_cast<std::int64_t>(filled), into + filled, wanted - filled));
        if (got == 0) break;
        filled += got;
    }
    return filled;
}

// Whether `there` is `wanted` but for NUL bytes; counts those.
bool sameButHoles(std::string_view there, std::string_view wanted, std::int64_t& holes) {
    for (std::size_t i = 0; i < there.size(); ++i) {
        if (there[i] == wanted[i]) continue;
        if (there[i] != '\0') return false;
        ++holes;
    }
    return true;
}

// Compares the mailbox from `begin` on, where an entry of the staged bytes would stand.
Result<Match> compare(File& mailbox, std::int64_t begin, File& staged, std::int64_t length,
                      const std::function<void()>& beat) {
    POSTERN_LET(size, mailbox.size());
    const std::int64_t there = std::min(length, size - begin);
    std::vector<char> left(kPiece), right(kPiece);
    std::int64_t holes = 0;
    for (std::int64_t at = 0; at < there;) {
        beat();
        const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(kPiece, there - at));
        POSTERN_LET(got, readFull(mailbox, begin + at, left.data(), wanted));
        POSTERN_LET(known, readFull(staged, at, right.data(), wanted));
        if (got != wanted || known != wanted)
            return fail(Errc::Corrupt, "a staged file or its mailbox is shorter than it was");
        if (!sameButHoles({left.data(), wanted}, {right.data(), wanted}, holes)) return Match::Other;
        at += static_cast<std::int64_t>(wanted);
    }
    if (there == length && holes == 0) return Match::Whole;
    return size <= begin + length ? Match::Torn : Match::Other;
}

struct Progress {
    struct Placed {
        Journal::Entry entry;
        std::int64_t begin;
    };
    std::vector<Placed> published;
    std::vector<Journal::Entry> doubtful;
    std::optional<std::int64_t> cutTo;
};

Result<Match> matchOf(const Folder& stage, const Journal::Entry& entry, MailboxLock& mailbox,
                      std::int64_t begin, const std::function<void()>& beat) {
    POSTERN_LET(staged, stage.openRead(entry.staged));
    return compare(mailbox.file(), begin, staged, entry.length, beat);
}

// What is known of the mailbox before its bytes are compared.
struct Sight {
    std::int64_t size = 0;
    bool sameFile = false;
    // What is not there now never was: nobody can have taken it away.
    bool nobodyTook = false;
};

Result<Sight> sightOf(const Journal& journal, MailboxLock& mailbox, bool heldSince) {
    POSTERN_LET(facts, mailbox.file().facts());
    POSTERN_LET(touched, mailbox.file().touchedNanos());
    const bool untouched = journal.touched != 0 && touched == journal.touched && facts.size == journal.offset;
    return Sight{facts.size, facts.volume == journal.volume && facts.number == journal.number,
                 heldSince || untouched};
}

// Walks through the entries as far as they can be told.
Result<Progress> look(const SpoolFolders& folders, const Journal& journal, MailboxLock& mailbox,
                      bool heldSince, const std::function<void()>& beat) {
    Progress progress;
    POSTERN_LET(sight, sightOf(journal, mailbox, heldSince));
    std::int64_t begin = journal.offset + journal.lineEnds;
    bool known = sight.sameFile && sight.size >= journal.offset;
    for (std::size_t i = 0; i < journal.entries.size(); begin += journal.entries[i++].length) {
        const Journal::Entry& entry = journal.entries[i];
        if (i > 0 && sight.size < begin) known = false;  // shorter than what was there already
        POSTERN_LET(pending, folders.stage().has(entry.staged));
        if (!pending) continue;
        // Nothing of it: not added yet, or added and taken by a reader after our locks were gone.
        if (sight.size <= begin && !sight.nobodyTook) known = false;
        auto match = Result<Match>(known ? Match::Torn : Match::Other);
        if (known && sight.size > begin) match = matchOf(folders.stage(), entry, mailbox, begin, beat);
        if (!match.ok()) return match.error();
        if (*match == Match::Torn) {
            progress.cutTo = i == 0 ? journal.offset : begin;
            return progress;  // it and those behind it stay staged
        }
        known = *match == Match::Whole;
        if (known)
            progress.published.push_back({entry, begin});
        else
            progress.doubtful.push_back(entry);
    }
    return progress;
}

// The bytes that are there, once more: an earlier sync of them may have failed, and then the system takes
// them for written. What is before the first of them is written with it where a piece of the disk holds both.
Result<void> writeAgain(const SpoolFolders& folders, const Journal& journal, const Progress& progress,
                        File& mailbox, const std::function<void()>& beat) {
    if (journal.lineEnds > 0 && !progress.published.empty())
        POSTERN_TRY(
            mailbox.writeAt(journal.offset, std::string(static_cast<std::size_t>(journal.lineEnds), '\n')));
    std::vector<char> piece(kPiece);
    for (const auto& [entry, begin] : progress.published) {
        POSTERN_LET(staged, folders.stage().openRead(entry.staged));
        for (std::int64_t at = 0; at < entry.length;) {
            beat();
            POSTERN_LET(got, readFull(staged, at, piece.data(), piece.size()));
            if (got == 0) return fail(Errc::Corrupt, entry.staged + " is shorter than it was");
            POSTERN_TRY(mailbox.writeAt(begin + at, {piece.data(), got}));
            at += static_cast<std::int64_t>(got);
        }
    }
    return {};
}

Result<void> setAside(const SpoolFolders& folders, const Journal::Entry& entry) {
    POSTERN_LET(moved,
                folders.stage().moveNoReplace(entry.staged, folders.withdrawn(), doubtName(entry.staged)));
    if (moved == Moved::TargetExists)
        return fail(Errc::Exists,
                    doubtName(entry.staged) + " is in " + folders.withdrawn().path() + " already");
    return {};
}

Result<void> removeStaged(const SpoolFolders& folders, const Journal::Entry& entry) {
    const auto removed = folders.stage().remove(entry.staged);
    if (!removed.ok() && removed.error().code != Errc::NotFound) return removed;
    return {};
}

// What tells how they ended must be on the disk before the journal is gone.
Result<void> forget(const SpoolFolders& folders, const Journal& journal) {
    POSTERN_TRY(folders.withdrawn().sync());
    POSTERN_TRY(folders.stage().sync());
    return folders.stage().remove(journalName(journal.mailbox));
}

}  // namespace

std::string Journal::text() const {
    const auto decimal = [](std::uint64_t n) { return std::to_string(static_cast<std::int64_t>(n)); };
    std::string out = "mbox2 " + mailbox + " " + decimal(volume) + " " + decimal(number) + " " +
                      std::to_string(offset) + " " + std::to_string(lineEnds) + " " +
                      std::to_string(touched) + "\n";
    for (const Entry& entry : entries) out += entry.staged + " " + std::to_string(entry.length) + "\n";
    return out + ".\n";
}

std::optional<Journal> Journal::parse(std::string_view text) {
    const auto lines = split(text, '\n');
    if (lines.size() < 3 || !lines.back().empty() || lines[lines.size() - 2] != ".") return std::nullopt;
    const auto words = split(lines.front(), ' ');
    if (words.size() != 7 || words[0] != "mbox2" || words[1].empty()) return std::nullopt;
    const auto volume = parseInt(words[2]), number = parseInt(words[3]), offset = parseInt(words[4]);
    const auto lineEnds = parseInt(words[5]), touched = parseInt(words[6]);
    if (!volume || !number || !offset || *offset < 0 || !lineEnds || *lineEnds < 0 || *lineEnds > 2 ||
        !touched)
        return std::nullopt;
    Journal journal{std::string(words[1]),
                    static_cast<std::uint64_t>(*volume),
                    static_cast<std::uint64_t>(*number),
                    *offset,
                    static_cast<int>(*lineEnds),
                    {},
                    *touched};
    for (std::size_t i = 1; i + 2 < lines.size(); ++i) {
        const auto fields = split(lines[i], ' ');
        const auto length = fields.size() == 2 ? parseInt(fields[1]) : std::nullopt;
        if (!length || *length <= 0 || !parseStagedName(fields[0])) return std::nullopt;
        journal.entries.push_back({std::string(fields[0]), *length});
    }
    return journal;
}

std::string doubtName(const std::string& staged) {
    return std::string(kDoubt) + staged;
}

std::string journalName(const std::string& mailbox) {
    return std::string(kPrefix) + mailbox;
}

Result<std::vector<std::string>> journaledMailboxes(const Folder& stage) {
    std::vector<std::string> mailboxes;
    POSTERN_TRY(stage.list([&](std::string_view name) {
        if (name.starts_with(kPrefix)) mailboxes.emplace_back(name.substr(kPrefix.size()));
        return true;
    }));
    return mailboxes;
}

Result<void> writeJournal(const Folder& stage, const Journal& journal) {
    const std::string aside = ".aside-" + randomName(8);
    const auto written = [&]() -> Result<void> {
        POSTERN_LET(file, stage.create(aside, 0600));
        POSTERN_TRY(file.write(journal.text()));
        POSTERN_TRY(file.sync());
        return stage.moveReplacing(aside, stage, journalName(journal.mailbox));
    }();
    if (!written.ok()) {
        (void)stage.remove(aside);  // a hidden leftover is harmless; the error that matters is `written`
        return written;
    }
    return stage.sync();
}

Result<std::optional<Journal>> readJournal(const Folder& stage, const std::string& mailbox) {
    const std::string name = journalName(mailbox);
    POSTERN_LET(there, stage.has(name));
    if (!there) return std::optional<Journal>();
    POSTERN_LET(text, readFile(joinPath(stage.path(), name), kLargestJournal));
    auto journal = Journal::parse(text);
    if (!journal || journal->mailbox != mailbox)
        return fail(Errc::Corrupt, joinPath(stage.path(), name) + " is damaged");
    return journal;
}

Result<void> closeJournal(const SpoolFolders& folders, const Journal& journal, bool published) {
    for (const Journal::Entry& entry : journal.entries)
        POSTERN_TRY(published ? removeStaged(folders, entry) : setAside(folders, entry));
    return forget(folders, journal);
}

Result<void> takeBack(const SpoolFolders& folders, const Journal& journal, const MailboxLock& mailbox) {
    POSTERN_LET(file, mailbox.fresh());
    POSTERN_LET(size, file.size());
    std::int64_t ours = journal.offset + journal.lineEnds;
    for (const Journal::Entry& entry : journal.entries) ours += entry.length;
    if (size != ours) return fail(Errc::Busy, "somebody wrote to the mailbox without a lock");
    POSTERN_TRY(file.truncate(journal.offset));
    POSTERN_TRY(file.sync());
    return forget(folders, journal);
}

Result<void> settleJournal(const SpoolFolders& folders, const Journal& journal, MailboxLock& mailbox,
                           bool heldSince, const std::function<void()>& beat) {
    if (!mailbox.exists()) return closeJournal(folders, journal, false);
    POSTERN_LET(progress, look(folders, journal, mailbox, heldSince, beat));
    POSTERN_LET(file, mailbox.fresh());
    POSTERN_TRY(writeAgain(folders, journal, progress, file, beat));
    if (progress.cutTo) POSTERN_TRY(file.truncate(*progress.cutTo));
    POSTERN_TRY(file.sync());
    for (const auto& placed : progress.published) POSTERN_TRY(removeStaged(folders, placed.entry));
    for (const Journal::Entry& entry : progress.doubtful) POSTERN_TRY(setAside(folders, entry));
    return forget(folders, journal);
}

}  // namespace postern::adapters
