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
    visit("adapter_folder", config.adapterFolder);
    visit("sessions", config.sessions);
    visit("lease", config.lease);
    visit("poll_interval", config.pollInterval);
    visit("retention", config.retention);
    visit("stop_limit", config.stopLimit);
    visit("reserve", config.reserve);
    visit("warn_below", config.warnBelow);
    visit("ballast", config.ballast);
    visit("inline_body", config.inlineBody);
    visit("hold_after_deaths", config.holdAfterDeaths);
    visit("hops", config.hops);
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
    visit("idle_commands", listener.limits.idleCommands);
    visit("first_command", listener.limits.firstCommand);
    visit("idle", listener.limits.idle);
    visit("total", listener.limits.total);
    visit("tls", listener.tls);
    visit("certificate", listener.certificate);
    visit("key", listener.key);
    visit("client_ca", listener.clientCa);
    visit("client_certificates", listener.clientCertificates);
    visit("auth", listener.auth);
    visit("networks", listener.networks);
    visit("submission", listener.submission);
    visit("relaxed_addresses", listener.relaxedAddresses);
    visit("socket_mode", listener.socketMode);
    visit("socket_owner", listener.socketOwner);
    visit("duplicates_within", listener.duplicatesWithin);
}

template <class PickupType, class Visit>
void visitPickup(PickupType& pickup, Visit&& visit) {
    visit("name", pickup.name);
    visit("folder", pickup.folder);
    visit("set_aside", pickup.setAside);
    visit("interval", pickup.interval);
    visit("settle", pickup.settle);
    visit("message_size", pickup.messageSize);
}

template <class TableType, class Visit>
void visitTable(TableType& table, Visit&& visit) {
    visit("name", table.name);
    visit("file", table.file);
    visit("adapter", table.adapter);
}

template <class RuleType, class Visit>
void visitRule(RuleType& rule, Visit&& visit) {
    visit("name", rule.name);
    visit("sender", rule.sender);
    visit("recipient", rule.recipient);
    visit("source", rule.source);
    visit("larger_than", rule.largerThan);
    visit("header", rule.header);
    visit("action", rule.action);
    visit("text", rule.text);
    visit("adapter", rule.adapter);
}

template <class HttpType, class Visit>
void visitHttp(HttpType& http, Visit&& visit) {
    visit("address", http.address);
    visit("anonymous", http.anonymous);
    visit("hosts", http.hosts);
}

template <class ChatType, class Visit>
void visitChat(ChatType& chat, Visit&& visit) {
    visit("address", chat.plain.address);
    visit("role", chat.plain.role);
    visit("tls_address", chat.tls.address);
    visit("tls_role", chat.tls.role);
    visit("certificate", chat.certificate);
    visit("key", chat.key);
    visit("channel", chat.channel);
    visit("nick", chat.nick);
    visit("replay", chat.replay);
    visit("clients", chat.clients);
    visit("registration", chat.registration);
    visit("idle", chat.idle);
    visit("probe", chat.probe);
}

template <class ReportsType, class Visit>
void visitReports(ReportsType& reports, Visit&& visit) {
    visit("adapter", reports.adapter);
    visit("from", reports.from);
    visit("postmaster", reports.postmaster);
    visit("delay_after", reports.delayAfter);
    visit("return_limit", reports.returnLimit);
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
    visit("retry_rules", adapter.retryRules);
    visit("send_windows", adapter.sendWindows);
    visit("time_zone", adapter.timeZone);
    visit("rate", adapter.rate);
    visit("message_size", adapter.messageSize);
    visit("fallback", adapter.fallback);
    visit("fallback_after", adapter.fallbackAfter);
    visit("capture", adapter.capture);
    visit("capture_limit", adapter.captureLimit);
}

template <class RouteType, class Visit>
void visitRoute(RouteType& route, Visit&& visit) {
    visit("recipient", route.pattern);
    visit("adapter", route.adapter);
    visit("legacy", route.legacy);
    visit("use", route.use);
}

}  // namespace postern::config
