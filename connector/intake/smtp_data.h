#pragma once
// The text of a mail on the wire. After DATA (RFC 5321 4.5.2) DataReader finds its one true end, takes
// stuffed dots away and notes every offence against the line rules; whole runs of lines are handed on at
// once, never bytes. In the chunks of BDAT (RFC 3030) there is nothing to find, and ChunkLines notes the same
// offences.

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
    bool any() const { return lineEnds() || nul || longLine; }
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

// Thread rule: one thread at a time.
class ChunkLines {
  public:
    void begin(int longestLine);       // bytes of a line with its CR LF
    void look(std::string_view text);  // the next piece, however it is cut
    void end();                        // no more comes: a CR that ends it all is a bare one

    const TextFlaws& flaws() const { return flaws_; }
    bool lineEnded() const {
        return lineSize_ == 0 && !heldCr_;
    }  // the last line has its CR LF; an empty text too

  private:
    void grow(std::size_t bytes);

    int longestLine_ = 0;
    bool heldCr_ = false;        // the last byte was a CR
    std::int64_t lineSize_ = 0;  // of the line being read
    TextFlaws flaws_;
};

}  // namespace postern::intake
