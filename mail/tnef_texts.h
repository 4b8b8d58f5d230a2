#pragma once
// The texts that come out of TNEF, beside those that the message has itself. Mostly they say the same once
// more; where they do not, both are shown. Internal to this room. Thread rule: one thread. Linear time for
// each text; nothing is compared while no TNEF comes.

#include <string>
#include <string_view>
#include <vector>

#include "mail/tnef.h"

namespace postern::mail {

class TnefTexts {
  public:
    struct Shown {
        std::string text;      // what to show behind the message's own text
        bool differs = false;  // the message has text, and it is another one
        bool instead = false;  // the message has nothing but blanks
    };

    // The text of the page from `begin` to `end` is what the message `message` says itself. Messages are told
    // apart by any number.
    void own(int message, std::size_t begin, std::size_t end) { own_.push_back({message, begin, end}); }
    // Takes the texts of what a part of `message` had inside it. Depth is bounded by TnefLimits.
    void add(int message, TnefMessage& unpacked);

    // What is to be shown, in the order it came, those of inner messages behind the others. `page` is what
    // own() refers to. What the message says too, or begins with, is left out.
    std::vector<Shown> take(std::string_view page);

  private:
    struct Range {
        int message;
        std::size_t begin, end;
    };
    struct Outer {
        int message;
        std::string text;
    };
    struct Key {
        int message;
        std::string key;
    };

    void addInner(TnefMessage& inner);
    std::vector<Key> ownKeys(std::string_view page) const;

    std::vector<Range> own_;
    std::vector<Outer> outer_;
    std::vector<std::string> inner_;
};

}  // namespace postern::mail
