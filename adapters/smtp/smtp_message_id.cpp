#include "adapters/smtp/smtp_message_id.h"

#include <algorithm>

#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr std::size_t kMostHeader = 512 << 10;
constexpr std::size_t kShown = 200;
constexpr std::string_view kField = "message-id:";

Result<std::string> beginningOf(ByteSource& source) {
    std::string text;
    const auto wanted = std::min<std::int64_t>(source.size(), kMostHeader);
    while (static_cast<std::int64_t>(text.size()) < wanted) {
        char chunk[16'384];
        const std::size_t most = std::min(sizeof chunk, static_cast<std::size_t>(wanted) - text.size());
        POSTERN_LET(got, source.readAt(static_cast<std::int64_t>(text.size()), chunk, most));
        if (got == 0) return fail(Errc::Io, "the message body ends early");
        text.append(chunk, got);
        if (text.find("\r\n\r\n") != std::string::npos) break;
    }
    return text;
}

}  // namespace

Result<IdentifiedMail> IdentifiedMail::look(ByteSource& original, const std::string& made) {
    IdentifiedMail mail(original);
    POSTERN_LET(text, beginningOf(original));
    const std::size_t blank = text.find("\r\n\r\n");
    const std::string_view header = std::string_view(text).substr(0, blank);
    for (std::size_t at = 0; at < header.size();) {
        const std::size_t end = std::min(header.find("\r\n", at), header.size());
        const std::string_view line = header.substr(at, end - at);
        if (line.size() >= kField.size() && equalsIgnoreCase(line.substr(0, kField.size()), kField)) {
            // A folded one has its value on the next line.
            std::string_view value = trim(line.substr(kField.size()));
            if (value.empty() && end + 2 < header.size()) {
                const std::string_view next = header.substr(end + 2, header.find("\r\n", end + 2) - end - 2);
                if (next.starts_with(' ') || next.starts_with('\t')) value = trim(next);
            }
            mail.id_ = escapeLine(value, kShown);
            return mail;
        }
        at = end + 2;
    }
    if (blank == std::string::npos) return mail;  // no header that ends: nothing can be put into it
    mail.id_ = made;
    mail.field_ = "Message-ID: " + made + "\r\n";
    mail.at_ = static_cast<std::int64_t>(blank) + 2;
    return mail;
}

Result<std::size_t> IdentifiedMail::readAt(std::int64_t offset, char* into, std::size_t size) {
    const auto length = static_cast<std::int64_t>(field_.size());
    if (offset < at_ && length > 0)
        return original_->readAt(offset, into, std::min(size, static_cast<std::size_t>(at_ - offset)));
    if (offset < at_ + length) {
        const std::string_view rest = std::string_view(field_).substr(static_cast<std::size_t>(offset - at_));
        return rest.copy(into, size);
    }
    return original_->readAt(offset - length, into, size);
}

}  // namespace postern::adapters
