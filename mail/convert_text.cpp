#include "mail/convert_text.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/text.h"
#include "mail/code_page.h"
#include "mail/fallback.h"
#include "mail/text.h"

namespace postern::mail {
namespace {

std::string expandedTabs(std::string_view text, Letters letters) {
    std::string out;
    out.reserve(text.size() + text.size() / 8);
    int column = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of("\t\n"), text.size());
        const std::string_view run = text.substr(0, end);
        out.append(run);
        text.remove_prefix(end);
        if (text.empty()) break;
        const bool isBreak = text.front() == '\n';
        text.remove_prefix(1);
        if (isBreak) {
            out += '\n';
            column = 0;
            continue;
        }
        column += displayColumns(run, letters);
        const int blanks = 8 - column % 8;
        out.append(static_cast<std::size_t>(blanks), ' ');
        column += blanks;
    }
    return out;
}

enum class Cutting { AnyByte, Utf8, Decoded };

Cutting cuttingOf(std::string_view charset) {
    const std::string_view name = canonicalCharset(charset);
    if (name == "UTF-8") return Cutting::Utf8;
    return !knownCodePage(charset) || CodePage::find(name) != nullptr ? Cutting::AnyByte : Cutting::Decoded;
}

constexpr std::string_view kArmour = "-----BEGIN PGP ";

struct Armour {
    std::size_t begin, end;
};

// The first lines of `text` that stand between marks of PGP, with the marks; empty at the end when there are
// none. A mark without its end is text, and so are all behind it.
Armour findArmour(std::string_view text) {
    struct Marks {
        std::string_view begin, end;
    };
    static constexpr Marks kMarks[] = {
        {"-----BEGIN PGP SIGNED MESSAGE-----\n", "\n-----END PGP SIGNATURE-----\n"},
        {"-----BEGIN PGP MESSAGE-----\n", "\n-----END PGP MESSAGE-----\n"},
        {"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "\n-----END PGP PUBLIC KEY BLOCK-----\n"},
    };
    for (auto at = text.find(kArmour); at != std::string_view::npos; at = text.find(kArmour, at + 1)) {
        if (at > 0 && text[at - 1] != '\n') continue;
        for (const Marks& marks : kMarks) {
            if (!text.substr(at).starts_with(marks.begin)) continue;
            const auto end = text.find(marks.end, at);
            if (end == std::string_view::npos) return {text.size(), text.size()};
            return {at, end + marks.end.size()};
        }
    }
    return {text.size(), text.size()};
}

class Pieces {
  public:
    explicit Pieces(const Profile& profile)
        : charset_(profile.charset),
          cutting_(cuttingOf(profile.charset)),
          limit_(static_cast<std::size_t>(profile.textLimit)) {}

    void addLine(std::string_view line) {
        std::size_t end = line.size();
        while (end > 0 && (line[end - 1] == '\n' || line[end - 1] == '\r')) --end;
        const std::string_view ending = line.substr(end);
        if (line.size() <= limit_) return add(line);
        if (cutting_ == Cutting::Decoded) return addDecoded(toUtf8(line.substr(0, end), charset_), ending);
        std::string_view rest = line.substr(0, end);
        while (rest.size() + ending.size() > limit_) {
            const std::size_t room = limit_ - ending.size();
            const std::string_view front =
                cutting_ == Cutting::Utf8 ? frontOf(rest, room) : rest.substr(0, room);
            add(front);
            rest.remove_prefix(front.size());
        }
        add(std::string(rest) + std::string(ending));
    }

    std::vector<std::string> take() {
        if (pieces_.empty()) pieces_.emplace_back();
        return std::move(pieces_);
    }

  private:
    void add(std::string_view bytes) {
        if (pieces_.empty() || pieces_.back().size() + bytes.size() > limit_) pieces_.emplace_back();
        pieces_.back() += bytes;
    }

    // Of a charset whose characters can not be told apart from their middle: halved until the parts fit.
    void addDecoded(std::string_view utf8, std::string_view ending) {
        const std::string bytes = fromUtf8(utf8, charset_).bytes;
        const std::string_view front = frontOf(utf8, utf8.size() / 2);
        if (bytes.size() + ending.size() <= limit_ || front.size() >= utf8.size())
            return add(bytes + std::string(ending));
        addDecoded(front, {});
        addDecoded(utf8.substr(front.size()), ending);
    }

    const std::string& charset_;
    const Cutting cutting_;
    const std::size_t limit_;
    std::vector<std::string> pieces_;
};

}  // namespace

std::string_view lineEnd(bool crlf) {
    return crlf ? "\r\n" : "\n";
}

std::string withLineEnds(std::string text, bool crlf) {
    if (!crlf) return text;
    std::string out;
    out.reserve(text.size() + text.size() / 32 + 2);
    std::string_view rest = text;
    for (;;) {
        const auto end = rest.find('\n');
        out.append(rest.substr(0, end));
        if (end == std::string_view::npos) return out;
        out.append("\r\n");
        rest.remove_prefix(end + 1);
    }
}

Encoded writtenText(std::string_view utf8, const Profile& profile) {
    const Letters letters = lettersOf(profile.charset);
    std::string expanded;
    if (profile.expandTabs && utf8.find('\t') != std::string_view::npos) {
        expanded = expandedTabs(utf8, letters);
        utf8 = expanded;
    }
    Encoded written = fromUtf8(utf8, profile.charset);
    if (profile.columns == 0) return written;
    const bool same = written.lost == 0 && written.changed == 0;
    std::string wrapped =
        wrap(same ? utf8 : toUtf8(written.bytes, profile.charset), profile.columns, letters);
    // The second time nothing is lost any more.
    written.bytes = hasEightBit(wrapped) ? fromUtf8(wrapped, profile.charset).bytes : std::move(wrapped);
    return written;
}

WrittenBody writtenBody(std::string_view utf8, const Profile& profile) {
    WrittenBody body;
    if (utf8.find(kArmour) == std::string_view::npos) return {writtenText(utf8, profile), false};
    Profile asItIs = profile;
    asItIs.columns = 0;
    asItIs.expandTabs = false;
    while (!utf8.empty()) {
        const Armour armour = findArmour(utf8);
        for (const bool isArmour : {false, true}) {
            const std::string_view text = isArmour ? utf8.substr(armour.begin, armour.end - armour.begin)
                                                   : utf8.substr(0, armour.begin);
            Encoded piece = writtenText(text, isArmour ? asItIs : profile);
            body.written.bytes += piece.bytes;
            body.written.lost += piece.lost;
            body.written.changed += piece.changed;
            if (isArmour && piece.lost + piece.changed > 0) body.breaksSignature = true;
        }
        utf8.remove_prefix(armour.end);
    }
    return body;
}

std::vector<std::string> textPieces(std::string_view text, const Profile& profile) {
    Pieces pieces(profile);
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end == std::string_view::npos ? end : end + 1);
        pieces.addLine(line);
        text.remove_prefix(line.size());
    }
    return pieces.take();
}

std::string_view frontOf(std::string_view utf8, std::size_t limit) {
    if (utf8.size() <= limit) return utf8;
    const std::string_view fits = cutUtf8(utf8, limit);
    for (std::string_view front = fits; !front.empty(); front = cutUtf8(front, front.size() - 1)) {
        std::string_view next = utf8.substr(front.size());
        if (!isIgnorable(takeCharacter(next))) return front;  // a mark belongs to the letter before it
    }
    if (!fits.empty()) return fits;  // nothing but marks
    std::string_view rest = utf8;
    takeCharacter(rest);
    return utf8.substr(0, utf8.size() - rest.size());
}

std::string lackedBy(std::string_view charset, std::string_view utf8) {
    constexpr std::size_t kShown = 5, kTried = 256;
    std::set<char32_t> tried;
    std::string list;
    std::size_t shown = 0;
    while (!utf8.empty() && shown < kShown && tried.size() < kTried) {
        utf8.remove_prefix(plainPrefix(utf8));
        if (utf8.empty()) break;
        std::string_view rest = utf8;
        const char32_t c = takeCharacter(rest);
        const std::string_view whole = utf8.substr(0, utf8.size() - rest.size());
        utf8 = rest;
        if (!tried.insert(c).second || fromUtf8(whole, charset).lost == 0) continue;
        char text[16];
        std::snprintf(text, sizeof text, " U+%04X", static_cast<unsigned>(c));
        list += text;
        ++shown;
    }
    if (shown == kShown) list += " ...";
    return " (not in " + std::string(charset) + (list.empty() ? "" : ":") + list + ")";
}

}  // namespace postern::mail
