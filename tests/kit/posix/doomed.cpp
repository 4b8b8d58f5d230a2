#include "tests/kit/doomed.h"

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace postern::tests {

bool killedAtCall(int n, const std::string&, const DoomedWork& work) {
    const pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        raise(SIGSTOP);
        work([] {});
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    bool entering = true;
    for (int calls = 0;;) {
        ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
        waitpid(child, &status, 0);
        if (WIFEXITED(status) || WIFSIGNALED(status)) return false;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
        if (entering && ++calls == n) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return true;
        }
        entering = !entering;
    }
}

void killedAfterSteps(int steps, const std::string&, const DoomedWork& work) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    const pid_t child = ::fork();
    if (child == 0) {
        work([&] {
            if (::write(ends[1], "s", 1) != 1) ::_exit(1);
        });
        ::_exit(0);
    }
    ::close(ends[1]);
    char step = 0;
    for (int done = 0; done < steps && ::read(ends[0], &step, 1) == 1; ++done) {
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(ends[0]);
}

std::optional<std::string> doomedWords() {
    return std::nullopt;
}

void doomed(const DoomedWork&) {
    std::abort();  // nobody has words here
}

}  // namespace postern::tests
