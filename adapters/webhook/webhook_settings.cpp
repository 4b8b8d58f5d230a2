#include "adapters/webhook/webhook_settings.h"

#include <algorithm>

#include "base/text.h"

namespace postern::adapters {

namespace {

Error wrong(const char* key, const std::string& text) {
    return fail(Errc::Invalid, std::string(key) + ": " + text);
}

std::string allEvents() {
    std::string names;
    for (const WebhookEvent& event : webhookEvents())
        names += (names.empty() ? "" : ", ") + std::string(event.name);
    return names;
}

Result<void> readEvents(const Settings& settings, WebhookPlan& plan) {
    plan.events = settings.list("events");
    if (plan.events.empty()) return wrong("events", "name at least one of " + allEvents());
    for (const std::string& name : plan.events) {
        const auto& known = webhookEvents();
        if (std::none_of(known.begin(), known.end(), [&](const auto& each) { return each.name == name; }))
            return wrong("events",
                         "there is no event \"" + escapeLine(name, 100) + "\", only " + allEvents());
    }
    return {};
}

Result<void> readTls(const Settings& settings, WebhookPlan& plan) {
    plan.policy.verify = settings.boolean("tls_verify");
    plan.policy.serverName = settings.text("server_name");
    plan.caFile = settings.text("ca_file");
    for (const std::string& each : settings.list("fingerprint")) {
        std::string digits = lowerAscii(each);
        if (digits.starts_with("sha256:")) digits.erase(0, 7);
        digits.erase(std::remove(digits.begin(), digits.end(), ':'), digits.end());
        if (digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
            return wrong("fingerprint", "'" + each + "' is not \"sha256:\" and 64 hex digits");
        plan.policy.fingerprints.push_back("sha256:" + digits);
    }
    const bool given = !plan.caFile.empty() || !plan.policy.fingerprints.empty();
    if (!plan.url.tls && given)
        return wrong(plan.caFile.empty() ? "fingerprint" : "ca_file",
                     "means nothing with a url that begins with \"http://\"");
    return {};
}

}  // namespace

const std::vector<WebhookEvent>& webhookEvents() {
    static const std::vector<WebhookEvent> events = {
        {"item.queued", "a mail was accepted and an item made of it"},
        {"item.exported", "the legacy side has it, or a person said so"},
        {"item.partly_exported", "some recipients have it, the others are tried again"},
        {"item.recipient", "one recipient ended otherwise than the item"},
        {"item.deferred", "an attempt came to nothing; it is tried again"},
        {"item.failed", "it never will be delivered"},
        {"item.held", "it waits for a person"},
        {"item.in_doubt", "nobody can tell whether it was delivered; it waits for a person"},
        {"item.released", "a person let it go on: release, retry, resolved to be sent again"},
        {"item.deleted", "a person deleted it"},
        {"item.moved", "it went to another adapter's item, or came from one"},
        {"item.replayed", "it was exported once more as a new item, or is that item"},
        {"item.returned", "the legacy side said more of it after it took it"},
        {"adapter.suspended", "its folder, host or tool is unusable, or a person suspended it"},
        {"adapter.resumed", "that is over"},
    };
    return events;
}

Result<WebhookPlan> webhookPlan(const Settings& settings) {
    WebhookPlan plan;
    auto url = net::parseHttpUrl(settings.text("url"));
    if (!url.ok()) return wrong("url", url.error().text);
    plan.url = std::move(*url);
    POSTERN_TRY(readEvents(settings, plan));
    plan.adapters = settings.list("adapters");
    POSTERN_TRY(readTls(settings, plan));
    plan.secretFile = settings.text("secret_file");
    if (plan.secretFile.empty())
        return wrong("secret_file", "name the file of the secret that the receiver verifies with");
    plan.authorizationFile = settings.text("authorization_file");
    plan.policy.connect = Millis(settings.milliseconds("connect_timeout"));
    plan.policy.answer = Millis(settings.milliseconds("answer_timeout"));
    return plan;
}

std::vector<Setting> webhookSettings() {
    using enum SettingType;
    constexpr std::int64_t kSecond = 1'000;
    return {
        {"url", Text, nullptr, "Where events are POSTed: \"https://host/path\"; no user or password in it."},
        {"events", List, nullptr,
         "Which events: \"item.failed\", \"item.in_doubt\", \"adapter.suspended\", ..."},
        {"adapters", List, "", "Whose items, and which adapters' own events; empty: all."},
        {"secret_file", Path, nullptr,
         "A file whose first line is the secret: \"whsec_\" and base64, or any text."},
        {"authorization_file", Path, "",
         "A file whose first line is sent as the Authorization field; empty: none is."},
        {"tls_verify", Boolean, "true", "The receiver's certificate must be trusted."},
        {"ca_file", Path, "", "Who signs the receiver's certificate, in PEM form; empty: the system's list."},
        {"server_name", Text, "", "The name in the receiver's certificate, where it is not the URL's host."},
        {"fingerprint", List, "", "Certificates trusted whoever signed them: \"sha256:\" and hex digits."},
        {"connect_timeout",
         Duration,
         "30s",
         "For the connection, and again for TLS.",
         {},
         kSecond,
         600 * kSecond},
        {"answer_timeout",
         Duration,
         "30s",
         "For the whole answer; when it passes, the event is sent again under its id.",
         {},
         kSecond,
         600 * kSecond},
    };
}

}  // namespace postern::adapters
