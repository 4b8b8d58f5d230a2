#pragma once
// Which adapter takes a recipient, and what the legacy side calls it. First match wins over the configured
// routes; a recipient that no route takes is refused at RCPT time, never accepted and lost.

#include <string>
#include <string_view>
#include <unordered_map>
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

// An adapter as routing sees it: it is asked about addresses and grouping only.
struct Target {
    std::string name;
    const adapters::Adapter* adapter = nullptr;
    Millis maximumAge{5LL * 24 *
                      3'600'000};  // the adapter's retry policy: its items expire so long after arrival
};

// Immutable once made. Thread rule: any thread.
class Router {
  public:
    // REQUIRES: the adapters outlive the router.
    Router(std::vector<config::Route> routes, std::vector<Target> targets);

    // `address` is "local@domain" as mail::parseAddress accepts it. An Error has a text for the sender:
    // NotFound: no route takes it; Invalid: the adapter can never take this address; Unavailable: the route
    // leads to an adapter that is not there (the configuration check finds that too).
    Result<Destination> route(std::string_view address) const;

    // Whether an adapter of that name stands here: after a reload a recipient routed before it may not have
    // one.
    bool knows(std::string_view adapter) const { return targetNamed(adapter) != nullptr; }
    // Whether that adapter writes into mailboxes (adapters::Adapter::finalDelivery); false for an unknown
    // one.
    bool deliversFinally(std::string_view adapter) const;

    // Recipients, already routed, to items: grouped by adapter, recipients that are one after folding taken
    // once, the first of them (KB Q181797: the same legacy name, or the same address where the route gives no
    // name; ASCII case ignored), cut as each adapter's grouping() asks. Each item expires by its adapter's
    // age. REQUIRES: knows() each recipient's adapter.
    struct Routed {
        std::string address;
        Destination destination;
        std::string notify = {}, original = {};  // as in queue::RecipientRow, for delivery reports
        std::string hold = {};                   // a rule's: its items begin as held, for this reason
    };
    std::vector<queue::NewItem> items(const std::vector<Routed>& recipients, WallTime received) const;

    // Recipients that another adapter gave up, as items of `adapter`: with the names of the first of its
    // routes that takes each, or else their Internet addresses. Unavailable when there is no such adapter.
    Result<std::vector<queue::NewItem>> regroup(const std::string& adapter,
                                                const std::vector<queue::RecipientRow>& recipients,
                                                WallTime received) const;

  private:
    const Target* targetNamed(std::string_view name) const;
    std::size_t firstMatch(std::string_view address) const;

    std::vector<config::Route> routes_;
    std::vector<Target> targets_;
    // Twenty thousand provisioned users cost one look: "user@domain" and "*@domain" stand in a table by their
    // folded pattern, only "*@*.domain" and "*" are tried in turn.
    std::unordered_map<std::string, std::size_t> exact_;
    std::vector<std::size_t> wide_;
};

// Whether `pattern` takes `address`; ASCII case is ignored on both sides of "@" (legacy names fold too).
// "user@domain" that address, "*@domain" the domain without its sub-domains, "*@*.domain" the sub-domains
// without the domain, "*" everything.
bool patternMatches(std::string_view pattern, std::string_view address);

// {local}, {domain} and {address} replaced, "{{" as "{", everything else as it stands.
std::string expandTemplate(std::string_view text, std::string_view address);

}  // namespace postern::routing
