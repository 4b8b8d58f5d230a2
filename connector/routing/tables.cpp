#include "connector/routing/tables.h"

#include <iterator>

namespace postern::routing {

Tables readTables(const config::Config& config) {
    Tables all;
    for (const config::Table& each : config.tables) {
        AddressTable::Read read = AddressTable::read(each.file);
        std::move(read.problems.begin(), read.problems.end(), std::back_inserter(all.problems));
        std::move(read.warnings.begin(), read.warnings.end(), std::back_inserter(all.warnings));
        if (read.table) all.tables.push_back({each.name, each.adapter, std::move(read.table)});
    }
    return all;
}

}  // namespace postern::routing
