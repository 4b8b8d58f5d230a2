#pragma once
// A file while a format writes it into the stage folder: one buffer, so that a small mail is one system call,
// and a memory of who failed. A disk that refuses the file stops the adapter; a body that can not be read
// concerns one mail. Thread rule: one thread.

#include <functional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/source.h"

namespace postern::adapters {

enum class LineEnds { Crlf, Lf };

class StagedFile {
  public:
    // `buffer` and `beat` are borrowed for the life of the StagedFile. `beat` is called with each piece that
    // goes to the disk, so that a large mail on a slow disk keeps its lease.
    StagedFile(File file, std::string& buffer, const std::function<void()>& beat)
        : file_(std::move(file)), buffer_(buffer), beat_(beat) {
        buffer_.clear();
    }

    // Into nothing: only position() comes of it.
    StagedFile(std::string& buffer, const std::function<void()>& beat)
        : buffer_(buffer), beat_(beat), unkept_(true) {
        buffer_.clear();
    }

    Result<void> write(std::string_view bytes);
    // `message`, whose lines end with CRLF, with the line ends asked for. A bare CR or LF stays as it is.
    Result<void> writeMessage(ByteSource& message, LineEnds lineEnds);

    // What `write` gives its sink, whose lines end with CRLF, with the line ends asked for.
    using Sink = std::function<Result<void>(std::string_view)>;
    Result<void> writeLines(const std::function<Result<void>(const Sink&)>& write, LineEnds lineEnds);

    std::int64_t position() const { return flushed_ + static_cast<std::int64_t>(buffer_.size()); }
    Result<void> flush();
    bool refused() const { return refused_; }  // the disk, not the mail, made a call fail
    File takeFile() { return std::move(file_); }

  private:
    Result<void> writeWithLf(std::string_view bytes, bool& heldCr);
    Result<void> check(Result<void> result);

    File file_;
    std::string& buffer_;
    const std::function<void()>& beat_;
    std::int64_t flushed_ = 0;
    bool refused_ = false;
    const bool unkept_ = false;
};

}  // namespace postern::adapters
