#pragma once
// What a spool adapter hands to the queue when it staged a file, and the names of staged files.

#include <optional>
#include <string>
#include <string_view>

#include "adapters/adapter.h"

namespace postern::adapters {

// As the name in an evidence: the file is named when it is published.
inline constexpr const char* kNamedLate = "?";

struct SpoolEvidence {
    std::string token;   // of the stage folder it lies in
    std::string staged;  // name there
    std::string folder;  // live folder, relative to the spool's; may be empty
    std::string name;    // name there
};

std::string stagedName(const DeliveryKey& key);  // "<item>.<epoch>"
std::optional<DeliveryKey> parseStagedName(std::string_view name);

// "spool1 <token> <staged> <folder>/<name> ." The dot shows that nothing was cut off.
std::string formatEvidence(const SpoolEvidence& evidence);
std::optional<SpoolEvidence> parseEvidence(std::string_view text);

}  // namespace postern::adapters
