#include "adapters/command/command.h"

#include <algorithm>

#include "adapters/command/runner.h"
#include "adapters/spool/staging.h"
#include "base/places.h"
#include "base/quiet_lock.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

using Is = Standing::Is;

constexpr Millis kLook{100};  // how often the lease is kept alive while a command runs

Recovery cannotLook(const Error& error) {
    return {Found::CannotTell, error.text, error};
}

// Whether the words that a mail brought can be why the system refuses a command line: then this mail has to
// go back, and otherwise the adapter is at fault and no mail is. Windows takes UTF-8 alone, and 32,767 units
// of UTF-16 with everything (CreateProcess).
bool canNotBeTold(const std::vector<std::string>& words) {
    constexpr std::size_t kMuch = 24'000;  // bytes; the paths around them are short beside that
    std::size_t all = 0;
    for (const std::string& word : words) {
        if (!validUtf8(word) || word.find('\0') != std::string::npos) return true;
        all += word.size() + 1;
    }
    return all > kMuch;
}

void waitAMoment() {
    constexpr Millis kMoment{10};
    Mutex mutex;
    Condition nobody;
    const SteadyTime until = Clock::system().steady() + kMoment;
    const MutexLock lock(mutex);
    while (Clock::system().steady() < until) nobody.waitUntil(mutex, until);
}

}  // namespace

CommandAdapter::CommandAdapter(AdapterContext context, CommandPlan plan)
    : context_(std::move(context)), plan_(std::move(plan)) {}

Result<CommandAdapter::Looked> CommandAdapter::folders() const {
    Folders held;
    {
        const MutexLock lock(mutex_);
        held = folders_;
    }
    if (!held) return fail(Errc::Unavailable, plan_.spool.folder + " was not opened yet");
    POSTERN_LET(run, held->live(plan_.spool.live.front()));
    return Looked{held, run};
}

Result<CommandAdapter::Looked> CommandAdapter::checkedFolders() const {
    POSTERN_LET(looked, folders());
    POSTERN_TRY(looked.folders->stillOurs());
    POSTERN_TRY(looked.run->folder.stillThere());
    return looked;
}

Result<void> CommandAdapter::probe() {
    const auto runner = context_.runner.empty() ? fail(Errc::NotFound, "postern-runner is not installed")
                                                : canRun(context_.runner);
    if (!runner.ok()) return fail(Errc::Unavailable, runner.error().within("the runner of commands").text);
    if (const auto program = canRun(plan_.program); !program.ok())
        return fail(Errc::Unavailable, program.error().text);
    if (const auto folder = Folder::open(plan_.workingFolder); !folder.ok())
        return fail(Errc::Unavailable, folder.error().within("working_folder").text);
    const auto before = folders();
    POSTERN_LET(opened,
                SpoolFolders::open(context_, plan_.spool, before.ok() ? before->folders.get() : nullptr));
    const MutexLock lock(mutex_);
    folders_ = std::move(opened);
    return {};
}

void CommandAdapter::stage(std::span<Job> jobs, const std::function<void()>& beat) {
    const auto looked = folders();
    if (!looked.ok()) return endAll(jobs, unusableBy(looked.error()));
    const auto writer = [this](Job& job, StagedFile& file, Companions&) { return write(job, file); };
    auto staging = Staging::begin(*looked->folders, jobs.size(), 0600, writer, beat);
    if (!staging.ok()) return endAll(jobs, unusableBy(staging.error()));
    for (Job& job : jobs) {
        beat();
        if (!job.outcome) job.outcome = refusalOf(*this, job.delivery);
        if (job.outcome) continue;
        const auto possible = arguments(job.delivery);
        const std::string key = stagedName(job.delivery.key);
        if (!possible.ok()) {
            job.outcome = rejectedOrDeferred(possible.error());
        } else if (staging->write(job, {})) {
            job.evidence =
                formatEvidence({looked->folders->token(), key, plan_.spool.live.front(), key + ".started"});
        }
    }
    staging->finish();
}

void CommandAdapter::publish(std::span<Job> jobs, const std::function<void()>& beat) {
    const auto looked = folders();
    if (!looked.ok()) return endAll(jobs, unknown(looked.error().text));
    bool anyTaken = false;
    for (Job& job : jobs) {
        beat();
        if (!job.outcome) job.outcome = publishOne(job, *looked, beat);
        anyTaken = anyTaken || job.outcome->verdict == Verdict::Exported;
    }
    if (!anyTaken) return;
    const auto durable = taken();
    for (Job& job : jobs)
        if (job.outcome->verdict == Verdict::Exported && !durable.ok())
            job.outcome =
                unknown(target() + " took it, but a power failure may undo that: " + durable.error().text);
}

// Whoever has the lock works on it; its end is ours too.
Outcome CommandAdapter::publishOne(Job& job, const Looked& looked, const std::function<void()>& beat) const {
    const auto evidence = parseEvidence(job.evidence);
    if (!evidence) return unknown("the record of its staged file is damaged: " + job.evidence);
    if (hasty_) return giveUp(looked, *evidence, unusable("not begun: the service ends or is reloaded"));
    if (const auto checked = checkedFolders(); !checked.ok())
        return giveUp(looked, *evidence, unusableBy(checked.error()));
    if (evidence->token != looked.folders->token())
        return giveUp(looked, *evidence, deferred("its staged file was withdrawn by a recovery"));
    if (earlierRuns(looked.run->folder, job.delivery.key))
        return giveUp(looked, *evidence,
                      deferred("the command of an earlier attempt still runs", Cause::Busy));
    withdrawEarlier(*looked.folders, job.delivery.key);
    for (;;) {
        auto standing = examine(*looked.folders, looked.run->folder, *evidence);
        if (!standing.ok()) return unknown(standing.error().text);
        if (standing->is == Is::Running) {
            if (hasty_) return unknown("the service ends or is reloaded; the command goes on without it");
            beat();
            waitAMoment();
        } else if (standing->is == Is::Waiting) {
            // Two may have begun a runner where a lock is not handed on (Windows): the slower looks on.
            if (const auto failed = run(job, looked, std::move(standing->lock), beat))
                if (const auto ended = withdrawn(looked, *evidence, *failed)) return *ended;
        } else {
            noteUnread(*standing, job);
            return outcomeOf(*standing, job.delivery.key);
        }
    }
}

// No fault: it may have known enough.
void CommandAdapter::noteUnread(const Standing& standing, Job& job) const {
    if (!standing.end || !standing.end->exitedWith(0) || standing.end->inputLeft == 0) return;
    job.notes.push_back(plan_.program + " did not read the last " + std::to_string(standing.end->inputLeft) +
                        " bytes");
}

// The runner's whole life. An outcome: it did not begin.
std::optional<Outcome> CommandAdapter::run(const Job& job, const Looked& looked, File lock,
                                           const std::function<void()>& beat) const {
    RunOrder order;
    order.stage = looked.folders->stage().path();
    order.run = looked.run->folder.path();
    order.key = stagedName(job.delivery.key);
    order.limit = plan_.timeLimit;
    order.sharesLock = plan_.sharesLock;
    order.folder = plan_.workingFolder;
    order.command = {plan_.program};
    const auto more = arguments(job.delivery);
    if (!more.ok()) return rejectedOrDeferred(more.error());
    order.command.insert(order.command.end(), more->begin(), more->end());
    ProcessPlan process;
    process.arguments = orderArguments(order);
    process.arguments.insert(process.arguments.begin(), context_.runner);
    process.environment = plan_.environment;
    process.handed = {lock.handle()};
    auto runner = ChildProcess::start(process);
    if (!runner.ok() && runner.error().code == Errc::Invalid && canNotBeTold(*more))
        return rejectedOrDeferred(runner.error());
    if (!runner.ok()) return unusable(runner.error().within(context_.runner).text);
    passQuietLock(std::move(lock));
    std::optional<ProcessEnd> ended;
    while (!ended && !hasty_) {
        beat();
        ended = runner->wait(kLook);
    }
    if (!ended) return std::nullopt;
    const ProcessEnd& end = *ended;
    if (end.exitedWith(kRunnerDone)) return std::nullopt;
    if (end.exitedWith(kRunnerDidNotBegin)) return unusable(firstLineShown(end.output));
    if (end.exitedWith(kRunnerUsage))
        return unusable(context_.runner + " " + end.text() + " " + firstLineShown(end.output));
    return std::nullopt;  // its files say what it came to
}

// Withdraws the staged file, then ends the job with `outcome`: a deferred job must not be published later
// (A2). Nothing: another worker has begun it.
std::optional<Outcome> CommandAdapter::withdrawn(const Looked& looked, const SpoolEvidence& evidence,
                                                 const Outcome& outcome) const {
    const auto witness = withdraw(*looked.folders, evidence);
    if (!witness.ok())
        return unknown(outcome.reason + "; its staged file could not be withdrawn: " + witness.error().text);
    if (*witness == Witness::Withdrawn) return outcome;
    return std::nullopt;
}

Outcome CommandAdapter::giveUp(const Looked& looked, const SpoolEvidence& evidence,
                               const Outcome& outcome) const {
    const auto ended = withdrawn(looked, evidence, outcome);
    return ended ? *ended : unknown("another worker has begun it");  // recover() asks its files
}

Recovery CommandAdapter::look(const DeliveryKey&) const {
    return {Found::CannotTell, "nobody saw how it ended, and " + target() + " can not be asked",
            std::nullopt};
}

Outcome CommandAdapter::inDoubt(const DeliveryKey& key, const std::string& why) const {
    const Recovery seen = look(key);
    if (seen.found == Found::Published) return exported(target());
    if (seen.found == Found::NotPublished) return deferred(why + "; " + seen.text);
    return unknown(why + "; " + seen.text);
}

Outcome CommandAdapter::outcomeOf(const Standing& standing, const DeliveryKey& key) const {
    switch (standing.is) {
        case Is::Withdrawn: return deferred("its staged file was withdrawn by a recovery");
        case Is::CutOff: return inDoubt(key, "the runner of " + plan_.program + " was ended in its work");
        case Is::Ended: break;
        default: return unknown("its files in " + plan_.spool.folder + " are gone");
    }
    Outcome outcome = judgeEnd(*standing.end, plan_.dialect, plan_.program);
    if (outcome.verdict == Verdict::Exported) outcome.target = target();
    if (outcome.verdict == Verdict::Unknown) return inDoubt(key, outcome.reason);
    return outcome;
}

void CommandAdapter::abandon(Job& job) {
    if (const auto looked = folders(); looked.ok()) dropStaged(*looked->folders, job);
}

Recovery CommandAdapter::recover(const DeliveryKey& staged, std::string_view text) {
    const auto evidence = parseEvidence(text);
    if (!evidence || evidence->staged != stagedName(staged) || evidence->folder != plan_.spool.live.front())
        return {Found::CannotTell, "the record of its staged file is damaged", std::nullopt};
    const auto looked = checkedFolders();
    if (!looked.ok()) return cannotLook(looked.error());
    if (evidence->token != looked->folders->token())
        return {Found::CannotTell,
                looked->folders->stage().path() + " was made anew since " + evidence->staged +
                    " was staged in it",
                std::nullopt};
    auto standing = examine(*looked->folders, looked->run->folder, *evidence);
    if (!standing.ok()) return cannotLook(standing.error());
    return recovered(std::move(*standing), *looked, staged, *evidence);
}

Recovery CommandAdapter::recovered(Standing standing, const Looked& looked, const DeliveryKey& key,
                                   const SpoolEvidence& evidence) const {
    if (standing.is == Is::Waiting || standing.is == Is::Running) {
        // One that has the lock and did not begin yet can be too late: the one rename decides.
        const auto witness = withdraw(*looked.folders, evidence);
        if (!witness.ok()) return cannotLook(witness.error());
        if (*witness == Witness::Withdrawn) standing.is = Is::Withdrawn;
    }
    if (standing.is == Is::Withdrawn)
        return {Found::NotPublished, plan_.program + " was not begun, and its text is withdrawn now",
                std::nullopt};
    if (standing.is == Is::Waiting || standing.is == Is::Running) {
        Recovery later{Found::CannotTell, plan_.program + " is still at work on it", std::nullopt};
        later.busy = fail(Errc::Busy, later.text);
        return later;
    }
    Outcome outcome = outcomeOf(standing, key);
    if (outcome.verdict == Verdict::Exported) return foundTaken(plan_.program + " ended well");
    if (outcome.verdict == Verdict::Unknown) return {Found::CannotTell, outcome.reason, std::nullopt};
    const bool said = standing.is == Is::Ended && standing.end->how == ProcessEnd::How::Exited;
    if (!said) return {Found::NotPublished, outcome.reason, std::nullopt};
    // What the command said stands, whoever reads it: it does not run again for a mail that it refused.
    Recovery told{Found::CannotTell, outcome.reason, std::nullopt};
    told.known = std::move(outcome);
    return told;
}

Recovery CommandAdapter::foundTaken(const std::string& text) const {
    // Whoever saw it end may have died before this.
    if (const auto durable = taken(); !durable.ok()) return cannotLook(durable.error());
    return {Found::Published, target() + ": " + text, std::nullopt};
}

Result<int> CommandAdapter::sweep(const std::function<bool(const DeliveryKey&)>& isOver) {
    POSTERN_LET(looked, folders());
    POSTERN_LET(staged, sweepFolders(*looked.folders, isOver));
    POSTERN_LET(run, sweepRun(looked.run->folder, isOver));
    unknownFiles_ = staged.unknown + run.unknown;
    return staged.removed + run.removed;
}

std::string CommandAdapter::describe() const {
    std::string text = "hands each mail to " + target() + "; texts and results in " + plan_.spool.folder;
    if (const auto looked = folders(); !looked.ok()) return text + "; not opened yet";
    text += "; once each, but for a command that is ended in its work";
    if (const int count = unknownFiles_; count > 0)
        text += "; " + std::to_string(count) + " files there are not ours and were left alone";
    return text;
}

std::vector<Setting> commandSettings(std::vector<Setting> own) {
    using enum SettingType;
    constexpr std::int64_t kSecond = 1'000, kDay = 86'400'000;
    std::vector<Setting> all = {
        {"folder", Path, nullptr,
         "A folder of our own: the texts that wait for the command, and how commands ended."},
        {"create", Boolean, "true",
         "Make the folder when it is missing; false for a volume that may not be mounted."},
        {"working_folder", Path, placeFor("/"), "Where the command runs."},
        {"environment", List, plainEnvironment(),
         "Its whole environment, NAME=value; nothing of ours is handed on."},
        {"time_limit",
         Duration,
         "10m",
         "A command that takes longer is ended, with all that it started, and its item is in doubt.",
         {},
         kSecond,
         kDay},
    };
    for (Setting& setting : own) all.push_back(std::move(setting));
    return all;
}

Result<CommandPlan> commandPlan(const Settings& settings) {
    CommandPlan plan;
    plan.spool.folder = settings.text("folder");
    plan.spool.create = settings.boolean("create");
    plan.spool.live = {"run"};
    plan.spool.folderMode = 0700;
    plan.workingFolder = settings.text("working_folder");
    plan.environment = settings.list("environment");
    plan.timeLimit = Millis(settings.milliseconds("time_limit"));
    if (!isAbsolutePath(plan.spool.folder)) return fail(Errc::Invalid, "folder: must be an absolute path");
    if (!isAbsolutePath(plan.workingFolder))
        return fail(Errc::Invalid, "working_folder: must be an absolute path");
    for (const std::string& each : plan.environment)
        if (each.find('=') == 0 || each.find('=') == std::string::npos)
            return fail(Errc::Invalid, "environment: '" + escapeLine(each, 60) + "' is not like NAME=value");
    return plan;
}

}  // namespace postern::adapters
