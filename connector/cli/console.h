#pragma once
// What a run of `postern` is connected to. The program gives the real ones, a test its own.

#include <iosfwd>

#include "base/clock.h"

namespace postern::cli {

struct Console {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    Clock& clock;
    bool terminal = false;  // `out` is read by a person
    int width = 80;         // columns of the terminal
    bool colour = false;
};

}  // namespace postern::cli
