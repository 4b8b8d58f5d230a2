#include "adapters/long_lines.h"

#include "mail/charset.h"
#include "mail/text.h"

namespace postern::adapters {

namespace {

// Of one line without its end. Characters of several bytes are never cut.
std::string broken(std::string_view line, const mail::Profile& profile, std::string_view end) {
    const auto most = static_cast<std::size_t>(profile.columns);
    const mail::Letters letters = mail::lettersOf(profile.charset);
    const std::string utf8 = mail::toUtf8(line, profile.charset);
    std::string out, piece;
    std::size_t columns = 0;
    for (std::size_t at = 0; at < utf8.size();) {
        std::size_t next = at + 1;
        while (next < utf8.size() && (static_cast<unsigned char>(utf8[next]) & 0xc0) == 0x80) ++next;
        const std::string_view character(utf8.data() + at, next - at);
        const auto width = static_cast<std::size_t>(mail::displayColumns(character, letters));
        if (columns + width > most && !piece.empty()) {
            out.append(mail::fromUtf8(piece, profile.charset).bytes).append(end);
            piece.clear();
            columns = 0;
        }
        piece += character;
        columns += width;
        at = next;
    }
    return out + mail::fromUtf8(piece, profile.charset).bytes;
}

std::string withShortLines(std::string_view text, const mail::Profile& profile) {
    const std::string_view end = profile.crlf ? "\r\n" : "\n";
    std::string out;
    while (!text.empty()) {
        const auto at = text.find(end);
        const std::string_view line = text.substr(0, at);
        out += line.size() > static_cast<std::size_t>(profile.columns) ? broken(line, profile, end)
                                                                       : std::string(line);
        if (at == std::string_view::npos) return out;
        out += end;
        text.remove_prefix(at + end.size());
    }
    return out;
}

}  // namespace

void breakLongLines(const mail::Profile& profile, mail::Converted& body) {
    if (profile.columns == 0) return;
    for (std::string& text : body.texts) text = withShortLines(text, profile);
}

}  // namespace postern::adapters
