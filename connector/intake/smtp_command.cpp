#include "connector/intake/smtp_command.h"

#include <algorithm>

#include "base/text.h"

namespace postern::intake {

namespace {

struct VerbName {
    std::string_view name;
    Verb verb;
};
constexpr VerbName kVerbs[] = {
    {"EHLO", Verb::Ehlo},         {"HELO", Verb::Helo},    {"LHLO", Verb::Lhlo},    {"MAIL", Verb::Mail},
    {"RCPT", Verb::Rcpt},         {"DATA", Verb::Data},    {"RSET", Verb::Rset},    {"NOOP", Verb::Noop},
    {"VRFY", Verb::Vrfy},         {"HELP", Verb::Help},    {"QUIT", Verb::Quit},    {"EXPN", Verb::NotHere},
    {"ETRN", Verb::NotHere},      {"TURN", Verb::NotHere}, {"ATRN", Verb::NotHere}, {"AUTH", Verb::Auth},
    {"STARTTLS", Verb::StartTls}, {"BDAT", Verb::Bdat},    {"SEND", Verb::NotHere}, {"SOML", Verb::NotHere},
    {"SAML", Verb::NotHere},
};

Line::Kind kindOf(std::string_view text) {
    bool ascii = true;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return Line::Kind::Control;
        if (byte >= 0x80) ascii = false;
    }
    if (ascii) return Line::Kind::Good;
    return validUtf8(text) ? Line::Kind::Utf8 : Line::Kind::EightBit;
}

}  // namespace

bool LineReader::skip(std::string_view& input) {
    const std::size_t end = input.find("\r\n");
    if (end != std::string_view::npos) {
        input.remove_prefix(end + 2);
        skipping_ = false;
        return true;
    }
    const bool mayEnd = !input.empty() && input.back() == '\r';
    input.remove_prefix(input.size() - (mayEnd ? 1 : 0));
    return false;
}

Line LineReader::bad(Line::Kind kind, std::string_view& input, std::size_t seen) {
    input.remove_prefix(seen);
    skipping_ = true;
    return {kind, {}};
}

std::optional<Line> LineReader::take(std::string_view& input, int longest) {
    if (skipping_ && !skip(input)) return std::nullopt;
    const std::size_t limit = static_cast<std::size_t>(longest) - 2;
    const std::size_t end = input.find_first_of("\r\n");
    if (std::min(end, input.size()) > limit) return bad(Line::Kind::TooLong, input, limit + 1);
    if (end == std::string_view::npos) return std::nullopt;
    if (input[end] == '\n') return bad(Line::Kind::BareLf, input, end + 1);
    if (end + 1 == input.size()) return std::nullopt;
    if (input[end + 1] != '\n') return bad(Line::Kind::BareCr, input, end + 1);
    const Line line{kindOf(input.substr(0, end)), input.substr(0, end)};
    input.remove_prefix(end + 2);
    return line;
}

Command parseCommand(std::string_view line) {
    const std::size_t space = std::min(line.find_first_of(" \t"), line.size());
    Command command{Verb::Unknown, line.substr(0, space), trim(line.substr(space))};
    for (const VerbName& each : kVerbs) {
        if (equalsIgnoreCase(each.name, command.name)) command.verb = each.verb;
    }
    return command;
}

std::optional<std::string_view> afterKeyword(std::string_view argument, std::string_view keyword) {
    if (argument.size() < keyword.size() || !equalsIgnoreCase(argument.substr(0, keyword.size()), keyword)) {
        return std::nullopt;
    }
    return argument.substr(keyword.size());
}

}  // namespace postern::intake
