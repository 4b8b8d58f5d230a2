#pragma once
// Where a command is carried out: by the running service, over its control socket, or, when none runs, by
// ourselves on the store, whose lock we take for as long as this lives.

#include <memory>

#include "connector/admin/control.h"
#include "connector/admin/control_client.h"
#include "connector/cli/console.h"
#include "connector/config/config.h"
#include "store/store.h"

namespace postern::cli {

class Backend {
  public:
    // Busy when another process has the store but answers on no control socket; Unavailable when there is no
    // store yet; Denied when we may not, or when files made by us would be another user's than the store's.
    // REQUIRES: `config` outlives the backend.
    static Result<std::unique_ptr<Backend>> open(const config::Config& config, Clock& clock);
    virtual ~Backend() = default;

    virtual Result<void> call(const admin::Request& request, admin::ByteStream& body,
                              const admin::RowSink& row) = 0;
};

// For what only a running service can do. Unavailable when none runs.
Result<admin::ControlClient> connectService(const config::Config& config);

// For looking, with the service up or down. Unavailable when there is no store yet.
Result<std::unique_ptr<store::StoreReader>> openReader(const config::Config& config);

// Denied when the store's folder is another user's: a file that we leave in it is one that the service can
// not read later. Unavailable when there is no such folder.
Result<void> checkStoreOwner(const config::Config& config);

std::vector<store::Migration> allMigrations();

}  // namespace postern::cli
