#include "connector/routing/reply_names.h"

#include "base/text.h"
#include "connector/addresses/address_pattern.h"
#include "mail/address.h"

namespace postern::routing {

namespace {

bool isPattern(std::string_view takes) {
    return takes == "*" || takes.starts_with("*@");
}

std::string nameFor(const addresses::NamePattern& pattern, std::string_view address) {
    std::string name = pattern.expand(address);
    return name.empty() ? std::string(address) : name;  // no name: the adapter writes the address
}

}  // namespace

ReplyNames::ReplyNames(const std::vector<config::Route>& routes,
                       const std::vector<addresses::NamePattern>& names,
                       const std::vector<NamedTable>& tables) {
    for (const NamedTable& table : tables) sides_[table.adapter].tables.push_back(table.table);
    for (std::size_t i = 0; i < routes.size(); ++i) {
        const config::Route& route = routes[i];
        if (route.use == config::RouteUse::Recipients) continue;
        Side& side = sides_[route.adapter];
        if (!isPattern(route.pattern)) {
            const std::string name = nameFor(names[i], route.pattern);
            side.addressOf.try_emplace(mail::foldLegacyName(name), route.pattern);
            side.nameOf.try_emplace(lowerAscii(route.pattern), name);
        } else if (names[i].oneWay(route.pattern).empty()) {
            side.patterns.push_back({route.pattern, names[i]});
        }
    }
}

const ReplyNames::Side* ReplyNames::sideOf(std::string_view adapter) const {
    const auto found = sides_.find(std::string(adapter));
    return found == sides_.end() ? nullptr : &found->second;
}

std::optional<std::string> ReplyNames::find(const Side& side, std::string_view legacy) {
    for (const auto& table : side.tables)
        if (const auto address = table->addressOf(legacy)) return std::string(*address);
    if (const auto found = side.addressOf.find(mail::foldLegacyName(legacy)); found != side.addressOf.end())
        return found->second;
    for (const Pattern& pattern : side.patterns)
        if (auto address = pattern.name.invert(legacy, pattern.takes)) return address;
    return std::nullopt;
}

bool ReplyNames::leadsBack(const Side& side, std::string_view legacy, std::string_view address) {
    const auto back = find(side, legacy);
    return back && equalsIgnoreCase(*back, address);
}

std::optional<std::string> ReplyNames::toInternet(std::string_view adapter, std::string_view legacy) const {
    const Side* side = sideOf(adapter);
    return side == nullptr ? std::nullopt : find(*side, legacy);
}

std::optional<std::string> ReplyNames::replyName(std::string_view adapter, std::string_view address) const {
    const Side* side = sideOf(adapter);
    if (side == nullptr) return std::nullopt;
    for (const auto& table : side->tables)
        if (const auto name = table->legacyOf(address); name && leadsBack(*side, *name, address))
            return std::string(*name);
    if (const auto found = side->nameOf.find(lowerAscii(address));
        found != side->nameOf.end() && leadsBack(*side, found->second, address))
        return found->second;
    for (const Pattern& pattern : side->patterns) {
        if (!addresses::patternMatches(pattern.takes, address)) continue;
        std::string name = nameFor(pattern.name, address);
        if (leadsBack(*side, name, address)) return name;
    }
    return std::nullopt;
}

}  // namespace postern::routing
