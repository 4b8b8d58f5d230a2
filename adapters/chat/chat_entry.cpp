#include "adapters/chat/chat_entry.h"

#include <optional>

#include "adapters/chat/chat_text.h"
#include "adapters/envelope_text.h"
#include "base/hex.h"
#include "base/text.h"

namespace postern::adapters::chat {

namespace {

constexpr std::string_view kFirstLine = "postern-chat 1";
constexpr std::size_t kLongestTarget = 64;

std::optional<std::string_view> after(std::string_view word, std::string_view line) {
    if (!line.starts_with(word)) return std::nullopt;
    return line.substr(word.size());
}

}  // namespace

std::string entryText(const Entry& entry) {
    std::string text(kFirstLine);
    text += "\nitem " + std::to_string(entry.item.value) + "\nto " + entry.to + "\n\n";
    for (const std::string& line : entry.lines) text += line + "\n";
    return text;
}

Result<Entry> readEntry(std::string_view text) {
    const auto lines = split(text, '\n');
    const Error none = fail(Errc::Invalid, "it is no entry of a chat's log, or one that was cut off");
    if (lines.size() < 6 || lines[0] != kFirstLine || !lines[3].empty() || !lines.back().empty()) return none;
    const auto item = parseInt(after("item ", lines[1]).value_or(""));
    const auto to = after("to ", lines[2]);
    if (!item || *item <= 0 || !to || !targetProblem(*to).empty()) return none;
    Entry entry;
    entry.item = ItemId{*item};
    entry.to = *to;
    for (std::size_t i = 4; i + 1 < lines.size(); ++i) {
        for (std::string& piece : piecesOf(cleanLine(lines[i]), roomFor("", *to)))
            entry.lines.push_back(std::move(piece));
    }
    return entry;
}

bool isChannel(std::string_view target) {
    return target.starts_with('#');
}

std::string awayReason(std::string_view account) {
    return std::string(account) + " is not in the chat now";
}

std::string targetProblem(std::string_view target) {
    if (target.empty() || target == "#") return "it has no name";
    if (target.size() > kLongestTarget) return "it is longer than 64 bytes";
    if (cleanLine(target) != target) return "it has control characters, or blanks at an end";
    if (isChannel(target) && target.find_first_of(" ,:") != std::string_view::npos)
        return "a channel has no blanks, commas and colons";
    return {};
}

Result<std::string> logFolder(std::string_view target) {
    if (const std::string problem = targetProblem(target); !problem.empty())
        return fail(Errc::Invalid, "'" + escapeLine(target, 100) + "' is nobody in a chat: " + problem);
    return folderName(lowerAscii(target));
}

std::string targetOfLog(std::string_view folder) {
    std::string target;
    for (std::size_t i = 0; i < folder.size(); ++i) {
        if (folder[i] != '%') {
            target += folder[i];
            continue;
        }
        const int high = i + 2 < folder.size() ? hexDigit(folder[i + 1]) : -1;
        const int low = high < 0 ? -1 : hexDigit(folder[i + 2]);
        if (low < 0) return {};
        target += static_cast<char>(high * 16 + low);
        i += 2;
    }
    const auto same = logFolder(target);
    return same.ok() && *same == folder ? target : std::string();
}

}  // namespace postern::adapters::chat
