#pragma once
// The files of the [[table]]s, read for a start, a reload or a check.

#include <memory>
#include <string>
#include <vector>

#include "connector/config/config.h"
#include "connector/routing/address_table.h"

namespace postern::routing {

struct NamedTable {
    std::string name, adapter;
    std::shared_ptr<const AddressTable> table;
};

struct Tables {
    std::vector<NamedTable> tables;  // in order; only those without problems
    std::vector<config::Problem> problems, warnings;
};
Tables readTables(const config::Config& config);

}  // namespace postern::routing
