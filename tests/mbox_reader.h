#pragma once
// A strict reader of mboxrd files, independent of the writer: what it does not find perfect it refuses.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::tests {

struct MboxMessage {
    std::string fromLine;            // without its line end
    std::string content;             // unquoted; without the empty line behind it
    std::size_t begin = 0, end = 0;  // in the file
};

struct MboxFile {
    std::vector<MboxMessage> messages;
    std::string fault;  // empty: the file is perfect
};

inline MboxFile readMbox(std::string_view file) {
    MboxFile out;
    bool afterEmpty = true;
    for (std::size_t at = 0; at < file.size();) {
        const std::size_t end = file.find('\n', at);
        if (end == std::string_view::npos) {
            out.fault = "the last line has no line end";
            return out;
        }
        const std::string_view line = file.substr(at, end - at);
        if (line.starts_with("From ")) {
            if (!afterEmpty) {
                out.fault = "no empty line before: " + std::string(line);
                return out;
            }
            out.messages.push_back({std::string(line), "", at, end + 1});
        } else if (out.messages.empty()) {
            out.fault = "it does not begin with a From line";
            return out;
        } else {
            const std::size_t quotes = line.find_first_not_of('>');
            const bool quoted =
                quotes != std::string_view::npos && quotes > 0 && line.substr(quotes).starts_with("From ");
            out.messages.back().content += std::string(line.substr(quoted ? 1 : 0)) + "\n";
            out.messages.back().end = end + 1;
        }
        afterEmpty = line.empty();
        at = end + 1;
    }
    if (!afterEmpty) out.fault = "no empty line at the end";
    for (MboxMessage& message : out.messages)
        if (message.content.ends_with("\n")) message.content.pop_back();
    return out;
}

}  // namespace postern::tests
