#include "connector/cli/bar.h"

#include <algorithm>
#include <ostream>

#include "connector/cli/width.h"

namespace postern::cli {

namespace {

constexpr Millis kBetween{100};
constexpr int kWidest = 40, kNarrowest = 5;  // of the bar itself
constexpr std::string_view kErase = "\r\x1b[K";

}  // namespace

Bar::Bar(const Run& run, std::string_view what) : run_(run), what_(what) {}

void Bar::begin(std::string_view what) {
    if (what == what_) return;
    what_ = what;
    drawn_ = {};
}

void Bar::at(std::int64_t done, std::int64_t of) {
    if (!run_.console.bars || run_.json || std::max(done, of) < kFew) return;
    const SteadyTime now = run_.console.clock.steady();
    if (drawn_ != SteadyTime{} && now - drawn_ < kBetween) return;
    drawn_ = now;
    run_.console.err << kErase << barText(what_, done, of, run_.console.width) << std::flush;
    shown_ = true;
}

void Bar::hide() {
    if (!shown_) return;
    run_.console.err << kErase << std::flush;
    shown_ = false;
}

std::string barText(std::string_view what, std::int64_t done, std::int64_t of, int width) {
    const std::string begin(what);
    if (of <= 0) return fitWidth(begin + "  " + std::to_string(done), width - 1);
    done = std::clamp<std::int64_t>(done, 0, of);
    const std::string percent =
        std::to_string(static_cast<int>(static_cast<double>(done) * 100 / static_cast<double>(of)));
    const std::string end = std::string(3 - std::min<std::size_t>(percent.size(), 3), ' ') + percent +
                            " %  " + std::to_string(done) + " of " + std::to_string(of);
    const int room = width - 1 - displayWidth(begin + " []  " + end);
    const int length = std::min(room, kWidest);
    if (length < kNarrowest) return fitWidth(begin + "  " + end, width - 1);
    const auto full = static_cast<std::size_t>(static_cast<double>(done) * length / static_cast<double>(of));
    const auto all = static_cast<std::size_t>(length);
    return begin + " [" + std::string(full, '#') + std::string(all - full, '.') + "]  " + end;
}

}  // namespace postern::cli
