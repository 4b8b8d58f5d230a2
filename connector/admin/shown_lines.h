#pragma once
// The lines of an artifact, for people to read: UTF-8 without control characters, tabs as blanks. A line ends
// with LF, CR LF or a lone CR (FidoNet's and MHS's texts); text also ends with NULs (the fields of packets).
// Runs of NULs between other bytes are shown as one.
//
// Thread rule: one thread at a time. Memory: one line, which is cut at `longest` bytes.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::admin {

class ShownLines {
  public:
    using Line = std::function<Result<void>(const std::string&)>;

    // `charset`: of the bytes, as mail::toUtf8() takes it.
    ShownLines(std::string charset, std::size_t longest, Line line);

    // Errors: those of `line`.
    Result<void> append(std::string_view bytes);
    Result<void> finish();  // what no end of line came behind

  private:
    Result<void> take(char c);
    Result<void> end();

    const std::string charset_;
    const std::size_t longest_;
    const Line line_;
    std::string bytes_;
    std::size_t plain_ = 0;  // bytes of text at the line's end
    char last_ = '\n';
};

}  // namespace postern::admin
