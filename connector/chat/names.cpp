#include "connector/chat/names.h"

#include <algorithm>

#include "base/text.h"
#include "connector/addresses/glob.h"

namespace postern::chat {

namespace {

bool isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool isDigit(char c) {
    return c >= '0' && c <= '9';
}
bool isSpecial(char c) {
    return std::string_view("[]\\`_^{|}").find(c) != std::string_view::npos;
}

std::string orStar(std::string_view part) {
    return part.empty() ? "*" : std::string(part);
}

}  // namespace

std::string fold(std::string_view name) {
    return lowerAscii(name);
}

bool validNick(std::string_view nick, std::size_t longest) {
    if (nick.empty() || nick.size() > longest) return false;
    if (!isLetter(nick.front()) && !isSpecial(nick.front())) return false;
    return std::all_of(nick.begin(), nick.end(),
                       [](char c) { return isLetter(c) || isDigit(c) || isSpecial(c) || c == '-'; });
}

bool isChannel(std::string_view name) {
    return name.starts_with('#');
}

bool validChannel(std::string_view name, std::size_t longest) {
    if (!isChannel(name) || name.size() < 2 || name.size() > longest || !validUtf8(name)) return false;
    return std::none_of(name.begin(), name.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= ' ' || byte == 0x7f || c == ',' || c == ':';
    });
}

bool validUser(std::string_view user) {
    return !user.empty() && std::all_of(user.begin(), user.end(), [](char c) {
        return c > ' ' && c < 0x7f && c != '!' && c != '@' && c != ':';
    });
}

std::string wholeMask(std::string_view mask) {
    const std::size_t bang = mask.find('!');
    const std::size_t at = mask.find('@', bang == std::string_view::npos ? 0 : bang);
    if (bang == std::string_view::npos && at == std::string_view::npos) return orStar(mask) + "!*@*";
    const std::string nick = bang == std::string_view::npos ? "*" : orStar(mask.substr(0, bang));
    const std::size_t userStart = bang == std::string_view::npos ? 0 : bang + 1;
    const std::size_t userEnd = std::min(at, mask.size());
    const std::string host = at == std::string_view::npos ? "*" : orStar(mask.substr(at + 1));
    return nick + "!" + orStar(mask.substr(userStart, userEnd - userStart)) + "@" + host;
}

bool fitsMask(std::string_view mask, std::string_view who) {
    return addresses::globMatches(mask, who);
}

bool hasWildcard(std::string_view mask) {
    return mask.find_first_of("*?") != std::string_view::npos;
}

}  // namespace postern::chat
