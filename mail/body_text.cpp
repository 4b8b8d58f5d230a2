#include "mail/body_text.h"

#include <algorithm>

#include "base/text.h"
#include "mail/charset.h"
#include "mail/code_page.h"
#include "mail/html.h"
#include "mail/html_lines.h"
#include "mail/text.h"

namespace postern::mail {
namespace {

// text/enriched (RFC 1896): "<<" is "<" (KB Q232384), one line break is a blank, more are one less.
std::string enrichedToText(std::string_view text) {
    std::string out;
    bool tagsEnd = true;
    for (std::size_t i = 0; i < text.size();) {
        const auto plain = std::min(text.find_first_of("<\n", i), text.size());
        out.append(text.substr(i, plain - i));
        i = plain;
        if (i == text.size()) break;
        if (text[i] == '\n') {
            const auto end = std::min(text.find_first_not_of('\n', i), text.size());
            out.append(end - i == 1 && end < text.size() ? std::string(" ") : std::string(end - i - 1, '\n'));
            i = end;
            continue;
        }
        if (text.substr(i, 2) == "<<") {
            out += '<';
            i += 2;
            continue;
        }
        const auto close = tagsEnd ? text.find('>', i) : std::string_view::npos;
        tagsEnd = close != std::string_view::npos;
        if (!tagsEnd) out += '<';
        i = tagsEnd ? close + 1 : i + 1;
    }
    return normalizeLines(out);
}

// <meta charset="..."> near the beginning, for HTML that is not labelled otherwise.
std::string metaCharset(std::string_view html) {
    const std::string head = lowerAscii(html.substr(0, 2048));
    const auto at = head.find("charset=");
    if (at == std::string::npos) return {};
    const auto start = head.find_first_not_of("\"' ", at + 8);
    if (start == std::string::npos) return {};
    return head.substr(start, head.find_first_of("\"' ;>/", start) - start);
}

// Whether normalizeLines() leaves something out.
bool hasControls(std::string_view utf8) {
    for (;;) {
        utf8.remove_prefix(plainPrefix(utf8));
        if (utf8.empty()) return false;
        const auto c = static_cast<unsigned char>(utf8.front());
        if (c < 0x20 || c == 0x7f) return true;
        if (c == 0xc2 && utf8.size() > 1 && static_cast<unsigned char>(utf8[1]) < 0xa0) return true;
        utf8.remove_prefix(1);
    }
}

struct Decoded {
    std::string bytes;
    bool cut = false;
    bool damaged = false;
};

Result<Decoded> decodeUpTo(ByteSource& source, const Entity& entity, std::size_t limit) {
    Decoded decoded;
    const auto enough = fail(Errc::Stopped, "enough");
    const auto done = decodeRange(
        {&source, entity.body, entity.end, entity.encoding},
        [&](std::string_view piece) -> Result<void> {
            decoded.bytes.append(piece);
            decoded.cut = decoded.bytes.size() > limit;
            return decoded.cut ? Result<void>(enough) : Result<void>();
        },
        &decoded.damaged);
    if (!done.ok() && !decoded.cut) return done.error();
    if (decoded.cut) decoded.bytes.resize(limit);
    return decoded;
}

// At the end of the last whole line, or of the last whole character.
void cutText(std::string& text, std::size_t limit) {
    std::string_view kept = cutUtf8(text, limit);
    if (const auto newline = kept.rfind('\n'); newline != std::string_view::npos)
        kept = kept.substr(0, newline + 1);
    text.resize(kept.size());
    if (!text.empty() && text.back() != '\n') text += '\n';
}

// Signed text inside of text: whoever checks it needs its lines.
constexpr std::string_view kSignedText = "-----BEGIN PGP SIGNED MESSAGE-----\n";

std::string toPlain(const Entity& entity, std::string_view utf8) {
    std::string lines = normalizeLines(utf8);
    if (entity.type == "text/enriched" || entity.type == "text/richtext") return enrichedToText(lines);
    const bool isSigned =
        lines.starts_with(kSignedText) || lines.find("\n" + std::string(kSignedText)) != std::string::npos;
    return entity.flowed && !isSigned ? unflow(lines, entity.delSp) : lines;
}

}  // namespace

Result<BodyText> readText(ByteSource& source, const Entity& entity, std::size_t limit,
                          const TextTarget& target) {
    const bool isHtml = entity.type == "text/html";
    // Markup is longer than its text; marks and tags beyond this are not worth memory.
    POSTERN_LET(decoded, decodeUpTo(source, entity, isHtml ? 4 * limit : limit));
    std::string charset = entity.charset;
    if (isHtml && charset.empty() && !validUtf8(decoded.bytes)) charset = metaCharset(decoded.bytes);
    BodyText body;
    bool clean = true;
    const std::string utf8 = toUtf8(decoded.bytes, charset, &clean);
    body.unknownCharset = !clean && !charset.empty() && canonicalCharset(charset).empty() &&
                          plainPrefix(decoded.bytes) != decoded.bytes.size();
    body.replaced = !clean && !body.unknownCharset && plainPrefix(decoded.bytes) != decoded.bytes.size();
    body.controls = !isHtml && hasControls(utf8);
    if (isHtml) {
        HtmlText read = readHtml(utf8, target);
        body.text = std::move(read.text);
        body.hiddenIsShown = read.hiddenIsShown;
        body.linksLeftOut = read.linksLeftOut;
    } else {
        body.text = toPlain(entity, utf8);
    }
    body.cut = decoded.cut || body.text.size() > limit;
    body.damaged = decoded.damaged;
    if (body.cut) cutText(body.text, limit);
    return body;
}

Result<bool> isBlankText(ByteSource& source, const Entity& entity) {
    constexpr std::size_t kJudged = 64 * 1024;
    // Mostly the first words tell.
    for (const std::size_t limit : {std::size_t{256}, kJudged}) {
        POSTERN_LET(body, readText(source, entity, limit, {}));
        if (!showsNothing(body.text)) return false;
        if (!body.cut) return true;
    }
    return false;
}

}  // namespace postern::mail
