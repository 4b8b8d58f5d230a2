#include "connector/admin/bulk.h"

#include <algorithm>

#include "base/log.h"
#include "connector/admin/selection.h"
#include "connector/admin/waits.h"

namespace postern::admin {

namespace {

constexpr std::size_t kItemsPerWrite = 500;  // others' commits must not wait for an operator's long list

// An item that is due now, by an adapter that does not claim: who asked should know.
Result<void> sayWhatElseWaits(const ServiceView& view, std::vector<Answer>& answers) {
    return view.store.read([&](store::ReadSession& session) -> Result<void> {
        const auto config = view.config();
        POSTERN_LET(waits, Waits::read(session, *config, view.clock.now()));
        for (Answer& answer : answers)
            for (const std::string& adapter : answer.adapters)
                if (const Wait wait = waits.ofAdapter(adapter); !wait.text.empty())
                    answer.text += "; but " + wait.text;
        return {};
    });
}

Result<std::vector<Answer>> changeSome(const ServiceView& view, const Bulk& bulk,
                                       std::span<const ItemId> ids) {
    if (bulk.prepare) POSTERN_TRY(bulk.prepare(ids));
    std::vector<Answer> answers;
    bool takenBack = false;
    const Result<void> written = view.store.write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(done, bulk.change(session, ids));
        answers = std::move(done);
        takenBack = bulk.dryRun;
        if (takenBack) return fail(Errc::Stopped, "a dry run");
        return {};
    });
    if (!takenBack) POSTERN_TRY(written);
    POSTERN_TRY(sayWhatElseWaits(view, answers));
    return answers;
}

Result<void> tell(const ServiceView& view, const Bulk& bulk, const std::vector<Answer>& answers,
                  const RowSink& row) {
    for (const Answer& answer : answers) {
        if (!answer.done || bulk.dryRun) continue;
        LogLine line(LogEvent::ItemChanged, answer.item);
        line.with("who", bulk.who).with("change", bulk.name).with("what", answer.text);
        if (!bulk.reason.empty()) line.with("reason", bulk.reason);
        for (const std::string& adapter : answer.adapters) view.notifier.notify(adapter);
    }
    for (const Answer& answer : answers) {
        const bool would = answer.done && bulk.dryRun;
        Record said;
        said.add("id", answer.item.value).add("done", answer.done);
        said.add("text", (would ? "would be done: " : "") + answer.text);
        if (answer.missing) said.add("missing", true);
        if (would) said.add("dry_run", true);
        POSTERN_TRY(row(said));
    }
    return {};
}

Result<void> changeNamed(const ServiceView& view, const Request& request, const Bulk& bulk,
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
        POSTERN_LET(answers, changeSome(view, bulk, some));
        POSTERN_TRY(tell(view, bulk, answers, row));
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

// The highest id there is now: what a change makes is not changed by it again.
Result<ItemId> newestItem(const ServiceView& view) {
    ItemId newest;
    POSTERN_TRY(view.store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(id, queue::newestItem(session));
        newest = id;
        return {};
    }));
    return newest;
}

Result<void> changeFiltered(const ServiceView& view, const Request& request, const Bulk& bulk,
                            const RowSink& row) {
    POSTERN_LET(newest, newestItem(view));
    queue::Filter filter;
    POSTERN_TRY(view.store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(wanted, filterFrom(session, *view.config(), request, view.clock.now()));
        filter = std::move(wanted);
        return narrowTo(bulk.name, bulk.takes, filter);
    }));
    const bool limited = filter.limit > 0;
    while (!limited || filter.limit > 0) {
        POSTERN_LET(ids, nextItems(view, filter));
        std::erase_if(ids, [&](ItemId id) { return id.value > newest.value; });
        if (ids.empty()) break;
        filter.limit -= limited ? static_cast<std::int64_t>(ids.size()) : 0;
        POSTERN_LET(answers, changeSome(view, bulk, ids));
        POSTERN_TRY(tell(view, bulk, answers, row));
    }
    return {};
}

}  // namespace

Bulk bulkFor(const Request& request, std::string_view name) {
    Bulk bulk;
    bulk.name = name;
    bulk.who = request.who.empty() ? "operator" : request.who;
    bulk.reason = request.field("reason");
    bulk.dryRun = request.field("dry_run") == "true";
    return bulk;
}

Result<void> changeMany(const ServiceView& view, const Request& request, const Bulk& bulk,
                        const RowSink& row) {
    Request withoutIds = request;
    withoutIds.fields.erase("ids");
    const bool filters = choosesItems(withoutIds);
    if (!request.field("ids").empty() && !filters) return changeNamed(view, request, bulk, row);
    if (!filters && request.field("all") != "true")
        return fail(Errc::Invalid, "say which items: by id or with a filter; \"all\" means every one");
    return changeFiltered(view, request, bulk, row);
}

}  // namespace postern::admin
