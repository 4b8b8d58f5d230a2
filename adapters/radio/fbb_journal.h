#pragma once
// What is kept in the stage folder for mail that goes into one import file, many at a time. Each stage()
// writes one bundle, each publish() of it one merged file and one journal:
//
//   .b<item>.<epoch>        a bundle, named by its first delivery: the keys of all in it, then their messages
//   .j<item>.<epoch>-<n>    a journal: the keys of those that the n-th publish() of the bundle handed over
//   .m<item>.<epoch>-<n>    what the import file becomes then; a rename over that file is the commit
//
// The merged file is the witness of its journal's keys, as a staged file is of one delivery (spool.h):
//
//   journal and merged file   cut off before the rename: not published; both are removed, journal first
//   journal alone             published
//   neither                   not begun
//
// A delivery that must not be published any more has an empty file <item>.<epoch> in the withdrawn folder.
// REQUIRES of every function that changes something: the caller holds the own lock of the import file.
//
// Thread rule: one thread.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/spool/spool_folders.h"

namespace postern::adapters::fbb {

// What recover() and publish() are told: "fbb1 <token> <bundle> <item>.<epoch> <offset> <length> ."
struct Evidence {
    std::string token;
    std::string bundle;  // its name
    std::string key;     // "<item>.<epoch>"
    std::int64_t offset = 0, length = 0;
};
std::string formatEvidence(const Evidence& evidence);
std::optional<Evidence> parseEvidence(std::string_view text);

std::string bundleName(const DeliveryKey& first);
// The first line of a bundle or a journal.
std::string keyLine(const std::vector<std::string>& keys);

// Settles what a crash cut off, and gives the keys of the bundle that are published.
Result<std::vector<std::string>> settle(const Folder& stage, const std::string& bundle);

struct Round {
    std::string journal, merged;  // names
};
// The names of the next publish() of this bundle. REQUIRES: it is settled.
Result<Round> nextRound(const Folder& stage, const std::string& bundle);
// Nothing of the round was published: removes what is there of it.
Result<void> undo(const Folder& stage, const Round& round);

Result<void> withdrawKey(const SpoolFolders& folders, const std::string& key);
// Those of the last few attempts before this one.
Result<void> withdrawEarlierKeys(const SpoolFolders& folders, const DeliveryKey& key);

// Removes bundles all of whose deliveries are over, with their journals. Result: how many.
Result<int> sweepBundles(const Folder& stage, const std::function<bool(const DeliveryKey&)>& isOver);

}  // namespace postern::adapters::fbb
