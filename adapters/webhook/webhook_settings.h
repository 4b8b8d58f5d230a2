#pragma once
// What a webhook adapter is told: where to, of which events, and how to talk. Thread rule: pure; a
// WebhookPlan is immutable once made.

#include <string>
#include <string_view>
#include <vector>

#include "adapters/registry.h"
#include "net/http_client.h"

namespace postern::adapters {

inline constexpr std::string_view kWebhookKind = "webhook";

// Every event that a webhook can be told of, with what it means for whoever reads the documentation. The
// words are stable.
struct WebhookEvent {
    std::string_view name;
    std::string_view meaning;
};
const std::vector<WebhookEvent>& webhookEvents();

struct WebhookPlan {
    net::HttpUrl url;
    net::HttpPolicy policy;
    std::string caFile;
    std::string secretFile, authorizationFile;
    std::vector<std::string> events, adapters;
};

std::vector<Setting> webhookSettings();
// Errors begin with the key to change.
Result<WebhookPlan> webhookPlan(const Settings& settings);

}  // namespace postern::adapters
