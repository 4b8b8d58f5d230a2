#pragma once
// What is written down before bytes are added to a mailbox, so that an addition that was cut off can be told
// from one that is whole (RELIABILITY 1.5). One journal per mailbox, in the stage folder; it is there only
// while an addition is under way or was cut off. The staged files of its entries are the bytes to compare
// with.
//
// Thread rule: the caller holds the own lock of the mailbox, and the readers' locks for settle().

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/mailbox/mbox_lock.h"
#include "adapters/spool/spool_folders.h"

namespace postern::adapters {

struct Journal {
    struct Entry {
        std::string staged;  // name in the stage folder
        std::int64_t length = 0;
    };
    std::string mailbox;
    std::uint64_t volume = 0, number = 0;  // the file's
    std::int64_t offset = 0;               // its size before
    int lineEnds = 0;                      // added first: line ends that were missing at its end
    std::vector<Entry> entries;            // one behind the other
    // When the file was last touched (File::touchedNanos); 0: not known. While that is what the system says,
    // nobody has written a byte since, neither we nor a reader.
    std::int64_t touched = 0;

    std::string text() const;
    static std::optional<Journal> parse(std::string_view text);
};

std::string journalName(const std::string& mailbox);
// The mailboxes that have a journal.
Result<std::vector<std::string>> journaledMailboxes(const Folder& stage);

// Durable when it returns; replaces a settled one.
Result<void> writeJournal(const Folder& stage, const Journal& journal);
// Nothing when there is none.
Result<std::optional<Journal>> readJournal(const Folder& stage, const std::string& mailbox);

// Brings the additions of the journal to an end and removes it:
//
//   all bytes of an entry there               published: its staged file is removed
//   cut off inside of an entry                cut back to its beginning: it and those behind it stay staged
//   not one byte of an entry there            not published if the file was not touched since, or if no
//   reader
//                                             can have been at it; otherwise he may have taken it
//   other bytes, another file, a shorter one  nobody can tell: nothing is cut, the staged files are set aside
//
// What is there is written again before it counts: of bytes that a failed sync left in the system's memory
// nothing tells that they are not on the disk (RELIABILITY 2.4).
//
// An entry whose staged file is gone was settled before. `heldSince`: a lock that every reader honours has
// stood since the journal was written. An Error: not settled, and nothing was guessed.
Result<void> settleJournal(const SpoolFolders& folders, const Journal& journal, MailboxLock& mailbox,
                           bool heldSince, const std::function<void()>& beat);
// Behind a sync of the mailbox that failed, under the locks that were held all the time: takes everything
// away again that was added, through a handle of its own, and removes the journal. The staged files stay. An
// Error: nobody knows what is there.
Result<void> takeBack(const SpoolFolders& folders, const Journal& journal, const MailboxLock& mailbox);
// The staged files of the entries are published, or nobody can tell; then the journal is removed.
Result<void> closeJournal(const SpoolFolders& folders, const Journal& journal, bool published);

// The name under which a staged file is set aside in the withdrawn folder when nobody can tell.
std::string doubtName(const std::string& staged);

}  // namespace postern::adapters
