#pragma once
// The two bridges from an extension to the contract of adapters/adapter.h.

#include <memory>
#include <postern/adapter.h>

#include "adapters/adapter.h"
#include "adapters/registry.h"

namespace postern::adapters::extension {

// The settings of a kind as the registry has them: its own among those that every adapter of its form has.
// An error: they can not be. The texts are kept for ever.
Result<std::vector<Setting>> settingsOf(const postern::adapter::Kind& kind);

// A FileFormat on the spool of adapters/spool, or a Transport. An error names the setting to change.
Result<std::unique_ptr<Adapter>> makeFormatAdapter(const postern::adapter::Kind& kind,
                                                   const AdapterContext& context, const Settings& settings);
Result<std::unique_ptr<Adapter>> makeTransportAdapter(const postern::adapter::Kind& kind,
                                                      const AdapterContext& context,
                                                      const Settings& settings);

}  // namespace postern::adapters::extension
