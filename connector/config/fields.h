#pragma once
// Which key stands for which member of Config, once for both directions: reading assigns along these lists,
// `config show` writes along them. A test holds them and the key table together.

#include "connector/config/config.h"

namespace postern::config {

template <class ConfigType, class Visit>
void visitTop(ConfigType& config, Visit&& visit) {
    visit("hostname", config.hostname);
    visit("store", config.store);
    visit("control_socket", config.controlSocket);
    visit("log_level", config.logLevel);
    visit("lease", config.lease);
    visit("poll_interval", config.pollInterval);
    visit("retention", config.retention);
    visit("stop_limit", config.stopLimit);
    visit("reserve", config.reserve);
    visit("inline_body", config.inlineBody);
    visit("hold_after_deaths", config.holdAfterDeaths);
    visit("submit_message_size", config.submitMessageSize);
}

// All but the address, which stands for three members.
template <class ListenerType, class Visit>
void visitListener(ListenerType& listener, Visit&& visit) {
    visit("name", listener.name);
    visit("protocol", listener.protocol);
    visit("message_size", listener.limits.messageSize);
    visit("recipients", listener.limits.recipients);
    visit("command_line", listener.limits.commandLine);
    visit("text_line", listener.limits.textLine);
    visit("sessions", listener.limits.sessions);
    visit("sessions_per_address", listener.limits.sessionsPerAddress);
    visit("errors", listener.limits.errors);
    visit("idle", listener.limits.idle);
    visit("total", listener.limits.total);
}

template <class AdapterType, class Visit>
void visitAdapter(AdapterType& adapter, Visit&& visit) {
    visit("kind", adapter.kind);
    visit("watchers", adapter.watchers);
    visit("batch", adapter.batch);
    visit("on_doubt", adapter.onDoubt);
    visit("retry_first", adapter.retry.first);
    visit("retry_longest", adapter.retry.longest);
    visit("maximum_age", adapter.retry.maximumAge);
}

template <class RouteType, class Visit>
void visitRoute(RouteType& route, Visit&& visit) {
    visit("recipient", route.pattern);
    visit("adapter", route.adapter);
    visit("legacy", route.legacy);
}

}  // namespace postern::config
