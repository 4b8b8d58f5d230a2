#include "mail/message_header.h"

#include <algorithm>

#include "base/text.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/window.h"

namespace postern::mail {
namespace {

// Leading blanks behind the one after the colon are the sender's (KB Q146782).
std::string subjectText(std::string_view rawValue) {
    std::string text = decodeText(rawValue);
    while (!text.empty() && text.back() == ' ') text.pop_back();
    if (!text.empty() && text.front() == ' ') text.erase(0, 1);
    return text;
}

void readDate(const HeaderBlock& header, Readable& message) {
    const std::string_view raw = header.first("Date");
    message.date = parseDate(raw);
    if (message.date) return;
    message.dateText = std::string(trim(decodeText(raw)));
    message.notes.push_back(message.dateText.empty()
                                ? "no Date"
                                : "the Date can not be read: " + escapeLine(message.dateText, 100));
}

void noteRepeated(const HeaderBlock& header, Readable& message) {
    for (const char* name : {"From", "Subject", "Date", "To", "Cc", "Message-ID", "Content-Type"})
        if (const std::size_t times = header.times(name); times > 1)
            message.notes.push_back(std::to_string(times) + " headers named " + name +
                                    ", the first was used");
}

std::string shownList(std::string_view rawValue) {
    constexpr std::size_t kMost = 100;
    std::string out;
    const auto boxes = parseMailboxes(rawValue, kMost + 1);
    for (std::size_t i = 0; i < boxes.size() && i < kMost; ++i) {
        if (i > 0) out += ", ";
        out += boxes[i].name;
        if (boxes[i].address.empty()) continue;
        out += boxes[i].name.empty() ? boxes[i].address : " <" + boxes[i].address + ">";
    }
    return boxes.size() > kMost ? out + ", ..." : out;
}

class LooseReader {
  public:
    LooseReader(ByteSource& source, const Bounds& bounds) : window_(source), bounds_(bounds) {}

    Result<LooseHeader> run() {
        while (at_ < window_.size()) {
            POSTERN_LET(view, window_.at(at_, kLongestLine));
            const auto newline = view.find('\n');
            if (newline == std::string_view::npos || newline >= kLongestLine) {
                POSTERN_TRY(skipLine());
                keeping_ = false;
                continue;
            }
            const std::string_view line = view.substr(0, newline + 1);
            const bool isBlank = line == "\n" || line == "\r\n";
            const bool continues = at_ > 0 && (line.front() == ' ' || line.front() == '\t');
            if (!isBlank && !continues && !isFieldLine(line, at_ == 0)) break;
            at_ += static_cast<std::int64_t>(line.size());
            if (isBlank) break;
            if (!continues) endField();
            add(line);
        }
        endField();
        header_.body = at_;
        return std::move(header_);
    }

  private:
    static constexpr std::size_t kLongestLine = 64 * 1024;

    void add(std::string_view line) {
        const auto size = static_cast<std::int64_t>(field_.size() + line.size());
        keeping_ = keeping_ && size <= bounds_.header;
        if (keeping_) field_ += line;
    }

    void endField() {
        const auto size = static_cast<std::int64_t>(header_.block.size() + field_.size());
        if (keeping_ && size <= bounds_.headerBlock && ++fields_ <= bounds_.headers) header_.block += field_;
        field_.clear();
        keeping_ = true;
    }

    Result<void> skipLine() {
        while (at_ < window_.size()) {
            POSTERN_LET(view, window_.at(at_, 1));
            const auto newline = view.find('\n');
            at_ += static_cast<std::int64_t>(newline == std::string_view::npos ? view.size() : newline + 1);
            if (newline != std::string_view::npos) break;
        }
        return {};
    }

    Window window_;
    const Bounds& bounds_;
    LooseHeader header_;
    std::int64_t at_ = 0;
    std::string field_;
    bool keeping_ = true;
    int fields_ = 0;
};

}  // namespace

void readHeader(std::string block, Readable& message) {
    const HeaderBlock header(std::move(block));
    std::vector<Mailbox> from = parseMailboxes(header.first("From"), 1);
    if (from.empty()) from = parseMailboxes(header.first("Sender"), 1);
    if (from.empty())
        message.notes.push_back("no From");
    else
        message.from = std::move(from.front());
    message.to = parseMailboxes(header.first("To"));
    message.cc = parseMailboxes(header.first("Cc"));
    message.replyTo = parseMailboxes(header.first("Reply-To"));
    message.subject = subjectText(header.first("Subject"));
    readDate(header, message);
    const auto firstId = [&](std::string_view name) {
        auto ids = parseIds(header.first(name));
        return ids.empty() ? std::string() : std::move(ids.front());
    };
    message.messageId = firstId("Message-ID");
    message.inReplyTo = firstId("In-Reply-To");
    message.references = parseIds(header.first("References"));
    const std::string automatic = parseContent(header.first("Auto-Submitted")).value;
    message.automatic = !automatic.empty() && automatic != "no";
    noteRepeated(header, message);
    message.historyNotes = message.notes.size();
}

std::string headerAsText(std::string block) {
    const HeaderBlock header(std::move(block));
    std::string out;
    const auto line = [&](std::string_view name, const std::string& text) {
        if (!text.empty()) out.append(name).append(": ").append(text).append("\n");
    };
    line("From", shownList(header.first("From")));
    line("Date", std::string(trim(decodeText(header.first("Date")))));
    line("To", shownList(header.first("To")));
    line("Cc", shownList(header.first("Cc")));
    line("Subject", subjectText(header.first("Subject")));
    return out;
}

std::string externalAsText(std::string block) {
    constexpr std::size_t kMost = 20;
    const HeaderBlock header(std::move(block));
    const ContentField field = parseContent(header.first("Content-Type"));
    std::string out = "----- A file that is not in this message -----\n";
    std::size_t shown = 0;
    for (const auto& [name, value] : field.parameters) {
        if (++shown > kMost) break;
        // White space in a long address is folding (RFC 2017 3.1).
        std::string text = cleanLine(value);
        if (name == "url") std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
        out.append(cleanLine(name)).append(": ").append(text).append("\n");
    }
    if (shown > kMost) out += "and " + std::to_string(field.parameters.size() - kMost) + " more\n";
    return out;
}

Result<LooseHeader> readLooseHeader(ByteSource& source, const Bounds& bounds) {
    return LooseReader(source, bounds).run();
}

}  // namespace postern::mail
