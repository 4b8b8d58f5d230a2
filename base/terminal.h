#pragma once
// The person at the terminal. Thread rule: one thread.

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace postern {

// To be called first of all by a program that people start: standard input, output and error carry bytes as
// they are, and the terminal shows UTF-8. Both are so by themselves but on Windows, where the program's end
// puts the terminal back as it was.
void useStandardStreams();

// Whether the terminal at standard output and error can do more than take lines: colours, drawing over what
// stands there. REQUIRES: useStandardStreams() was called.
bool terminalTakesSequences();

bool standardInputIsTerminal();
bool standardErrorIsTerminal();

// Writes `prompt` to the terminal and reads one line from it without showing it, whatever standard input and
// output are. The terminal's settings are put back, also when a signal ends the wait. Unavailable when there
// is no terminal; Stopped when the input ended instead.
Result<std::string> askSecret(const std::string& prompt);

struct ScreenSize {
    int columns = 80, rows = 24;
};

struct Key {
    enum class Kind { None, Character, Up, Down, Left, Right, BackTab, Enter, Resized, Ended };
    Kind kind = Kind::None;
    char character = 0;  // Character: printable, '\t' or ' '
};

// The whole terminal, for a display that is drawn again and again: on a page of its own, without a cursor,
// keys as they are pressed. Destroying it gives the terminal back as it was, and so does every end but a
// SIGKILL: Ctrl-C and the signals that ask a program to end come as Ended, Ctrl-Z stops the program with the
// terminal given back meanwhile.
// REQUIRES: one at a time; made before other threads start, so that none of them takes its signals.
class LiveScreen {
  public:
    // Unavailable when standard input and output are not both a terminal.
    static Result<std::unique_ptr<LiveScreen>> open();
    virtual ~LiveScreen() = default;

    virtual ScreenSize size() const = 0;
    // Replaces all that stands there. Lines are parted by '\n', not wider than the screen, and no more than
    // it has rows: what is below is left out.
    virtual Result<void> draw(std::string_view lines) = 0;
    // The next key; None when `timeout` passed.
    virtual Key wait(Millis timeout) = 0;
};

}  // namespace postern
