#pragma once
// Which adapter takes a recipient, and what the legacy side calls it. First match wins over the configured
// routes; a recipient that no route takes is refused at RCPT time, never accepted and lost.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "connector/config/config.h"
#include "queue/item.h"

namespace postern::routing {

struct Destination {
    std::string adapter;
    std::string legacy;
    std::string route;  // the pattern that matched, for `postern route test`
};

// Immutable once made. Thread rule: any thread.
class Router {
  public:
    // REQUIRES: the adapters, by name, outlive the router (it asks them about addresses and grouping).
    Router(std::vector<config::Route> routes,
           std::vector<std::pair<std::string, const adapters::Adapter*>> adapters);

    // `address` is "local@domain" as mail::parseAddress accepts it. An Error (Errc::NotFound: no route;
    // Invalid: the adapter can not take this address) has a text for the sender.
    Result<Destination> route(std::string_view address) const;

    // Recipients, already routed, to items: grouped by adapter, recipients equal after folding taken once (KB
    // Q181797), cut as each adapter's grouping() asks. `expires` per item from the adapter's retry policy.
    struct Routed {
        std::string address;
        Destination destination;
    };
    std::vector<queue::NewItem> items(const std::vector<Routed>& recipients, WallTime received) const;

  private:
    std::vector<config::Route> routes_;
    std::vector<std::pair<std::string, const adapters::Adapter*>> adapters_;
};

// Whether `pattern` takes `address`; ASCII case is ignored on both sides of "@" (legacy names fold too).
bool patternMatches(std::string_view pattern, std::string_view address);
std::string expandTemplate(std::string_view text, std::string_view address);

}  // namespace postern::routing
