#pragma once
// What does not work as configured, besides adapters (status.h tells of those), each with what to do.
// Thread rule: any thread.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "connector/admin/chat_state.h"
#include "connector/admin/record.h"
#include "connector/config/config.h"
#include "connector/disk/watch.h"
#include "store/store.h"

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

// Space that runs out, of the store's volume and of adapters'.
std::vector<Trouble> diskTroubles(const disk::Overview& overview);
// Of the store's volume alone, for when no service runs.
std::optional<Trouble> lowStore(const config::Config& config);
// For the service's row: free_bytes, free_files, refused_below, warned_below, full_in, full_in_s,
// ballast.
void addDiskFacts(const disk::Overview& overview, Record& facts);

// Of [chat], as the service found it: why it is not there, or that it was begun anew. What
// certificateTroubles() said of its certificate goes out of `into` where that is the reason.
void addChatTroubles(const ChatState& state, std::vector<Trouble>& into);

// Nobody can enter the channel of the queue, for want of an account: what to do. Empty: somebody can, or
// [chat] is off.
std::string nobodyText(const config::Config& config, bool noAccount);
Result<std::string> nobodyForChat(const config::Config& config, store::ReadSession& session);

// Of the pickups' folders as the service found them: by name.
std::vector<Trouble> pickupTroubles(const std::map<std::string, Error>& found);

}  // namespace postern::admin
