#pragma once
// The options by which every verb of the queue chooses items: one set, one meaning
// (connector/admin/filter.h).

#include <string>
#include <vector>

#include "connector/admin/control.h"

namespace CLI {
class App;
}

namespace postern::cli {

struct FilterOptions {
    std::vector<std::string> items;  // as arguments and with --id
    std::string adapter, state, from, to, older, messageId, message, error;
    std::int64_t limit = 0;
    bool all = false;

    // `all` is what --all means for this verb. REQUIRES: we outlive the command.
    void addTo(CLI::App& command, const std::string& allMeans);
    void addItems(CLI::App& command);  // and ITEM ... as arguments
    bool choose() const;               // whether any is given
    void into(admin::Request& request) const;
};

std::string joined(const std::vector<std::string>& words);  // with blanks between

}  // namespace postern::cli
