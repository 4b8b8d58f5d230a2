#include "connector/config/check_policy.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/text.h"
#include "connector/addresses/name_pattern.h"
#include "connector/config/check.h"
#include "connector/config/keys.h"
#include "connector/config/words.h"

namespace postern::config {

namespace {

std::string called(const char* what, const std::string& name) {
    return std::string(what) + " \"" + escapeLine(name, 100) + "\"";
}

// `what` "table" or "rule"; names stand in logs and in answers to operators.
template <class Section>
void checkNames(const char* what, const std::vector<Section>& sections, Findings& findings) {
    std::map<std::string, Place> taken;
    for (const Section& each : sections) {
        if (each.name.empty()) continue;  // missing: told already
        if (!validName(each.name))
            findings.problem(each.place, "\"name\" must consist of letters, digits, - and _");
        const auto [first, fresh] = taken.try_emplace(each.name, each.place);
        if (!fresh)
            findings.problem(each.place, std::string("a second ") + called(what, each.name) +
                                             "; the first is at " + placeText(first->second));
    }
}

bool hasCondition(const Rule& rule) {
    return !rule.sender.empty() || !rule.recipient.empty() || !rule.source.empty() || rule.largerThan > 0 ||
           !rule.header.empty();
}

void checkConditions(const Rule& rule, const std::string& what, Findings& findings) {
    if (!hasCondition(rule))
        findings.problem(rule.place, what +
                                         " has no condition: it would decide on all mail; give it a "
                                         "sender, recipient, source, larger_than or header (\"*\" is "
                                         "every recipient)");
    const auto pattern = [&](const char* key, const std::string& text) {
        const std::string wrong = text.empty() ? "" : patternProblem(text);
        if (!wrong.empty())
            findings.problem(rule.place,
                             what + ": \"" + key + "\" " + wrong + ", not \"" + escapeLine(text, 100) + "\"");
    };
    if (rule.sender != "<>") pattern("sender", rule.sender);
    pattern("recipient", rule.recipient);
    const auto colon = rule.header.find(':');
    const auto blank = rule.header.find_first_of(" \t");
    if (!rule.header.empty() && (colon == std::string::npos || colon == 0 || blank < colon))
        findings.problem(rule.place,
                         what + ": \"header\" must be \"Field: pattern\", as in \"Subject: *lottery*\"");
}

void checkSource(const Config& config, const Rule& rule, const std::string& what, Findings& findings) {
    if (rule.source.empty()) return;
    const auto unclear = [&](const auto& sections) {
        for (const auto& each : sections)
            if (rule.source == "submit" && each.name == rule.source)
                findings.problem(rule.place, what + ": \"submit\" is 'postern submit' and also what is at " +
                                                 placeText(each.place) + ": give that another name");
    };
    unclear(config.listeners);
    unclear(config.pickups);
    if (rule.source == "submit") return;
    std::vector<std::string_view> names{"submit"};
    for (const Listener& listener : config.listeners) names.push_back(listener.name);
    for (const Pickup& pickup : config.pickups) names.push_back(pickup.name);
    if (std::find(names.begin(), names.end(), rule.source) != names.end()) return;
    findings.problem(rule.place, what + ": no listener or pickup is named \"" + escapeLine(rule.source, 100) +
                                     "\"" + didYouMean(rule.source, names));
}

// A key that does nothing was meant to do something.
void checkAction(const Config& config, const Rule& rule, const std::string& what, Findings& findings) {
    const std::string action(wordOf(rule.action));
    const bool says = rule.action == RuleAction::Reject || rule.action == RuleAction::Hold;
    const bool ascii =
        std::all_of(rule.text.begin(), rule.text.end(), [](unsigned char c) { return c < 0x80; });
    if (rule.action == RuleAction::Reject && !ascii)
        findings.warning(rule.place, what +
                                         ": \"text\" is told in an SMTP reply, which is ASCII: each other "
                                         "byte becomes a question mark");
    if (!says && !rule.text.empty())
        findings.problem(rule.place, what + ": \"text\" has no effect with action \"" + action +
                                         "\", only with reject and hold");
    if (rule.action != RuleAction::Route) {
        if (!rule.adapter.empty())
            findings.problem(rule.place, what + ": \"adapter\" has no effect with action \"" + action +
                                             "\", only with route");
    } else if (rule.adapter.empty()) {
        findings.problem(rule.place, what + ": action \"route\" needs an \"adapter\"");
    } else {
        checkAdapterName(config, rule.adapter, rule.place, findings);
    }
}

auto conditionsOf(const Rule& rule) {
    return std::make_tuple(lowerAscii(rule.sender), lowerAscii(rule.recipient), rule.source, rule.largerThan,
                           lowerAscii(rule.header));
}

bool decidesOnAll(const Rule& rule) {
    return rule.recipient == "*" && rule.sender.empty() && rule.source.empty() && rule.largerThan == 0 &&
           rule.header.empty();
}

void checkRules(const Config& config, Findings& findings) {
    for (auto rule = config.rules.begin(); rule != config.rules.end(); ++rule) {
        const std::string what = called("rule", rule->name);
        checkConditions(*rule, what, findings);
        checkSource(config, *rule, what, findings);
        checkAction(config, *rule, what, findings);
        const auto earlier = std::find_if(config.rules.begin(), rule, [&](const Rule& each) {
            return decidesOnAll(each) || conditionsOf(each) == conditionsOf(*rule);
        });
        if (earlier != rule)
            findings.warning(rule->place, what + " never decides: the rule at " + placeText(earlier->place) +
                                              " does before it");
    }
}

// Names that can not be turned back make answers bounce (KB Q171214).
void checkWayBack(const Config& config, Findings& findings) {
    for (const Route& route : config.routes) {
        if (route.use == RouteUse::Recipients) continue;
        const auto pattern = addresses::NamePattern::parse(route.legacy);
        const std::string why = pattern.ok() ? pattern->oneWay(route.pattern) : "";
        if (why.empty()) continue;
        const std::string text = "the names of this route lead one way, nobody can answer by them: " + why;
        if (route.use == RouteUse::Replies) {
            findings.problem(route.place, text + "; a route with use \"replies\" must lead back");
        } else {
            findings.warning(route.place, text + "; if that is meant, say use = \"recipients\"");
        }
    }
}

bool letsEverybodyIn(const Listener& listener) {
    const auto everybody = [](const std::string& network) {  // 0.0.0.0/0, ::/0, 0::/0
        const auto slash = network.find('/');
        return slash != std::string::npos && parseInt(network.substr(slash + 1)) == 0;
    };
    return listener.socketPath.empty() && listener.auth != Auth::Required &&
           std::any_of(listener.networks.begin(), listener.networks.end(), everybody);
}

void checkOpenRelay(const Config& config, Findings& findings) {
    const auto open = std::find_if(config.listeners.begin(), config.listeners.end(), letsEverybodyIn);
    if (open == config.listeners.end()) return;
    const auto warn = [&](const Place& place, const std::string& way) {
        findings.warning(place, "open relay: listener \"" + open->name + "\" at " + placeText(open->place) +
                                    " takes mail from everybody and this " + way +
                                    " takes it to anywhere; name your own hosts in \"networks\", or your "
                                    "own domains in the " +
                                    way);
    };
    for (const Route& route : config.routes)
        if (route.pattern == "*" && route.use != RouteUse::Replies) warn(route.place, "route");
    for (const Rule& rule : config.rules)
        if (rule.action == RuleAction::Route && (rule.recipient.empty() || rule.recipient == "*") &&
            (rule.source.empty() || rule.source == open->name))
            warn(rule.place, "rule");
}

}  // namespace

void checkAdapterName(const Config& config, const std::string& name, const Place& place, Findings& findings) {
    if (name.empty() || adapterNamed(config, name) != nullptr) return;
    std::vector<std::string_view> names;
    for (const Adapter& adapter : config.adapters) names.push_back(adapter.name);
    findings.problem(place,
                     "there is no adapter \"" + escapeLine(name, 100) + "\"" + didYouMean(name, names));
}

bool mailLeadsTo(const Config& config, const std::string& adapter) {
    const auto any = [&](const auto& sections, auto leads) {
        return std::any_of(sections.begin(), sections.end(),
                           [&](const auto& each) { return each.adapter == adapter && leads(each); });
    };
    return config.reports.adapter == adapter ||
           any(config.routes, [](const Route& route) { return route.use != RouteUse::Replies; }) ||
           std::any_of(config.adapters.begin(), config.adapters.end(),
                       [&](const Adapter& each) { return each.fallback == adapter; }) ||
           any(config.tables, [](const Table&) { return true; }) ||
           any(config.rules, [](const Rule& rule) { return rule.action == RuleAction::Route; });
}

void checkPolicy(const Config& config, Findings& findings) {
    checkNames("table", config.tables, findings);
    checkNames("rule", config.rules, findings);
    for (const Table& table : config.tables) checkAdapterName(config, table.adapter, table.place, findings);
    checkRules(config, findings);
    checkWayBack(config, findings);
    checkOpenRelay(config, findings);
}

}  // namespace postern::config
