#include "base/terminal.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <string_view>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"

namespace postern {

namespace {

constexpr std::size_t kLongestLine = 4096;

// Echo is off while this lives. Ctrl-C and Ctrl-Z wait as long: a shell must not get its terminal back mute.
class Mute {
  public:
    explicit Mute(int terminal) : terminal_(terminal) {
        sigset_t keys;
        sigemptyset(&keys);
        for (const int signal : {SIGINT, SIGTSTP, SIGQUIT, SIGTERM, SIGHUP}) sigaddset(&keys, signal);
        pthread_sigmask(SIG_BLOCK, &keys, &signals_);
        known_ = ::tcgetattr(terminal, &before_) == 0;
        termios muted = before_;
        muted.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
        muted.c_lflag |= ECHONL;
        done_ = known_ && ::tcsetattr(terminal, TCSAFLUSH, &muted) == 0;
    }
    Mute(const Mute&) = delete;
    Mute& operator=(const Mute&) = delete;
    ~Mute() {
        if (known_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
        pthread_sigmask(SIG_SETMASK, &signals_, nullptr);
    }
    bool done() const { return done_; }

  private:
    const int terminal_;
    termios before_{};
    sigset_t signals_{};
    bool known_ = false, done_ = false;
};

}  // namespace

bool standardInputIsTerminal() {
    return ::isatty(STDIN_FILENO) == 1;
}

Result<std::string> askSecret(const std::string& prompt) {
    File terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!terminal.isOpen()) return fail(Errc::Unavailable, "there is no terminal to ask at");
    const Mute mute(terminal.handle());
    if (!mute.done()) return fail(Errc::Unavailable, "the terminal can not hide what is typed");
    if (::write(terminal.handle(), prompt.data(), prompt.size()) < 0)
        return systemError(errno, "the terminal");
    std::string line;
    for (;;) {
        char c = 0;
        const ssize_t got = ::read(terminal.handle(), &c, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return systemError(errno, "the terminal");
        // Ctrl-C comes as a character here.
        if (got == 0 || c == '\x03') return fail(Errc::Stopped, "nothing was changed");
        if (c == '\n') return line;
        if (line.size() < kLongestLine) line += c;
    }
}

}  // namespace postern
