#include "connector/routing/router.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/text.h"
#include "connector/addresses/address_pattern.h"

namespace postern::routing {

namespace {

using addresses::halves;
using addresses::patternMatches;

constexpr std::size_t kNoRoute = std::numeric_limits<std::size_t>::max();

bool isWide(std::string_view pattern) {
    return pattern == "*" || pattern.starts_with("*@*.");
}

std::vector<addresses::NamePattern> namesOf(const std::vector<config::Route>& routes) {
    std::vector<addresses::NamePattern> names;
    names.reserve(routes.size());
    for (const config::Route& route : routes) {
        auto parsed = addresses::NamePattern::parse(route.legacy);
        names.push_back(parsed.ok() ? std::move(parsed).value() : addresses::NamePattern());
    }
    return names;
}

}  // namespace

Target targetFor(const config::Adapter& settings, const adapters::Adapter& adapter) {
    return {settings.name, &adapter, settings.retry.maximumAge, settings.messageSize};
}

Router::Router(std::vector<config::Route> routes, std::vector<Target> targets,
               std::vector<config::Rule> rules, std::vector<NamedTable> tables)
    : routes_(std::move(routes)),
      names_(namesOf(routes_)),
      targets_(std::move(targets)),
      rules_(std::move(rules)),
      tables_(std::move(tables)),
      replies_(routes_, names_, tables_) {
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        if (routes_[i].use == config::RouteUse::Replies) continue;
        if (isWide(routes_[i].pattern)) {
            wide_.push_back(i);
        } else {
            exact_.try_emplace(lowerAscii(routes_[i].pattern), i);  // the first of two equal ones wins
        }
    }
}

std::size_t Router::firstMatch(std::string_view address) const {
    std::size_t first = kNoRoute;
    const auto look = [&](const std::string& pattern) {
        if (const auto found = exact_.find(pattern); found != exact_.end())
            first = std::min(first, found->second);
    };
    look(lowerAscii(address));
    look("*@" + lowerAscii(halves(address).domain));
    for (const std::size_t index : wide_) {
        if (index >= first) break;
        if (patternMatches(routes_[index].pattern, address)) return index;
    }
    return first;
}

const Target* Router::targetNamed(std::string_view name) const {
    for (const Target& target : targets_) {
        if (target.name == name) return &target;
    }
    return nullptr;
}

bool Router::deliversFinally(std::string_view adapter) const {
    const Target* target = targetNamed(adapter);
    return target != nullptr && target->adapter->finalDelivery();
}

std::optional<Destination> Router::fromTables(std::string_view address, std::string_view adapter) const {
    for (const NamedTable& each : tables_) {
        if (!adapter.empty() && each.adapter != adapter) continue;
        if (const auto legacy = each.table->legacyOf(address))
            return Destination{each.adapter, std::string(*legacy), "table " + each.name, true};
    }
    return std::nullopt;
}

Result<std::string> Router::nameBy(std::size_t route, std::string_view address) const {
    if (const std::string reason = names_[route].refuses(address); !reason.empty())
        return fail(Errc::Invalid, reason);
    return names_[route].expand(address);
}

Result<Destination> Router::fromRoutes(std::string_view address) const {
    const std::size_t index = firstMatch(address);
    if (index == kNoRoute) return fail(Errc::NotFound, "no route takes this address");
    const config::Route& found = routes_[index];
    POSTERN_LET(legacy, nameBy(index, address));
    return Destination{found.adapter, std::move(legacy), found.pattern,
                       equalsIgnoreCase(found.pattern, address)};
}

// What that adapter calls the address, whoever else would take it.
std::optional<Destination> Router::nameAt(const std::string& adapter, std::string_view address) const {
    if (auto listed = fromTables(address, adapter)) return listed;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        const config::Route& route = routes_[i];
        if (route.adapter != adapter || route.use == config::RouteUse::Replies) continue;
        if (!patternMatches(route.pattern, address)) continue;
        if (auto legacy = nameBy(i, address); legacy.ok())
            return Destination{adapter, *std::move(legacy), route.pattern, false};
    }
    return std::nullopt;
}

// A rule says the adapter, not the name: where none of its routes takes the address, the first one's form
// will do.
Result<Destination> Router::byRule(const config::Rule& rule, std::string_view address) const {
    Destination destination{rule.adapter, std::string(address), {}, false};
    if (auto named = nameAt(rule.adapter, address)) {
        destination.legacy = std::move(named->legacy);
    } else {
        const auto first = std::find_if(routes_.begin(), routes_.end(), [&](const config::Route& route) {
            return route.adapter == rule.adapter && route.use != config::RouteUse::Replies;
        });
        if (first != routes_.end()) {
            POSTERN_LET(legacy, nameBy(static_cast<std::size_t>(first - routes_.begin()), address));
            destination.legacy = std::move(legacy);
        }
    }
    destination.route = "rule " + rule.name;
    destination.literal = equalsIgnoreCase(rule.recipient, address);
    return destination;
}

Result<Destination> Router::decide(const config::Rule* rule, std::string_view address) const {
    if (rule != nullptr && rule->action == config::RuleAction::Route) return byRule(*rule, address);
    if (auto listed = fromTables(address)) return *std::move(listed);
    return fromRoutes(address);
}

Result<void> Router::checkTarget(const Destination& destination, std::string_view address) const {
    const Target* target = targetNamed(destination.adapter);
    if (target == nullptr)
        return fail(Errc::Unavailable,
                    "the route " + destination.route + " leads to no adapter at the moment");
    if (const auto reason = target->adapter->refuses({0, std::string(address), destination.legacy}))
        return fail(Errc::Invalid, *reason);
    return {};
}

Result<void> Router::checkSize(std::string_view adapter, const Mail& mail) const {
    const Target* target = targetNamed(adapter);
    if (target == nullptr || target->messageSize == 0 || mail.size <= target->messageSize) return {};
    return fail(Errc::TooLarge, "the mail has " + std::to_string(mail.size) + " bytes, adapter " +
                                    target->name + " takes at most " + std::to_string(target->messageSize));
}

Result<Destination> Router::route(std::string_view address) const {
    POSTERN_LET(destination, decide(nullptr, address));
    POSTERN_TRY(checkTarget(destination, address));
    return destination;
}

Result<Router::Routed> Router::admit(std::string_view address, const Mail& mail) const {
    const config::Rule* rule = rules_.decide(mail, address);
    if (rule != nullptr && rule->action == config::RuleAction::Reject)
        return fail(Errc::Denied, rule->text.empty() ? "not accepted here by policy" : rule->text);
    POSTERN_LET(destination, decide(rule, address));
    POSTERN_TRY(checkTarget(destination, address));
    POSTERN_TRY(checkSize(destination.adapter, mail));
    Routed routed{std::string(address), std::move(destination), {}, {}, {}};
    if (rule != nullptr && rule->action == config::RuleAction::Hold)
        routed.hold = "rule " + rule->name + (rule->text.empty() ? "" : ": " + rule->text);
    return routed;
}

Result<void> Router::readmit(Routed& recipient, const Mail& mail) const {
    if (rules_.empty()) return checkSize(recipient.destination.adapter, mail);
    POSTERN_LET(again, admit(recipient.address, mail));
    recipient.destination = std::move(again.destination);
    recipient.hold = std::move(again.hold);
    return {};
}

}  // namespace postern::routing
