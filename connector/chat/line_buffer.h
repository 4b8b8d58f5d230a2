#pragma once
// What a client sent, until its lines are carried out. A line ends with LF or CR LF. Bounded: what a line has
// beyond any line that could be good is dropped, and so is everything empty.
// Thread rule: one thread.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern::chat {

class LineBuffer {
  public:
    // True when at least one line that is not empty came to its end.
    bool add(std::string_view bytes);
    // The oldest whole line, without its end; nothing when there is none.
    std::optional<std::string> take();
    bool holdsLine() const { return lines_ > 0; }
    // Bytes kept, with the ends of lines.
    std::size_t size() const { return bytes_.size() - taken_; }
    void clear();

  private:
    void endLine();

    std::string bytes_;  // from `taken_` on
    std::size_t taken_ = 0;
    std::size_t lineStart_ = 0;  // of the line that is not whole yet
    std::size_t lines_ = 0;      // whole ones
};

}  // namespace postern::chat
