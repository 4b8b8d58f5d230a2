#pragma once
// Command lines and their words, on the wire and in the strictest reading: only CR LF ends a line.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace postern::intake {

struct Line {
    enum class Kind { Good, TooLong, BareCr, BareLf, Control, EightBit };
    Kind kind = Kind::Good;
    std::string_view text;  // Good only: without CR LF, printable ASCII
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
    Rset,
    Noop,
    Vrfy,
    Help,
    Quit,
    StartTls,
    NotHere,
    Unknown
};

struct Command {
    Verb verb = Verb::Unknown;  // NotHere: a command of some RFC that this server does not have
    std::string_view name;      // as sent
    std::string_view argument;  // trimmed
};
Command parseCommand(std::string_view line);

// "FROM:" or "TO:" taken off `argument` in any case; nothing when it does not begin so.
std::optional<std::string_view> afterKeyword(std::string_view argument, std::string_view keyword);

// The ESMTP parameters of MAIL (RFC 1870 SIZE, RFC 6152 BODY).
struct MailParameters {
    std::int64_t size = 0;  // 0: not announced; a number too large for 64 bits is the largest
    bool eightBit = false;
};
// NotFound: a parameter we do not know (555); Invalid: one with a wrong value (501).
Result<MailParameters> parseMailParameters(std::string_view text);

}  // namespace postern::intake
