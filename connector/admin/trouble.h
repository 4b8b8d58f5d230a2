#pragma once
// What does not work as configured, besides adapters (status.h tells of those), each with what to do.
// Thread rule: any thread.

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "connector/config/config.h"

namespace postern::admin {

struct Trouble {
    std::string about;  // "listener smtp", "pickup in"
    std::string text;
};

// Certificates and keys that can not be read, do not fit, have expired or will within 14 days. Reads the
// files: milliseconds for each listener with TLS.
std::vector<Trouble> certificateTroubles(const config::Config& config, WallTime now);

// Folders of pickups and adapters that are missing or can not be opened. For when no service runs, which
// knows better: a folder on another machine may keep us waiting.
std::vector<Trouble> folderTroubles(const config::Config& config);

// Of the pickups' folders as the service found them: by name.
std::vector<Trouble> pickupTroubles(const std::map<std::string, Error>& found);

}  // namespace postern::admin
