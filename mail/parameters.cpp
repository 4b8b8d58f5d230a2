// Parameters of Content-Type and Content-Disposition: RFC 2045, RFC 2231, and what people send instead.
#include <algorithm>

#include "base/hex.h"
#include "base/text.h"
#include "mail/charset.h"
#include "mail/header.h"

namespace postern::mail {
namespace {

// name*2*=value
struct Piece {
    std::string name;
    int index = 0;
    bool isSplit = false;    // has an index
    bool isEncoded = false;  // percent-encoded, the first with charset'language'
    std::string value;
};

std::string percentDecoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hexDigit(text[i + 1]) >= 0 &&
            hexDigit(text[i + 2]) >= 0) {
            out += static_cast<char>(hexDigit(text[i + 1]) * 16 + hexDigit(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

// The name as written, with its stars taken off into `piece`.
void setName(Piece& piece, std::string_view written) {
    std::string name = lowerAscii(trim(written));
    if (!name.empty() && name.back() == '*') {
        piece.isEncoded = true;
        name.pop_back();
    }
    if (const auto star = name.rfind('*'); star != std::string::npos) {
        const auto index = parseInt(std::string_view(name).substr(star + 1));
        if (index && *index >= 0 && *index < 100000) {
            piece.isSplit = true;
            piece.index = static_cast<int>(*index);
            name.resize(star);
        }
    }
    piece.name = std::move(name);
}

// Up to the next ";" outside of quotes, the quotes taken off (KB Q196853: also doubled ones).
std::string takeValue(std::string_view text, std::size_t& at) {
    std::string out;
    std::size_t keep = 0;  // blanks behind this are syntax
    for (bool inQuotes = false; at < text.size(); ++at) {
        const char c = text[at];
        if (c == ';' && !inQuotes) break;
        if (c == '"') {
            inQuotes = !inQuotes;
            keep = out.size();
            continue;
        }
        if (c == '\\' && inQuotes && at + 1 < text.size()) {
            // "C:\x\a.doc" is sent as it stands by some: only quotes and backslashes are escaped by all.
            if (text[at + 1] == '"' || text[at + 1] == '\\') ++at;
            out += text[at];
        } else if (inQuotes || !out.empty() || (c != ' ' && c != '\t')) {
            out += c;
        }
        if (inQuotes || (c != ' ' && c != '\t')) keep = out.size();
    }
    out.resize(std::min(out.size(), keep));
    return out;
}

std::vector<Piece> takePieces(std::string_view text, std::size_t at) {
    std::vector<Piece> pieces;
    while (at < text.size()) {
        ++at;  // the ";"
        const auto end = text.find_first_of("=;", at);
        if (end == std::string_view::npos) break;
        Piece piece;
        setName(piece, text.substr(at, end - at));
        at = end;
        if (text[end] == ';') continue;
        ++at;
        piece.value = takeValue(text, at);
        if (!piece.name.empty()) pieces.push_back(std::move(piece));
    }
    return pieces;
}

// Pieces [first, last) of one parameter, in order of their index, to its value.
std::string joinPieces(std::vector<Piece>::const_iterator first, std::vector<Piece>::const_iterator last) {
    if (!first->isEncoded && !first->isSplit) return decodeText(first->value);
    std::string charset;
    std::string bytes;
    int expected = first->index;
    for (auto piece = first; piece != last && piece->index == expected; ++piece, ++expected) {
        std::string_view value = piece->value;
        if (piece == first && piece->isEncoded) {
            const auto language = value.find('\'');
            const auto text = language == std::string_view::npos ? language : value.find('\'', language + 1);
            if (text != std::string_view::npos) {
                charset = value.substr(0, language);
                value = value.substr(text + 1);
            }
        }
        bytes += piece->isEncoded ? percentDecoded(value) : std::string(value);
    }
    return charset.empty() ? decodeText(bytes) : cleanLine(toUtf8(bytes, charset));
}

bool orderedBefore(const Piece& a, const Piece& b) {
    if (a.name != b.name) return a.name < b.name;
    // RFC 2231 forms win over the plain one that older readers get.
    const auto rank = [](const Piece& p) { return p.isSplit || p.isEncoded ? 0 : 1; };
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return a.index < b.index;
}

}  // namespace

ContentField parseContent(std::string_view rawValue) {
    const std::string text = unfold(rawValue);
    ContentField field;
    const std::size_t end = std::min(text.find(';'), text.size());
    std::string_view value = trim(std::string_view(text).substr(0, end));
    value = value.substr(0, value.find_first_of(" \t("));
    field.value = lowerAscii(value);
    std::vector<Piece> pieces = takePieces(text, end);
    std::stable_sort(pieces.begin(), pieces.end(), orderedBefore);
    for (auto first = pieces.cbegin(); first != pieces.cend();) {
        const auto last =
            std::find_if(first, pieces.cend(), [&](const Piece& p) { return p.name != first->name; });
        field.pieces = std::max(field.pieces, static_cast<int>(last - first));
        field.parameters.emplace_back(first->name, joinPieces(first, last));
        first = last;
    }
    return field;
}

std::string_view ContentField::parameter(std::string_view name) const {
    for (const auto& [known, text] : parameters)
        if (known == name) return text;
    return {};
}

std::string ContentField::token(std::string_view name) const {
    const std::string_view text = trim(parameter(name));
    return std::string(text.substr(0, text.find_first_of(" \t(")));
}

}  // namespace postern::mail
