#pragma once
// What a spool adapter hands to the queue when it staged a file, and the names of staged files.

#include <optional>
#include <string>
#include <string_view>

#include "adapters/adapter.h"

namespace postern::adapters {

// As the name in an evidence: the file is named when it is published.
inline constexpr const char* kNamedLate = "?";
// Of one artifact.
inline constexpr int kMostCompanions = 1200;

struct SpoolEvidence {
    std::string token;              // of the stage folder it lies in
    std::string staged;             // name there
    std::string folder;             // live folder, relative to the spool's; may be empty
    std::string name;               // name there
    std::string besideFolder = {};  // live folder of its companions, likewise
    int companions = 0;             // how many there are
};

std::string stagedName(const DeliveryKey& key);  // "<item>.<epoch>"
std::optional<DeliveryKey> parseStagedName(std::string_view name);

// The staged name of its companion `number`, from 1: "<item>.<epoch>.<number>".
std::string companionStagedName(std::string_view staged, int number);
// Whose staged file this is, the artifact's or a companion's.
std::optional<DeliveryKey> ownerOfStaged(std::string_view name);

// "spool1 <token> <staged> <folder>/<name> ." The dot shows that nothing was cut off.
// With companions "spool2", and "<how many> <folder>/" before the dot.
std::string formatEvidence(const SpoolEvidence& evidence);
std::optional<SpoolEvidence> parseEvidence(std::string_view text);

}  // namespace postern::adapters
