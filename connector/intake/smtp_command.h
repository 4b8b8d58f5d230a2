#pragma once
// Command lines and their words, on the wire and in the strictest reading: only CR LF ends a line.

#include <optional>
#include <string_view>

namespace postern::intake {

struct Line {
    enum class Kind { Good, Utf8, TooLong, BareCr, BareLf, Control, EightBit };
    Kind kind = Kind::Good;
    // Without CR LF. Good: printable ASCII; Utf8: more than that, and valid. EightBit is what is no UTF-8.
    std::string_view text;
};

// Cuts lines off an input that comes in pieces. A bad line is reported once, as early as it can be, and then
// skipped to its true CR LF, so that nothing inside it is ever taken for a command.
// Thread rule: one thread at a time.
class LineReader {
  public:
    // The next line, removed from `input`, or nothing until more comes; what stays in `input` is shorter than
    // `longest` bytes, which count the CR LF. The line's text lives as long as the input's bytes.
    std::optional<Line> take(std::string_view& input, int longest);

  private:
    bool skip(std::string_view& input);
    Line bad(Line::Kind kind, std::string_view& input, std::size_t seen);
    bool skipping_ = false;
};

enum class Verb {
    Ehlo,
    Helo,
    Lhlo,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    StartTls,
    Noop,
    Vrfy,
    Help,
    Quit,
    Auth,
    NotHere,
    Unknown
};

struct Command {
    Verb verb = Verb::Unknown;  // NotHere: a command of some RFC that this server does not have
    std::string_view name;      // as sent
    std::string_view argument;  // trimmed
    bool utf8 = false;          // holds more than ASCII
};
Command parseCommand(std::string_view line);

// "FROM:" or "TO:" taken off `argument` in any case; nothing when it does not begin so.
std::optional<std::string_view> afterKeyword(std::string_view argument, std::string_view keyword);

}  // namespace postern::intake
