#pragma once
// A strict reader of FBB's import file, independent of the writer: what it does not find perfect it refuses.

#include <string>
#include <string_view>
#include <vector>

namespace postern::tests {

struct FbbMessage {
    std::string type, to, route, from, bid;  // of the first line; route and from may be empty
    std::string title;
    std::string content;             // the lines between title and "/EX", each ends with LF
    std::size_t begin = 0, end = 0;  // in the file
};

struct FbbFile {
    std::vector<FbbMessage> messages;
    std::string fault;  // empty: the file is perfect
};

// "SP TO @ ROUTE < FROM $BID"; false when it is anything else.
inline bool readFbbCommand(std::string_view line, FbbMessage& into) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at <= line.size();) {
        const std::size_t end = std::min(line.find(' ', at), line.size());
        words.emplace_back(line.substr(at, end - at));
        at = end + 1;
    }
    const auto isCall = [](const std::string& text, std::size_t most) {
        if (text.empty() || text.size() > most) return false;
        for (const char c : text)
            if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '.' && c != '#') return false;
        return true;
    };
    if (words.size() < 2 || (words[0] != "SP" && words[0] != "SB" && words[0] != "ST")) return false;
    into.type = words[0];
    into.to = words[1];
    std::size_t next = 2;
    if (next + 1 < words.size() && words[next] == "@") {
        into.route = words[next + 1];
        next += 2;
        if (!isCall(into.route, 40)) return false;
    }
    if (next + 1 < words.size() && words[next] == "<") {
        into.from = words[next + 1];
        next += 2;
        if (!isCall(into.from, 6)) return false;
    }
    if (next < words.size() && words[next].starts_with("$")) into.bid = words[next++].substr(1);
    return next == words.size() && isCall(into.to, 6) && isCall(into.bid, 12);
}

inline FbbFile readFbb(std::string_view file) {
    FbbFile out;
    enum { Command, Title, Text } state = Command;
    FbbMessage message;
    for (std::size_t at = 0; at < file.size();) {
        const std::size_t end = file.find('\n', at);
        if (end == std::string_view::npos) {
            out.fault = "the last line has no line end";
            return out;
        }
        std::string_view line = file.substr(at, end - at);
        if (line.ends_with("\r")) line.remove_suffix(1);
        if (line.size() > 80 || line.find('\x1a') != std::string_view::npos) {
            out.fault = "a line no board can take: " + std::string(line);
            return out;
        }
        if (state == Command) {
            message = {};
            message.begin = at;
            if (!readFbbCommand(line, message)) {
                out.fault = "no command: " + std::string(line);
                return out;
            }
            state = Title;
        } else if (state == Title) {
            message.title = line;
            if (line.empty()) {
                out.fault = "a message without a title";
                return out;
            }
            state = Text;
        } else if (line == "/EX") {
            message.end = end + 1;
            out.messages.push_back(message);
            state = Command;
        } else if (line.starts_with("/EX") || line.starts_with("/ex")) {
            out.fault = "a line that ends the message early: " + std::string(line);
            return out;
        } else {
            message.content.append(line).append("\n");
        }
        at = end + 1;
    }
    if (state != Command) out.fault = "the last message does not end";
    return out;
}

}  // namespace postern::tests
