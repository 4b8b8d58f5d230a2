#pragma once
// What the end of a command means for the mail it was given. Two dialects, as Postfix's pipe(8) reads
// sysexits(3), and as qmail-command(8) has it. Thread rule: pure.
//
//   end                                     sysexits          qmail
//   0                                       exported          exported
//   99                                      (any other code)  exported
//   not 0, output begins with 4.x.y, 5.x.y  deferred, rejected with that status; in both dialects
//   75 EX_TEMPFAIL, 71 EX_OSERR             deferred          deferred
//   64 65 70 76 77 78                       rejected          rejected
//   66 67 68 69 72 73 74                    rejected          deferred
//   100, 112                                (any other code)  rejected
//   could not be started                    adapter unusable: it is the command's fault and not the mail's
//   any other code, also 126 and 127        deferred          deferred; a shell's 126 and 127 may be of one
//                                           line of a script that only some mails reach
//   ended by a signal, or by our time limit  unknown: it may have done its work

#include <string>

#include "adapters/outcome.h"
#include "base/child_process.h"

namespace postern::adapters {

enum class ExitDialect {
    Sysexits,
    Qmail,
    Queuer,  // a program of this machine that only queues, and judges no mail (uux, nncp-exec): 66 to 69 and
             // 71 to 78 make the adapter unusable, any other failure is deferred, whatever the program says
};

// `name` of the command, for people. An Exported outcome has no target yet.
Outcome judgeEnd(const ProcessEnd& end, ExitDialect dialect, const std::string& name);

// The first line of what a command wrote, made safe to show; empty when it wrote none.
std::string firstLineShown(const std::string& output);
// All of it that was kept, its lines with " / " between them.
std::string outputShown(const ProcessEnd& end);

}  // namespace postern::adapters
