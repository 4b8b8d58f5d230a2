#include "connector/config/check_webhooks.h"

#include "adapters/webhook/webhook_settings.h"
#include "base/text.h"
#include "connector/config/check_policy.h"

namespace postern::config {

namespace {

bool isWebhook(const Config& config, const std::string& name) {
    const Adapter* adapter = adapterNamed(config, name);
    return adapter != nullptr && adapter->kind == adapters::kWebhookKind;
}

void checkWays(const Config& config, Findings& findings) {
    const auto noMail = [&](const std::string& name, const Place& place, const std::string& what) {
        if (!isWebhook(config, name)) return;
        findings.problem(place, what + " leads mail to adapter \"" + name +
                                    "\", which is a webhook: it takes events and no mail");
    };
    for (const Route& route : config.routes) noMail(route.adapter, route.place, "this route");
    for (const Table& table : config.tables) noMail(table.adapter, table.place, "this table");
    for (const Rule& rule : config.rules) noMail(rule.adapter, rule.place, "this rule");
    for (const Adapter& adapter : config.adapters)
        noMail(adapter.fallback, adapter.place, "the fallback of adapter \"" + adapter.name + "\"");
    noMail(config.reports.adapter, config.reports.place, "[reports]");
}

}  // namespace

void checkWebhooks(const Config& config, Findings& findings) {
    checkWays(config, findings);
    for (const Adapter& adapter : config.adapters) {
        if (adapter.kind != adapters::kWebhookKind) continue;
        if (!adapter.fallback.empty() && !isWebhook(config, adapter.fallback))
            findings.warning(adapter.place, "adapter \"" + adapter.name + "\": its \"fallback\" \"" +
                                                escapeLine(adapter.fallback, 100) +
                                                "\" hands over mail, and gets events as mail to \"" +
                                                adapter.name + "@webhook.invalid\", where nobody is");
        for (const std::string& name : adapter.settings.list("adapters")) {
            checkAdapterName(config, name, adapter.place, findings);
            if (isWebhook(config, name))
                findings.problem(adapter.place, "adapter \"" + adapter.name + "\": in \"adapters\", \"" +
                                                    name + "\" is a webhook: of those nobody is told");
        }
    }
}

}  // namespace postern::config
