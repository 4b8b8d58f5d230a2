#pragma once
// What "postern top" shows, as lines. Pure functions.

#include <string>
#include <vector>

#include "connector/admin/record.h"
#include "connector/cli/console.h"

namespace postern::cli {

// One look at everything: the rows of admin/top.h.
struct TopFrame {
    admin::Record service;
    std::vector<admin::Record> adapters;
    std::string trouble;  // why the service could not be asked; empty: it was
};

// What the person at the keys chose.
struct TopView {
    std::size_t sort = 0;    // an index of topSorts()
    std::size_t chosen = 0;  // a line
    bool paused = false;
    bool keys = true;   // false: one frame for a page that nobody watches
    std::string title;  // whose gateway this is
    Millis interval{2000};
};

// Names of the columns that can be sorted by; the first is the adapter's name, numbers sort largest first.
const std::vector<std::string>& topSorts();
void sortAdapters(TopFrame& frame, const TopView& view);  // then by name

// Lines of at most `columns`, parted by '\n'. REQUIRES: sorted.
std::string topPage(const TopFrame& frame, const TopView& view, const Console& console, int columns);

// The whole frame as one JSON object.
std::string topJson(const TopFrame& frame);

}  // namespace postern::cli
