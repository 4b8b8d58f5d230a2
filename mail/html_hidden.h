#pragma once
// What HTML does not want to be seen: what a mail's list shows behind the subject, and words for filters.
// Internal to this room. Thread rule: one thread.

#include <string>
#include <string_view>
#include <vector>

#include "mail/html_tokens.h"

namespace postern::mail {

// The value of a property of CSS in a tag's own style, in lower case and without blanks; empty when it is not
// there. Of several declarations the last counts, or the last that is important.
std::string styleValue(const Tag& tag, std::string_view property);

// Follows elements that are hidden, and what is visible again inside of them, until they are over.
class Hidden {
  public:
    // Whether no text is to be shown now.
    bool now() const { return !open_.empty() && open_.back().hides; }
    bool any() const { return !open_.empty(); }
    void clear() { open_.clear(); }

    // Takes the next tag. False: it belongs to what is hidden, and is to be left out.
    bool take(const Tag& tag);

  private:
    struct Element {
        std::string name;
        bool hides;
        bool isByVisibility;  // then an element inside may be visible again
        int depth = 1, tables = 0;
    };

    static bool endsAt(Element& element, const Tag& tag, bool& takes);

    std::vector<Element> open_;  // a hidden one, a visible one inside of it, and so on
};

}  // namespace postern::mail
