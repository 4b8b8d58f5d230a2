#pragma once
// A message on its way into DATA (RFC 5321 2.3.8, 4.5.2): every line ends with CRLF, no CR or LF stands alone
// whatever the message holds, and a line that begins with a dot has one more. So no text can end the mail
// early or begin another (RELIABILITY.md 4.1).
// Thread rule: one thread.

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::adapters {

// What ends the text: the last line's end, which SmtpText keeps back, and the dot.
inline constexpr std::string_view kSmtpFinalDot = "\r\n.\r\n";

class SmtpText {
  public:
    using Sink = std::function<Result<void>(std::string_view)>;
    // Pieces of about 64 KiB go to `sink`.
    explicit SmtpText(Sink sink) : sink_(std::move(sink)) { out_.reserve(kPiece + 64); }

    Result<void> write(std::string_view bytes);
    // The rest, without the last line's end.
    Result<void> finish();

  private:
    static constexpr std::size_t kPiece = 65'536;
    void endLine();
    void beginText(std::string_view run);

    Sink sink_;
    std::string out_;
    bool lineStart_ = true;    // nothing of the line is out yet
    bool pendingEnd_ = false;  // a line has ended whose CRLF is not out yet
    bool afterCr_ = false;     // the last byte was a CR: a LF belongs to it
};

}  // namespace postern::adapters
