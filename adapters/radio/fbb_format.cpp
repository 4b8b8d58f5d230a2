#include "adapters/radio/fbb_format.h"

#include <algorithm>
#include <numeric>

#include "adapters/envelope_text.h"
#include "adapters/letter_head.h"
#include "adapters/long_lines.h"
#include "adapters/radio/radio_names.h"
#include "base/text.h"

namespace postern::adapters::fbb {

namespace {

constexpr std::size_t kMostName = 6;
constexpr std::size_t kMostRoute = 40;

bool isLetterOrDigit(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Error noAddress(std::string_view text, const std::string& why) {
    return Error{Errc::Invalid, "'" + escapeLine(text, 100) + "' is no packet radio address: " + why};
}

// "N0BBS.#RGN.TST.NOAM": words of letters and digits between dots, a region with a "#".
bool isRoute(std::string_view route) {
    if (route.empty() || route.size() > kMostRoute) return false;
    bool first = true;
    for (std::string_view word : split(route, '.')) {
        if (!first && word.starts_with("#")) word.remove_prefix(1);
        if (word.empty() || word.size() > (first ? kMostName : 8) ||
            !std::all_of(word.begin(), word.end(), isLetterOrDigit))
            return false;
        first = false;
    }
    return true;
}

Result<std::string> addressee(std::string_view name, const Options& options) {
    if (options.type == Type::Private) return radio::callsign(name);
    const std::string upper = upperAscii(name);
    if (!upper.empty() && upper.size() <= kMostName &&
        std::all_of(upper.begin(), upper.end(), isLetterOrDigit))
        return upper;
    return noAddress(name, "one to six letters and digits");
}

std::string_view command(Type type) {
    if (type == Type::Bulletin) return "SB ";
    return type == Type::Traffic ? "ST " : "SP ";
}

// What the board takes for the end of a message, or for its line to the sender having been cut.
bool meansSomething(std::string_view line) {
    static constexpr std::string_view kWords[] = {"/EX", "/ABORT", "/ACK", "***"};
    const std::string start = upperAscii(line.substr(0, 6));
    return std::any_of(std::begin(kWords), std::end(kWords),
                       [&](std::string_view word) { return start.starts_with(word); });
}

// Such a line begins with a blank then.
std::string escaped(std::string_view text, int& changed) {
    std::string out;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end == std::string_view::npos ? end : end + 1);
        if (meansSomething(line)) {
            out += ' ';
            ++changed;
        }
        out += line;
        text.remove_prefix(line.size());
    }
    return out;
}

Result<std::string> body(mail::Converted& converted, const Options& options) {
    const auto sizes = converted.textSizes();
    const std::int64_t size = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
    if (options.totalLimit > 0 && size > options.totalLimit)
        return fail(Errc::Invalid, "it would have " + std::to_string(size) +
                                       " bytes on the air; total_limit is " +
                                       std::to_string(options.totalLimit));
    std::string text;
    POSTERN_TRY(converted.writeTexts([&](std::string_view bytes) -> Result<void> {
        text += bytes;
        return {};
    }));
    int changed = 0;
    text = escaped(text, changed);
    if (changed > 0)
        converted.notes.push_back(
            std::to_string(changed) +
            " lines begin with a blank now: the board would have ended the message there");
    return text;
}

}  // namespace

mail::Profile boardProfile() {
    mail::Profile profile;
    profile.charset = "us-ascii";
    profile.columns = 78;
    profile.subjectLimit = 60;
    profile.attachments = mail::AttachmentMode::Drop;
    profile.fileNames = mail::FileNames::Dos;
    profile.expandTabs = true;
    return profile;
}

Result<std::string> address(std::string_view legacy, const Options& options) {
    const auto at = legacy.find('@');
    POSTERN_LET(name, addressee(trim(legacy.substr(0, at)), options));
    const std::string route =
        at == std::string_view::npos ? options.route : upperAscii(trim(legacy.substr(at + 1)));
    if (at == std::string_view::npos && route.empty()) return name;
    if (!isRoute(route))
        return noAddress(legacy,
                         "behind the @ stands a route like N0BBS.#RGN.TST.NOAM, at most 40 characters");
    return name + " @ " + route;
}

Result<std::string> message(const Delivery& delivery, const std::string& bid, const Options& options,
                            std::vector<std::string>& notes) {
    if (delivery.recipients.empty()) return fail(Errc::Invalid, "it has no recipient");
    POSTERN_LET(to, address(legacyOrAddress(delivery.recipients.front()), options));
    POSTERN_LET(readable, mail::readMessage(*delivery.message, mail::readingFor(options.profile)));
    readable.text = letterHead(readable, delivery) + readable.text;
    POSTERN_LET(converted, mail::convert(readable, {delivery.sender, delivery.received}, options.profile));
    breakLongLines(options.profile, converted);
    POSTERN_LET(text, body(converted, options));
    std::string title(trim(converted.subject.bytes));
    if (title.empty()) title = "(no subject)";
    if (meansSomething(title)) title.insert(0, "> ");
    if (!text.empty() && !text.ends_with("\n")) text += options.profile.crlf ? "\r\n" : "\n";
    for (std::string& note : converted.notes) notes.push_back(std::move(note));
    const std::string end = options.profile.crlf ? "\r\n" : "\n";
    return std::string(command(options.type)) + to + " < " + options.call + " $" + bid + end + title + end +
           text + "/EX" + end;
}

}  // namespace postern::adapters::fbb
