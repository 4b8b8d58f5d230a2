#include "connector/chat/modes.h"

namespace postern::chat {

namespace {

bool takesParameter(char letter, bool on) {
    if (letter == 'l') return on;
    return letter == 'o' || letter == 'v' || letter == 'b' || letter == 'k';
}

// A character of several bytes is one letter that nobody knows: its bytes alone would not be UTF-8.
bool continuesCharacter(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0u) == 0x80u;
}
char asLetter(char byte) {
    return static_cast<unsigned char>(byte) < 0x80u ? byte : '?';
}

}  // namespace

std::vector<ModeChange> readModes(const std::vector<std::string>& words) {
    std::vector<ModeChange> changes;
    std::size_t next = 0;
    while (next < words.size()) {
        const std::string& letters = words[next++];
        bool on = true;
        for (const char letter : letters) {
            if (letter == '+' || letter == '-') {
                on = letter == '+';
                continue;
            }
            if (continuesCharacter(letter)) continue;
            if (changes.size() == kMostModes) return changes;
            ModeChange change{on, asLetter(letter), {}};
            if (takesParameter(letter, on) && next < words.size()) change.parameter = words[next++];
            changes.push_back(std::move(change));
        }
    }
    return changes;
}

std::vector<std::string> writeModes(const std::vector<ModeChange>& changes) {
    std::vector<std::string> words{""};
    std::optional<bool> sign;
    for (const ModeChange& change : changes) {
        if (sign != change.on) words.front() += change.on ? '+' : '-';
        sign = change.on;
        words.front() += change.letter;
        if (change.parameter) words.push_back(*change.parameter);
    }
    return words;
}

}  // namespace postern::chat
