#include "connector/export/attending.h"

#include <exception>

#include "base/log.h"
#include "queue/inspect.h"
#include "queue/returned.h"

namespace postern::exporting {

namespace {

using adapters::Returned;

// An adapter that throws broke its contract; the watcher goes on, and it is asked again.
Result<std::vector<Returned>> ask(const Post& post, const std::function<bool()>& stopping) {
    try {
        const Pulse::Away away(post.pulse);
        return post.adapter.attend([&] {
            post.pulse.beat();
            return stopping();
        });
    } catch (const std::exception& error) {
        ++post.counters.faults;
        LogLine(LogEvent::WorkerFailed).with("adapter", post.settings.name).with("reason", error.what());
        return std::vector<Returned>{};
    }
}

// The adapter picks those it means out of the item's recipients, whatever the legacy side calls them.
Result<std::vector<queue::RecipientRow>> refusedOf(const Post& post, const Returned& returned) {
    std::vector<adapters::Recipient> recipients;
    POSTERN_TRY(post.store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(rows, queue::readRecipients(session, returned.item));
        for (const queue::RecipientRow& row : rows)
            recipients.push_back({row.ordinal, row.address, row.legacy, row.notify, row.original});
        return {};
    }));
    std::vector<queue::RecipientRow> refused;
    for (const adapters::RecipientVerdict& verdict : returned.refused(recipients)) {
        if (verdict.verdict != adapters::Verdict::Rejected) continue;
        queue::RecipientRow row;
        row.ordinal = verdict.ordinal;
        row.reason = verdict.reason;
        row.status = verdict.status;
        refused.push_back(std::move(row));
    }
    return refused;
}

Result<queue::Taken> take(const Post& post, const Returned& returned) {
    queue::ReturnedAnswer answer;
    answer.adapter = post.settings.name;
    answer.token = returned.token;
    answer.item = returned.item;
    answer.epoch = returned.epoch;
    answer.text = returned.text;
    answer.doubt = returned.doubt;
    answer.resend = post.settings.onDoubt != config::OnDoubt::Hold;
    if (returned.refused) {
        POSTERN_LET(refused, refusedOf(post, returned));
        answer.refused = std::move(refused);
    }
    queue::Taken taken = queue::Taken::Nowhere;
    POSTERN_TRY(post.store.write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(
            done, queue::takeReturned(session, answer, post.queue.clock().now(), post.queue.options().tell));
        taken = done;
        return {};
    }));
    return taken;
}

void report(const Post& post, const Returned& returned, queue::Taken taken) {
    const bool doubted = taken == queue::Taken::Doubted;
    const bool waits = doubted && post.settings.onDoubt == config::OnDoubt::Hold;
    LogLine line(waits ? LogEvent::ItemInDoubt : LogEvent::ItemReturned, returned.item);
    line.with("adapter", post.settings.name).with("answer", returned.token).with("reason", returned.text);
    if (taken == queue::Taken::Nowhere) line.with("item", "not known any more");
    if (taken == queue::Taken::Past) line.with("item", "not changed by it");
    if (waits) ++post.counters.inDoubt;
    if (doubted && !waits && post.elsewhere.hint) post.elsewhere.hint(post.settings.name);
}

}  // namespace

Result<Attended> attend(const Post& post, const std::function<bool()>& stopping) {
    Attended attended;
    const auto answers = ask(post, stopping);
    if (!answers.ok()) {
        attended.unusable = answers.error().text;
        return attended;
    }
    for (const Returned& returned : *answers) {
        POSTERN_LET(taken, take(post, returned));
        if (taken == queue::Taken::Early) continue;
        if (taken != queue::Taken::Before) report(post, returned, taken);
        // Not forgotten means given again, and known then.
        const Pulse::Away away(post.pulse);
        if (const auto settled = post.adapter.settle(returned.token); !settled.ok())
            attended.unusable = settled.error().text;
        ++attended.answers;
    }
    return attended;
}

}  // namespace postern::exporting
