#pragma once
// The records of a run of the import program, and the names of import files. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/ids.h"

namespace postern::adapters::ccmail {

struct RunEntry {
    int attempts = 0;  // runs that left it behind; 0: it comes from Submit
    std::string name;
};

struct Run {
    std::string id;  // unlike any other
    std::vector<RunEntry> entries;
    bool full = false;  // there may be more
};

// How a run ended. Not `seen`: we died, or stopped waiting.
struct RunEnd {
    bool seen = false;
    ProcessEnd::How how = ProcessEnd::How::NotStarted;
    int code = 0;
    std::string text;  // one line: how, and the beginning of what it wrote

    // What a code of the tool says (KB Q168670, Q179072): 3 not configured or unreachable, 4 locked.
    bool noPostOffice() const { return exited() && (code == 3 || code == 4); }
    bool failed() const { return exited() && code != 0 && !noPostOffice(); }
    bool exited() const { return seen && how == ProcessEnd::How::Exited; }
};

// Damaged or cut off: nothing.
std::string formatRun(const Run& run);
std::optional<Run> parseRun(std::string_view text);
std::string formatRunEnd(const RunEnd& end);
std::optional<RunEnd> parseRunEnd(std::string_view text);
RunEnd runEndOf(const ProcessEnd& end);
// What a person can look at when the tool ends with this code (KB Q166045, Q168465, Q168670, Q233164); empty
// for codes of which nothing is known.
std::string_view adviceOf(int code);

// How long a file is left alone that so many runs left behind: 1, 4, 16, ... intervals, at most four hours.
Millis waitAfter(int attempts, Millis interval);
// Whether that time is over for a file that was put away at `since`. A clock that was set back does not make
// it wait for ever.
bool isDue(WallTime since, Millis wait, WallTime now);

// "m" and seven digits of base 36: eight and three characters for the DOS tools (KB Q164695), which tell the
// item and never repeat, so that what comes back under that name is known to be its.
std::string importName(ItemId item);  // "m0000001.ccm"
// Where no DOS tool reads, a name tells the attempt as well, so that an answer is known to be to that one.
std::string attemptName(ItemId item, Epoch epoch);  // "m0000001-12.ccm"
// What the program is to see of a file with this name: an attempt's without the attempt.
std::string importedName(const std::string& name);
// Of a name or its stem, in any case; nothing for names that are not ours.
std::optional<ItemId> itemOfName(std::string_view name);
std::optional<Epoch> epochOfName(std::string_view name);  // nothing: it does not say
std::string stemOf(std::string_view name);                // lower case, without what follows the first dot
bool isImportFile(std::string_view name);                 // *.ccm
bool isUndeliverable(std::string_view name);              // *.und

}  // namespace postern::adapters::ccmail
