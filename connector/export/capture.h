#pragma once
// Copies of artifacts, for support: what the legacy side got, as the adapter makes it of the same delivery
// once more (names and dates in it derive from key and arrival, so the bytes are the same). Off unless an
// adapter's `capture` says for how long they are kept; then <store>/captured/ADAPTER/item-ID-EPOCH, mode 0600
// in folders of mode 0700: it is people's mail. What goes wrong with a copy never hurts the mail.
//
// Thread rule: any thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "base/clock.h"
#include "connector/config/config.h"

namespace postern::exporting {

struct Captured {
    std::string adapter, path;
    ItemId item;
    Epoch epoch;
    WallTime at;
    std::int64_t size = 0;
};

// Makes a copy of what was staged of `delivery`; replaces one of the same attempt. Result: its size. NoSpace,
// and nothing written, when less than `reserve` bytes were free beside it; TooLarge when it gets longer than
// the adapter's capture_limit. An adapter that throws is an Error too.
Result<std::int64_t> captureArtifact(const std::string& store, const config::Adapter& settings,
                                     const adapters::Adapter& adapter, const adapters::Delivery& delivery,
                                     std::int64_t reserve, const std::function<void()>& beat);

// Removes copies older than `keep` and, the oldest first, those over `limit` bytes in all; with keep = 0 all,
// half ones too. Result: how many. One that can not be removed keeps no other: an Error is the first of them.
Result<int> pruneCaptured(const std::string& store, const std::string& adapter, Millis keep,
                          std::int64_t limit, WallTime now);
// For every adapter that has copies, by its settings; those of adapters that are gone or make no copies any
// more are removed.
Result<int> pruneAllCaptured(const std::string& store, const config::Config& config, WallTime now);

// The copies of that item, of every adapter, oldest first.
Result<std::vector<Captured>> capturedOf(const std::string& store, ItemId item);

}  // namespace postern::exporting
