#include "mail/html_tokens.h"

#include <algorithm>

#include "base/text.h"
#include "mail/entities.h"

namespace postern::mail {
namespace {

bool isLetter(char c) {
    return lowerAscii(c) >= 'a' && lowerAscii(c) <= 'z';
}

std::string decoded(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        if (text.front() == '&') {
            takeEntity(text, out);
            continue;
        }
        const auto plain = std::min(text.find('&'), text.size());
        out.append(text.substr(0, plain));
        text.remove_prefix(plain);
    }
    return out;
}

std::string_view takeAttributeValue(std::string_view& text) {
    std::string_view value;
    if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
        const auto end = std::min(text.find(text.front(), 1), text.size());
        value = text.substr(1, end - 1);
        text.remove_prefix(std::min(end + 1, text.size()));
        return value;
    }
    std::size_t end = 0;
    while (end < text.size() && !isHtmlSpace(text[end])) ++end;
    value = text.substr(0, end);
    text.remove_prefix(end);
    return value;
}

void skipSpace(std::string_view& text) {
    while (!text.empty() && isHtmlSpace(text.front())) text.remove_prefix(1);
}

Tag readTag(std::string_view inside) {
    Tag tag;
    tag.closes = inside.front() == '/';
    if (tag.closes) inside.remove_prefix(1);
    std::size_t end = 0;
    while (end < inside.size() && !isHtmlSpace(inside[end]) && inside[end] != '/') ++end;
    tag.name = lowerAscii(inside.substr(0, std::min<std::size_t>(end, 20)));
    tag.rest = inside.substr(end);
    return tag;
}

}  // namespace

bool isHtmlSpace(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

std::optional<std::string> Tag::attribute(std::string_view wanted) const {
    std::string_view text = rest;
    while (!text.empty()) {
        skipSpace(text);
        std::size_t end = 0;
        while (end < text.size() && !isHtmlSpace(text[end]) && text[end] != '=') ++end;
        const std::string_view found = text.substr(0, end);
        text.remove_prefix(end);
        skipSpace(text);
        std::string_view value;
        if (!text.empty() && text.front() == '=') {
            text.remove_prefix(1);
            skipSpace(text);
            value = takeAttributeValue(text);
        }
        if (equalsIgnoreCase(found, wanted)) return decoded(value);
    }
    return std::nullopt;
}

std::string_view Tokenizer::text() {
    std::size_t end = 0;
    while (end < left_.size() && !(left_[end] == '<' && beginsTag(left_.substr(end)))) {
        const auto next = left_.find('<', end + (left_[end] == '<' ? 1 : 0));
        end = std::min(next, left_.size());
    }
    return take(end);
}

std::optional<Tag> Tokenizer::tag(std::string_view& literal) {
    if (left_.starts_with("<!--")) return skipComment();
    const auto end = tagEnd();
    if (end == std::string_view::npos) {
        literal = take(1);
        return std::nullopt;
    }
    const std::string_view all = take(end + 1);
    if (all[1] == '!' || all[1] == '?') return std::nullopt;
    return readTag(all.substr(1, all.size() - 2));
}

void Tokenizer::skipTo(const std::string& name) {
    const std::string close = "</" + name;
    if (missing_.contains(close)) return;
    for (std::size_t at = left_.find("</"); at != std::string_view::npos; at = left_.find("</", at + 2)) {
        if (!equalsIgnoreCase(left_.substr(at, close.size()), close)) continue;
        take(at);
        return;
    }
    missing_.insert(close);
}

std::string_view Tokenizer::take(std::size_t size) {
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(std::min(size, left_.size()));
    return taken;
}

bool Tokenizer::beginsTag(std::string_view text) const {
    if (noMoreTags_ || text.size() < 3) return false;
    if (text[1] == '/') return isLetter(text[2]);
    return isLetter(text[1]) || text[1] == '!' || text[1] == '?';
}

std::optional<Tag> Tokenizer::skipComment() {
    const auto end = noMoreComments_ ? std::string_view::npos : left_.find("-->", 4);
    noMoreComments_ = end == std::string_view::npos;
    take(noMoreComments_ ? std::min(left_.find('>'), left_.size() - 1) + 1 : end + 3);
    return std::nullopt;
}

// The index of the ">" that ends the tag at the front. A quote that is never closed does not count. The
// search goes on from it, not from the tag's beginning: what is taken then reaches behind the last quote of
// its kind, so this costs two searches in all.
std::size_t Tokenizer::tagEnd() {
    char quote = 0;
    std::size_t opened = 0;
    for (std::size_t i = 1; i < left_.size(); ++i) {
        const char c = left_[i];
        if (quote == 0 && c == '>') return i;
        if (quote == c) {
            quote = 0;
        } else if (quote == 0 && (c == '"' || c == '\'') && left_[i - 1] == '=') {
            quote = c;
            opened = i;
        }
    }
    const auto end = left_.find('>', opened);
    noMoreTags_ = end == std::string_view::npos;
    return end;
}

}  // namespace postern::mail
