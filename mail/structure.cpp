#include "mail/structure.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "mail/header.h"
#include "mail/mailboxes.h"
#include "mail/window.h"

namespace postern::mail {
namespace {

Error tooMany(const std::string& what, std::int64_t found, std::int64_t limit) {
    return fail(Errc::Invalid,
                what + ": at least " + std::to_string(found) + ", the limit is " + std::to_string(limit));
}

bool isTypeToken(std::string_view type) {
    const auto slash = type.find('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == type.size() || type.size() > 127)
        return false;
    for (const char c : type) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter && std::string_view("/.+-_!#$&^").find(c) == std::string_view::npos) return false;
    }
    return type.find('/', slash + 1) == std::string_view::npos;
}

void setEncoding(Entity& entity, std::string_view rawValue) {
    const std::string name = parseContent(rawValue).value;
    if (name == "base64")
        entity.encoding = TransferEncoding::Base64;
    else if (name == "quoted-printable")
        entity.encoding = TransferEncoding::QuotedPrintable;
    else if (name == "7bit" || name == "8bit" || name == "binary")
        entity.declared = name;
    else
        entity.unknownEncoding = name;
}

void setType(Entity& entity, const ContentField& field) {
    if (isTypeToken(field.value)) {
        entity.type = field.value;
    } else if (field.value == "text") {
        entity.type = "text/plain";  // RFC 1049
    } else if (!field.value.empty()) {
        entity.badType = true;
        entity.type = entity.parent < 0 ? "text/plain" : "application/octet-stream";
    }
    entity.charset = field.token("charset");
    if (equalsIgnoreCase(entity.charset, "unknown-8bit")) entity.charset.clear();  // RFC 1428: undeclared
    entity.boundary = field.parameter("boundary");
    entity.name = field.parameter("name");
    entity.flowed = equalsIgnoreCase(field.token("format"), "flowed");
    entity.delSp = equalsIgnoreCase(field.token("delsp"), "yes");
}

// A line of the form "--boundary" or "--boundary--" of an open multipart.
struct Delimiter {
    std::size_t open = 0;  // whose, as an index into the open entities
    bool isFinal = false;
    std::int64_t line = 0;  // where the line begins
    std::int64_t next = 0;  // where the next line begins
};

class StructureReader {
  public:
    StructureReader(ByteSource& source, const Bounds& bounds) : window_(source), bounds_(bounds) {}

    Result<Structure> run() {
        result_.shape.bytes = window_.size();
        POSTERN_LET(start, openEntity(0));
        std::int64_t at = start;
        while (hasMultipart()) {
            POSTERN_LET(found, nextDelimiter(at));
            if (!found) break;
            POSTERN_TRY(closeBehind(*found));
            at = found->next;
            if (found->isFinal) continue;
            POSTERN_LET(body, openEntity(at));
            at = body;
        }
        result_.shape.unterminated = hasMultipart();
        for (const int index : open_) entity(index).end = window_.size();
        result_.shape.parts = static_cast<int>(result_.entities.size());
        return std::move(result_);
    }

  private:
    Entity& entity(int index) { return result_.entities[static_cast<std::size_t>(index)]; }

    bool hasMultipart() const {
        return std::any_of(open_.begin(), open_.end(), [&](int index) { return opensParts(index); });
    }

    bool opensParts(int index) const {
        const Entity& e = result_.entities[static_cast<std::size_t>(index)];
        return e.isMultipart() && !e.boundary.empty();
    }

    // Reads the header at `at`, then those of messages directly inside. Where to go on reading.
    Result<std::int64_t> openEntity(std::int64_t at) {
        for (;;) {
            POSTERN_TRY(push(at));
            const Entity& added = result_.entities.back();
            at = added.body;
            // RFC 2046 5.2.1 forbids encoding a message; one that is encoded stays an attachment.
            if (!added.isMessage() || added.encoding != TransferEncoding::Identity) return at;
        }
    }

    Result<void> push(std::int64_t at) {
        Entity added;
        added.parent = open_.empty() ? -1 : open_.back();
        added.header = at;
        const int index = static_cast<int>(result_.entities.size());
        if (index >= bounds_.parts) return tooMany("parts", index + 1, bounds_.parts);
        const int depth = static_cast<int>(open_.size()) + 1;
        if (depth > bounds_.depth) return tooMany("parts inside each other", depth, bounds_.depth);
        result_.shape.depth = std::max(result_.shape.depth, depth);
        POSTERN_LET(block, headerBlock(at));
        added.body = at;
        POSTERN_TRY(describe(added, std::move(block)));
        if (added.parent >= 0) entity(added.parent).children.push_back(index);
        result_.entities.push_back(std::move(added));
        open_.push_back(index);
        return {};
    }

    // Collects the header block at `at`; `at` is moved behind it. It ends at a blank line, at the end, at
    // what is no header line (which then is text), and at a delimiter.
    Result<std::string> headerBlock(std::int64_t& at) {
        std::string block;
        std::int64_t fieldBytes = 0;
        int fields = 0;
        while (at < window_.size()) {
            POSTERN_LET(view, window_.at(at, lineLimit() + 2));
            const auto newline = view.substr(0, lineLimit() + 2).find('\n');
            const std::string_view line =
                view.substr(0, newline == std::string_view::npos ? lineLimit() + 2 : newline + 1);
            const std::string_view content = trim(line);
            if (content.empty() && newline != std::string_view::npos && line.size() <= 2 &&
                line.front() != ' ' && line.front() != '\t') {
                at += static_cast<std::int64_t>(line.size());
                return block;
            }
            if (isDelimiterLine(at, line)) return block;
            const bool continues = !block.empty() && (line.front() == ' ' || line.front() == '\t');
            if (!continues && !isFieldLine(line, block.empty())) return block;
            fieldBytes = (continues ? fieldBytes : 0) + static_cast<std::int64_t>(line.size());
            if (fieldBytes > bounds_.header)
                return tooMany("bytes of one header", fieldBytes, bounds_.header);
            fields += continues ? 0 : 1;
            if (fields > bounds_.headers) return tooMany("headers", fields, bounds_.headers);
            block += line;
            const auto size = static_cast<std::int64_t>(block.size());
            if (size > bounds_.headerBlock) return tooMany("bytes of headers", size, bounds_.headerBlock);
            at += static_cast<std::int64_t>(line.size());
        }
        return block;
    }

    std::size_t lineLimit() const {
        return static_cast<std::size_t>(std::clamp<std::int64_t>(bounds_.header, 0, Window::kMostWanted - 2));
    }

    bool isDelimiterLine(std::int64_t at, std::string_view line) const {
        return line.starts_with("--") && delimiterAt(at, line).has_value();
    }

    Result<void> describe(Entity& added, std::string block) {
        const HeaderBlock header(block);
        if (added.parent >= 0 && entity(added.parent).type == "multipart/digest")
            added.type = "message/rfc822";
        const ContentField type = parseContent(header.first("Content-Type"));
        const ContentField disposition = parseContent(header.first("Content-Disposition"));
        const int pieces = std::max(type.pieces, disposition.pieces);
        if (pieces > bounds_.parameterPieces)
            return tooMany("pieces of one parameter", pieces, bounds_.parameterPieces);
        setType(added, type);
        added.hasType = header.has("Content-Type");
        added.mimeVersion = header.has("MIME-Version");
        const auto boundary = static_cast<int>(std::min<std::size_t>(added.boundary.size(), 1U << 30U));
        if (boundary > bounds_.boundary) return tooMany("bytes of a boundary", boundary, bounds_.boundary);
        if (header.has("Content-Transfer-Encoding"))
            setEncoding(added, header.first("Content-Transfer-Encoding"));
        added.disposition = disposition.value;
        if (!disposition.parameter("filename").empty()) added.name = disposition.parameter("filename");
        return added.parent < 0 ? describeMessage(header, std::move(block)) : Result<void>();
    }

    Result<void> describeMessage(const HeaderBlock& header, std::string block) {
        for (const char* name : {"From", "Sender", "Reply-To", "To", "Cc", "Bcc"})
            if (const int depth = groupDepth(header.first(name)); depth > bounds_.groupDepth)
                return tooMany(std::string("groups inside each other in ") + name, depth, bounds_.groupDepth);
        result_.shape.headers = header.count();
        result_.shape.headerBytes = static_cast<std::int64_t>(block.size());
        result_.header = std::move(block);
        return {};
    }

    // `line` begins with "--" and holds all of its line, or enough to tell. The innermost match wins.
    std::optional<Delimiter> delimiterAt(std::int64_t at, std::string_view line) const {
        const auto newline = line.find('\n');
        const std::string_view whole =
            line.substr(2, newline == std::string_view::npos ? newline : newline - 2);
        for (std::size_t i = open_.size(); i-- > 0;) {
            const Entity& e = result_.entities[static_cast<std::size_t>(open_[i])];
            if (!opensParts(open_[i]) || !whole.starts_with(e.boundary)) continue;
            std::string_view rest = whole.substr(e.boundary.size());
            const bool isFinal = rest.starts_with("--");
            if (isFinal) rest.remove_prefix(2);
            if (!trim(rest).empty()) continue;
            const std::size_t length = newline == std::string_view::npos ? line.size() : newline + 1;
            return Delimiter{i, isFinal, at, at + static_cast<std::int64_t>(length)};
        }
        return std::nullopt;
    }

    // The first delimiter line at or behind `at`, which is the beginning of a line.
    Result<std::optional<Delimiter>> nextDelimiter(std::int64_t at) {
        constexpr std::size_t kLookAhead = 2048;  // a boundary and blanks behind it
        while (at < window_.size()) {
            POSTERN_LET(view, window_.at(at, kLookAhead));
            const bool isLast = at + static_cast<std::int64_t>(view.size()) == window_.size();
            // Line beginnings from which there is enough to see.
            const std::size_t usable = isLast ? view.size() : view.size() - kLookAhead + 1;
            std::size_t line = 0;
            while (line < usable) {
                const std::string_view rest = view.substr(line);
                if (rest.size() > 1 && rest[0] == '-' && rest[1] == '-')
                    if (auto found =
                            delimiterAt(at + static_cast<std::int64_t>(line), rest.substr(0, kLookAhead)))
                        return found;
                const auto newline = view.find('\n', line);
                if (newline == std::string_view::npos) break;
                line = newline + 1;
            }
            POSTERN_LET(next, nextLine(at, view, line, usable));
            at = next;
        }
        return std::optional<Delimiter>();
    }

    // Where the search goes on when a view is used up: at a line's beginning, however long the line is.
    Result<std::int64_t> nextLine(std::int64_t at, std::string_view view, std::size_t line,
                                  std::size_t usable) {
        if (line >= usable) return at + static_cast<std::int64_t>(line);
        at += static_cast<std::int64_t>(view.size());
        while (at < window_.size()) {
            POSTERN_LET(more, window_.at(at, 1));
            const auto newline = more.find('\n');
            if (newline != std::string_view::npos) return at + static_cast<std::int64_t>(newline) + 1;
            at += static_cast<std::int64_t>(more.size());
        }
        return at;
    }

    // Ends what stands inside the delimiter's multipart, and the multipart itself at its final one.
    Result<void> closeBehind(const Delimiter& delimiter) {
        std::int64_t end = delimiter.line;
        if (end >= 2) {
            POSTERN_LET(before, window_.at(end - 2, 2));
            end -= before[0] == '\r' ? 2 : 1;
        }
        const std::size_t keep = delimiter.open + (delimiter.isFinal ? 0 : 1);
        while (open_.size() > keep) {
            Entity& e = entity(open_.back());
            e.end = open_.size() == delimiter.open + 1 ? delimiter.line : std::max(e.body, end);
            open_.pop_back();
        }
        return {};
    }

    Window window_;
    const Bounds& bounds_;
    Structure result_;
    std::vector<int> open_;  // the entities around the place that is read, outermost first
};

}  // namespace

Result<Structure> readStructure(ByteSource& source, const Bounds& bounds) {
    return StructureReader(source, bounds).run();
}

}  // namespace postern::mail
