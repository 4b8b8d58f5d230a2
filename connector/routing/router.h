#pragma once
// Which adapter takes a recipient, what the legacy side calls it, and the way back: what the legacy side
// types to write to an Internet address. First match wins over the tables, then the routes; the rules are
// asked before both. A recipient that nobody takes is refused at RCPT time, never accepted and lost.
// docs/ADDRESSES.md

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adapters/adapter.h"
#include "connector/addresses/name_pattern.h"
#include "connector/config/config.h"
#include "connector/routing/address_table.h"
#include "connector/routing/reply_names.h"
#include "connector/routing/rules.h"
#include "queue/item.h"

namespace postern::routing {

struct Destination {
    std::string adapter;
    std::string legacy;
    std::string route;     // what matched: a route's pattern, "table NAME" or "rule NAME"
    bool literal = false;  // a table or a route names this very address: no pattern guessed it
};

// An adapter as routing sees it: it is asked about addresses and grouping only.
struct Target {
    std::string name;
    const adapters::Adapter* adapter = nullptr;
    Millis maximumAge{5LL * 24 *
                      3'600'000};  // the adapter's retry policy: its items expire so long after arrival
    std::int64_t messageSize = 0;  // bytes; larger mail is refused; 0: no limit
};
Target targetFor(const config::Adapter& settings, const adapters::Adapter& adapter);

// Immutable once made (KB Q245740). Thread rule: any thread.
class Router {
  public:
    // REQUIRES: the adapters outlive the router; patterns that the configuration check takes.
    Router(std::vector<config::Route> routes, std::vector<Target> targets,
           std::vector<config::Rule> rules = {}, std::vector<NamedTable> tables = {});

    struct Routed {
        std::string address;
        Destination destination;
        std::string notify = {}, original = {};  // as in queue::RecipientRow, for delivery reports
        std::string hold = {};                   // a rule's: its items begin as held, for this reason
    };

    // For an envelope recipient, "local@domain" as mail::parseAddress accepts it: rules, table, routes, the
    // adapter's opinion, its message size. An Error has a text for the sender: NotFound: nobody takes it;
    // Invalid: the adapter can never take this address; Denied: a rule rejects it; TooLarge: the mail is
    // larger than the adapter takes; Unavailable: the route leads to an adapter that is not there (the
    // configuration check finds that too).
    Result<Routed> admit(std::string_view address, const Mail& mail) const;
    // The same question again for a recipient that was admitted, now that the mail is complete: its rules on
    // header and size decide, its true size counts. Keeps notify and original.
    Result<void> readmit(Routed& recipient, const Mail& mail) const;

    // Without rules and size: for addresses that are no recipient of a mail.
    Result<Destination> route(std::string_view address) const;

    // The Internet address that a legacy name of that adapter stands for, or nothing: table, routes that name
    // an address in full, patterns inverted, in this order.
    std::optional<std::string> toInternet(std::string_view adapter, std::string_view legacy) const {
        return replies_.toInternet(adapter, legacy);
    }
    // What the legacy side of that adapter types to write to `address`: the first name of table, routes and
    // patterns that toInternet() brings back to exactly this address; nothing when no name does (one way).
    std::optional<std::string> replyName(std::string_view adapter, std::string_view address) const {
        return replies_.replyName(adapter, address);
    }

    // Whether an adapter of that name stands here: after a reload a recipient routed before it may not have
    // one.
    bool knows(std::string_view adapter) const { return targetNamed(adapter) != nullptr; }
    // Whether that adapter writes into mailboxes (adapters::Adapter::finalDelivery); false for an unknown
    // one.
    bool deliversFinally(std::string_view adapter) const;

    // Recipients, already routed, to items: grouped by adapter, cut as each adapter's grouping() asks. Each
    // envelope recipient is one row, named twice it is one (KB Q181797); rows with one folded legacy name
    // stand in one item, which hands that name over once. Held ones have items of their own. Each item
    // expires by its adapter's age. REQUIRES: knows() each recipient's adapter.
    std::vector<queue::NewItem> items(const std::vector<Routed>& recipients, WallTime received) const;

    // Recipients that another adapter gave up, as items of `adapter`: with the names of its tables or of
    // the first of its routes that takes each, or else their Internet addresses. Unavailable when there is no
    // such adapter.
    Result<std::vector<queue::NewItem>> regroup(const std::string& adapter,
                                                const std::vector<queue::RecipientRow>& recipients,
                                                WallTime received) const;

    // One step of the way to an answer, for `postern route test`.
    struct Step {
        std::string step;     // rule, table, route, adapter, size, result, back
        std::string name;     // of the rule, table or adapter; the route's pattern
        std::string verdict;  // "holds", "takes it", "refuses it", ...
        std::string detail;
    };
    // What admit() says, each step told.
    Result<Routed> explain(std::string_view address, const Mail& mail, std::vector<Step>& steps) const;

  private:
    friend class Explainer;
    const Target* targetNamed(std::string_view name) const;
    std::size_t firstMatch(std::string_view address) const;
    std::optional<Destination> fromTables(std::string_view address, std::string_view adapter = {}) const;
    Result<Destination> fromRoutes(std::string_view address) const;
    Result<std::string> nameBy(std::size_t route, std::string_view address) const;
    std::optional<Destination> nameAt(const std::string& adapter, std::string_view address) const;
    Result<Destination> byRule(const config::Rule& rule, std::string_view address) const;
    Result<Destination> decide(const config::Rule* rule, std::string_view address) const;
    Result<void> checkTarget(const Destination& destination, std::string_view address) const;
    Result<void> checkSize(std::string_view adapter, const Mail& mail) const;

    std::vector<config::Route> routes_;
    std::vector<addresses::NamePattern> names_;  // one for each route
    std::vector<Target> targets_;
    Rules rules_;
    std::vector<NamedTable> tables_;
    ReplyNames replies_;
    // Twenty thousand provisioned users cost one look: "user@domain" and "*@domain" stand in a table by their
    // folded pattern, only "*@*.domain" and "*" are tried in turn.
    std::unordered_map<std::string, std::size_t> exact_;
    std::vector<std::size_t> wide_;
};

}  // namespace postern::routing
