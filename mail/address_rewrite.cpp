#include "mail/address_rewrite.h"

#include <algorithm>

#include "base/text.h"
#include "mail/charset.h"
#include "mail/code_page.h"
#include "mail/field_text.h"

namespace postern::mail {
namespace {

// Behind the quoted string, comment, angle address or domain literal that begins at `at`; behind one
// character where none does. Nesting of comments is counted.
std::size_t behindToken(std::string_view text, std::size_t at) {
    const char open = text[at];
    if (open == '\\') return std::min(at + 2, text.size());
    if (open != '"' && open != '(' && open != '<' && open != '[') return at + 1;
    int depth = 0;
    bool inQuotes = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\\') {
            ++at;
        } else if (open == '"') {
            if (c == '"' && depth++ > 0) return at + 1;
        } else if (open == '(') {
            depth += c == '(' ? 1 : 0;
            if (c == ')' && --depth == 0) return at + 1;
        } else if (open == '<') {
            if (c == '"') inQuotes = !inQuotes;
            if (c == '>' && !inQuotes) return at + 1;
        } else if (c == ']') {
            return at + 1;
        }
    }
    return text.size();
}

std::string unquoted(std::string_view quotedString) {
    std::string out;
    for (std::size_t i = 1; i < quotedString.size(); ++i) {
        if (quotedString[i] == '"') break;
        if (quotedString[i] == '\\' && i + 1 < quotedString.size()) ++i;
        out += quotedString[i];
    }
    return out;
}

// "(text)" with the text as words; parentheses inside become part of it.
std::string encodedComment(std::string_view comment, const WordStyle& words) {
    comment.remove_prefix(1);
    if (comment.ends_with(')')) comment.remove_suffix(1);
    return '(' + encodedWords(decodeText(comment), words) + ')';
}

// What stands between two separators of a list.
struct Segment {
    std::string_view text;
    std::size_t angle = std::string_view::npos;  // where "<" stands
    std::size_t behindAngle = 0;
    bool hasAt = false;  // an "@" outside of quotes and comments
    char separator = 0;  // "," ";" ":" or none
};

Segment takeSegment(std::string_view value, std::size_t& at) {
    Segment segment;
    const std::size_t start = at;
    while (at < value.size()) {
        const char c = value[at];
        if (c == ',' || c == ';' || c == ':') {
            segment.separator = c;
            break;
        }
        const std::size_t next = behindToken(value, at);
        if (c == '<' && segment.angle == std::string_view::npos) {
            segment.angle = at - start;
            segment.behindAngle = next - start;
        }
        segment.hasAt = segment.hasAt || c == '@';
        at = next;
    }
    segment.text = value.substr(start, at - start);
    if (at < value.size()) ++at;
    return segment;
}

class Rewriter {
  public:
    explicit Rewriter(const WordStyle& words) : words_(words) {}

    RewrittenAddresses run(std::string_view value) {
        for (std::size_t at = 0; at < value.size();) {
            const Segment segment = takeSegment(value, at);
            add(segment);
            // A colon opens a group only outside of one and behind a name.
            if (segment.separator == ':') inGroup_ = true;
            if (segment.separator == ';') inGroup_ = false;
            end(segment.separator);
        }
        while (!out_.value.empty() && (out_.value.back() == ' ' || out_.value.back() == ','))
            out_.value.pop_back();
        return std::move(out_);
    }

  private:
    void add(const Segment& segment) {
        const std::string_view text = trim(segment.text);
        if (!hasEightBit(text)) {
            out_.value += text;
        } else if (segment.angle != std::string_view::npos) {
            bracketed(segment);
        } else if (segment.hasAt && segment.separator != ':') {
            const std::string bare = withoutComments(text);
            if (hasEightBit(bare))
                remove("", bare);
            else
                out_.value += rewriteComments(text, words_);
        } else {
            out_.value += rewritePhrase(text, words_);
        }
    }

    void bracketed(const Segment& segment) {
        const std::string_view name = trim(segment.text.substr(0, segment.angle));
        const std::string_view address =
            segment.text.substr(segment.angle, segment.behindAngle - segment.angle);
        const std::string_view rest = trim(segment.text.substr(segment.behindAngle));
        if (hasEightBit(address)) {
            std::string_view bare = address.substr(1);
            if (bare.ends_with('>')) bare.remove_suffix(1);
            remove(name, bare);
            return;
        }
        const std::string shown = hasEightBit(name) ? rewritePhrase(name, words_) : std::string(name);
        out_.value += shown + (shown.empty() ? "" : " ") + std::string(address);
        if (!rest.empty()) out_.value += ' ' + rewritePhrase(rest, words_);
    }

    // RFC 6857 3.1.2: an empty group with the address in its name. Inside a group there can be none.
    void remove(std::string_view name, std::string_view address) {
        out_.addressRemoved = true;
        if (inGroup_) return;
        if (!name.empty()) out_.value += rewritePhrase(name, words_) + ' ';
        out_.value += "Internationalized Address " + encodedWords(decodeText(address), words_) + " Removed:;";
    }

    static std::string withoutComments(std::string_view text) {
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t next = behindToken(text, at);
            if (text[at] != '(') out += text.substr(at, next - at);
            at = next;
        }
        return std::string(trim(out));
    }

    void end(char separator) {
        if (separator == 0) return;
        if (separator == ',' && (out_.value.empty() || out_.value.ends_with(", "))) return;
        out_.value += separator;
        out_.value += ' ';
    }

    const WordStyle& words_;
    RewrittenAddresses out_;
    bool inGroup_ = false;
};

}  // namespace

RewrittenAddresses rewriteAddresses(std::string_view value, const WordStyle& words) {
    return Rewriter(words).run(value);
}

std::string rewritePhrase(std::string_view text, const WordStyle& words) {
    std::string phrase, comments;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t next = behindToken(text, at);
        const std::string_view token = text.substr(at, next - at);
        if (token.front() == '(')
            comments += ' ' + (hasEightBit(token) ? encodedComment(token, words) : std::string(token));
        else
            phrase += token.front() == '"' ? unquoted(token) : std::string(token);
        at = next;
    }
    if (!hasEightBit(phrase)) return rewriteComments(text, words);
    return encodedWords(trim(decodeText(phrase)), words) + comments;
}

std::string rewriteComments(std::string_view text, const WordStyle& words) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t next = behindToken(text, at);
        const std::string_view token = text.substr(at, next - at);
        if (token.front() == '(' && hasEightBit(token))
            out += encodedComment(token, words);
        else
            out += token;
        at = next;
    }
    return out;
}

}  // namespace postern::mail
