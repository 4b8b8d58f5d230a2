#include "connector/reports/wants.h"

#include <algorithm>

#include "base/text.h"

namespace postern::reports {

bool wants(std::string_view notify, queue::Fate::Kind kind, bool automatic) {
    using Kind = queue::Fate::Kind;
    if (notify.empty()) return kind == Kind::Failed || (kind == Kind::Delayed && !automatic);
    const std::string_view word = kind == Kind::Failed    ? "failure"
                                  : kind == Kind::Delayed ? "delay"
                                                          : "success";
    const auto words = split(notify, ',');
    return std::any_of(words.begin(), words.end(), [&](std::string_view each) { return trim(each) == word; });
}

}  // namespace postern::reports
