// Single lines of a conversion: subject, names, lists of people.

#include "base/text.h"
#include "mail/charset.h"
#include "mail/code_page.h"
#include "mail/convert.h"
#include "mail/convert_notes.h"
#include "mail/convert_text.h"

namespace postern::mail {
namespace {

constexpr std::string_view kDots = "...";

std::size_t characters(std::string_view utf8) {
    std::size_t count = 0;
    for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
    return count;
}

// What a limit counts.
std::size_t lengthOf(std::string_view bytes, const Profile& profile) {
    return canonicalCharset(profile.charset) == "UTF-8" ? characters(bytes) : bytes.size();
}

// The longest front of `utf8` that the dots leave room for.
std::string shortened(std::string_view utf8, std::size_t limit, const Profile& profile) {
    const std::string_view dots = kDots.substr(0, std::min(limit, kDots.size()));
    const auto written = [&](std::size_t bytes) {
        return fromUtf8(frontOf(utf8, bytes), profile.charset).bytes;
    };
    std::size_t fits = 0, over = utf8.size();
    while (over - fits > 1) {
        const std::size_t middle = fits + (over - fits) / 2;
        (lengthOf(written(middle), profile) + dots.size() <= limit ? fits : over) = middle;
    }
    return (fits == 0 ? std::string() : written(fits)) + std::string(dots);
}

std::string shownPerson(const Mailbox& person) {
    if (person.name.empty() || person.address.empty()) return person.shown();
    return person.name + " <" + person.address + ">";
}

}  // namespace

FittedLine fittedLine(std::string_view utf8, int limit, const Profile& profile) {
    const std::string line = cleanLine(utf8);
    Encoded whole = fromUtf8(line, profile.charset);
    FittedLine fitted{{std::move(whole.bytes), false}, whole.lost, whole.changed, {}};
    if (whole.lost > 0) fitted.lacked = lackedBy(profile.charset, line);
    const auto most = static_cast<std::size_t>(limit);
    if (limit <= 0 || lengthOf(fitted.line.bytes, profile) <= most) return fitted;
    const bool same = whole.lost == 0 && whole.changed == 0;
    const std::string shown = same ? line : toUtf8(fitted.line.bytes, profile.charset);
    fitted.line = {shortened(shown, most, profile), true};
    return fitted;
}

std::string lossNote(int lost, std::string_view what, std::string_view lacked) {
    const std::string count = std::to_string(lost) + (lost == 1 ? " character" : " characters");
    return count + " of the " + std::string(what) + " became '?'" + std::string(lacked);
}

Line convertLine(std::string_view utf8, int limit, std::string_view what, const Profile& profile,
                 Converted& into) {
    FittedLine fitted = fittedLine(utf8, limit, profile);
    into.lost += fitted.lost;
    into.changed += fitted.changed;
    if (fitted.lost > 0 && profile.lossy != Lossy::Allow)
        into.notes.push_back(lossNote(fitted.lost, what, fitted.lacked));
    if (fitted.line.cut) into.notes.push_back("the " + std::string(what) + " was cut");
    return std::move(fitted.line);
}

std::string shownRecipients(const std::vector<Mailbox>& people, std::size_t limit) {
    const auto andMore = [&](std::size_t shown) {
        const std::size_t left = people.size() - shown;
        return left == 0 ? std::string() : ", and " + std::to_string(left) + " more";
    };
    std::string out;
    for (std::size_t i = 0; i < people.size(); ++i) {
        const std::string next = (i == 0 ? "" : ", ") + shownPerson(people[i]);
        if (out.size() + next.size() + andMore(i + 1).size() <= limit) {
            out += next;
            continue;
        }
        if (i > 0) return out + andMore(i);
        const std::string rest = andMore(1);
        return std::string(cutUtf8(next, limit - kDots.size() - rest.size())) + std::string(kDots) + rest;
    }
    return out;
}

}  // namespace postern::mail
