#include "connector/admin/commands.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "connector/admin/account.h"
#include "connector/admin/holds.h"
#include "connector/admin/selection.h"
#include "connector/admin/smtp_talk.h"
#include "connector/admin/status.h"
#include "connector/admin/submit.h"
#include "connector/admin/waits.h"
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

Result<std::vector<queue::VerbResult>> operateSome(const ServiceView& view, queue::Verb verb,
                                                   std::span<const ItemId> ids, const Request& request) {
    std::vector<queue::VerbResult> results;
    const std::string who = request.who.empty() ? "operator" : request.who;
    const std::string reason(request.field("reason"));
    POSTERN_TRY(view.store.write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(done, queue::operate(session, verb, ids, who, reason, view.clock.now(), view.tell));
        results = std::move(done);
        return {};
    }));
    POSTERN_TRY(sayWhatElseWaits(view, results));
    return results;
}

Result<void> tell(const ServiceView& view, const Request& request,
                  const std::vector<queue::VerbResult>& results, const RowSink& row) {
    for (const queue::VerbResult& result : results) {
        if (result.done) {
            LogLine(LogEvent::ItemChanged, result.item).with("who", request.who).with("what", result.text);
            if (!result.adapter.empty()) view.notifier.notify(result.adapter);
        }
    }
    for (const queue::VerbResult& result : results) {
        Record said;
        said.add("id", result.item.value).add("done", result.done).add("text", result.text);
        if (result.missing) said.add("missing", true);
        POSTERN_TRY(row(said));
    }
    return {};
}

Result<void> operate(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    const auto verb = queue::verbOf(request.field("change"));
    if (!verb)
        return fail(Errc::Invalid, "there is no change \"" + escapeLine(request.field("change"), 60) + "\"");
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
        POSTERN_LET(results, operateSome(view, *verb, some, request));
        POSTERN_TRY(tell(view, request, results, row));
    }
    return {};
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

constexpr Command kCommands[] = {
    {"operate", "change the state of items", operate},
    {"submit", "take a mail", submit},
    {"submit.smtp", "speak SMTP", talkSmtp},
    {"submit.batch", "take a batch of mails", takeBatch},
    {"adapter.test", "look whether adapters can deliver now", adapterTest},
    {"account", "change who may log on", account},
    {"adapter.suspend", "nothing of an adapter is exported until it is resumed", suspendAdapter},
    {"adapter.resume", "end a suspension", resumeAdapter},
    {"reload", "read the configuration again", reload},
    {"status", "the service, its adapters and their queues", status},
};

}  // namespace

std::string_view Request::field(std::string_view name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

std::span<const Command> commands() {
    return kCommands;
}

Result<void> runCommand(const ServiceView& view, const Request& request, ByteStream& body,
                        const RowSink& row) {
    for (const Command& command : kCommands)
        if (request.verb == command.verb) return command.run(view, request, body, row);
    return fail(Errc::Invalid, "there is no command \"" + escapeLine(request.verb, 60) + "\"");
}

}  // namespace postern::admin
