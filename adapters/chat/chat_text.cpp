#include "adapters/chat/chat_text.h"

#include <algorithm>

#include "base/text.h"

namespace postern::adapters::chat {

namespace {

// Of the valid character that `text` begins with; 0: it begins with none.
std::size_t characterLength(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    return length <= text.size() && validUtf8(text.substr(0, length)) ? length : 0;
}

// TAB, LF, VT, FF, CR, NEL, and the line and paragraph separators of Unicode.
bool separates(std::string_view character) {
    if (character.size() == 1) return character[0] >= '\t' && character[0] <= '\r';
    return character == "\xc2\x85" || character == "\xe2\x80\xa8" || character == "\xe2\x80\xa9";
}

// Control characters, and what turns the direction of all that follows (U+202A to 202E, U+2066 to 2069).
bool unwanted(std::string_view character) {
    const auto first = static_cast<unsigned char>(character.front());
    const auto last = static_cast<unsigned char>(character.back());
    if (character.size() == 1) return first < 0x20 || first == 0x7f;
    if (character.size() == 2) return first == 0xc2 && last < 0xa0;
    const std::string_view start = character.substr(0, 2);
    return character.size() == 3 && ((start == "\xe2\x80" && last >= 0xaa && last <= 0xae) ||
                                     (start == "\xe2\x81" && last >= 0xa6 && last <= 0xa9));
}

// Clean, and at most `limit` bytes, what is cut off marked; or `none`.
std::string clipped(std::string_view given, std::size_t limit, const char* none) {
    const std::string text = cleanLine(given);
    if (text.empty()) return none;
    if (text.size() <= limit) return text;
    return std::string(cutUtf8(text, limit - 3)) + "...";
}

}  // namespace

std::string cleanLine(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = characterLength(text);
        const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
        text.remove_prefix(character.size());
        if (length == 0) {
            out += '?';
        } else if (separates(character)) {
            out += ' ';
        } else if (!unwanted(character)) {
            out += character;
        }
    }
    return std::string(trim(out));
}

std::vector<std::string> piecesOf(std::string_view text, std::size_t room) {
    std::vector<std::string> pieces;
    while (text.size() > room) {
        std::string_view piece = cutUtf8(text, room);
        const std::size_t blank = text[piece.size()] == ' ' ? piece.size() : piece.rfind(' ');
        if (blank != std::string_view::npos && blank > 0) piece = piece.substr(0, blank);
        pieces.emplace_back(trim(piece));
        text = trim(text.substr(piece.size()));
    }
    if (!text.empty()) pieces.emplace_back(text);
    return pieces;
}

std::vector<std::string> linesOf(ItemId item, Letter& letter, std::size_t room) {
    const std::string number = std::to_string(item.value);
    const std::string files =
        letter.files == 0 ? ""
                          : " (" + std::to_string(letter.files) + (letter.files == 1 ? " file)" : " files)");
    const std::string author = clipped(letter.author, room / 3, "(nobody)");
    const std::string begin = number + "> " + author + ": ";
    std::vector<std::string> lines;
    lines.push_back(begin + clipped(letter.subject, room - begin.size() - files.size(), "(no subject)") +
                    files);
    letter.untold = 0;
    for (const std::string_view line : split(letter.text, '\n')) {
        for (const std::string& piece : piecesOf(cleanLine(line), room - number.size() - 2)) {
            if (lines.size() < kMostLines) {
                lines.push_back(number + "| " + piece);
            } else {
                ++letter.untold;
            }
        }
    }
    if (letter.untold > 0) {
        ++letter.untold;  // the one whose place the count takes
        lines.back() =
            number + "| ... " + std::to_string(letter.untold) + " more: postern queue export " + number;
    }
    return lines;
}

std::size_t roomFor(std::string_view hostname, std::string_view target) {
    constexpr std::size_t kLine = 510, kLongestNick = 30, kLeast = 100;
    const std::size_t around = std::string_view(":!postern@ PRIVMSG  :2023-11-14T22:13:20Z ").size() +
                               kLongestNick + hostname.size() + std::max(target.size(), kLongestNick);
    return around + kLeast > kLine ? kLeast : kLine - around;
}

}  // namespace postern::adapters::chat
