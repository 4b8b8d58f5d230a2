#pragma once
// What a run of `postern` is connected to. The program gives the real ones, a test its own.

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/terminal.h"

namespace postern::cli {

struct Console {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    Clock& clock;
    bool terminal = false;  // `out` is read by a person
    int width = 80;         // columns of the terminal
    bool colour = false;
    // Asks the person at the terminal for a secret; empty: nobody is there, `in` is read instead.
    std::function<Result<std::string>(const std::string& prompt)> askSecret = {};
    // The whole screen, for what is shown again and again; empty: nobody sits at a terminal that can.
    std::function<Result<std::unique_ptr<LiveScreen>>()> openScreen = {};
    bool bars = false;  // `err` is a terminal that can draw over a line: long work shows how far it is
};

}  // namespace postern::cli
