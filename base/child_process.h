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
    std::string folder = "/";              // where it runs; absolute
    int input = -1;                        // File::handle() of what it reads; -1: it finds nothing to read
    std::vector<int> handed = {};          // File::handle()s that it gets as 3, 4, ...
    std::size_t mostOutput = 4096;  // bytes of its output that are kept; 0: none, it may write anywhere
                                    // but to us
    Millis grace{2000};             // between asking the group to end and ending it, when time is over
};

struct ProcessEnd {
    enum class How {
        Exited,      // by itself, with a code
        Signalled,   // by a signal that was not ours
        TimedOut,    // it was ended by us, with all of its group, because the limit passed
        Cancelled,   // likewise, because `cancelled` said so
        NotStarted,  // it never ran
    };
    How how = How::NotStarted;
    int code = 0;                // Exited: the exit code. Signalled: the signal's number. 0 otherwise
    std::string output = {};     // the first bytes of standard output and standard error, as they came
    bool outputCut = false;      // there was more
    std::int64_t inputLeft = 0;  // bytes of the plan\'s input, a file, that were not read
    Millis took{0};
    Error trouble = {};  // NotStarted: NotFound (no such program), Denied, Invalid, NoSpace, ...

    bool exitedWith(int wanted) const { return how == How::Exited && code == wanted; }
    std::string text() const;  // "ended with exit code 3", "was ended by signal 11 (Segmentation fault)"
};

class ChildProcess {
  public:
    // NotFound, Denied, Invalid: the program or the folder can not be used. Busy, NoSpace, Unavailable: not
    // now. Nothing ran.
    static Result<ChildProcess> start(const ProcessPlan& plan);
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    // A program that still runs goes on, on its own; its end leaves nothing of it.
    ~ChildProcess();

    int id() const { return id_; }
    // Waits until it ended, at most `limit`, and keeps what it writes meanwhile. Once it ended, the same
    // answer each time. Of a program's left-overs that hold its output open, none is waited for.
    std::optional<ProcessEnd> wait(Millis limit);
    // Ends it and its group: asks, and after the plan's grace insists. `how` is what the end will say.
    ProcessEnd stop(ProcessEnd::How how);

  private:
    ChildProcess(int id, int watch, File input, File output, const ProcessPlan& plan);
    void drain();
    bool hasEnded() const;
    ProcessEnd collect();
    std::int64_t inputLeft() const;

    int id_ = -1;
    int watch_ = -1;  // a handle that becomes readable when it ends; -1 where the system has none
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
// Ok when this process may run the program: it is a file, and not one that is lacking the permission.
// NotFound, Denied.
Result<void> canRun(const std::string& program);
// The folder of the program that this process runs. Empty where the system does not say.
std::string ownProgramFolder();
// Makes handle `number`, which our starter handed to us, a File of this process that no child inherits.
// NotFound: there is none.
Result<File> handedFile(int number);

}  // namespace postern
