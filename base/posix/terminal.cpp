#include "base/terminal.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
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

void useStandardStreams() {}

bool terminalTakesSequences() {
    const char* kind = std::getenv("TERM");
    return kind != nullptr && std::string_view(kind) != "dumb";
}

bool standardInputIsTerminal() {
    return ::isatty(STDIN_FILENO) == 1;
}

bool standardErrorIsTerminal() {
    return ::isatty(STDERR_FILENO) == 1;
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

namespace {

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";  // a page of its own, no cursor
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr char kCtrlC = '\x03', kCtrlZ = '\x1a', kEscape = '\x1b';
constexpr int kEscapeMillis = 50;  // between the bytes of one key

bool writeAll(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t done = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(done));
    }
    return true;
}

class PosixScreen final : public LiveScreen {
  public:
    PosixScreen() = default;
    PosixScreen(const PosixScreen&) = delete;
    PosixScreen& operator=(const PosixScreen&) = delete;
    ~PosixScreen() override {
        leave();
        if (blocked_) pthread_sigmask(SIG_SETMASK, &signalsBefore_, nullptr);
    }

    Result<void> begin();
    ScreenSize size() const override;
    Result<void> draw(std::string_view lines) override;
    Key wait(Millis timeout) override;

  private:
    bool enter();
    void leave();
    Key signalled();
    Key pressed();
    Key sequence();
    int readByte(int timeoutMillis);  // -1: none

    termios before_{};
    sigset_t signalsBefore_{};
    File signals_;
    bool blocked_ = false, entered_ = false;
};

Result<void> PosixScreen::begin() {
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1 ||
        ::tcgetattr(STDIN_FILENO, &before_) != 0)
        return fail(Errc::Unavailable, "this is no terminal");
    sigset_t taken;
    sigemptyset(&taken);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) sigaddset(&taken, signal);
    pthread_sigmask(SIG_BLOCK, &taken, &signalsBefore_);
    blocked_ = true;
    signals_ = File(::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_.isOpen()) return systemError(errno, "the terminal's signals");
    if (!enter()) return systemError(errno, "the terminal");
    return {};
}

bool PosixScreen::enter() {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0) return false;
    entered_ = true;
    return writeAll(kEnter);
}

void PosixScreen::leave() {
    if (!entered_) return;
    entered_ = false;
    writeAll(kLeave);  // a terminal that is gone needs nothing back
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

ScreenSize PosixScreen::size() const {
    winsize size{};
    ScreenSize found;
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return found;
    if (size.ws_col > 0) found.columns = size.ws_col;
    if (size.ws_row > 0) found.rows = size.ws_row;
    return found;
}

Result<void> PosixScreen::draw(std::string_view lines) {
    std::string page = "\x1b[H";
    int row = 0;
    for (const int rows = size().rows; row < rows && !lines.empty(); ++row) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        if (row > 0) page += "\r\n";
        page.append(lines.substr(0, end)).append("\x1b[K");
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    if (row < size().rows) page += "\r\n\x1b[J";
    if (!writeAll(page)) return systemError(errno, "the terminal");
    return {};
}

Key PosixScreen::wait(Millis timeout) {
    pollfd ends[] = {{STDIN_FILENO, POLLIN, 0}, {signals_.handle(), POLLIN, 0}};
    const auto millis = static_cast<int>(std::clamp<std::int64_t>(timeout.count(), 0, 3'600'000));
    if (::poll(ends, 2, millis) <= 0) return {};
    if (ends[1].revents != 0) return signalled();
    return pressed();
}

Key PosixScreen::signalled() {
    signalfd_siginfo info{};
    if (::read(signals_.handle(), &info, sizeof info) != sizeof info) return {};
    return {info.ssi_signo == SIGWINCH ? Key::Kind::Resized : Key::Kind::Ended};
}

int PosixScreen::readByte(int timeoutMillis) {
    pollfd end{STDIN_FILENO, POLLIN, 0};
    char c = 0;
    if (::poll(&end, 1, timeoutMillis) <= 0 || ::read(STDIN_FILENO, &c, 1) != 1) return -1;
    return static_cast<unsigned char>(c);
}

Key PosixScreen::pressed() {
    const int byte = readByte(0);
    if (byte < 0 || byte == kCtrlC) return {Key::Kind::Ended};  // readable without a byte: hung up
    if (byte == kEscape) return sequence();
    if (byte == '\r' || byte == '\n') return {Key::Kind::Enter};
    if (byte == kCtrlZ) {
        leave();
        ::kill(0, SIGTSTP);  // the whole job, as the key does where nobody reads it
        return {enter() ? Key::Kind::Resized : Key::Kind::Ended};
    }
    return {Key::Kind::Character, static_cast<char>(byte)};
}

// ECMA-48: ESC [ or ESC O, parameters, a final byte.
Key PosixScreen::sequence() {
    const int opener = readByte(kEscapeMillis);
    if (opener != '[' && opener != 'O') return {};
    int byte = readByte(kEscapeMillis);
    while (byte >= 0x20 && byte < 0x40) byte = readByte(kEscapeMillis);
    switch (byte) {
        case 'A': return {Key::Kind::Up};
        case 'B': return {Key::Kind::Down};
        case 'C': return {Key::Kind::Right};
        case 'D': return {Key::Kind::Left};
        case 'Z': return {Key::Kind::BackTab};
        default: return {};
    }
}

}  // namespace

Result<std::unique_ptr<LiveScreen>> LiveScreen::open() {
    auto screen = std::make_unique<PosixScreen>();
    POSTERN_TRY(screen->begin());
    return std::unique_ptr<LiveScreen>(std::move(screen));
}

}  // namespace postern
