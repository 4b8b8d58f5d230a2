#pragma once
// A message as it stands in a mailbox file, in the one dialect whose quoting can be undone (mboxrd; FORMATS
// 8): a "From " line, the message with LF line ends and one ">" more before every line that matches ">*From
// ", a final line end, an empty line. There is no Content-Length: readers disagree about it. Thread rule: one
// thread.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace postern::adapters {

// "From alice@example.org Tue Nov 14 22:13:20 2023\n": UTC, the day padded with a blank; MAILER-DAEMON for
// the null sender; blanks and control characters of the address are "_". Readers such as Python's take
// US-ASCII alone: other letters of the address stand as RFC 6533 writes them, "zo\x{EB}@example.org".
std::string fromLine(std::string_view sender, WallTime received);

class MboxLines {
  public:
    using Sink = std::function<Result<void>(std::string_view)>;
    explicit MboxLines(Sink sink) : sink_(std::move(sink)) {}

    // The next bytes of the message, cut anywhere. Linear; holds no line in memory.
    Result<void> feed(std::string_view bytes);
    // The message is over: its last line end and the empty line behind it.
    Result<void> end();

    // Header fields that were left out because readers keep their own notes in them or count by them: they
    // would believe a stranger's (Content-Length, Status, X-UID, ...). In the order they came, each once.
    const std::vector<std::string>& leftOut() const { return leftOut_; }

  private:
    enum class Part { Start, Skipped, Kept };  // of the line: not known yet, left out, being written

    Result<void> take(std::string_view bytes);
    Result<std::size_t> takeStart(std::string_view bytes);
    Result<void> decide();
    Result<void> writeQuotes();
    bool isLeftOut(std::string_view start);

    const Sink sink_;
    Part part_ = Part::Start;
    std::int64_t quotes_ = 0;  // ">" at the line's start
    std::string start_;        // of the line behind them, until it is clear what it is
    bool heldCr_ = false;      // a CR that may be half a line end
    bool inHeader_ = true;
    bool skippedField_ = false;  // the field that the line may continue was left out
    std::vector<std::string> leftOut_;
};

}  // namespace postern::adapters
