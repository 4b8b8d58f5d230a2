// The steps W1 to W5 of adapters/command/runner.h.

#include <cstdio>

#include "adapters/command/runner.h"

namespace postern::adapters {

namespace {

struct Opened {
    Folder stage, run;
    File aside;  // W1
    File text;   // W2: what the command reads
};

// W1 and W2. After an error nothing was begun, unless the rename happened and could not be made durable: then
// it is taken back.
Result<Opened> begin(const RunOrder& order) {
    POSTERN_LET(stage, Folder::open(order.stage));
    POSTERN_LET(run, Folder::open(order.run));
    const std::string started = order.key + ".started", aside = order.key + ".aside";
    // Of a runner of this attempt that died before W2: whoever has the lock may replace it.
    if (const auto gone = run.remove(aside); !gone.ok() && gone.error().code != Errc::NotFound)
        return gone.error();
    POSTERN_LET(room, run.create(aside, 0600));
    auto begun = [&]() -> Result<File> {
        POSTERN_TRY(room.write(std::string(kMostResultBytes, ' ')));
        POSTERN_LET(moved, stage.moveNoReplace(order.key, run, started));
        if (moved == Moved::SourceMissing) return fail(Errc::NotFound, "it was withdrawn");
        if (moved == Moved::TargetExists) return fail(Errc::Exists, started + " is there already");
        auto durable = run.sync();
        if (durable.ok()) durable = stage.sync();
        auto text = durable.ok() ? run.openRead(started) : Result<File>(durable.error());
        if (!text.ok()) (void)run.moveNoReplace(started, stage, order.key);
        return text;
    }();
    if (!begun.ok()) {
        (void)run.remove(aside);  // the sweep takes it otherwise
        return begun.error();
    }
    return Opened{std::move(stage), std::move(run), std::move(room), std::move(*begun)};
}

// W4.
Result<void> record(const RunOrder& order, Opened& opened, const ProcessEnd& end) {
    const std::string text = formatResult(end);
    POSTERN_TRY(opened.aside.writeAt(0, text));
    POSTERN_TRY(opened.aside.truncate(static_cast<std::int64_t>(text.size())));
    POSTERN_TRY(opened.aside.sync());
    POSTERN_LET(moved, opened.run.moveNoReplace(order.key + ".aside", opened.run, order.key + ".result"));
    if (moved != Moved::Done) return fail(Errc::Exists, "a result of " + order.key + " is there already");
    return opened.run.sync();
}

}  // namespace

int carryOut(const RunOrder& order) {
    takeOrdinaryLimits();
    ignoreStopRequests();
    auto lock = handedFile(kLockHandle);
    if (!lock.ok()) {
        std::printf("%s\n", lock.error().text.c_str());
        return kRunnerUsage;
    }
    if (const auto ours = takeHandedLock(*lock); !ours.ok()) {
        std::printf("%s\n", ours.error().text.c_str());
        return kRunnerDidNotBegin;
    }
    auto opened = begin(order);
    if (!opened.ok()) {
        std::printf("%s\n", opened.error().text.c_str());
        return kRunnerDidNotBegin;
    }
    ProcessPlan plan;
    plan.arguments = order.command;
    plan.environment = ownEnvironment();
    plan.folder = order.folder;
    plan.input = opened->text.handle();
    plan.mostOutput = kMostCommandOutput;
    if (order.sharesLock) plan.handed.push_back(lock->handle());
    plan.endsWithUs = order.sharesLock;
    const ProcessEnd end = runProgram(plan, order.limit, nullptr);
    if (const auto recorded = record(order, *opened, end); !recorded.ok()) {
        std::printf("%s\n", recorded.error().text.c_str());
        return kRunnerLost;
    }
    (void)opened->run.remove(order.key + ".started");  // W5; the sweep takes it otherwise
    return kRunnerDone;
}

}  // namespace postern::adapters
