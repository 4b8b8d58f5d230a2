#pragma once
// Runs the import program on what stands in Submit, as the original connector did (KB Q202178, Q168680):
//
//   Submit   files that were published, waiting
//   Import   what the program reads, and deletes when it took it; undeliverables (.und) appear beside. Names
//            are 8.3 here; everywhere else they tell the attempt too
//   Bad      what is not imported again by itself, each with its .reason.txt
//
// Ours alone, in the private folder `state`:
//
//   run      the files of this run and the attempts each had; before anything is moved
//   started  the program may have begun; before it is started
//   ended    how it ended
//   again/N  files that N runs left behind (code 1 and the like): tried again alone, later each time
//   answers  what the service has to hear of, until it has: <stem>-<epoch>.<run>.und, .refused, .doubt
//   lock     held while a run is made, by the program too: one that outlived us is waited for
//
// What a run means for each of its files:
//
//   gone, no .und                  imported; but in doubt when the program said that something could not be
//                                  delivered (code 5), and nothing that it left says what
//   .und                           given back: an answer; if the file is still there, it goes to Bad
//   there, code 3 or 4             nothing was wrong with it: the post office was not to be had. Back to
//                                  where it came from; attend() fails until a run says otherwise, with a
//                                  growing delay in between
//   there, another code but 0      tried again alone; after `attempts` runs refused, and to Bad (KB Q223772)
//   there, and the program said 0, or was ended by a signal, by its deadline or by nobody knows what
//                                  in doubt: it was not imported, or not deleted. To Bad, never tried again
//
// After a crash at any moment: `run` without `started` goes on as if nothing had been; with `started` and
// without `ended` the program was cut off, or ended unseen; with `ended` what that means is done again, each
// step of which may be done twice.
//
// Thread rule: one thread at a time.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/ccmail/ccmail_run.h"
#include "base/child_process.h"
#include "base/clock.h"
#include "base/file.h"

namespace postern::adapters::ccmail {

struct ImportPlan {
    std::string adapter;               // for the log
    std::string folder;                // holds Submit, Import and Bad
    std::string state;                 // ours, on the same volume
    std::vector<std::string> program;  // with its arguments; "{folder}" in them is Import's path
    std::vector<std::string> environment;
    int batch = 5;            // files of a run (KB Q168211)
    Millis interval{15'000};  // between two runs; a full one is followed by the next at once
    Millis deadline{600'000};
    int attempts = 5;  // runs that may leave a file behind, before it is refused
    unsigned folderMode = 0770;
};

// An answer for the service. `name` is what settle() wants.
struct ImportAnswer {
    enum class Kind { Undeliverable, Refused, Doubt } kind = Kind::Undeliverable;
    std::string name;
    ItemId item;
    std::optional<Epoch> epoch;  // of the attempt; none: its file's name did not say
    std::string text;            // Undeliverable: the file's beginning. Otherwise the reason
};

class Importer {
  public:
    explicit Importer(ImportPlan plan) : plan_(std::move(plan)) {}

    // Makes what is missing and looks for the program. An Error: nothing can be imported now.
    Result<void> probe();
    // Ends a run that was interrupted, hands out answers, makes runs while they are full and there is no
    // answer. Errors: a folder or the program can not be used; the last run met no post office; an earlier
    // run's program works for longer than any may. The two last heal here, not in probe(): ask again.
    Result<std::vector<ImportAnswer>> attend(const std::function<bool()>& stopping);
    // The answer is committed: forgets it.
    Result<void> settle(const std::string& name);

  private:
    struct Folders {
        Folder submit, import, bad, state, again, answers;
    };
    using Undeliverables = std::map<std::string, std::string>;  // stem, lower case: the file's name

    Result<void> stillThere() const;
    Result<std::vector<ImportAnswer>> whileAnotherWorks();
    Result<void> endInterrupted();
    Result<bool> runOnce(File& lock, const std::function<bool()>& stopping);
    Result<std::optional<Run>> openRun();
    Result<Run> choose();
    Result<bool> chooseAgain(Run& run);
    Result<std::vector<int>> attemptsThere() const;
    Result<void> gather(Run& run);
    Result<std::optional<RunEnd>> start(const Run& run, File& lock, const std::function<bool()>& stopping);
    Result<void> finish(const Run& run, const RunEnd& end);
    struct Verdicts {
        Undeliverables given;
        bool unexplained = false;  // code 5, and not a word of whom it means
        int imported = 0;
    };
    Result<bool> isUnexplained(const Run& run, const RunEnd& end, const Undeliverables& given) const;
    Result<void> judge(const Run& run, const RunEntry& entry, const RunEnd& end, Verdicts& verdicts);
    Result<void> giveBack(const Run& run, const RunEntry& entry, const std::string& given, bool present);
    Result<void> refuse(const Run& run, const RunEntry& entry, const std::string& kind,
                        const std::string& reason);
    Result<void> takeAside(const std::string& name, const std::string& wanted, const std::string& reason);
    Result<void> putBack(const RunEntry& entry);
    Result<void> tryAgain(const RunEntry& entry);
    Result<void> strays(const Undeliverables& given, const Run& run);
    Result<Undeliverables> undeliverables() const;
    Result<Folder> sourceOf(const RunEntry& entry) const;
    Result<std::vector<ImportAnswer>> answers() const;
    Result<void> keep(const std::string& name, const std::string& bytes) const;
    Result<std::optional<std::string>> kept(const std::string& name) const;
    Result<void> drop(const std::string& name) const;
    void pace(const Run& run, const RunEnd& end);
    void tell(std::string trouble);

    const ImportPlan plan_;
    std::optional<Folders> folders_;
    SteadyTime next_{};    // no run before
    int postponed_ = 0;    // runs in a row that met no post office
    int blockedBy_ = 0;    // the code with which the last of them ended
    std::string blocked_;  // what the first of them with that code said; empty: the last run met one
    std::optional<SteadyTime> othersSince_;  // since when an earlier run's program is seen at work
    bool turnOfAgain_ = false;  // they take turns with new files, so that neither waits for the other
    std::string trouble_;
};

}  // namespace postern::adapters::ccmail
