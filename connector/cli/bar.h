#pragma once
// How far long work is, as one line on the person's terminal, gone when the work is done. Draws nothing
// unless standard error is a terminal, and nothing with --json. Thread rule: one thread.

#include <string>
#include <string_view>

#include "connector/cli/verbs.h"

namespace postern::cli {

class Bar {
  public:
    // `what`: "changing", "exporting". REQUIRES: `run` outlives it.
    Bar(const Run& run, std::string_view what);
    Bar(const Bar&) = delete;
    Bar& operator=(const Bar&) = delete;
    ~Bar() { hide(); }

    // Cheap: draws ten times a second at most, and nothing for less than kFew. `of` 0: nobody knows how many.
    void at(std::int64_t done, std::int64_t of);
    void begin(std::string_view what);  // the next part of the work
    void hide();                        // before anything else is written; at() draws it again

    static constexpr std::int64_t kFew = 10;

  private:
    const Run& run_;
    std::string what_;
    SteadyTime drawn_{};
    bool shown_ = false;
};

// "exporting [#####.....]  50 %  500 of 1000", or "changing  500", in less than `width` columns.
std::string barText(std::string_view what, std::int64_t done, std::int64_t of, int width);

}  // namespace postern::cli
