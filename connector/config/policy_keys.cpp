#include "connector/config/policy_keys.h"

#include <set>

#include "base/text.h"
#include "connector/config/keys.h"

namespace postern::config {

namespace {

const Entry* given(const Section& section, std::string_view key) {
    const auto found = section.find(key);
    return found == section.end() || !found->second.given ? nullptr : &found->second;
}

void complain(Findings& findings, const Entry& entry, const char* key, const Error& error) {
    findings.problem(entry.place, "\"" + std::string(key) + "\" " + error.text);
}

// Each entry of a list by itself: several may be wrong.
template <class Parse, class Use>
void eachOf(const Section& section, const char* key, const std::vector<std::string>& texts,
            Findings& findings, Parse parse, Use use) {
    const Entry* entry = given(section, key);
    if (entry == nullptr) return;
    for (const std::string& text : texts) {
        const auto parsed = parse(text);
        if (parsed.ok()) {
            use(*parsed);
        } else {
            complain(findings, *entry, key, parsed.error());
        }
    }
}

void checkAges(const Section& section, const Adapter& adapter, Findings& findings) {
    const Entry* entry = given(section, "retry_rules");
    for (const RetryRule& rule : adapter.policy.rules)
        if (rule.age && *rule.age > adapter.retry.maximumAge)
            findings.warning(entry->place, "adapter \"" + adapter.name + "\": the age of a rule, " +
                                               formatDurationMillis(rule.age->count()) +
                                               ", is never reached: \"maximum_age\" is " +
                                               formatDurationMillis(adapter.retry.maximumAge.count()));
}

void readZone(const Section& section, Adapter& adapter, std::vector<SendWindow> windows, Findings& findings) {
    auto zone = TimeZone::load(adapter.timeZone);
    if (zone.ok()) {
        adapter.policy.windows = SendWindows(std::move(windows), std::move(*zone));
    } else if (const Entry* entry = given(section, "time_zone")) {
        findings.problem(entry->place,
                         "\"time_zone\" \"" + escapeLine(entry->text, 100) + "\": " + zone.error().text);
    }
}

const Adapter* fallbackOf(const Config& config, const Adapter& adapter) {
    return adapter.fallback.empty() ? nullptr : adapterNamed(config, adapter.fallback);
}

// "a -> b -> a", or nothing when the chain ends.
std::string circle(const Config& config, const Adapter& from) {
    std::string way = from.name;
    std::set<std::string_view> seen{from.name};
    for (const Adapter* at = fallbackOf(config, from); at != nullptr; at = fallbackOf(config, *at)) {
        way += " -> " + at->name;
        if (at->name == from.name) return way;
        if (!seen.insert(at->name).second) return {};  // a circle of others: they say it
    }
    return {};
}

}  // namespace

void readPolicy(const Section& section, Adapter& adapter, Findings& findings) {
    Policy& policy = adapter.policy;
    eachOf(section, "retry_rules", adapter.retryRules, findings, parseRetryRule,
           [&](const RetryRule& rule) { policy.rules.push_back(rule); });
    checkAges(section, adapter, findings);
    std::vector<SendWindow> windows;
    eachOf(section, "send_windows", adapter.sendWindows, findings, parseSendWindow,
           [&](const SendWindow& window) { windows.push_back(window); });
    readZone(section, adapter, std::move(windows), findings);
    const Entry* rate = given(section, "rate");
    if (rate == nullptr || rate->text.empty()) return;
    const auto parsed = parseRate(rate->text);
    if (!parsed.ok()) return complain(findings, *rate, "rate", parsed.error());
    policy.rate = *parsed;
}

void checkFallbacks(const Config& config, Findings& findings) {
    std::vector<std::string_view> names;
    for (const Adapter& adapter : config.adapters) names.emplace_back(adapter.name);
    for (const Adapter& adapter : config.adapters) {
        const auto problem = [&](const std::string& text) {
            findings.problem(adapter.place, "adapter \"" + adapter.name + "\": " + text);
        };
        if (adapter.fallback.empty() != (adapter.fallbackAfter == 0))
            problem(
                "\"fallback\" and \"fallback_after\" go together: the one says where, the other after how "
                "many failed attempts");
        if (adapter.fallback.empty()) continue;
        if (adapterNamed(config, adapter.fallback) == nullptr)
            problem("\"fallback\": there is no adapter \"" + escapeLine(adapter.fallback, 100) + "\"" +
                    didYouMean(adapter.fallback, names));
        const std::string way = circle(config, adapter);
        if (!way.empty()) problem("its fallbacks lead back to it: " + way);
    }
}

}  // namespace postern::config
