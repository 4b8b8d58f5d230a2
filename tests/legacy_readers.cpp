#include "tests/legacy_readers.h"

#include <algorithm>

#include "base/text.h"

namespace postern::tests {

namespace {

Error fault(const std::string& what, std::string_view line = {}) {
    return Error{Errc::Invalid, line.empty() ? what : what + ": " + escapeLine(line, 100)};
}

bool isPlain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// Takes a line off `rest`; an Error when its end is missing.
Result<std::string_view> takeLine(std::string_view& rest, std::string_view end) {
    const auto at = rest.find(end);
    if (at == std::string_view::npos) return fault("a line without its end", rest.substr(0, 60));
    const std::string_view line = rest.substr(0, at);
    rest.remove_prefix(at + end.size());
    return line;
}

Result<std::pair<std::string, std::string>> splitField(std::string_view line, std::string_view separator) {
    const auto at = line.find(separator);
    if (at == std::string_view::npos || at == 0) return fault("no field", line);
    return std::pair(std::string(line.substr(0, at)), std::string(line.substr(at + separator.size())));
}

Result<std::string> takeBytes(std::string_view& rest, std::string_view size) {
    const auto count = parseInt(size);
    if (!count || *count < 0 || static_cast<std::size_t>(*count) > rest.size())
        return fault("no such size", size);
    std::string bytes(rest.substr(0, static_cast<std::size_t>(*count)));
    rest.remove_prefix(bytes.size());
    return bytes;
}

Result<std::string> takeSection(std::string_view& rest, std::string_view size) {
    POSTERN_LET(bytes, takeBytes(rest, size));
    if (!rest.starts_with("\r\n")) return fault("no line end behind a section of", size);
    rest.remove_prefix(2);
    return bytes;
}

// "12 name of it".
Result<std::pair<std::string, std::string>> sizeAndName(const std::string& text) {
    const auto blank = text.find(' ');
    if (blank == std::string::npos || blank + 1 == text.size()) return fault("no size and name", text);
    return std::pair(text.substr(0, blank), text.substr(blank + 1));
}

// What the title of the transfer takes when it is the subject in encoded words of UTF-8, as pat 0.13 writes
// it: words of at most 75 bytes, a character whole in one, blanks between them.
std::size_t titleBytes(std::string_view subject) {
    constexpr std::string_view kWord = "=?iso-8859-1?q?", kPlainWord = "=?us-ascii?q?";
    const std::string_view start = subject.starts_with(kWord) ? kWord : kPlainWord;
    if (!subject.starts_with(start) || !subject.ends_with("?=")) return subject.size();
    const std::string_view inside = subject.substr(start.size(), subject.size() - start.size() - 2);
    constexpr std::size_t kInside = 63, kMarks = 12;
    std::size_t whole = kMarks, word = 0;
    for (std::size_t at = 0; at < inside.size();) {
        const bool coded = inside[at] == '=';
        const std::size_t size = !coded ? 1 : inside[at + 1] >= '8' ? 6 : 3;
        if (word + size > kInside) whole += kMarks + 1, word = 0;
        whole += size, word += size;
        at += coded ? 3 : 1;
    }
    return whole;
}

// What pat refuses to send; it says so in its log alone.
Result<void> checkForPat(const B2fMessage& message) {
    if (message.subject.empty()) return fault("an empty subject");
    if (message.subject.size() > 128) return fault("a subject over 128 bytes", message.subject);
    if (titleBytes(message.subject) + 6 + 2 > 255) return fault("a title over 255 bytes", message.subject);
    if (message.from.empty()) return fault("nobody in From");
    for (const LegacyFile& file : message.files)
        if (file.name.size() > 255) return fault("a file's name over 255 bytes", file.name);
    return {};
}

}  // namespace

Result<B2fMessage> readB2f(std::string_view bytes) {
    B2fMessage message;
    std::string bodySize;
    std::vector<std::pair<std::string, std::string>> files;
    for (;;) {
        POSTERN_LET(line, takeLine(bytes, "\r\n"));
        if (line.empty()) break;
        if (!isPlain(line)) return fault("a header line that is not plain", line);
        POSTERN_LET(field, splitField(line, ": "));
        const auto& [name, value] = field;
        if (value != trim(value)) return fault("blanks around a value", line);
        if (name == "File") {
            POSTERN_LET(file, sizeAndName(value));
            files.push_back(file);
            continue;
        }
        if (name == "To" || name == "Cc") {
            (name == "To" ? message.to : message.cc).push_back(value);
            continue;
        }
        std::string* into = name == "Mid"                                                   ? &message.id
                            : name == "Body"                                                ? &bodySize
                            : name == "From"                                                ? &message.from
                            : name == "Subject"                                             ? &message.subject
                            : name == "Date"                                                ? &message.date
                            : name == "Mbo"                                                 ? &message.mbo
                            : name == "Type"                                                ? &message.type
                            : name == "Content-Type" || name == "Content-Transfer-Encoding" ? &message.charset
                                                                                            : nullptr;
        if (into == nullptr) return fault("an unknown field", line);
        *into = value;
    }
    if (message.id.empty() || message.id.size() > 12) return fault("no message id", message.id);
    if (message.to.empty()) return fault("nobody in To");
    if (message.date.size() != 16 || message.date[4] != '/' || message.date[13] != ':')
        return fault("no date", message.date);
    POSTERN_LET(body, takeSection(bytes, bodySize));
    if (trim(body).empty()) return fault("an empty body");
    message.body = body;
    for (const auto& [size, name] : files) {
        POSTERN_LET(data, takeSection(bytes, size));
        message.files.push_back({name, data});
    }
    if (!bytes.empty()) return fault("bytes behind the end", bytes);
    POSTERN_TRY(checkForPat(message));
    return message;
}

std::string SmfMessage::field(std::string_view name) const {
    for (const auto& [key, value] : fields)
        if (key == name) return value;
    return {};
}

// Commas inside of braces separate nothing.
std::vector<std::string> SmfMessage::to() const {
    std::vector<std::string> all(1);
    int depth = 0;
    for (const char c : field("To")) {
        if (c == '{') ++depth;
        if (c == '}') --depth;
        if (c == ',' && depth == 0)
            all.emplace_back();
        else if (c != ' ' || !all.back().empty())
            all.back() += c;
    }
    return all;
}

Result<SmfMessage> readSmf(std::string_view bytes) {
    SmfMessage message;
    POSTERN_LET(first, takeLine(bytes, "\r\n"));
    if (first != "SMF-70" && first != "SMF-71") return fault("no SMF message", first);
    message.format = first;
    static constexpr std::string_view kKnown[] = {"To",   "From",       "Subject",
                                                  "Date", "Attachment", "Attachment-name"};
    std::string parcel;
    for (;;) {
        POSTERN_LET(line, takeLine(bytes, "\r\n"));
        if (line.empty()) break;
        POSTERN_LET(field, splitField(line, ": "));
        const auto& [name, value] = field;
        if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
            return fault("a field that SMF-70 does not know", line);
        if (value.find_first_of("\r\n\t") != std::string::npos) return fault("a folded line", line);
        if (name == "Attachment") {
            if (!parcel.empty() || value.size() != 8) return fault("no parcel's file", line);
            parcel = value;
        } else if (name == "Attachment-name") {
            if (parcel.empty()) return fault("a name before its parcel", line);
            message.parcels.push_back({parcel, value});
            parcel.clear();
        } else if (!message.field(name).empty()) {
            return fault("a field twice", line);
        }
        message.fields.push_back(field);
    }
    if (!parcel.empty()) return fault("a parcel without a name", parcel);
    if (message.field("To").empty() || message.field("From").empty()) return fault("no To or From");
    message.body = bytes;
    for (const std::string_view line : split(message.body, '\n'))
        if (line.size() > 79) return fault("a line that loses its end", line);
    return message;
}

Result<MmffMessage> readMmff(std::string_view bytes, std::string_view end) {
    MmffMessage message;
    POSTERN_LET(first, takeLine(bytes, end));
    if (first != "VERSION:3.00") return fault("no MMFF file", first);
    std::vector<std::pair<std::string, std::string>> files;
    for (;;) {
        POSTERN_LET(line, takeLine(bytes, end));
        POSTERN_LET(field, splitField(line, ":"));
        const auto& [name, value] = field;
        if (value.find_first_of("\r\n") != std::string::npos) return fault("a line end inside", line);
        if (name == "TEXT") {
            POSTERN_LET(text, takeBytes(bytes, value));
            message.text = text;
            break;
        }
        if (name == "ATTACHMENTS") {
            const auto blank = value.rfind(' ');
            if (blank == std::string::npos) return fault("no attachment", line);
            files.push_back({value.substr(0, blank), value.substr(blank + 1)});
        } else if (name == "TO") {
            message.to.push_back(value);
        } else if (name == "FROM") {
            message.from = value;
        } else if (name == "DATE") {
            message.date = value;
        } else if (name == "TIME") {
            message.time = value;
        } else if (name == "SUBJECT") {
            message.subject = value;
        } else if (name != "PRIORITY" || value != "3") {
            return fault("a line that the basic format does not know", line);
        }
    }
    if (message.to.empty() || message.from.empty()) return fault("no TO or FROM");
    for (const auto& [name, size] : files) {
        POSTERN_LET(data, takeBytes(bytes, size));
        message.files.push_back({name, data});
    }
    if (!bytes.empty()) return fault("bytes behind the end", bytes);
    return message;
}

std::string GwApiMessage::keyword(std::string_view name) const {
    for (const auto& [key, value] : keywords)
        if (key == name) return value;
    return {};
}

std::vector<std::string> GwApiMessage::to() const {
    std::vector<std::string> all;
    bool inside = false;
    for (const auto& [key, value] : keywords) {
        if (key == "TO" || key == "TO-CC") inside = true;
        if (key == "MSG-PRIORITY") inside = false;
        if (inside && key == "CDBA") all.push_back(value);
    }
    return all;
}

// A keyword, "=", a value to the next ";". One with a list of keywords has none of its own, and a ";" alone
// ends it; a "," stands between two of a list.
Result<GwApiMessage> readGwApi(std::string_view bytes) {
    GwApiMessage message;
    POSTERN_LET(first, takeLine(bytes, "\r\n"));
    if (first != "WPC-API= 1.2;") return fault("no keyword file", first);
    if (!bytes.ends_with("-END-\r\n")) return fault("no end");
    bytes.remove_suffix(7);
    int open = 0;
    while (!bytes.empty()) {
        POSTERN_LET(whole, takeLine(bytes, "\r\n"));
        std::string_view line = trim(whole);
        if (line == ";,") continue;  // another of the list
        if (line == ";") {
            if (--open < 0) return fault("a list ends that did not begin");
            continue;
        }
        if (line == ",") continue;
        POSTERN_LET(field, splitField(line, "="));
        const std::string name = upperAscii(field.first);
        const std::string_view value = trim(field.second);
        if (value.empty()) {
            if (open == 0 || name == "TO" || name == "TO-CC") ++open;
            message.keywords.push_back({name, ""});
            continue;
        }
        if (!value.ends_with(";")) return fault("a value without its end", line);
        const std::string text(trim(value.substr(0, value.size() - 1)));
        if (text.find(';') != std::string::npos) return fault("a value that ends early", line);
        if (name == "CURRENT-FILE") message.attachments.push_back({text, "", ""});
        if (name == "SIZE" && !message.attachments.empty()) message.attachments.back().size = text;
        if (name == "ORIGINAL-FILE" && !message.attachments.empty())
            message.attachments.back().original = text;
        message.keywords.push_back({name, text});
    }
    if (open != 0) return fault("a list that does not end");
    return message;
}

}  // namespace postern::tests
