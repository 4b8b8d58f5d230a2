#include "base/child_process.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "base/windows/command_line.h"
#include "base/windows/named.h"
#include "base/windows/system.h"

namespace postern {

using namespace windows;

namespace {

constexpr Millis kLongest{50};  // between two looks at the output: a pipe can not be waited for
constexpr DWORD kPipeBytes = 65'536;

SteadyTime now() {
    return std::chrono::steady_clock::now();
}

Millis since(SteadyTime begin) {
    return std::chrono::duration_cast<Millis>(now() - begin);
}

DWORD millisOf(Millis time) {
    return static_cast<DWORD>(std::clamp<std::int64_t>(time.count(), 0, 60'000));
}

Result<void> checkPlan(const ProcessPlan& plan) {
    if (plan.arguments.empty() || !isAbsolutePath(plan.arguments.front()))
        return fail(Errc::Invalid, "a program is named by its whole path");
    if (plan.folder != "/" && !isAbsolutePath(plan.folder))
        return fail(Errc::Invalid, plan.folder + ": not a whole path");
    for (const auto* texts : {&plan.arguments, &plan.environment})
        for (const std::string& text : *texts)
            if (text.find('\0') != std::string::npos)
                return fail(Errc::Invalid, "a NUL byte can not stand in an argument");
    return {};
}

// Programs do not know the \\?\ form of a path, and none of these may be longer than 260 characters.
std::wstring plainPath(const std::string& path) {
    std::wstring made = wide(path);
    std::replace(made.begin(), made.end(), L'/', L'\\');
    return made;
}

std::wstring folderOf(const ProcessPlan& plan) {
    if (plan.folder != "/") return plainPath(plan.folder);
    wchar_t path[MAX_PATH] = {};
    ::GetSystemDirectoryW(path, MAX_PATH);
    return std::wstring(path, 3);  // "C:\"
}

// What the program inherits: copies, and nothing else of ours.
class Handles {
  public:
    Result<HANDLE> give(HANDLE ours) {
        HANDLE copy = nullptr;
        const HANDLE self = ::GetCurrentProcess();
        if (!::DuplicateHandle(self, ours, self, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS))
            return lastError("a handle for a program");
        return keep(copy);
    }
    Result<HANDLE> giveNothing(DWORD access) {
        SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
        const HANDLE nothing = ::CreateFileW(L"NUL", access, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
                                             OPEN_EXISTING, 0, nullptr);
        if (nothing == INVALID_HANDLE_VALUE) return lastError("NUL");
        return keep(nothing);
    }
    std::vector<HANDLE>& all() { return all_; }

  private:
    HANDLE keep(HANDLE copy) {
        owned_.emplace_back(copy);
        all_.push_back(copy);
        return copy;
    }
    std::vector<OwnHandle> owned_;
    std::vector<HANDLE> all_;
};

// What Microsoft's C library finds as its handles 3, 4, ...: a count, a byte of facts and a handle for each.
// The first three it takes from elsewhere.
class HandedBlock {
  public:
    void add(HANDLE handle) {
        constexpr BYTE kOpen = 0x01, kPipe = 0x08, kDevice = 0x40;
        const DWORD type = ::GetFileType(handle);
        flags_.push_back(kOpen | (type == FILE_TYPE_PIPE ? kPipe : type == FILE_TYPE_CHAR ? kDevice : 0));
        handles_.push_back(handle);
    }
    void tell(STARTUPINFOW& startup) {
        if (handles_.size() == 3) return;
        const int count = static_cast<int>(handles_.size());
        bytes_.assign(reinterpret_cast<const char*>(&count), sizeof count);
        bytes_.append(reinterpret_cast<const char*>(flags_.data()), flags_.size());
        bytes_.append(reinterpret_cast<const char*>(handles_.data()), handles_.size() * sizeof(HANDLE));
        startup.cbReserved2 = static_cast<WORD>(bytes_.size());
        startup.lpReserved2 = reinterpret_cast<BYTE*>(bytes_.data());
    }

  private:
    std::vector<BYTE> flags_ = {0, 0, 0};
    std::vector<HANDLE> handles_ = {INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE};
    std::string bytes_;
};

// STARTUPINFOEX with the list of what is inherited.
class Startup {
  public:
    Startup() {
        info_.StartupInfo.cb = sizeof info_;
        info_.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    }
    Startup(const Startup&) = delete;
    Startup& operator=(const Startup&) = delete;
    ~Startup() {
        if (info_.lpAttributeList != nullptr) ::DeleteProcThreadAttributeList(info_.lpAttributeList);
    }
    Result<void> prepare(const ProcessPlan& plan, HANDLE output) {
        POSTERN_LET(
            in, plan.input >= 0 ? handles_.give(fileHandle(plan.input)) : handles_.giveNothing(GENERIC_READ));
        POSTERN_LET(out, output != nullptr ? handles_.give(output) : handles_.giveNothing(GENERIC_WRITE));
        for (const int handed : plan.handed) {
            POSTERN_LET(copy, handles_.give(fileHandle(handed)));
            block_.add(copy);
        }
        info_.StartupInfo.hStdInput = in;
        info_.StartupInfo.hStdOutput = info_.StartupInfo.hStdError = out;
        block_.tell(info_.StartupInfo);
        return listHandles();
    }
    STARTUPINFOW* get() { return &info_.StartupInfo; }

  private:
    Result<void> listHandles() {
        SIZE_T size = 0;
        ::InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
        room_.resize(size);
        const auto list = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(room_.data());
        if (!::InitializeProcThreadAttributeList(list, 1, 0, &size)) return lastError("starting a program");
        info_.lpAttributeList = list;
        if (!::UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles_.all().data(),
                                         handles_.all().size() * sizeof(HANDLE), nullptr, nullptr))
            return lastError("starting a program");
        return {};
    }
    STARTUPINFOEXW info_{};
    Handles handles_;
    HandedBlock block_;
    std::string room_;
};

Result<OwnHandle> makeJob(bool endsWithUs) {
    OwnHandle job(::CreateJobObjectW(nullptr, nullptr));
    if (!job.valid()) return lastError("a job for a program");
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if (endsWithUs &&
        !::SetInformationJobObject(job.get(), JobObjectExtendedLimitInformation, &limits, sizeof limits))
        return lastError("a job for a program");
    return job;
}

// Both ends; neither is inherited.
Result<std::pair<OwnHandle, OwnHandle>> makePipe() {
    HANDLE ours = nullptr, theirs = nullptr;
    if (!::CreatePipe(&ours, &theirs, nullptr, kPipeBytes)) return lastError("pipe");
    return std::pair<OwnHandle, OwnHandle>(ours, theirs);
}

// A console that nobody sees, of our own starter's making: there Ctrl-Break reaches a group of its own.
bool haveUnseenConsole() {
    return ::GetConsoleWindow() == nullptr && ::GetConsoleCP() != 0;
}

struct Started {
    DWORD id = 0;
    OwnHandle process;
};

// Suspended until it is in its job: nothing it starts is outside.
Result<Started> launch(const ProcessPlan& plan, Startup& startup, HANDLE job) {
    POSTERN_LET(program, programFile(plan.arguments.front()));
    POSTERN_LET(line, commandLine(plan.arguments));
    POSTERN_LET(environment, environmentBlock(plan.environment));
    const DWORD flags = CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT |
                        CREATE_NEW_PROCESS_GROUP | (haveUnseenConsole() ? 0 : CREATE_NO_WINDOW);
    PROCESS_INFORMATION made{};
    if (!::CreateProcessW(plainPath(program).c_str(), line.data(), nullptr, nullptr, TRUE, flags,
                          environment.data(), folderOf(plan).c_str(), startup.get(), &made)) {
        const DWORD error = ::GetLastError();
        return systemError(static_cast<int>(error), error == ERROR_DIRECTORY ? plan.folder : program);
    }
    Started started{made.dwProcessId, OwnHandle(made.hProcess)};
    const OwnHandle thread(made.hThread);
    if (!::AssignProcessToJobObject(job, made.hProcess)) {
        const Error error = lastError("a job for a program");
        ::TerminateProcess(made.hProcess, 1);
        return error;
    }
    ::ResumeThread(thread.get());
    return started;
}

struct NamedException {
    DWORD number;
    const char* name;
};
// ntstatus.h, and what the C++ and .NET libraries end a program with.
constexpr NamedException kExceptions[] = {
    {0xC0000005, "access violation"},
    {0xC0000006, "a page could not be read"},
    {0xC0000017, "no memory"},
    {0xC000001D, "illegal instruction"},
    {0xC0000094, "division by zero"},
    {0xC00000FD, "stack overflow"},
    {0xC0000135, "a library is missing"},
    {0xC0000139, "a library lacks a function"},
    {0xC000013A, "Ctrl-C"},
    {0xC0000142, "a library could not be started"},
    {0xC0000374, "heap corruption"},
    {0xC0000409, "fail fast or stack overrun"},
    {0xC0000417, "invalid argument to the C library"},
    {0x80000003, "breakpoint"},
    {0xE06D7363, "uncaught C++ exception"},
    {0xE0434352, "uncaught .NET exception"},
};

const NamedException* namedException(DWORD number) {
    const auto* found = std::find_if(std::begin(kExceptions), std::end(kExceptions),
                                     [&](const NamedException& each) { return each.number == number; });
    return found == std::end(kExceptions) ? nullptr : found;
}

// The numbers of errors that the system gives (NTSTATUS: severity 3, no customer's); a program that ends with
// -1 is not among them.
bool isException(DWORD code) {
    return (code & 0xF0000000) == 0xC0000000 || namedException(code) != nullptr;
}

}  // namespace

std::string ProcessEnd::causeText(int code) {
    char hex[16];
    std::snprintf(hex, sizeof hex, "0x%08X", static_cast<unsigned>(code));
    const auto* named = namedException(static_cast<DWORD>(code));
    return std::string("exception ") + hex + (named == nullptr ? "" : " (" + std::string(named->name) + ")");
}

ChildProcess::~ChildProcess() {
    if (watch_ < 0) return;
    // The job's last handle ends what is in it; it stays open until we end ourselves.
    if (!endsWithUs_ || hasEnded()) ::CloseHandle(toHandle(group_));
    ::CloseHandle(toHandle(watch_));
}

Result<ChildProcess> ChildProcess::start(const ProcessPlan& plan) {
    POSTERN_TRY(checkPlan(plan));
    OwnHandle ours, theirs;
    if (plan.mostOutput > 0) {
        POSTERN_LET(ends, makePipe());
        ours = std::move(ends.first);
        theirs = std::move(ends.second);
    }
    File input;  // of our own, for a look at how much of it was read
    if (plan.input >= 0) {
        HANDLE copy = nullptr;
        const HANDLE self = ::GetCurrentProcess();
        if (!::DuplicateHandle(self, fileHandle(plan.input), self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS))
            return lastError("a program's input");
        input = File(toInt(copy));
        // Looks at a file move its place here.
        if (::GetFileType(copy) == FILE_TYPE_DISK) ::SetFilePointerEx(copy, {}, nullptr, FILE_BEGIN);
    }
    Startup startup;
    POSTERN_TRY(startup.prepare(plan, theirs.valid() ? theirs.get() : nullptr));
    POSTERN_LET(job, makeJob(plan.endsWithUs));
    POSTERN_LET(started, launch(plan, startup, job.get()));
    File output;
    if (ours.valid()) output = File(toInt(ours.release()));
    ChildProcess child(static_cast<int>(started.id), toInt(started.process.release()), std::move(input),
                       std::move(output), plan);
    child.group_ = toInt(job.release());
    return child;
}

// What was written so far. Never waits, and does not stay with a program that never ceases to write.
void ChildProcess::drain() {
    constexpr int kMostReads = 64;
    char chunk[4096];
    for (int reads = 0; output_.isOpen() && reads < kMostReads; ++reads) {
        DWORD there = 0, got = 0;
        const HANDLE pipe = toHandle(output_.handle());
        bool open = ::PeekNamedPipe(pipe, nullptr, 0, nullptr, &there, nullptr) != 0;
        if (open && there == 0) return;
        open = open && ::ReadFile(pipe, chunk, sizeof chunk, &got, nullptr) != 0;
        if (!open) {
            output_ = File();
            return;
        }
        const std::size_t taken = std::min<std::size_t>(got, mostOutput_ - kept_.size());
        kept_.append(chunk, taken);
        cut_ = cut_ || taken < got;
    }
}

bool ChildProcess::hasEnded() const {
    return ::WaitForSingleObject(toHandle(watch_), 0) == WAIT_OBJECT_0;
}

ProcessEnd ChildProcess::collect() {
    drain();
    DWORD code = 0;
    ::GetExitCodeProcess(toHandle(watch_), &code);
    ProcessEnd end;
    end.how = isException(code) ? ProcessEnd::How::Signalled : ProcessEnd::How::Exited;
    end.code = static_cast<int>(code);
    end.output = kept_;
    end.outputCut = cut_;
    end.inputLeft = inputLeft();
    end.took = since(began_);
    return end;
}

// A program and its starter share the place to which a file was read.
std::int64_t ChildProcess::inputLeft() const {
    if (!input_.isOpen()) return 0;
    const HANDLE handle = toHandle(input_.handle());
    LARGE_INTEGER place{}, size{};
    if (::GetFileType(handle) != FILE_TYPE_DISK || !::SetFilePointerEx(handle, {}, &place, FILE_CURRENT) ||
        !::GetFileSizeEx(handle, &size))
        return 0;
    return std::max<std::int64_t>(0, size.QuadPart - place.QuadPart);
}

std::optional<ProcessEnd> ChildProcess::wait(Millis limit) {
    const SteadyTime begin = now();
    Millis pause{1};
    while (!end_) {
        const Millis left = limit - since(begin);
        const std::size_t had = kept_.size();
        drain();
        if (hasEnded()) {
            end_ = collect();
            break;
        }
        if (left <= Millis(0)) return std::nullopt;
        pause = kept_.size() > had ? Millis(1) : std::min(pause * 2, kLongest);
        ::WaitForSingleObject(toHandle(watch_), millisOf(output_.isOpen() ? std::min(pause, left) : left));
    }
    return end_;
}

ProcessEnd ChildProcess::stop(ProcessEnd::How how) {
    if (end_) return *end_;
    const bool asked =
        haveUnseenConsole() && ::GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, static_cast<DWORD>(id_)) != 0;
    if (asked) (void)wait(grace_);
    ::TerminateJobObject(toHandle(group_), 1);
    ::WaitForSingleObject(toHandle(watch_), INFINITE);
    end_ = collect();
    end_->how = how;
    end_->code = 0;
    return *end_;
}

}  // namespace postern
