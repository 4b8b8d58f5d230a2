#include "connector/chat/message.h"

#include <algorithm>

#include "base/text.h"

namespace postern::chat {

namespace {

constexpr std::string_view kNeverInside("\0\r\n", 3);

std::string_view takeWord(std::string_view& rest) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    return word;
}

void readTags(std::string_view text, Tags& into) {
    for (const std::string_view tag : split(text, ';')) {
        const std::size_t equals = std::min(tag.find('='), tag.size());
        const std::string_view name = tag.substr(0, equals);
        if (name.empty() || name == "+") continue;
        const std::string_view value = equals < tag.size() ? tag.substr(equals + 1) : std::string_view();
        into.insert_or_assign(std::string(name), unescapeTag(value));
    }
}

void readParameters(std::string_view rest, std::vector<std::string>& into) {
    while (!rest.empty()) {
        if (rest.front() == ':') {
            into.emplace_back(rest.substr(1));
            return;
        }
        if (into.size() + 1 == kMostParameters) {
            into.emplace_back(rest);
            return;
        }
        into.emplace_back(takeWord(rest));
    }
}

// A parameter that is not the last, as it may stand there.
std::string middle(std::string_view text) {
    if (text.empty()) return "*";
    std::string out(text);
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c == ' '; }, '_');
    if (out.front() == ':') out.front() = '_';
    return out;
}

void append(std::string& line, std::string_view text) {
    for (const char c : text) {
        if (kNeverInside.find(c) == std::string_view::npos) line += c;
    }
}

}  // namespace

const std::string& Message::parameter(std::size_t number) const {
    static const std::string none;
    return number < parameters.size() ? parameters[number] : none;
}

Parsed parseMessage(std::string_view line, Message& into) {
    into = Message();
    std::string_view rest = line;
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    std::size_t tagBytes = 0;
    if (!rest.empty() && rest.front() == '@') {
        const std::size_t before = rest.size();
        const std::string_view tags = takeWord(rest);
        tagBytes = before - rest.size();
        if (tagBytes > kLongestClientTags) return Parsed::TooLong;
        readTags(tags.substr(1), into.tags);
    }
    if (rest.size() > kLongestBody) return Parsed::TooLong;
    if (!rest.empty() && rest.front() == ':') into.source = takeWord(rest).substr(1);
    into.command = upperAscii(takeWord(rest));
    readParameters(rest, into.parameters);
    if (line.find_first_of(kNeverInside) != std::string_view::npos) return Parsed::BadBytes;
    if (!validUtf8(line)) return Parsed::NoUtf8;
    return into.command.empty() ? Parsed::Empty : Parsed::Good;
}

std::string escapeTag(std::string_view value) {
    std::string out;
    for (const char c : value) {
        switch (c) {
            case ';': out += "\\:"; break;
            case ' ': out += "\\s"; break;
            case '\\': out += "\\\\"; break;
            case '\r': out += "\\r"; break;
            case '\n': out += "\\n"; break;
            case '\0': break;
            default: out += c;
        }
    }
    return out;
}

std::string unescapeTag(std::string_view value) {
    std::string out;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] != '\\') {
            out += value[i];
        } else if (++i < value.size()) {
            const std::string_view names = ":srn", bytes = "; \r\n";
            const std::size_t found = names.find(value[i]);
            out += found == std::string_view::npos ? value[i] : bytes[found];
        }
    }
    return out;
}

std::string tagText(const Tags& tags) {
    if (tags.empty()) return {};
    std::string out;
    for (const auto& [name, value] : tags) {
        out += out.empty() ? '@' : ';';
        out += name;
        if (!value.empty()) out += '=' + escapeTag(value);
    }
    return out + ' ';
}

std::string writeMessage(std::string_view source, std::string_view command,
                         const std::vector<std::string>& parameters, bool colon) {
    std::string line;
    if (!source.empty()) append(line, ":" + middle(source) + " ");
    append(line, command);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const std::string& text = parameters[i];
        const bool last = i + 1 == parameters.size();
        line += ' ';
        if (!last) {
            append(line, middle(text));
            continue;
        }
        if (colon || text.empty() || text.front() == ':' || text.find(' ') != std::string::npos) line += ':';
        append(line, text);
    }
    line.resize(cutUtf8(line, kLongestBody).size());
    return line;
}

}  // namespace postern::chat
