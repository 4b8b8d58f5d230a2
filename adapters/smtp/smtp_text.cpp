#include "adapters/smtp/smtp_text.h"

#include <algorithm>

namespace postern::adapters {

void SmtpText::endLine() {
    if (pendingEnd_) out_ += "\r\n";
    pendingEnd_ = true;
    lineStart_ = true;
}

void SmtpText::beginText(std::string_view run) {
    if (pendingEnd_) {
        out_ += "\r\n";
        pendingEnd_ = false;
    }
    if (lineStart_ && run.front() == '.') out_ += '.';
    lineStart_ = false;
    out_ += run;
}

Result<void> SmtpText::write(std::string_view bytes) {
    // The next CR and the next LF are each looked for once: linear, whatever stands between them.
    std::size_t at = 0, cr = 0, lf = 0;
    const auto next = [&](char wanted, std::size_t known) {
        return known >= at && known > 0 ? known : std::min(bytes.find(wanted, at), bytes.size());
    };
    while (at < bytes.size()) {
        const char c = bytes[at];
        if (c == '\r' || c == '\n') {
            // A LF behind its CR has ended the line already.
            if (!(c == '\n' && afterCr_)) endLine();
            afterCr_ = c == '\r';
            ++at;
        } else {
            afterCr_ = false;
            cr = next('\r', cr);
            lf = next('\n', lf);
            const std::size_t end = std::min({cr, lf, at + kPiece});
            beginText(bytes.substr(at, end - at));
            at = end;
        }
        if (out_.size() < kPiece) continue;
        POSTERN_TRY(sink_(out_));
        out_.clear();
    }
    return {};
}

Result<void> SmtpText::finish() {
    // The end of the last line belongs to the final dot.
    if (!out_.empty()) POSTERN_TRY(sink_(out_));
    out_.clear();
    return {};
}

}  // namespace postern::adapters
