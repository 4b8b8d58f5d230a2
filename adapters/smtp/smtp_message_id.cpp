#include "adapters/smtp/smtp_message_id.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr std::size_t kShown = 200;
constexpr std::size_t kKept = 1'000;  // of a line: more than any field's name has
constexpr std::string_view kField = "message-id:";

struct Line {
    std::int64_t start = 0;
    std::string text = {};  // its first bytes
    bool ended = false;     // false: the data ends instead
};

// The lines of a header as they will stand on the wire: CR LF, CR and LF each end one. Memory does not grow
// with their length.
class HeaderLines {
  public:
    explicit HeaderLines(ByteSource& source) : source_(source) {}

    // Nothing at the end of the data.
    Result<std::optional<Line>> next() {
        Line line{at_};
        for (;; ++at_) {
            POSTERN_LET(byte, peek());
            if (byte < 0) break;
            if (byte == '\r' || byte == '\n') {
                line.ended = true;
                break;
            }
            if (line.text.size() < kKept) line.text += static_cast<char>(byte);
        }
        if (!line.ended) return line.text.empty() ? std::optional<Line>() : std::optional(std::move(line));
        POSTERN_LET(first, peek());
        ++at_;
        POSTERN_LET(second, peek());
        if (first == '\r' && second == '\n') ++at_;
        return std::optional(std::move(line));
    }

  private:
    // The byte at at_; -1 at the end.
    Result<int> peek() {
        if (at_ >= source_.size()) return -1;
        if (at_ >= from_ + static_cast<std::int64_t>(filled_)) {
            POSTERN_LET(got, source_.readAt(at_, buffer_, sizeof buffer_));
            if (got == 0) return fail(Errc::Io, "the message body ends early");
            from_ = at_;
            filled_ = got;
        }
        return static_cast<unsigned char>(buffer_[at_ - from_]);
    }

    ByteSource& source_;
    std::int64_t at_ = 0, from_ = 0;
    std::size_t filled_ = 0;
    char buffer_[16'384];
};

bool continues(std::string_view line) {
    return !line.empty() && (line.front() == ' ' || line.front() == '\t');
}

// Where a name and a colon are missing the text has begun without a blank line, as our own reader sees it
// too; a mailbox file's "From " line in front is no text.
bool isField(const Line& line) {
    if (line.start == 0 && line.text.starts_with("From ")) return true;
    const std::string_view name = trim(std::string_view(line.text).substr(0, line.text.find(':')));
    return !name.empty() && name.size() < line.text.size() &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Result<IdentifiedMail> IdentifiedMail::look(ByteSource& original, const std::string& made) {
    IdentifiedMail mail(original);
    HeaderLines lines(original);
    bool ended = true;  // the line before
    for (;;) {
        POSTERN_LET(line, lines.next());
        mail.at_ = line ? line->start : original.size();
        if (!line || line->text.empty() || (!continues(line->text) && !isField(*line))) break;
        ended = line->ended;
        if (!equalsIgnoreCase(std::string_view(line->text).substr(0, kField.size()), kField)) continue;
        std::string value(trim(std::string_view(line->text).substr(kField.size())));
        if (value.empty()) {  // a folded one has its value on the next line
            POSTERN_LET(folded, lines.next());
            if (folded && continues(folded->text)) value = trim(folded->text);
        }
        mail.id_ = escapeLine(value, kShown);
        return mail;
    }
    mail.id_ = made;
    mail.field_ = (ended ? "" : "\r\n") + ("Message-ID: " + made + "\r\n");
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
