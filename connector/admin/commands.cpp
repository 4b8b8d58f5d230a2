#include "connector/admin/commands.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "connector/admin/account.h"
#include "connector/admin/holds.h"
#include "connector/admin/look.h"
#include "connector/admin/selection.h"
#include "connector/admin/smtp_talk.h"
#include "connector/admin/status.h"
#include "connector/admin/submit.h"
#include "connector/admin/waits.h"
#include "connector/admin/watch.h"
#include "queue/operate.h"

namespace postern::admin {

namespace {

constexpr std::size_t kItemsPerWrite = 500;  // others' commits must not wait for an operator's long list

// An item that is due now, by an adapter that does not claim: who asked should know.
Result<void> sayWhatElseWaits(const ServiceView& view, std::vector<queue::VerbResult>& results) {
    return view.store.read([&](store::ReadSession& session) -> Result<void> {
        const auto config = view.config();
        POSTERN_LET(waits, Waits::read(session, *config, view.clock.now()));
        for (queue::VerbResult& result : results) {
            if (result.adapter.empty()) continue;
            if (const Wait wait = waits.ofAdapter(result.adapter); !wait.text.empty())
                result.text += "; but " + wait.text;
        }
        return {};
    });
}

// One change of many items: what was asked, and of whom.
struct Change {
    queue::Verb verb;
    std::string who, reason;
    bool dryRun = false;
};

Result<Change> changeFrom(const Request& request) {
    const auto verb = queue::verbOf(request.field("change"));
    if (!verb)
        return fail(Errc::Invalid, "there is no change \"" + escapeLine(request.field("change"), 60) + "\"");
    return Change{*verb, request.who.empty() ? "operator" : request.who, std::string(request.field("reason")),
                  request.field("dry_run") == "true"};
}

// A dry run does it all and lets the transaction be taken back; reports to senders are left out of it.
Result<std::vector<queue::VerbResult>> operateSome(const ServiceView& view, const Change& change,
                                                   std::span<const ItemId> ids) {
    std::vector<queue::VerbResult> results;
    bool takenBack = false;
    const Result<void> written = view.store.write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(done, queue::operate(session, change.verb, ids, change.who, change.reason,
                                         view.clock.now(), change.dryRun ? queue::Teller{} : view.tell));
        results = std::move(done);
        takenBack = change.dryRun;
        if (takenBack) return fail(Errc::Stopped, "a dry run");
        return {};
    });
    if (!takenBack) POSTERN_TRY(written);
    POSTERN_TRY(sayWhatElseWaits(view, results));
    return results;
}

Result<void> tell(const ServiceView& view, const Change& change,
                  const std::vector<queue::VerbResult>& results, const RowSink& row) {
    for (const queue::VerbResult& result : results) {
        if (!result.done || change.dryRun) continue;
        LogLine(LogEvent::ItemChanged, result.item).with("who", change.who).with("what", result.text);
        if (!result.adapter.empty()) view.notifier.notify(result.adapter);
    }
    for (const queue::VerbResult& result : results) {
        const bool would = result.done && change.dryRun;
        Record said;
        said.add("id", result.item.value).add("done", result.done);
        said.add("text", (would ? "would be done: " : "") + result.text);
        if (result.missing) said.add("missing", true);
        if (would) said.add("dry_run", true);
        POSTERN_TRY(row(said));
    }
    return {};
}

Result<void> operateNamed(const ServiceView& view, const Change& change, const Request& request,
                          const RowSink& row) {
    POSTERN_LET(selection, parseSelection(request.field("ids")));
    std::vector<ItemId> ids;
    POSTERN_TRY(view.store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(found, selectItems(session, selection));
        ids = std::move(found);
        return {};
    }));
    for (std::span<const ItemId> rest(ids); !rest.empty();) {
        const auto some = rest.first(std::min(kItemsPerWrite, rest.size()));
        rest = rest.subspan(some.size());
        POSTERN_LET(results, operateSome(view, change, some));
        POSTERN_TRY(tell(view, change, results, row));
    }
    return {};
}

// The next items that match, at most kItemsPerWrite; those behind them are found by the next call.
Result<std::vector<ItemId>> nextItems(const ServiceView& view, queue::Filter& filter) {
    std::vector<ItemId> ids;
    queue::Filter page = filter;
    const auto most = static_cast<std::int64_t>(kItemsPerWrite);
    page.limit = filter.limit > 0 ? std::min(filter.limit, most) : most;
    POSTERN_TRY(view.store.read([&](store::ReadSession& session) {
        return queue::listItems(session, page, [&](const queue::ItemRow& item) {
            ids.push_back(item.id);
            return true;
        });
    }));
    if (!ids.empty()) filter.after = ids.back();
    return ids;
}

Result<void> operateFiltered(const ServiceView& view, const Change& change, const Request& request,
                             const RowSink& row) {
    queue::Filter filter;
    POSTERN_TRY(view.store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(wanted, filterFrom(session, request, view.clock.now()));
        filter = std::move(wanted);
        return narrowTo(change.verb, filter);
    }));
    const bool limited = filter.limit > 0;
    while (!limited || filter.limit > 0) {
        POSTERN_LET(ids, nextItems(view, filter));
        if (ids.empty()) break;
        filter.limit -= limited ? static_cast<std::int64_t>(ids.size()) : 0;
        POSTERN_LET(results, operateSome(view, change, ids));
        POSTERN_TRY(tell(view, change, results, row));
    }
    return {};
}

Result<void> operate(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    POSTERN_LET(change, changeFrom(request));
    Request withoutIds = request;
    withoutIds.fields.erase("ids");
    const bool filters = choosesItems(withoutIds);
    if (!request.field("ids").empty() && !filters) return operateNamed(view, change, request, row);
    if (!filters && request.field("all") != "true")
        return fail(Errc::Invalid, "say which items: by id or with a filter; \"all\" means every one");
    return operateFiltered(view, change, request, row);
}

Result<void> testOne(const ServiceView& view, const std::string& name, const RowSink& row) {
    const std::shared_ptr<adapters::Adapter> adapter = view.adapter(name);
    if (adapter == nullptr)
        return fail(Errc::NotFound, "there is no adapter \"" + escapeLine(name, 100) + "\"");
    const Result<void> usable = adapter->probe();
    return row(Record()
                   .add("adapter", name)
                   .add("ok", usable.ok())
                   .add("text", usable.ok() ? adapter->describe() : usable.error().text));
}

Result<void> adapterTest(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    const std::string name(request.field("name"));
    if (!name.empty()) return testOne(view, name, row);
    for (const config::Adapter& adapter : view.config()->adapters)
        POSTERN_TRY(testOne(view, adapter.name, row));
    return {};
}

Result<void> reload(const ServiceView& view, const Request&, ByteStream&, const RowSink& row) {
    if (!view.reload) return fail(Errc::Unavailable, "no service runs");
    const Reloaded reloaded = view.reload();
    const auto say = [&](const char* kind, const std::string& place, const std::string& text) {
        return row(Record().add("kind", kind).add("place", place).add("text", text));
    };
    for (const config::Problem& problem : reloaded.problems)
        POSTERN_TRY(say("problem", config::placeText(problem.place), problem.text));
    for (const config::Problem& warning : reloaded.warnings)
        POSTERN_TRY(say("warning", config::placeText(warning.place), warning.text));
    for (const std::string& note : reloaded.notes) POSTERN_TRY(say("note", "", note));
    if (!reloaded.done) return fail(Errc::Invalid, "the old configuration stays in force");
    if (!reloaded.problems.empty())
        return fail(Errc::Invalid,
                    "all but the named files is reloaded; what was read from them before stays");
    return {};
}

Result<void> status(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    // Collected first: no read session stays open while a client takes its time.
    std::vector<Record> rows;
    std::optional<Record> facts;
    if (view.facts) facts = view.facts();
    POSTERN_TRY(view.store.read([&](store::ReadSession& session) {
        return statusRows(session, *view.config(), facts, view.clock.now(), request.field("all") == "true",
                          [&](const Record& record) -> Result<void> {
                              rows.push_back(record);
                              return {};
                          });
    }));
    for (const Record& record : rows) POSTERN_TRY(row(record));
    return {};
}

std::vector<Parameter> withFilters(std::initializer_list<Parameter> more) {
    const auto filters = filterParameters();
    std::vector<Parameter> all(filters.begin(), filters.end());
    all.insert(all.end(), more);
    return all;
}

constexpr Parameter kAll{"all", "true: settled items too"};
constexpr Parameter kReason{"reason", "why, for the history"};
constexpr Parameter kAdapter{"name", "the adapter"};

std::vector<Command> makeCommands() {
    std::vector<Command> all{
        {"status", "the service, its adapters and their queues", Role::Viewer, {kAll}, status},
        {"queue.list", "items, oldest first: those that are not settled, or what the filters say",
         Role::Viewer, withFilters({kAll, {"after", "only items behind this id: the next page"}}),
         listCommand},
        {"queue.summary", "how many items, how large and how old, by adapter and state or by another key",
         Role::Viewer, withFilters({kAll, {"by", "adapter, sender, domain or error"}}), summaryCommand},
        {"queue.show",
         "everything about items: facts, recipients, history",
         Role::Viewer,
         {{"ids", "items: 3, 3-7, or m12 for those of message 12"}},
         showCommand},
        {"queue.log",
         "the history of items",
         Role::Viewer,
         {{"ids", "items: 3, 3-7, or m12 for those of message 12"}},
         logCommand},
        {"watch",
         "events as they happen",
         Role::Viewer,
         {{"after", "the serial of the last one seen; empty: only what happens from now on"},
          {"adapter", "only this adapter's"},
          {"item", "only this item's"},
          {"event", "only those whose name begins so: item, item.exported"}},
         watch},
        {"operate", "change the state of items", Role::Operator,
         withFilters({{"change",
                       "hold, release, retry, bounce, delete, resolve-exported, resolve-resend or "
                       "resolve-failed"},
                      kReason,
                      {"dry_run", "true: say what would be done, and change nothing"},
                      {"all", "true: every item that the change takes"}}),
         operate},
        {"adapter.test",
         "look whether adapters can deliver now",
         Role::Operator,
         {{"name", "the adapter; empty: all"}},
         adapterTest},
        {"adapter.suspend",
         "nothing of an adapter is exported until it is resumed",
         Role::Operator,
         {kAdapter, kReason, {"until", "milliseconds since 1970; empty: until it is resumed"}},
         suspendAdapter},
        {"adapter.resume", "end a suspension", Role::Operator, {kAdapter}, resumeAdapter},
        {"reload", "read the configuration again", Role::Admin, {}, reload},
        {"account",
         "change who may log on",
         Role::Admin,
         {{"change", "add, passwd or remove"},
          {"name", "the account"},
          {"verifier", "of its password (RFC 5802); never the password"},
          {"roles", "send, viewer, operator, admin"}},
         account},
    };
    Command submitting{"submit",
                       "take a mail",
                       Role::Viewer,
                       {{"sender", ""},
                        {"recipients", ""},
                        {"size", ""},
                        {"recipients_from", ""},
                        {"complete", ""},
                        {"full_name", ""},
                        {"body", ""},
                        {"notify", ""},
                        {"ret", ""},
                        {"envid", ""}},
                       submit,
                       true};
    all.push_back(submitting);
    all.push_back({"submit.smtp", "speak SMTP", Role::Viewer, {}, talkSmtp, true});
    all.push_back({"submit.batch", "take a batch of mails", Role::Viewer, {}, takeBatch, true});
    return all;
}

// What the command does not take; nothing when it takes all fields of the request.
Result<void> checkFields(const Command& command, const Request& request) {
    for (const auto& [name, value] : request.fields) {
        const std::string& given = name;
        const bool known = std::any_of(command.parameters.begin(), command.parameters.end(),
                                       [&](const Parameter& each) { return given == each.name; });
        if (!known && !value.empty())
            return fail(Errc::Invalid,
                        std::string(command.verb) + " takes no \"" + escapeLine(name, 60) + "\"");
    }
    return {};
}

}  // namespace

std::string_view Request::field(std::string_view name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view roleName(Role role) {
    switch (role) {
        case Role::Viewer: return "viewer";
        case Role::Operator: return "operator";
        case Role::Admin: break;
    }
    return "admin";
}

std::span<const Command> commands() {
    static const std::vector<Command> all = makeCommands();
    return all;
}

Result<void> runCommand(const ServiceView& view, Role role, const Request& request, ByteStream& body,
                        const RowSink& row) {
    for (const Command& command : commands()) {
        if (request.verb != command.verb) continue;
        if (role < command.role)
            return fail(Errc::Denied,
                        std::string(command.verb) + " needs the role " + std::string(roleName(command.role)));
        POSTERN_TRY(checkFields(command, request));
        return command.run(view, request, body, row);
    }
    return fail(Errc::Invalid, "there is no command \"" + escapeLine(request.verb, 60) + "\"");
}

}  // namespace postern::admin
