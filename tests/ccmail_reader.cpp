#include "tests/ccmail_reader.h"

#include <regex>

#include "base/text.h"

namespace postern::tests {

namespace {

class Reader {
  public:
    Reader(std::string_view bytes, std::size_t sizeColumns) : bytes_(bytes), columns_(sizeColumns) {}

    Result<CcmailMessage> read() {
        CcmailMessage message;
        POSTERN_TRY(label("Message:"));
        POSTERN_LET(messageEnd, containerEnd(bytes_.size()));
        if (messageEnd != bytes_.size()) return wrong("bytes behind the message");
        POSTERN_TRY(header(message));
        POSTERN_LET(contentsEnd, containerEnd(messageEnd));
        if (contentsEnd != messageEnd) return wrong("the contents do not end with the message");
        while (at_ < contentsEnd) POSTERN_TRY(item(message, contentsEnd));
        if (message.items.empty()) return wrong("no item");
        return message;
    }

  private:
    Error wrong(const std::string& what) const {
        return fail(Errc::Invalid, "at byte " + std::to_string(at_) + ": " + what);
    }

    // A line without its CRLF; no other control character is allowed in it.
    Result<std::string> line() {
        const auto end = bytes_.find("\r\n", at_);
        if (end == std::string_view::npos) return wrong("a line without an end");
        const std::string_view text = bytes_.substr(at_, end - at_);
        for (const char c : text)
            if (static_cast<unsigned char>(c) < 0x20) return wrong("a control character in a line");
        at_ = end + 2;
        return std::string(text);
    }

    Result<void> label(const std::string& wanted) {
        POSTERN_LET(got, line());
        if (got != wanted) return wrong("'" + got + "' where '" + wanted + "' should be");
        return {};
    }

    // Reads a size line; the end of what it counts, which lies within `outer`.
    Result<std::size_t> containerEnd(std::size_t outer) {
        POSTERN_LET(text, line());
        const std::string digits = text.substr(0, text.find_last_not_of(' ') + 1);
        const auto size = parseInt(digits);
        if (!size || *size < 0 || std::to_string(*size) != digits)
            return wrong("'" + text + "' is not a size");
        if (columns_ == 0 ? text != digits : text.size() != std::max(columns_, digits.size()))
            return wrong("the size '" + text + "' has the wrong width");
        if (static_cast<std::size_t>(*size) > outer - at_) return wrong("a size leads out of its container");
        return at_ + static_cast<std::size_t>(*size);
    }

    Result<void> header(CcmailMessage& message) {
        const std::size_t begin = at_;
        int stage = -1;  // From, Date, To, cc, Bcc, Subject: in this order
        for (;;) {
            const std::size_t before = at_;
            POSTERN_LET(text, line());
            if (text == "Contents:") {
                message.headerBytes = before - begin;
                break;
            }
            const auto colon = text.find(": ");
            if (colon == std::string::npos) return wrong("'" + text + "' is no header line");
            const int next = stageOf(text.substr(0, colon));
            const bool repeats = next >= 2 && next <= 4;
            if (next < stage || (next == stage && !repeats)) return wrong("'" + text + "' is out of order");
            stage = next;
            keep(message, stage, text.substr(0, colon), text.substr(colon + 2));
        }
        if (stage != 5 || message.from.empty() || message.date.empty() || message.recipients.empty())
            return wrong("the header lacks a line");
        return {};
    }

    static int stageOf(const std::string& name) {
        static const std::vector<std::string> kOrder = {"From", "Date", "To", "cc", "Bcc", "Subject"};
        for (std::size_t i = 0; i < kOrder.size(); ++i)
            if (kOrder[i] == name) return static_cast<int>(i);
        return -1;
    }

    static void keep(CcmailMessage& message, int stage, std::string name, std::string value) {
        if (stage == 0)
            message.from = std::move(value);
        else if (stage == 1)
            message.date = std::move(value);
        else if (stage == 5)
            message.subject = std::move(value);
        else
            message.recipients.emplace_back(std::move(name), std::move(value));
    }

    Result<void> item(CcmailMessage& message, std::size_t outer) {
        POSTERN_LET(text, line());
        CcmailItem made;
        static const std::string kFile = "File item: ";
        if (text.starts_with(kFile)) {
            made.isFile = true;
            std::tie(made.name, made.date) = splitFileTitle(text.substr(kFile.size()));
            if (made.name.empty()) return wrong("a file without a name");
        } else if (text != "Text item:") {
            return wrong("'" + text + "' is no item");
        }
        POSTERN_LET(end, containerEnd(outer));
        made.data = bytes_.substr(at_, end - at_);
        at_ = end;
        message.items.push_back(std::move(made));
        return {};
    }

    std::string_view bytes_;
    std::size_t columns_;
    std::size_t at_ = 0;
};

}  // namespace

std::string CcmailMessage::text() const {
    std::string all;
    for (const CcmailItem& item : items)
        if (!item.isFile) all += item.data;
    return all;
}

Result<CcmailMessage> readCcmail(std::string_view bytes, std::size_t sizeColumns) {
    return Reader(bytes, sizeColumns).read();
}

std::pair<std::string, std::string> splitFileTitle(std::string_view title) {
    static const std::regex kDate(
        R"(^(.*\S)\s+(\d{1,4}[/-]\d{1,2}[/-]\d{1,4}(\s+\d{1,2}:\d{2}(:\d{2})?\s?([AaPp][Mm])?)?)$)");
    const std::string text(title);
    std::smatch found;
    if (!std::regex_match(text, found, kDate)) return {text, {}};
    return {found[1], found[2]};
}

}  // namespace postern::tests
