#pragma once
// Runs one program by its argument vector: no shell, no fork of this process's memory, nothing inherited. The
// program is the leader of a session and a process group of its own, so that it and everything it started
// can be ended together, and a signal for us does not reach it. What leaves that session by itself (a daemon)
// is out of reach.
//
// It sees: the environment that is given, standard input as given or empty, its standard output and standard
// error, the handles in `handed`; every other handle of ours is closed in it. Signals have their default
// actions and none is blocked.
//
// On Windows its group is a job, which nothing that it starts can leave, and it has a console of its own that
// nobody sees. Arguments and environment are UTF-8 and reach it as the C library of Microsoft takes a command
// line apart. A batch file is refused, because what cmd.exe makes of its arguments can not be known
// (CVE-2024-24576). SystemRoot stands in its environment even where it was not given: without it a program
// can not even open a socket. ".exe" may be left out of the program's name.
//
// Thread rule: a ChildProcess belongs to one thread; programs may be started from several threads at once.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace postern {

struct ProcessPlan {
    std::vector<std::string> arguments;    // first the program's absolute path, which it sees as its own name
    std::vector<std::string> environment;  // "NAME=value"
    std::string folder = "/";  // where it runs; absolute. "/": also the system's volume of Windows
    int input = -1;            // File::handle() of what it reads; -1: it finds nothing to read
    // File::handle()s that it gets as 3, 4, ... A lock on such a file is held until both let go of it; on
    // Windows only we have it, and the program has to take it anew once we have let go.
    std::vector<int> handed = {};
    // The system ends it as soon as this process ends, in whatever way, where it can (Windows, and there its
    // group too). For a program that is handed a lock so that nobody else works while it does.
    bool endsWithUs = false;
    std::size_t mostOutput = 4096;  // bytes of its output that are kept; 0: none, it may write anywhere
                                    // but to us
    Millis grace{2000};             // between asking the group to end and ending it, when time is over
};

struct ProcessEnd {
    enum class How {
        Exited,      // by itself, with a code
        Signalled,   // by a signal that was not ours; on Windows by an exception
        TimedOut,    // it was ended by us, with all of its group, because the limit passed
        Cancelled,   // likewise, because `cancelled` said so
        NotStarted,  // it never ran
    };
    How how = How::NotStarted;
    int code = 0;  // Exited: the exit code. Signalled: the number of the signal or exception. 0 otherwise
    std::string output = {};     // the first bytes of standard output and standard error, as they came
    bool outputCut = false;      // there was more
    std::int64_t inputLeft = 0;  // bytes of the plan\'s input, a file, that were not read
    Millis took{0};
    Error trouble = {};  // NotStarted: NotFound (no such program), Denied, Invalid, NoSpace, ...

    bool exitedWith(int wanted) const { return how == How::Exited && code == wanted; }
    // "ended with exit code 3", "was ended by signal 11 (Segmentation fault)", "was ended by exception
    // 0xC0000005 (access violation)"
    std::string text() const;
    static std::string causeText(int code);  // Signalled: "signal 11 (Segmentation fault)"
};

class ChildProcess {
  public:
    // NotFound, Denied, Invalid: the program or the folder can not be used. Busy, NoSpace, Unavailable: not
    // now. Nothing ran.
    static Result<ChildProcess> start(const ProcessPlan& plan);
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    // A program that still runs goes on, on its own (endsWithUs: no longer than we do); its end leaves
    // nothing of it.
    ~ChildProcess();

    int id() const { return id_; }
    // Waits until it ended, at most `limit`, and keeps what it writes meanwhile. Once it ended, the same
    // answer each time. Of a program's left-overs that hold its output open, none is waited for.
    std::optional<ProcessEnd> wait(Millis limit);
    // Ends it and its group: asks, and after the plan's grace insists. Where the system has no way to ask
    // (Windows, but for a program that shares an unseen console with us) it insists at once. `how` is what
    // the end will say.
    ProcessEnd stop(ProcessEnd::How how);

  private:
    ChildProcess(int id, int watch, File input, File output, const ProcessPlan& plan);
    void drain();
    bool hasEnded() const;
    ProcessEnd collect();
    std::int64_t inputLeft() const;

    int id_ = -1;
    int watch_ = -1;  // a handle that becomes readable when it ends; -1 where the system has none
    int group_ = -1;  // Windows: its job
    bool endsWithUs_ = false;
    File input_, output_;
    std::string kept_;
    bool cut_ = false;
    std::size_t mostOutput_ = 0;
    Millis grace_{0};
    SteadyTime began_;
    std::optional<ProcessEnd> end_;
};

// All of it: starts the program and waits for its end. `limit` 0 is none. `cancelled` is asked some ten times
// a second for as long as the program runs, so it may keep a lease alive too; true ends the program.
ProcessEnd runProgram(const ProcessPlan& plan, Millis limit, const std::function<bool()>& cancelled);

// For a program whose only work is to run another one: file handles and core files as usual again, default
// signals, so that what it starts finds what it expects.
void takeOrdinaryLimits();
// For such a program, when it outlives its starter: requests to stop (SIGTERM, SIGINT, SIGHUP) are for
// others. What it starts does not inherit that.
void ignoreStopRequests();
std::vector<std::string> ownEnvironment();  // "NAME=value"
// What this program was started with, its own name first, in UTF-8 and with nothing put in for asterisks:
// main()'s two say that only on POSIX. REQUIRES: they are main()'s.
std::vector<std::string> ownArguments(int count, char** values);
// Ok when this process may run the program: it is a file, and not one that is lacking the permission.
// NotFound, Denied.
Result<void> canRun(const std::string& program);
// The folder of the program that this process runs. Empty where the system does not say.
std::string ownProgramFolder();
// Makes handle `number`, which our starter handed to us, a File of this process that no child inherits.
// NotFound: there is none.
Result<File> handedFile(int number);
// The lock that our starter had on such a file is ours from now on. On Windows that waits until the starter
// has let go of it. Busy: somebody else was quicker, or the starter did not let go.
Result<void> takeHandedLock(File& file);

}  // namespace postern
