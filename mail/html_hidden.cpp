#include "mail/html_hidden.h"

#include <algorithm>

#include "base/text.h"

namespace postern::mail {
namespace {

constexpr std::size_t kMostOpen = 8;

bool isOneOf(std::initializer_list<std::string_view> list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

std::string lowerWithoutBlanks(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (!isHtmlSpace(c)) out += lowerAscii(c);
    return out;
}

// The front of `style` up to a ";" that stands in no quotes and no brackets.
std::string_view takeDeclaration(std::string_view& style) {
    char quote = 0;
    int brackets = 0;
    std::size_t end = 0;
    for (; end < style.size(); ++end) {
        const char c = style[end];
        if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '(' || c == ')') {
            brackets += c == '(' ? 1 : -1;
        } else if (c == ';' && brackets <= 0) {
            break;
        }
    }
    const std::string_view taken = style.substr(0, end);
    style.remove_prefix(std::min(end + 1, style.size()));
    return taken;
}

std::string valueOf(std::string_view style, std::string_view property) {
    std::string found;
    bool isImportant = false;
    for (std::string_view rest = style; !rest.empty();) {
        const std::string_view declaration = takeDeclaration(rest);
        const auto colon = declaration.find(':');
        if (colon == std::string_view::npos ||
            !equalsIgnoreCase(trim(declaration.substr(0, colon)), property))
            continue;
        std::string value = lowerWithoutBlanks(declaration.substr(colon + 1));
        const auto mark = value.rfind("!important");
        const bool important = mark != std::string::npos;
        if (isImportant && !important) continue;
        isImportant = important;
        found = value.substr(0, mark);
    }
    return found;
}

bool isZero(std::string_view value) {
    for (const std::string_view unit : {"px", "em", "pt", "%"})
        if (value.ends_with(unit)) value.remove_suffix(unit.size());
    return !value.empty() && value.find_first_not_of("0.") == std::string_view::npos && value != ".";
}

enum class Seen { AsAround, No, NotByVisibility, Again };

// A page as a whole is never hidden: it fades in, or waits for a script that no mail runs.
Seen seen(const Tag& tag) {
    if (tag.closes || tag.rest.empty() || isOneOf({"body", "html"}, tag.name)) return Seen::AsAround;
    const std::string style = tag.attribute("style").value_or("");
    const std::string display = valueOf(style, "display");
    if (display == "none" || (display.empty() && tag.attribute("hidden"))) return Seen::No;
    if (style.empty()) return Seen::AsAround;
    const std::string visibility = valueOf(style, "visibility");
    if (isZero(valueOf(style, "opacity"))) return Seen::No;
    const bool cuts = valueOf(style, "overflow") == "hidden";
    if (cuts && isZero(valueOf(style, "max-height"))) return Seen::No;
    if (visibility == "hidden" || visibility == "collapse") return Seen::NotByVisibility;
    return visibility == "visible" ? Seen::Again : Seen::AsAround;
}

bool isVoid(std::string_view name) {
    return isOneOf(
        {"img", "br", "hr", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr"}, name);
}

}  // namespace

std::string styleValue(const Tag& tag, std::string_view property) {
    const auto style = tag.attribute("style");
    return style ? valueOf(*style, property) : std::string();
}

bool Hidden::take(const Tag& tag) {
    bool takes = false;
    for (std::size_t i = 0; i < open_.size(); ++i) {
        if (!endsAt(open_[i], tag, takes)) continue;
        const bool wasHidden = open_[i].hides;
        open_.resize(i);
        if (takes) return !wasHidden;
        break;
    }
    const Seen how = seen(tag);
    const bool isNew = now() ? how == Seen::Again && open_.back().isByVisibility
                             : how == Seen::No || how == Seen::NotByVisibility;
    if (!isNew || open_.size() >= kMostOpen) return !now();
    if (isVoid(tag.name)) return how == Seen::Again;
    open_.push_back({tag.name, how != Seen::Again, how == Seen::NotByVisibility});
    return !now();
}

// Whether the element ended before `tag`; with `tag` when `takes` is set.
bool Hidden::endsAt(Element& element, const Tag& tag, bool& takes) {
    takes = false;
    const std::string& name = element.name;
    if (tag.name == "table") {
        if (tag.closes && element.tables == 0 && name != "table") return true;
        element.tables += tag.closes ? -1 : 1;
    }
    if (tag.name != name) return false;
    const bool closesItself = isOneOf({"p", "td", "th", "tr", "li", "dt", "dd", "option"}, name);
    if (closesItself && !tag.closes) return element.tables == 0;
    if (closesItself && element.tables > 0) return false;
    element.depth += tag.closes ? -1 : 1;
    takes = element.depth == 0;
    return takes;
}

}  // namespace postern::mail
