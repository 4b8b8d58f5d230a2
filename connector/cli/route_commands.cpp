// postern route test and postern address lookup.

#include <CLI/CLI.hpp>

#include "adapters/registry.h"
#include "base/text.h"
#include "connector/cli/look.h"
#include "mail/address.h"

namespace postern::cli {

namespace {

struct Question {
    std::vector<std::string> addresses;
    std::optional<std::string> from;
    std::string size, source = "submit";
    std::vector<std::string> header;
};

Result<void> tell(Output& output, const std::string& recipient, const routing::Router::Step& step) {
    return output.row(admin::Record()
                          .add("recipient", recipient)
                          .add("step", step.step)
                          .add("name", step.name)
                          .add("verdict", step.verdict)
                          .add("detail", step.detail));
}

// What the legacy side types to answer the sender: the other half of a mapping.
Result<void> tellReply(Output& output, const LookRouter& look, const std::string& recipient,
                       const std::string& adapter, const std::string& sender) {
    if (sender.empty()) return {};
    const auto name = look.router->replyName(adapter, sender);
    return tell(output, recipient,
                {"reply", adapter, name ? "type" : "one way",
                 name ? *name : "no name of this adapter leads to <" + sender + ">"});
}

int exitForRoute(Errc code) {
    if (code == Errc::Unavailable) return kExitUnavailable;
    return code == Errc::Denied || code == Errc::TooLarge ? kExitData : kExitNoUser;
}

Result<int> testOne(const Run& run, Output& output, const LookRouter& look, const std::string& text,
                    const Question& question, const routing::Mail& mail) {
    const auto address = mail::parseAddress(text, {true, false, {}});
    if (!address.ok()) {
        run.complain("<" + text + ">: " + address.error().text);
        return int{kExitNoUser};
    }
    std::vector<routing::Router::Step> steps;
    const auto found = look.router->explain(address->text(), mail, steps);
    for (const routing::Router::Step& step : steps) POSTERN_TRY(tell(output, address->text(), step));
    if (found.ok()) {
        POSTERN_TRY(
            tellReply(output, look, address->text(), found->destination.adapter, question.from.value_or("")));
        return int{kExitDone};
    }
    output.finish();
    run.complain("<" + text + ">: " + found.error().text);
    return exitForRoute(found.error().code);
}

Result<int> testRoutes(const Run& run, const Question& question) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(look, makeLookRouter(run, *config));
    if (!look) return int{kExitConfig};
    const auto size = parseSize(question.size.empty() ? "0" : question.size);
    if (!size) return fail(Errc::Invalid, "--size takes a size such as \"10 MiB\"");
    std::string sender = question.from.value_or("");
    if (sender == "<>") sender.clear();
    std::string header;
    for (const std::string& field : question.header) header += field + "\r\n";
    const routing::Mail mail{sender, question.source, *size, !header.empty(), header};
    Output output(run.console, run.form());
    int exit = kExitDone;
    for (const std::string& text : question.addresses) {
        POSTERN_LET(ended, testOne(run, output, *look, text, question, mail));
        if (ended != kExitDone) exit = ended;
    }
    return exit;
}

Result<void> tellName(Output& output, const std::string& text, const char* way, const std::string& adapter,
                      const std::string& by, const std::string& found) {
    return output.row(admin::Record()
                          .add("asked", text)
                          .add("way", way)
                          .add("adapter", adapter)
                          .add("by", by)
                          .add("found", found));
}

Result<int> lookUp(const Run& run, const std::string& text) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(look, makeLookRouter(run, *config));
    if (!look) return int{kExitConfig};
    Output output(run.console, run.form());
    bool any = false;
    const auto row = [&](const char* way, const std::string& adapter, const std::string& by,
                         const std::string& found) {
        any = true;
        return tellName(output, text, way, adapter, by, found);
    };
    if (const auto address = mail::parseAddress(text, {true, false, {}}); address.ok()) {
        if (const auto to = look->router->route(address->text()); to.ok())
            POSTERN_TRY(row("to legacy", to->adapter, to->route, to->legacy));
        for (const auto& [name, adapter] : look->adapters)
            if (const auto typed = look->router->replyName(name, address->text()))
                POSTERN_TRY(row("legacy types", name, "", *typed));
    }
    for (const auto& [name, adapter] : look->adapters)
        if (const auto address = look->router->toInternet(name, text))
            POSTERN_TRY(row("to internet", name, "", *address));
    if (any) return int{kExitDone};
    run.complain("\"" + text + "\": no table or route knows it");
    return int{kExitNoUser};
}

}  // namespace

Result<LookAdapters> makeLookAdapters(const config::Config& config) {
    LookAdapters made;
    for (const config::Adapter& each : config.adapters) {
        const adapters::Kind* kind = adapters::kindNamed(each.kind);
        if (kind == nullptr) return fail(Errc::Invalid, "there is no adapter kind \"" + each.kind + "\"");
        auto adapter = kind->make({each.name, config.hostname, "look", {}}, each.settings);
        if (!adapter.ok()) return adapter.error().within("adapter " + each.name);
        made[each.name] = std::move(adapter).value();
    }
    return made;
}

Result<std::unique_ptr<LookRouter>> makeLookRouter(const Run& run, const config::Config& config) {
    auto tables = routing::readTables(config);
    for (const config::Problem& problem : tables.problems)
        run.complain(config::placeText(problem.place) + ": " + problem.text);
    if (!tables.problems.empty()) return std::unique_ptr<LookRouter>();
    auto look = std::make_unique<LookRouter>();
    POSTERN_LET(made, makeLookAdapters(config));
    look->adapters = std::move(made);
    std::vector<routing::Target> targets;
    for (const config::Adapter& each : config.adapters)
        targets.push_back(routing::targetFor(each, *look->adapters[each.name]));
    look->router = std::make_unique<routing::Router>(config.routes, std::move(targets), config.rules,
                                                     std::move(tables.tables));
    return look;
}

Carry setupRouteTest(CLI::App& command, Run& run) {
    const auto question = std::make_shared<Question>();
    command.add_option("ADDRESS", question->addresses, "Recipients' Internet addresses")->required();
    command.add_option("--from", question->from, "The envelope's sender; <> is the null reverse path");
    command.add_option("--size", question->size, "The mail's size, as in \"10 MiB\"");
    command.add_option("--source", question->source,
                       "The listener or pickup it comes in by; default: submit");
    command.add_option("--header", question->header,
                       "A field of its header, \"Subject: text\"; may be repeated");
    command.footer("Without --header the mail counts as not read yet, as when its recipients are named.");
    return [&run, question] { return run.end(testRoutes(run, *question)); };
}

Carry setupAddressLookup(CLI::App& command, Run& run) {
    const auto text = std::make_shared<std::string>();
    command.add_option("ADDRESS-OR-NAME", *text, "An Internet address or a legacy name")->required();
    return [&run, text] { return run.end(lookUp(run, *text)); };
}

}  // namespace postern::cli
