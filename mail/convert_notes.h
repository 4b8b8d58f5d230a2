#pragma once
// What a conversion says about itself. Internal to this room. Thread rule: one thread.

#include <string>
#include <string_view>
#include <vector>

#include "mail/convert.h"

namespace postern::mail {

struct FittedLine {
    Line line;
    int lost = 0, changed = 0;
    std::string lacked;  // see lackedBy()
};
FittedLine fittedLine(std::string_view utf8, int limit, const Profile& profile);

// "3 characters of the subject became '?' (not in cp437: U+4E2D)".
std::string lossNote(int lost, std::string_view what, std::string_view lacked);

// The notes of one message: all for the item's history, those of losses for who reads the text as well.
class Notes {
  public:
    void history(std::string note) { add(history_, historyLeft_, kMostHistory, std::move(note)); }
    void loss(const std::string& note) {
        history(note);
        text(note);
    }
    void text(std::string note) { add(text_, textLeft_, kMostText, std::move(note)); }

    std::vector<std::string> takeHistory();
    // "\n[Postern: ...;\n ...]\n" without its first blank line when `alone`; empty without notes. UTF-8.
    std::string block(bool alone) const;

  private:
    static constexpr std::size_t kMostHistory = 100, kMostText = 30;
    static void add(std::vector<std::string>& to, int& left, std::size_t most, std::string note) {
        if (to.size() < most)
            to.push_back(std::move(note));
        else
            ++left;
    }

    std::vector<std::string> history_, text_;
    int historyLeft_ = 0, textLeft_ = 0;  // not kept
};

}  // namespace postern::mail
