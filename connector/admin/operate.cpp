#include "connector/admin/operate.h"

#include <map>

#include "base/text.h"
#include "connector/admin/bulk.h"
#include "connector/config/unknown.h"
#include "queue/move.h"
#include "queue/operate.h"
#include "store/messages.h"

namespace postern::admin {

namespace {

constexpr std::size_t kHeaderLimit = 256 << 10;  // rules look no further

bool movable(queue::State state) {
    return state == queue::State::Ready || state == queue::State::Held || state == queue::State::Failed;
}

Answer answerOf(ItemId item, queue::Moved moved, bool dryRun) {
    Answer answer{item, !moved.items.empty(), moved.missing, std::move(moved.text),
                  std::move(moved.adapters)};
    // The numbers of a dry run are given to others.
    if (answer.done && dryRun) answer.text = answer.text.substr(0, answer.text.find(" as item"));
    return answer;
}

Result<std::shared_ptr<const routing::Router>> routerOf(const ServiceView& view) {
    auto router = view.router ? view.router() : nullptr;
    if (router == nullptr) return fail(Errc::Unavailable, "no routes are loaded");
    return router;
}

// What rules ask of a mail that is routed again.
struct Known {
    store::MessageRow message;
    std::string header;
};
using KnownMails = std::map<std::int64_t, Known>;  // by item

Result<std::string> headerOf(store::ReadSession& session, const std::string& folder, MessageId id) {
    POSTERN_LET(body, store::openBody(session, folder, id));
    std::string text(static_cast<std::size_t>(std::min<std::int64_t>(body->size(), kHeaderLimit)), '\0');
    std::size_t have = 0;
    while (have < text.size()) {
        POSTERN_LET(got,
                    body->readAt(static_cast<std::int64_t>(have), text.data() + have, text.size() - have));
        if (got == 0) break;
        have += got;
    }
    text.resize(have);
    const auto end = text.find("\r\n\r\n");
    return end == std::string::npos ? text : text.substr(0, end + 2);
}

Result<void> readMails(const ServiceView& view, std::span<const ItemId> ids, KnownMails& into) {
    into.clear();
    return view.store.read([&](store::ReadSession& session) -> Result<void> {
        for (const ItemId id : ids) {
            const auto item = queue::readItem(session, id);
            if (!item.ok() && item.error().code == Errc::NotFound) continue;  // said when it is moved
            if (!item.ok()) return item.error();
            Known known;
            POSTERN_LET(message, store::readMessage(session, item->message));
            known.message = std::move(message);
            auto header = headerOf(session, view.store.folder(), item->message);
            if (!header.ok() && header.error().code != Errc::NotFound) return header.error();
            if (header.ok()) known.header = std::move(header).value();
            into[id.value] = std::move(known);
        }
        return {};
    });
}

// As if it came in now, each recipient by itself; one that nobody takes keeps the whole item where it is.
Result<std::vector<queue::NewItem>> routeAgain(const routing::Router& router, const Known& known,
                                               const std::vector<queue::RecipientRow>& recipients,
                                               WallTime received) {
    const store::MessageRow& message = known.message;
    const routing::Mail mail{message.sender, message.source, message.size, true, known.header};
    std::vector<routing::Router::Routed> routed;
    for (const queue::RecipientRow& recipient : recipients) {
        auto found = router.admit(recipient.address, mail);
        if (!found.ok())
            return fail(found.error().code == Errc::Internal ? Errc::Internal : Errc::Denied,
                        "<" + recipient.address + ">: " + found.error().text);
        found->notify = recipient.notify;
        found->original = recipient.original;
        routed.push_back(std::move(found).value());
    }
    return router.items(routed, received);
}

queue::MoveOrder orderFor(const Bulk& bulk, const Request& request, ItemId item, std::string adapter) {
    return {item,
            std::nullopt,
            std::move(adapter),
            bulk.who,
            std::string(request.field("reason")),
            queue::kSecondLife};
}

}  // namespace

Result<void> operate(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    const auto verb = queue::verbOf(request.field("change"));
    if (!verb)
        return fail(Errc::Invalid, "there is no change \"" + escapeLine(request.field("change"), 60) + "\"");
    Bulk bulk = bulkFor(request, queue::verbName(*verb));
    const std::string reason(request.field("reason"));
    bulk.takes = [&](queue::State state) { return queue::takesState(*verb, state); };
    bulk.change = [&](store::WriteSession& session,
                      std::span<const ItemId> ids) -> Result<std::vector<Answer>> {
        // Reports to senders are left out of a dry run.
        POSTERN_LET(results, queue::operate(session, *verb, ids, bulk.who, reason, view.clock.now(),
                                            bulk.dryRun ? queue::Teller{} : view.tell));
        std::vector<Answer> answers;
        for (queue::VerbResult& each : results) {
            Answer answer{each.item, each.done, each.missing, std::move(each.text), {}};
            if (!each.adapter.empty()) answer.adapters.push_back(std::move(each.adapter));
            answers.push_back(std::move(answer));
        }
        return answers;
    };
    return changeMany(view, request, bulk, row);
}

Result<void> moveCommand(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    POSTERN_LET(router, routerOf(view));
    const std::string target(request.field("to_adapter"));
    if (!router->knows(target)) return config::noAdapter(*view.config(), target);
    Bulk bulk = bulkFor(request, "move");
    bulk.takes = movable;
    bulk.change = [&](store::WriteSession& session,
                      std::span<const ItemId> ids) -> Result<std::vector<Answer>> {
        const auto regroup = [&](const std::vector<queue::RecipientRow>& recipients, WallTime received) {
            return router->regroup(target, recipients, received);
        };
        std::vector<Answer> answers;
        for (const ItemId id : ids) {
            POSTERN_LET(moved, queue::moveItem(session, orderFor(bulk, request, id, target), regroup,
                                               view.clock.now()));
            answers.push_back(answerOf(id, std::move(moved), bulk.dryRun));
        }
        return answers;
    };
    return changeMany(view, request, bulk, row);
}

Result<void> requeueCommand(const ServiceView& view, const Request& request, ByteStream&,
                            const RowSink& row) {
    POSTERN_LET(router, routerOf(view));
    KnownMails mails;
    Bulk bulk = bulkFor(request, "requeue");
    bulk.takes = movable;
    bulk.prepare = [&](std::span<const ItemId> ids) { return readMails(view, ids, mails); };
    bulk.change = [&](store::WriteSession& session,
                      std::span<const ItemId> ids) -> Result<std::vector<Answer>> {
        std::vector<Answer> answers;
        for (const ItemId id : ids) {
            const auto regroup = [&](const std::vector<queue::RecipientRow>& recipients, WallTime received) {
                return routeAgain(*router, mails[id.value], recipients, received);
            };
            POSTERN_LET(moved,
                        queue::moveItem(session, orderFor(bulk, request, id, {}), regroup, view.clock.now()));
            answers.push_back(answerOf(id, std::move(moved), bulk.dryRun));
        }
        return answers;
    };
    return changeMany(view, request, bulk, row);
}

Result<void> replayCommand(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    if (request.field("confirmed") != "true" && request.field("dry_run") != "true")
        return fail(Errc::Invalid,
                    "a replay gives the legacy side the mail a second time: confirmed=true says "
                    "that this is meant");
    Bulk bulk = bulkFor(request, "replay");
    const std::string reason(request.field("reason"));
    bulk.takes = [](queue::State state) { return state == queue::State::Exported; };
    bulk.change = [&](store::WriteSession& session,
                      std::span<const ItemId> ids) -> Result<std::vector<Answer>> {
        std::vector<Answer> answers;
        for (const ItemId id : ids) {
            POSTERN_LET(again, queue::replayItem(session, id, bulk.who, reason, view.clock.now()));
            answers.push_back(answerOf(id, std::move(again), bulk.dryRun));
        }
        return answers;
    };
    return changeMany(view, request, bulk, row);
}

}  // namespace postern::admin
