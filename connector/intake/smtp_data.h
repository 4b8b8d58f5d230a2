#pragma once
// The text of a mail on the wire (RFC 5321 4.5.2): finds its one true end, takes stuffed dots away and notes
// every offence against the line rules. Whole runs of lines are handed on at once, never bytes.

#include <cstdint>
#include <functional>
#include <string_view>

namespace postern::intake {

// What is wrong with a text. Any of them refuses the mail.
struct TextFlaws {
    bool bareCr = false;
    bool bareLf = false;
    bool nul = false;
    bool longLine = false;
    bool lineEnds() const { return bareCr || bareLf; }
};

// Thread rule: one thread at a time.
class DataReader {
  public:
    using Sink = std::function<void(std::string_view)>;

    void begin(int longestLine);  // bytes of a line with its CR LF, without a stuffed dot

    // Takes what it can from `input`, hands the text to `sink`, and removes it from `input`. At most two
    // bytes stay behind (a CR, or a dot that may begin the end) until more comes. True when CR LF "." CR LF
    // was reached and removed as well; the CR LF of the DATA command counts for the first.
    bool take(std::string_view& input, const Sink& sink);

    const TextFlaws& flaws() const { return flaws_; }

  private:
    std::size_t takeLine(std::string_view rest);
    void grow(std::size_t bytes);

    int longestLine_ = 0;
    bool lineStart_ = true;      // the last two bytes were a true CR LF
    std::int64_t lineSize_ = 0;  // of the line being read, as far as taken
    TextFlaws flaws_;
};

}  // namespace postern::intake
