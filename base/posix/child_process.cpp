#include "base/child_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

#include "base/log.h"
#include "base/thread.h"

namespace postern {

namespace {

constexpr Millis kLookBlindly{5};  // where the end of a process can not be waited for

SteadyTime now() {
    return std::chrono::steady_clock::now();
}

Millis since(SteadyTime begin) {
    return std::chrono::duration_cast<Millis>(now() - begin);
}

// The handles of a child, moved so high that giving each its place overwrites none of the others.
class HandlePlan {
  public:
    HandlePlan() { ::posix_spawn_file_actions_init(&actions_); }
    HandlePlan(const HandlePlan&) = delete;
    HandlePlan& operator=(const HandlePlan&) = delete;
    ~HandlePlan() { ::posix_spawn_file_actions_destroy(&actions_); }

    Result<void> give(int handle, int as) {
        constexpr int kAboveAll = 64;
        File copy(::fcntl(handle, F_DUPFD_CLOEXEC, kAboveAll));
        if (!copy.isOpen()) return systemError(errno, "a handle for a program");
        if (const int error = ::posix_spawn_file_actions_adddup2(&actions_, copy.handle(), as); error != 0)
            return systemError(error, "a handle for a program");
        copies_.push_back(std::move(copy));
        return {};
    }
    Result<void> giveNothing(int as, int mode) {
        if (const int error = ::posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", mode, 0);
            error != 0)
            return systemError(error, "/dev/null");
        return {};
    }
    // Last: everything from `first` on is closed, whoever opened it and however; and it runs in `folder`.
    Result<void> finish(int first, const std::string& folder) {
        int error = ::posix_spawn_file_actions_addclosefrom_np(&actions_, first);
        if (error == 0) error = ::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
        if (error != 0) return systemError(error, folder);
        return {};
    }
    const posix_spawn_file_actions_t* actions() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_;
    std::vector<File> copies_;
};

class SpawnTraits {
  public:
    SpawnTraits() {
        ::posix_spawnattr_init(&traits_);
        sigset_t all, none;
        sigfillset(&all);
        sigemptyset(&none);
        ::posix_spawnattr_setsigdefault(&traits_, &all);
        ::posix_spawnattr_setsigmask(&traits_, &none);
        ::posix_spawnattr_setflags(&traits_,
                                   POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    }
    SpawnTraits(const SpawnTraits&) = delete;
    SpawnTraits& operator=(const SpawnTraits&) = delete;
    ~SpawnTraits() { ::posix_spawnattr_destroy(&traits_); }
    const posix_spawnattr_t* traits() const { return &traits_; }

  private:
    posix_spawnattr_t traits_;
};

std::vector<char*> pointersTo(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

bool holdsNul(const std::vector<std::string>& texts) {
    return std::any_of(texts.begin(), texts.end(),
                       [](const std::string& text) { return text.find('\0') != std::string::npos; });
}

Result<void> checkPlan(const ProcessPlan& plan) {
    if (plan.arguments.empty() || !isAbsolutePath(plan.arguments.front()))
        return fail(Errc::Invalid, "a program is named by its whole path");
    if (!isAbsolutePath(plan.folder)) return fail(Errc::Invalid, plan.folder + ": not a whole path");
    if (holdsNul(plan.arguments) || holdsNul(plan.environment))
        return fail(Errc::Invalid, "a NUL byte can not stand in an argument");
    return {};
}

// By its number: the C library's header of it forgets that C++ may read it.
int watchOf(pid_t id) {
    return static_cast<int>(::syscall(SYS_pidfd_open, id, 0));
}

// Both ends are closed in every other child too.
Result<std::pair<File, File>> makePipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return systemError(errno, "pipe");
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return std::pair<File, File>(File(ends[0]), File(ends[1]));
}

Result<void> giveAll(const ProcessPlan& plan, int output, HandlePlan& handles) {
    if (plan.input >= 0)
        POSTERN_TRY(handles.give(plan.input, STDIN_FILENO));
    else
        POSTERN_TRY(handles.giveNothing(STDIN_FILENO, O_RDONLY));
    for (const int out : {STDOUT_FILENO, STDERR_FILENO}) {
        if (output >= 0)
            POSTERN_TRY(handles.give(output, out));
        else
            POSTERN_TRY(handles.giveNothing(out, O_WRONLY));
    }
    int next = STDERR_FILENO + 1;
    for (const int handed : plan.handed) POSTERN_TRY(handles.give(handed, next++));
    return handles.finish(next, plan.folder);
}

// posix_spawn() says what went wrong and not with which of the two; a look tells.
Error notStarted(int error, const ProcessPlan& plan) {
    const bool folder = ::access(plan.folder.c_str(), X_OK) != 0;
    return systemError(error, folder ? plan.folder : plan.arguments.front());
}

// A program that goes on without its starter: when it ends, the system keeps its number until somebody
// waited.
void waitLater(pid_t id) {
    try {
        std::thread([id] {
            nameThisThread("left-over");
            while (::waitpid(id, nullptr, 0) < 0 && errno == EINTR) {
            }
        }).detach();
    } catch (const std::system_error& thrown) {  // it is kept until we end
        LogLine(LogEvent::WorkerFailed).with("step", "wait").with("reason", thrown.what());
    }
}

}  // namespace

std::string ProcessEnd::causeText(int code) {
    const char* name = ::sigdescr_np(code);
    return "signal " + std::to_string(code) + (name == nullptr ? "" : " (" + std::string(name) + ")");
}

ChildProcess::~ChildProcess() {
    if (watch_ >= 0) ::close(watch_);
    if (id_ >= 0 && !end_) waitLater(id_);
}

Result<ChildProcess> ChildProcess::start(const ProcessPlan& plan) {
    POSTERN_TRY(checkPlan(plan));
    File ours, theirs;
    if (plan.mostOutput > 0) {
        POSTERN_LET(ends, makePipe());
        ours = std::move(ends.first);
        theirs = std::move(ends.second);
    }
    File input;  // of our own, for a look at how much of it was read
    if (plan.input >= 0) input = File(::fcntl(plan.input, F_DUPFD_CLOEXEC, 0));
    HandlePlan handles;
    POSTERN_TRY(giveAll(plan, theirs.isOpen() ? theirs.handle() : -1, handles));
    const SpawnTraits traits;
    const std::vector<char*> arguments = pointersTo(plan.arguments);
    const std::vector<char*> environment = pointersTo(plan.environment);
    pid_t id = -1;
    const int error = ::posix_spawn(&id, arguments.front(), handles.actions(), traits.traits(),
                                    arguments.data(), environment.data());
    if (error != 0) return notStarted(error, plan);
    return ChildProcess(id, watchOf(id), std::move(input), std::move(ours), plan);
}

// What was written so far. Never waits, and does not stay with a program that never ceases to write.
void ChildProcess::drain() {
    constexpr int kMostReads = 64;
    char chunk[4096];
    for (int reads = 0; output_.isOpen() && reads < kMostReads; ++reads) {
        const ssize_t got = ::read(output_.handle(), chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            output_ = File();
            return;
        }
        const std::size_t taken = std::min(static_cast<std::size_t>(got), mostOutput_ - kept_.size());
        kept_.append(chunk, taken);
        cut_ = cut_ || taken < static_cast<std::size_t>(got);
    }
}

// Leaves its number taken, so that it still names this group and no other.
bool ChildProcess::hasEnded() const {
    siginfo_t info{};
    const int found = ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT);
    return found == 0 ? info.si_pid != 0 : errno != EINTR;  // who can not be asked about is waited for
}

ProcessEnd ChildProcess::collect() {
    drain();
    int status = 0;
    pid_t waited = -1;
    do waited = ::waitpid(id_, &status, 0);
    while (waited < 0 && errno == EINTR);
    ProcessEnd end;
    end.how = waited == id_ && WIFEXITED(status) ? ProcessEnd::How::Exited : ProcessEnd::How::Signalled;
    // Nobody left us a status: somebody else waited for it. How it ended can not be known.
    if (waited != id_) status = SIGKILL;
    end.code = end.how == ProcessEnd::How::Exited ? WEXITSTATUS(status) : WTERMSIG(status);
    end.output = kept_;
    end.outputCut = cut_;
    end.inputLeft = inputLeft();
    end.took = since(began_);
    return end;
}

// A program and its starter share the place to which a file was read.
std::int64_t ChildProcess::inputLeft() const {
    if (!input_.isOpen()) return 0;
    const auto facts = input_.facts();
    const auto place = static_cast<std::int64_t>(::lseek(input_.handle(), 0, SEEK_CUR));
    if (!facts.ok() || !facts->regular || place < 0) return 0;
    return std::max<std::int64_t>(0, facts->size - place);
}

std::optional<ProcessEnd> ChildProcess::wait(Millis limit) {
    const SteadyTime begin = now();
    while (!end_) {
        const bool over = since(begin) >= limit;
        drain();
        if (hasEnded()) {
            end_ = collect();
            break;
        }
        if (over) return std::nullopt;
        pollfd handles[2] = {{watch_, POLLIN, 0}, {output_.isOpen() ? output_.handle() : -1, POLLIN, 0}};
        const Millis longest = watch_ >= 0 ? limit - since(begin) : std::min(kLookBlindly, limit);
        (void)::poll(handles, 2, static_cast<int>(std::clamp<std::int64_t>(longest.count(), 0, 60'000)));
    }
    return end_;
}

ProcessEnd ChildProcess::stop(ProcessEnd::How how) {
    if (end_) return *end_;
    ::kill(-id_, SIGTERM);
    const SteadyTime asked = now();
    while (!hasEnded() && since(asked) < grace_) {
        pollfd handle{watch_, POLLIN, 0};
        (void)::poll(&handle, 1, static_cast<int>(kLookBlindly.count()));
        drain();
    }
    ::kill(-id_, SIGKILL);
    end_ = collect();
    end_->how = how;
    end_->code = 0;
    return *end_;
}

void takeOrdinaryLimits() {
    constexpr rlim_t kHandles = 1024;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > kHandles) {
        limit.rlim_cur = kHandles;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::signal(SIGCHLD, SIG_DFL);
    ::signal(SIGPIPE, SIG_IGN);
}

void ignoreStopRequests() {
    for (const int request : {SIGTERM, SIGINT, SIGHUP}) ::signal(request, SIG_IGN);
}

std::vector<std::string> ownEnvironment() {
    std::vector<std::string> all;
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) all.emplace_back(*each);
    return all;
}

std::vector<std::string> ownArguments(int count, char** values) {
    return {values, values + count};
}

Result<void> canRun(const std::string& program) {
    if (::access(program.c_str(), X_OK) != 0) return systemError(errno, program);
    struct stat info {};
    if (::stat(program.c_str(), &info) != 0) return systemError(errno, program);
    if (!S_ISREG(info.st_mode)) return fail(Errc::Denied, program + " is no program");
    return {};
}

std::string ownProgramFolder() {
    char path[4096];
    const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
    if (length <= 0 || static_cast<std::size_t>(length) >= sizeof path) return {};
    return parentPath(std::string(path, static_cast<std::size_t>(length)));
}

Result<File> handedFile(int number) {
    if (::fcntl(number, F_SETFD, FD_CLOEXEC) != 0)
        return fail(Errc::NotFound, "handle " + std::to_string(number) + " was not handed to us");
    return File(number);
}

// It came with the file.
Result<void> takeHandedLock(File&) {
    return {};
}

}  // namespace postern
