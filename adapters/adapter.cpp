#include "adapters/adapter.h"

#include "adapters/spool/staged_file.h"

namespace postern::adapters {

Result<std::optional<Outcome>> Adapter::convert(Job& job, StagedFile& file) const {
    POSTERN_TRY(file.writeMessage(*job.delivery.message, LineEnds::Crlf));
    return std::optional<Outcome>();
}

}  // namespace postern::adapters
