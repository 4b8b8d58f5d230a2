#pragma once
// Where an adapter's mail ends up on a disk of ours.

#include <string>

#include "connector/config/config.h"

namespace postern::config {

// The folder from which the legacy side takes the adapter's mail, where its kind asks for one; empty: it has
// none.
std::string folderOf(const Adapter& adapter);

}  // namespace postern::config
