#pragma once
// A look into Taylor UUCP's spool, for a mail whose uux was ended before anybody saw its exit status.
//
// uux writes the text to <spool>/<system>/D./D.xxxx, then links a line that names it into
// <spool>/<system>/C./C.yyyy. The link is the commit: a data file without its line is rubbish that uux left,
// and no program will ever send it (FORMATS 7.1). uucico removes both when the job is done.
//
// Thread rule: any thread.

#include <string>

#include "base/result.h"

namespace postern::adapters {

enum class UucpJob {
    Queued,     // a data file holds the mark, and a command line names it
    NotQueued,  // a data file holds the mark, and none names it
    NotThere,   // no data file holds it: never written, or sent already
};

// `mark` stands in the first 64 KiB of the text. REQUIRES: no uux of this mail runs. Denied: the files are
// not for us to read.
Result<UucpJob> lookInUucpSpool(const std::string& spool, const std::string& system, const std::string& mark);

}  // namespace postern::adapters
