#pragma once
// Which items a request means: one set of filters for every command of the queue, whoever asks. Given ones
// must all match.

#include <functional>
#include <span>

#include "base/clock.h"
#include "connector/admin/control.h"
#include "connector/config/config.h"
#include "queue/inspect.h"
#include "store/database.h"

namespace postern::admin {

struct Parameter {
    const char* name;
    const char* summary;
};

// ids, adapter, state, from, to, older, message_id, error, limit: the fields of a request.
std::span<const Parameter> filterParameters();

// Whether any of them but `limit` is given.
bool choosesItems(const Request& request);

// Whether `name` is an adapter of the configuration, or one that was taken out and still has items. NotFound:
// a misspelt one, which would else look like an empty queue; names the one that is meant.
Result<void> checkAdapter(store::ReadSession& session, const config::Config& config, const std::string& name);

// Without ids, a message id or a state only items that are not final match, unless field all is "true".
// Invalid names the field and what it takes; NotFound when ids name a message that has no items, or
// as checkAdapter() says.
Result<queue::Filter> filterFrom(store::ReadSession& session, const config::Config& config,
                                 const Request& request, WallTime now);

// For a change of many, `name`: only items in states that it takes; of the final ones only where a state
// names them. Invalid when no state would be left.
Result<void> narrowTo(std::string_view name, const std::function<bool(queue::State)>& takes,
                      queue::Filter& filter);

}  // namespace postern::admin
