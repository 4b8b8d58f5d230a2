#pragma once
// HTML as text, with what is worth a note. Internal to this room; htmlToText() of text.h is the same without.
// Thread rule: pure.

#include <string>
#include <string_view>

#include "mail/text.h"

namespace postern::mail {

struct HtmlText {
    std::string text;              // as htmlToText() gives it
    bool hiddenIsShown = false;    // nothing of it would be seen: what it hides is shown
    std::size_t linksLeftOut = 0;  // addresses beyond the most that become footnotes
};

HtmlText readHtml(std::string_view html, const TextTarget& target);

}  // namespace postern::mail
