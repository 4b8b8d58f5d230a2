#pragma once
// Text as RFC 5322 quoted strings, RFC 2047 encoded words and RFC 2231 parameters. Thread rule: pure.

#include <string>
#include <string_view>

namespace postern::mail {

struct WordStyle {
    std::string charset = {};  // used where it is a code page that holds the text; else UTF-8
    bool base64 = false;       // "B" always; else "Q" where some of it stays readable
};

// `"text"`, its quotes and backslashes escaped.
std::string quotedString(std::string_view text);

// Encoded words of at most 75 bytes with one blank between them: together they decode to `utf8`. Fit for
// unstructured fields, phrases and comments. Empty for an empty text.
std::string encodedWords(std::string_view utf8, const WordStyle& style);

// "name=value", `name="value"` or, where the value is long or not US-ASCII, `name*0*=utf-8''...` in pieces
// that keep lines short; pieces are separated by ";" and a blank.
std::string encodedParameter(std::string_view name, std::string_view utf8);

}  // namespace postern::mail
