#include "adapters/ftn/ftn_outbound.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/folder_access.h"
#include "base/text.h"

namespace postern::adapters::ftn {

namespace {

constexpr std::string_view kPrefix = "flow1 ";

Recovery damaged() {
    return {Found::CannotTell, "the record of its staged file is damaged", std::nullopt};
}

}  // namespace

std::string formatFlowEvidence(const FlowEvidence& evidence) {
    return std::string(kPrefix) + nodeText(evidence.link) + " " + evidence.packet;
}

std::optional<FlowEvidence> parseFlowEvidence(std::string_view text) {
    if (!text.starts_with(kPrefix)) return std::nullopt;
    text.remove_prefix(kPrefix.size());
    const std::size_t blank = text.find(' ');
    const auto link = parseNode(text.substr(0, blank));
    if (blank == std::string_view::npos || !link) return std::nullopt;
    return FlowEvidence{*link, std::string(text.substr(blank + 1))};
}

struct Outbound::Held {
    FileLock own;
    std::unique_ptr<Flow> flow;  // goes first
};

// Waits a while: a mailer's session is over soon, another thread of ours at once.
Result<std::unique_ptr<Outbound::Held>> Outbound::hold(const Node& link, SteadyTime deadline,
                                                       const std::function<void()>& beat) const {
    POSTERN_LET(stage, Folder::open(plan_.stage));
    for (;;) {
        auto held = [&]() -> Result<std::unique_ptr<Held>> {
            POSTERN_LET(own, takeOwnLock(stage, nodeText(link)));
            POSTERN_LET(flow, Flow::open(link, plan_.flow));
            return std::make_unique<Held>(Held{std::move(own), std::move(flow)});
        }();
        if (held.ok() || held.error().code != Errc::Busy) return held;
        if (hasty_ || Clock::system().steady() >= deadline) return held;
        waitForLock(deadline);
        beat();
    }
}

Result<Folder> Outbound::packetFolder() const {
    return Folder::open(joinPath(plan_.flow.folder, kPacketFolder));
}

// Whether it is every link's trouble: a full disk, or what they all need can not be used.
bool Outbound::isShared(const Error& error) const {
    if (error.code == Errc::NoSpace) return true;
    const auto usable = [](const std::string& path) {
        const auto folder = Folder::open(path);
        return folder.ok() && folder->mayWrite().ok();
    };
    return !usable(plan_.stage) || !usable(joinPath(plan_.flow.folder, kPacketFolder)) ||
           !usable(joinPath(plan_.flow.folder, plan_.flow.outbound));
}

Result<void> Outbound::probe() {
    POSTERN_TRY(packets_->probe());
    POSTERN_LET(outbound,
                Folder::make(joinPath(plan_.flow.folder, plan_.flow.outbound), plan_.flow.folderMode));
    const auto may = outbound.mayWrite();
    return may.ok() ? may : explainDenied(may.error(), {outbound.path()});
}

void Outbound::stage(std::span<Job> jobs, const std::function<void()>& beat) {
    std::vector<Node> links;
    for (const Job& job : jobs) links.push_back(job.outcome ? Node{} : linkOf_(job.delivery));
    packets_->stage(jobs, beat);
    for (std::size_t i = 0; i < jobs.size(); ++i)
        if (!jobs[i].evidence.empty() && !jobs[i].outcome)
            jobs[i].evidence = formatFlowEvidence({links[i], jobs[i].evidence});
}

void Outbound::publish(std::span<Job> jobs, const std::function<void()>& beat) {
    std::map<std::string, std::pair<Node, std::vector<Job*>>> byLink;
    for (Job& job : jobs) {
        if (job.outcome) continue;
        const auto evidence = parseFlowEvidence(job.evidence);
        if (!evidence) {
            job.outcome = unknown("the record of its staged file is damaged: " + job.evidence);
            continue;
        }
        auto& [link, members] = byLink[nodeText(evidence->link)];
        link = evidence->link;
        members.push_back(&job);
    }
    const SteadyTime deadline = Clock::system().steady() + plan_.lockWait;
    for (auto& [name, linked] : byLink) publishFor(linked.first, linked.second, deadline, beat);
}

// An Error: those that are exported are not all listed.
Result<void> Outbound::publishListed(Flow& flow, std::span<Job> jobs, const std::function<void()>& beat) {
    packets_->publish(jobs, beat);
    POSTERN_LET(folder, packetFolder());
    std::vector<std::string> names;
    std::set<std::string> known;  // mails of one packet need not be neighbours
    for (const Job& job : jobs) {
        if (job.outcome->verdict != Verdict::Exported) continue;
        std::string name = fileOf(job.evidence)->name;
        if (known.insert(name).second) names.push_back(std::move(name));
    }
    return flow.add(folder, names);
}

Result<void> Outbound::forgetSent(Flow& flow, std::span<const Job> jobs) const {
    POSTERN_LET(folder, packetFolder());
    std::vector<std::string> names;
    for (const Job& job : jobs)
        if (const auto file = fileOf(job.evidence)) names.push_back(file->name);
    return flow.forgetSent(folder, names);
}

void Outbound::publishFor(const Node& link, std::vector<Job*>& jobs, SteadyTime deadline,
                          const std::function<void()>& beat) {
    beat();
    const auto held = hold(link, deadline, beat);
    if (!held.ok()) {
        for (Job* job : jobs) keepBack(*job, held.error());
        return;
    }
    std::vector<Job> inner;
    for (const Job* job : jobs) {
        inner.push_back(*job);
        inner.back().evidence = parseFlowEvidence(job->evidence)->packet;
    }
    if (const auto forgotten = forgetSent(*(*held)->flow, inner); !forgotten.ok()) {
        for (Job* job : jobs) keepBack(*job, forgotten.error());
        return;
    }
    const auto listed = publishListed(*(*held)->flow, inner, beat);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        jobs[i]->notes = std::move(inner[i].notes);
        jobs[i]->outcome = std::move(inner[i].outcome);
        if (!listed.ok() && jobs[i]->outcome->verdict == Verdict::Exported)
            jobs[i]->outcome = unknown("its packet is not listed for the mailer yet: " + listed.error().text);
    }
}

// The link can not be had: the packet does not appear, unless it is there already.
void Outbound::keepBack(Job& job, const Error& error) {
    const Recovery seen = packets_->recover(job.delivery.key, parseFlowEvidence(job.evidence)->packet);
    const Error told = explainDenied(error, {joinPath(plan_.flow.folder, plan_.flow.outbound)});
    const bool linksOwn = !hasty_ && (error.code == Errc::Busy || !isShared(error));
    if (seen.found != Found::NotPublished)
        job.outcome = unknown(error.text);
    else
        job.outcome = linksOwn ? deferred(told) : unusableBy(told);
}

void Outbound::abandon(Job& job) {
    const auto evidence = parseFlowEvidence(job.evidence);
    if (!evidence) return;
    Job inner = job;
    inner.evidence = evidence->packet;
    packets_->abandon(inner);
}

Recovery Outbound::recover(const DeliveryKey& staged, std::string_view text) {
    const auto evidence = parseFlowEvidence(text);
    const auto file = evidence ? fileOf(evidence->packet) : std::nullopt;
    if (!file) return damaged();
    Recovery seen = packets_->recover(staged, evidence->packet);
    if (seen.found != Found::Published) return seen;
    constexpr Millis kMoment{200};  // none of the leases is kept alive meanwhile
    const auto listed = [&]() -> Result<void> {
        POSTERN_LET(packets, packetFolder());
        POSTERN_LET(waits, packets.has(file->name));
        if (!waits) return {};  // a mailer had it: the link may be busy for long
        POSTERN_LET(
            held, hold(evidence->link, Clock::system().steady() + std::min(kMoment, plan_.lockWait), [] {}));
        return held->flow->add(packets, {file->name});
    }();
    if (listed.ok()) return seen;
    Recovery later{Found::CannotTell, listed.error().text, std::nullopt};
    if (listed.error().code == Errc::Busy || !isShared(listed.error()))
        later.busy = listed.error();
    else
        later.unusable = listed.error();
    return later;
}

std::string Outbound::describe() const {
    return packets_->describe() + "; listed in the flow files of " +
           joinPath(plan_.flow.folder, plan_.flow.outbound);
}

}  // namespace postern::adapters::ftn
