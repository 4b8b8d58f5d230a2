#include "base/terminal.h"

#include <algorithm>
#include <fcntl.h>
#include <io.h>
#include <optional>
#include <string_view>

#include "base/windows/system.h"

namespace postern {

using namespace windows;

namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::wstring_view kEnter = L"\x1b[?1049h\x1b[?25l";  // a page of its own, no cursor
constexpr std::wstring_view kLeave = L"\x1b[?25h\x1b[?1049l";
constexpr wchar_t kCtrlC = L'\x03', kBackspace = L'\b';

bool isConsole(HANDLE handle) {
    DWORD mode = 0;
    return ::GetConsoleMode(handle, &mode) != 0;
}

// A console's settings, put back at the end.
class Mode {
  public:
    Mode() = default;
    Mode(const Mode&) = delete;
    Mode& operator=(const Mode&) = delete;
    ~Mode() { putBack(); }

    bool change(HANDLE console, DWORD add, DWORD take) {
        console_ = console;
        changed_ = ::GetConsoleMode(console, &before_) != 0 &&
                   ::SetConsoleMode(console, (before_ | add) & ~take) != 0;
        return changed_;
    }
    void putBack() {
        if (changed_) ::SetConsoleMode(console_, before_);
        changed_ = false;
    }

  private:
    HANDLE console_ = INVALID_HANDLE_VALUE;
    DWORD before_ = 0;
    bool changed_ = false;
};

// What useStandardStreams() changed of the console, which outlives us.
struct Streams {
    ~Streams() {
        if (page != 0) ::SetConsoleOutputCP(page);
    }
    UINT page = 0;
    Mode output, error;
    bool sequences = false;
};

Streams& streams() {
    static Streams one;
    return one;
}

bool writeAll(HANDLE console, std::wstring_view text) {
    constexpr std::size_t kPiece = 8192;  // older consoles take no more than some 30 KiB at once
    while (!text.empty()) {
        DWORD done = 0;
        const auto piece = static_cast<DWORD>(std::min(text.size(), kPiece));
        if (!::WriteConsoleW(console, text.data(), piece, &done, nullptr) || done == 0) return false;
        text.remove_prefix(done);
    }
    return true;
}

OwnHandle openConsole(const wchar_t* name) {
    return OwnHandle(::CreateFileW(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                   nullptr, OPEN_EXISTING, 0, nullptr));
}

// Key by key, without the console's own line: Ctrl-C is a character then, and nothing is shown.
Result<std::string> readUnseen(HANDLE input) {
    std::wstring line;
    for (;;) {
        wchar_t c = 0;
        DWORD got = 0;
        if (!::ReadConsoleW(input, &c, 1, &got, nullptr)) return lastError("the terminal");
        if (got == 0 || c == kCtrlC) return fail(Errc::Stopped, "nothing was changed");
        if (c == L'\r' || c == L'\n') return narrow(line);
        if (c == kBackspace) {
            if (!line.empty()) line.pop_back();
        } else if (line.size() < kLongestLine) {
            line += c;
        }
    }
}

}  // namespace

void useStandardStreams() {
    for (FILE* const stream : {stdin, stdout, stderr}) ::_setmode(::_fileno(stream), _O_BINARY);
    const HANDLE output = ::GetStdHandle(STD_OUTPUT_HANDLE), error = ::GetStdHandle(STD_ERROR_HANDLE);
    if (!isConsole(output) && !isConsole(error)) return;
    Streams& all = streams();
    all.page = ::GetConsoleOutputCP();
    ::SetConsoleOutputCP(CP_UTF8);
    const bool first = all.output.change(output, ENABLE_VIRTUAL_TERMINAL_PROCESSING, 0);
    const bool second = all.error.change(error, ENABLE_VIRTUAL_TERMINAL_PROCESSING, 0);
    all.sequences = first || second;
}

bool terminalTakesSequences() {
    return streams().sequences;
}

bool standardInputIsTerminal() {
    return isConsole(::GetStdHandle(STD_INPUT_HANDLE));
}

bool standardErrorIsTerminal() {
    return isConsole(::GetStdHandle(STD_ERROR_HANDLE));
}

Result<std::string> askSecret(const std::string& prompt) {
    const OwnHandle input = openConsole(L"CONIN$"), output = openConsole(L"CONOUT$");
    if (!input.valid() || !output.valid()) return fail(Errc::Unavailable, "there is no terminal to ask at");
    Mode mute;
    if (!mute.change(input.get(), 0, ENABLE_ECHO_INPUT | ENABLE_LINE_INPUT | ENABLE_PROCESSED_INPUT))
        return fail(Errc::Unavailable, "the terminal can not hide what is typed");
    if (!writeAll(output.get(), wide(prompt))) return lastError("the terminal");
    auto line = readUnseen(input.get());
    (void)writeAll(output.get(), L"\r\n");
    return line;
}

namespace {

class ConsoleScreen;
ConsoleScreen* shownScreen = nullptr;  // for the system's thread; there is one at a time

class ConsoleScreen final : public LiveScreen {
  public:
    ConsoleScreen() = default;
    ConsoleScreen(const ConsoleScreen&) = delete;
    ConsoleScreen& operator=(const ConsoleScreen&) = delete;
    ~ConsoleScreen() override {
        if (!entered_) return;
        ::SetConsoleCtrlHandler(onEvent, FALSE);
        writeAll(output_, kLeave);  // a terminal that is gone needs nothing back
        shownScreen = nullptr;
    }

    Result<void> begin();
    ScreenSize size() const override;
    Result<void> draw(std::string_view lines) override;
    Key wait(Millis timeout) override;

  private:
    // The console goes away, or the session ends: the page is left by the thread that owns it.
    static BOOL WINAPI onEvent(DWORD event) {
        ::SetEvent(shownScreen->ended_.get());
        if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) ::Sleep(INFINITE);
        return TRUE;
    }
    std::optional<Key> nextKey();

    HANDLE input_ = INVALID_HANDLE_VALUE, output_ = INVALID_HANDLE_VALUE;
    Mode inputMode_, outputMode_;
    OwnHandle ended_;
    bool entered_ = false;
};

Result<void> ConsoleScreen::begin() {
    input_ = ::GetStdHandle(STD_INPUT_HANDLE);
    output_ = ::GetStdHandle(STD_OUTPUT_HANDLE);
    constexpr DWORD kTaken = ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT | ENABLE_PROCESSED_INPUT |
                             ENABLE_QUICK_EDIT_MODE | ENABLE_MOUSE_INPUT;
    if (!inputMode_.change(input_, ENABLE_WINDOW_INPUT | ENABLE_EXTENDED_FLAGS, kTaken) ||
        !outputMode_.change(output_, ENABLE_VIRTUAL_TERMINAL_PROCESSING | DISABLE_NEWLINE_AUTO_RETURN, 0))
        return fail(Errc::Unavailable, "this is no terminal");
    ended_ = OwnHandle(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
    if (!ended_.valid()) return lastError("the terminal");
    if (!writeAll(output_, kEnter)) return lastError("the terminal");
    entered_ = true;
    shownScreen = this;
    ::SetConsoleCtrlHandler(onEvent, TRUE);
    return {};
}

ScreenSize ConsoleScreen::size() const {
    CONSOLE_SCREEN_BUFFER_INFO facts{};
    ScreenSize found;
    if (!::GetConsoleScreenBufferInfo(output_, &facts)) return found;
    found.columns = std::max(1, facts.srWindow.Right - facts.srWindow.Left + 1);
    found.rows = std::max(1, facts.srWindow.Bottom - facts.srWindow.Top + 1);
    return found;
}

Result<void> ConsoleScreen::draw(std::string_view lines) {
    std::wstring page = L"\x1b[H";
    const int rows = size().rows;
    int row = 0;
    for (; row < rows && !lines.empty(); ++row) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        if (row > 0) page += L"\r\n";
        page.append(wide(lines.substr(0, end))).append(L"\x1b[K");
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    if (row < rows) page += L"\r\n\x1b[J";
    if (!writeAll(output_, page)) return lastError("the terminal");
    return {};
}

Key ConsoleScreen::wait(Millis timeout) {
    const SteadyTime end = std::chrono::steady_clock::now() + timeout;
    const HANDLE both[] = {ended_.get(), input_};
    for (;;) {
        const auto left = std::chrono::duration_cast<Millis>(end - std::chrono::steady_clock::now()).count();
        const auto millis = static_cast<DWORD>(std::clamp<std::int64_t>(left, 0, 3'600'000));
        switch (::WaitForMultipleObjects(2, both, FALSE, millis)) {
            case WAIT_OBJECT_0: return {Key::Kind::Ended};
            case WAIT_OBJECT_0 + 1: break;
            case WAIT_TIMEOUT: return {};
            default: return {Key::Kind::Ended};
        }
        if (const auto key = nextKey()) return *key;  // most events are none: a key that was let go
    }
}

Key keyOf(const KEY_EVENT_RECORD& event) {
    const bool shift = (event.dwControlKeyState & SHIFT_PRESSED) != 0;
    switch (event.wVirtualKeyCode) {
        case VK_UP: return {Key::Kind::Up};
        case VK_DOWN: return {Key::Kind::Down};
        case VK_LEFT: return {Key::Kind::Left};
        case VK_RIGHT: return {Key::Kind::Right};
        case VK_RETURN: return {Key::Kind::Enter};
        case VK_TAB: return shift ? Key{Key::Kind::BackTab} : Key{Key::Kind::Character, '\t'};
        default: break;
    }
    const wchar_t c = event.uChar.UnicodeChar;
    if (c == kCtrlC) return {Key::Kind::Ended};
    if (c >= L' ' && c < 0x7f) return {Key::Kind::Character, static_cast<char>(c)};
    return {};
}

std::optional<Key> ConsoleScreen::nextKey() {
    INPUT_RECORD record{};
    DWORD got = 0;
    if (!::ReadConsoleInputW(input_, &record, 1, &got) || got == 0) return Key{Key::Kind::Ended};
    if (record.EventType == WINDOW_BUFFER_SIZE_EVENT) return Key{Key::Kind::Resized};
    if (record.EventType != KEY_EVENT || !record.Event.KeyEvent.bKeyDown) return std::nullopt;
    const Key key = keyOf(record.Event.KeyEvent);
    return key.kind == Key::Kind::None ? std::nullopt : std::optional(key);
}

}  // namespace

Result<std::unique_ptr<LiveScreen>> LiveScreen::open() {
    auto screen = std::make_unique<ConsoleScreen>();
    POSTERN_TRY(screen->begin());
    return std::unique_ptr<LiveScreen>(std::move(screen));
}

}  // namespace postern
