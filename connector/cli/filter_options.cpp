#include "connector/cli/filter_options.h"

#include <CLI/CLI.hpp>

#include "connector/cli/whole_number.h"

namespace postern::cli {

namespace {
constexpr const char* kGroup = "Filters";  // in the help, and in the manual page, which has them once
}

std::string joined(const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
    return all;
}

void FilterOptions::addTo(CLI::App& command, const std::string& allMeans) {
    command.add_flag("--all", all, allMeans);
    const auto add = [&](const char* name, std::string& into, const char* summary, const char* value) {
        command.add_option(name, into, summary)->option_text(value)->group(kGroup);
    };
    add("--adapter", adapter, "Only this adapter's", "NAME");
    add("--state", state, "Only those in this state, or these: held,in_doubt", "STATE");
    add("--from", from, "The sender contains this", "TEXT");
    add("--to", to, "A recipient or legacy name contains this", "TEXT");
    add("--older", older, "Came in longer ago: 90s, 2h, 7d", "TIME");
    add("--message-id", messageId, "The mail's Message-ID", "ID");
    add("--message", message, "Only those of this message", "m12");
    add("--error", error, "The reason of an item or recipient contains this", "TEXT");
    command.add_option("--id", items, "Only these: 3, 3-7")->option_text("ITEM ...")->group(kGroup);
    wholeFrom(0, command.add_option("--limit", limit, "At most so many"))->option_text("N")->group(kGroup);
}

void FilterOptions::addItems(CLI::App& command) {
    command.add_option("ITEM", items, "Items: 3, 3-7, or m12 for those of message 12");
}

bool FilterOptions::choose() const {
    for (const std::string* each : {&adapter, &state, &from, &to, &older, &messageId, &message, &error})
        if (!each->empty()) return true;
    return all || !items.empty();
}

void FilterOptions::into(admin::Request& request) const {
    std::vector<std::string> ids = items;
    if (!message.empty()) ids.push_back(message[0] == 'm' ? message : "m" + message);
    const auto set = [&](const char* name, const std::string& value) {
        if (!value.empty()) request.fields[name] = value;
    };
    set("ids", joined(ids));
    set("adapter", adapter);
    set("state", state);
    set("from", from);
    set("to", to);
    set("older", older);
    set("message_id", messageId);
    set("error", error);
    set("limit", limit > 0 ? std::to_string(limit) : "");
    set("all", all ? "true" : "");
}

}  // namespace postern::cli
