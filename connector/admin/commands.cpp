#include "connector/admin/commands.h"

#include <algorithm>

#include "base/text.h"
#include "connector/admin/account.h"
#include "connector/admin/holds.h"
#include "connector/admin/look.h"
#include "connector/admin/operate.h"
#include "connector/admin/preview.h"
#include "connector/admin/smtp_talk.h"
#include "connector/admin/status.h"
#include "connector/admin/submit.h"
#include "connector/admin/top.h"
#include "connector/admin/watch.h"
#include "connector/config/unknown.h"

namespace postern::admin {

namespace {

Result<void> testOne(const ServiceView& view, const std::string& name, const RowSink& row) {
    const std::shared_ptr<adapters::Adapter> adapter = view.adapter(name);
    if (adapter == nullptr) return config::noAdapter(*view.config(), name);
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
    if (!reloaded.done) return fail(Errc::Invalid, kOldStays);
    if (!reloaded.problems.empty()) return fail(Errc::Invalid, "all but what is named is reloaded");
    return {};
}

Result<void> status(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    std::optional<Record> facts;
    if (view.facts) facts = view.facts();
    const auto config = view.config();
    std::vector<Trouble> troubles = certificateTroubles(*config, view.clock.now());
    const auto more = view.pickupTroubles ? pickupTroubles(view.pickupTroubles()) : folderTroubles(*config);
    troubles.insert(troubles.end(), more.begin(), more.end());
    if (view.chat) addChatTroubles(view.chat(), troubles);
    if (view.disk) {
        const disk::Overview overview = view.disk();
        const auto disks = diskTroubles(overview);
        troubles.insert(troubles.end(), disks.begin(), disks.end());
        if (facts) addDiskFacts(overview, *facts);
    }
    return readThenHandOn(view, row, [&](store::ReadSession& session, const RowSink& keep) {
        return statusRows(session, *config, facts, troubles, view.clock.now(), request.field("all") == "true",
                          keep);
    });
}

std::vector<Parameter> withFilters(std::initializer_list<Parameter> more) {
    const auto filters = filterParameters();
    std::vector<Parameter> all(filters.begin(), filters.end());
    all.insert(all.end(), more);
    return all;
}

constexpr Parameter kAll{"all", "true: settled items too"};
constexpr Parameter kReason{"reason", "why, for the history"};
constexpr Parameter kDryRun{"dry_run", "true: say what would be done, and change nothing"};
constexpr Parameter kAllThat{"all", "true: every item that the change takes"};
constexpr Parameter kAdapter{"name", "the adapter"};

std::vector<Command> makeCommands() {
    std::vector<Command> all{
        {"status", "the service, its adapters and their queues", Role::Viewer, {kAll}, status},
        {"top",
         "the same at one moment, with what came and went lately",
         Role::Viewer,
         {{"over", "how long ago lately began, in milliseconds: 1000 to 60000"}},
         top},
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
        {"item.preview",
         "the mail of an item as its adapter would hand it over",
         Role::Viewer,
         {{"ids", "one item"}},
         previewItem},
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
                      kDryRun,
                      kAllThat}),
         operate},
        {"queue.move", "give waiting or failed items to another adapter", Role::Operator,
         withFilters({{"to_adapter", "where to"}, kReason, kDryRun, kAllThat}), moveCommand},
        {"queue.requeue", "route waiting or failed items again, by the configuration of now", Role::Operator,
         withFilters({kReason, kDryRun, kAllThat}), requeueCommand},
        {"queue.replay",
         "export exported items once more, as new items",
         Role::Operator,
         {{"ids", "items: 3, 3-7, or m12 for those of message 12"},
          {"confirmed", "true: the legacy side gets the mail a second time"},
          kReason,
          kDryRun},
         replayCommand},
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

std::span<const Command> commands() {
    static const std::vector<Command> all = makeCommands();
    return all;
}

const Command* commandNamed(std::string_view verb) {
    const auto all = commands();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Command& command) { return verb == command.verb; });
    return found == all.end() ? nullptr : &*found;
}

Result<void> runCommand(const ServiceView& view, Role role, const Request& request, ByteStream& body,
                        const RowSink& row) {
    const Command* command = commandNamed(request.verb);
    if (command == nullptr)
        return fail(Errc::Invalid, "there is no command \"" + escapeLine(request.verb, 60) + "\"");
    if (role < command->role)
        return fail(Errc::Denied,
                    std::string(command->verb) + " needs the role " + std::string(roleName(command->role)));
    POSTERN_TRY(checkFields(*command, request));
    return command->run(view, request, body, row);
}

}  // namespace postern::admin
