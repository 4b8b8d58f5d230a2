#include "mail/field_rewrite.h"

#include <algorithm>

#include "base/text.h"
#include "mail/address_rewrite.h"
#include "mail/charset.h"
#include "mail/code_page.h"
#include "mail/field_text.h"
#include "mail/header.h"

namespace postern::mail {
namespace {

constexpr std::size_t kFoldAt = 78;

enum class Kind { Text, Addresses, Comments, Content, Ids, Received };

bool isAnyOf(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view known) { return equalsIgnoreCase(name, known); });
}

Kind kindOf(std::string_view name) {
    if (name.size() > 7 && equalsIgnoreCase(name.substr(0, 7), "Resent-")) name.remove_prefix(7);
    if (isAnyOf(name, {"Content-Type", "Content-Disposition"})) return Kind::Content;
    if (isAnyOf(name,
                {"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Return-Path", "Errors-To",
                 "Disposition-Notification-To", "Return-Receipt-To", "Mail-Followup-To", "Mail-Reply-To",
                 "Apparently-To", "Delivered-To", "X-Original-To", "List-Id", "Keywords"}))
        return Kind::Addresses;
    if (isAnyOf(name, {"MIME-Version", "Date", "Auto-Submitted", "Content-Transfer-Encoding"}))
        return Kind::Comments;
    if (isAnyOf(name,
                {"Message-ID", "In-Reply-To", "References", "Content-ID", "Original-Message-ID",
                 "List-Unsubscribe", "List-Post", "List-Help", "List-Archive", "List-Subscribe", "List-Owner",
                 "Content-Location", "Content-Base", "Original-Recipient", "Final-Recipient"}))
        return Kind::Ids;
    return equalsIgnoreCase(name, "Received") ? Kind::Received : Kind::Text;
}

bool isBlank(char c) {
    return c == ' ' || c == '\t';
}

// The next run of blanks with the word behind it.
std::string_view takeChunk(std::string_view value, std::size_t at) {
    std::size_t end = at;
    while (end < value.size() && isBlank(value[end])) ++end;
    while (end < value.size() && !isBlank(value[end])) ++end;
    return value.substr(at, end - at);
}

// A value of text: words that are not US-ASCII, or too long for a line, as encoded words. Blanks between two
// encoded words vanish when they are decoded, so those go into the words.
class TextEncoder {
  public:
    explicit TextEncoder(const FieldNeeds& needs) : needs_(needs) {}

    std::string encode(std::string_view value) {
        for (std::size_t at = 0; at < value.size();) {
            const std::string_view chunk = takeChunk(value, at);
            at += chunk.size();
            add(chunk);
        }
        flush();
        return std::move(out_);
    }

  private:
    void add(std::string_view chunk) {
        const std::size_t word = std::min(chunk.find_first_not_of(" \t"), chunk.size());
        const std::string_view text = chunk.substr(word);
        const bool isWord = text.starts_with("=?") && text.ends_with("?=") && text.size() > 6;
        const auto limit = static_cast<std::size_t>(needs_.lineLimit);
        if (hasEightBit(text) || text.size() + 2 > limit) {
            const bool isFirst = pending_.empty() && !afterWord_;
            (isFirst ? out_ : pending_) += chunk.substr(0, word);
            pending_ += isWord ? decodeText(text) : toUtf8(text, "");
            return;
        }
        const bool blanksTaken = !pending_.empty() && isWord;
        if (blanksTaken) pending_ += chunk.substr(0, word);
        flush();
        out_ += blanksTaken ? " " + std::string(text) : std::string(chunk);
        afterWord_ = isWord;
    }

    void flush() {
        if (pending_.empty()) return;
        if (afterWord_) out_ += ' ';
        out_ += encodedWords(pending_, needs_.words);
        pending_.clear();
        afterWord_ = true;
    }

    const FieldNeeds& needs_;
    std::string out_, pending_;
    bool afterWord_ = false;  // the last word written is an encoded one
};

// One line, without NUL and bare CR.
std::string cleanValue(std::string_view raw) {
    std::string out;
    while (!raw.empty() && (raw.back() == '\n' || raw.back() == '\r')) raw.remove_suffix(1);
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const bool lineEnd = raw[i] == '\n' || (raw[i] == '\r' && i + 1 < raw.size() && raw[i + 1] == '\n');
        if (raw[i] == '\r' && !lineEnd)
            out += ' ';
        else if (!lineEnd && raw[i] != '\0')
            out += raw[i];
    }
    return out;
}

// "for <x>" out of a Received field whose x is not US-ASCII (RFC 6857 3.1.9); other such words too.
std::string rewriteReceived(std::string_view value, const WordStyle& words) {
    const std::string withComments = rewriteComments(value, words);
    std::string out;
    for (std::size_t at = 0; at < withComments.size();) {
        const std::string_view chunk = takeChunk(withComments, at);
        at += chunk.size();
        if (!hasEightBit(chunk)) {
            out += chunk;
            continue;
        }
        if (out.ends_with(" for")) out.resize(out.size() - 4);
        if (chunk.ends_with(';')) out += ';';
    }
    return out;
}

std::string asciiOnly(std::string text) {
    std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    return text;
}

// Ids may touch each other: "<a><b>".
std::string spacedIds(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '<' && !out.empty() && !isBlank(out.back())) out += ' ';
        out += c;
    }
    return out;
}

RewrittenField finished(std::string_view name, std::string_view value, const FieldNeeds& needs) {
    RewrittenField field;
    if (auto bytes = folded(name, value, needs.lineLimit))
        field.bytes = std::move(*bytes);
    else
        field.leftOut = "a piece without blanks is longer than a line may be";
    return field;
}

// The whole value as text, for a reader who knows where to look.
RewrittenField encapsulated(std::string_view name, std::string_view value, const FieldNeeds& needs) {
    const std::string text = encodedWords(trim(decodeText(value)), needs.words);
    return finished("Downgraded-" + std::string(name), " " + text, needs);
}

// Tokens of RFC 2045 5.1 with slashes between.
bool isTokens(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("()<>@,;:\\\"[]?=*").find(c) == std::string_view::npos;
    });
}

// What stands for a main value that can not be written.
std::string unknownValue(std::string_view name, std::string_view value) {
    if (equalsIgnoreCase(name, "Content-Disposition")) return "attachment";
    return value.starts_with("multipart/") ? "multipart/mixed" : "application/octet-stream";
}

// A boundary is not cut into pieces where it can stand whole: the smallest readers must find it.
bool standsInQuotes(std::string_view text) {
    return !hasEightBit(text) && text.find_first_of("\"\\") == std::string_view::npos;
}

std::string withLeadingBlank(std::string text) {
    return text.empty() || isBlank(text.front()) ? text : " " + text;
}

}  // namespace

std::optional<std::string> folded(std::string_view name, std::string_view value, int limit) {
    if (name.size() + 2 > static_cast<std::size_t>(limit)) return std::nullopt;
    const std::size_t most = std::min<std::size_t>(static_cast<std::size_t>(limit), kFoldAt);
    std::string out(name);
    out += ':';
    std::size_t column = out.size();
    bool hasWord = false;
    for (std::size_t at = 0; at < value.size();) {
        std::string_view chunk = takeChunk(value, at);
        at += chunk.size();
        const std::size_t blanks = std::min(chunk.find_first_not_of(" \t"), chunk.size());
        const bool isTail = blanks == chunk.size();  // blanks only: no line can be made of them
        if (isTail && column + chunk.size() > most) break;
        if (blanks > most) chunk.remove_prefix(blanks - 1);
        const bool mustFold = column + chunk.size() > most && blanks > 0;
        const bool helps = hasWord || chunk.size() <= most;
        if (mustFold && (helps || column + chunk.size() > static_cast<std::size_t>(limit))) {
            out += "\r\n";
            column = 0;
        }
        out += chunk;
        column += chunk.size();
        hasWord = true;
        if (column > static_cast<std::size_t>(limit)) return std::nullopt;
    }
    return out + "\r\n";
}

std::string contentField(std::string_view name, std::string_view rawValue, std::string_view newValue,
                         std::string_view newCharset, int limit) {
    constexpr std::size_t kLongestName = 60, kLongestValue = 1000;
    const auto most = static_cast<std::size_t>(limit);
    const ContentField field = parseContent(rawValue);
    const std::string value = newValue.empty() ? field.value : std::string(newValue);
    std::string clean =
        " " + (isTokens(value) && value.size() + 2 <= most ? value : unknownValue(name, value));
    bool hasCharset = newCharset.empty();
    const auto add = [&](std::string_view parameter, std::string_view text) {
        clean += "; ";
        if (parameter == "boundary" && standsInQuotes(text) && text.size() + 13 <= most)
            clean += "boundary=\"" + std::string(text) + '"';
        else
            clean += encodedParameter(parameter, cutUtf8(text, kLongestValue));
    };
    for (const auto& [parameter, text] : field.parameters) {
        if (parameter.size() > kLongestName || !isTokens(parameter)) continue;
        const bool isCharset = parameter == "charset" && !newCharset.empty();
        add(parameter, isCharset ? newCharset : std::string_view(text));
        hasCharset = hasCharset || isCharset;
    }
    if (!hasCharset) add("charset", newCharset);
    return folded(name, clean, limit).value_or(std::string(name) + ": " + unknownValue(name, value) + "\r\n");
}

RewrittenField rewriteField(std::string_view name, std::string_view rawValue, const FieldNeeds& needs) {
    const std::string value = cleanValue(rawValue);
    const Kind kind = kindOf(name);
    if (kind == Kind::Content) return {contentField(name, value, "", "", needs.lineLimit), "", false};
    const bool ascii = !hasEightBit(value);
    if (kind == Kind::Text) return finished(name, TextEncoder(needs).encode(value), needs);
    if (kind == Kind::Comments) return finished(name, asciiOnly(rewriteComments(value, needs.words)), needs);
    if (kind == Kind::Received) return finished(name, rewriteReceived(value, needs.words), needs);
    if (kind == Kind::Ids)
        return ascii ? finished(name, spacedIds(value), needs) : encapsulated(name, value, needs);
    RewrittenAddresses addresses = rewriteAddresses(value, needs.words);
    RewrittenField field = finished(name, withLeadingBlank(std::move(addresses.value)), needs);
    field.addressRemoved = addresses.addressRemoved;
    if (field.addressRemoved) field.bytes += encapsulated(name, value, needs).bytes;
    return field;
}

}  // namespace postern::mail
