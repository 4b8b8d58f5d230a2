#pragma once
// Inside of exporter.h: what the exporter's files share.

#include <memory>
#include <optional>
#include <string>

#include "base/source.h"
#include "connector/export/exporter.h"
#include "queue/queue.h"

namespace postern::exporting {

// One item on its way through a batch. `outcome` of the job ends its way early.
struct Exporter::Work {
    queue::Claim claim;
    Epoch stagedEpoch;
    std::unique_ptr<ByteSource> body;
    adapters::Job job;
    std::optional<queue::Settlement> settlement;
    std::string unanswered;  // why nobody could tell when the adapter was last asked about it
    bool lost = false;       // not ours any more, or left to a later recovery: touch nothing
    bool suspect = false;    // the adapter failed unexpectedly with it in hand
};

}  // namespace postern::exporting
