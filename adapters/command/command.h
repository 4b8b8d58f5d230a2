#pragma once
// The shared part of every adapter that hands a mail to a program: pipe, uucp, nncp. A kind derives from
// CommandAdapter and says only what the program reads and which arguments it gets; staging, the runner,
// recovery and sweeping are here, once.
//
// What "exactly once" rests on: the program's exit status is the commit, and postern-runner, which outlives
// us, puts it on the disk (runner.h). publish() waits for the runner and reads what it left; after our death
// recover() reads the same. Only where the runner itself died, or the program was ended by a signal or by its
// time limit, nobody knows; then the kind may look on the other side (look()), else the item is in doubt.
//
// Thread rule: as Adapter.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/command/command_files.h"
#include "adapters/command/exit_status.h"
#include "adapters/registry.h"
#include "adapters/spool/staged_file.h"
#include "base/sync.h"

namespace postern::adapters {

struct CommandPlan {
    SpoolPlan spool;  // our own working folder; `live` is {"run"}
    std::string program;
    std::string workingFolder = "/";
    std::vector<std::string> environment;
    Millis timeLimit{600'000};
    ExitDialect dialect = ExitDialect::Sysexits;
    bool sharesLock = false;  // RunOrder::sharesLock
};

class CommandAdapter : public Adapter {
  public:
    CommandAdapter(AdapterContext context, CommandPlan plan);

    // Of a batch, each waits for the one before it: none, while watchers are free.
    int batchLimit() const override { return 1; }
    Result<void> probe() override;
    void stage(std::span<Job> jobs, const std::function<void()>& beat) final;
    void publish(std::span<Job> jobs, const std::function<void()>& beat) final;
    void abandon(Job& job) final;
    // A command at work goes on with its runner, and its item is asked about later.
    void hasten() final { hasty_ = true; }
    Result<std::optional<Outcome>> convert(Job& job, StagedFile& file) const final {
        return write(job, file);
    }
    Recovery recover(const DeliveryKey& staged, std::string_view evidence) final;
    Result<int> sweep(const std::function<bool(const DeliveryKey&)>& isOver) final;
    std::string describe() const override;

  protected:
    const AdapterContext& context() const { return context_; }
    const CommandPlan& plan() const { return plan_; }

    // The program's arguments behind its name. Errc::Invalid means that this mail can never be handed over:
    // it is rejected with the error's text. Any other Error defers it.
    virtual Result<std::vector<std::string>> arguments(const Delivery& delivery) const = 0;
    // Writes what the program reads; as SpoolAdapter::write().
    virtual Result<std::optional<Outcome>> write(Job& job, StagedFile& file) const = 0;
    // Where a mail went, for people: "uux to oldbox". The program's path otherwise.
    virtual std::string target() const { return plan_.program; }
    // The program took mails: makes that durable, where the program does not. An Error: it may not be.
    virtual Result<void> taken() const { return {}; }
    // Nobody saw how the program ended: what the other side has of this attempt. The program does not run.
    virtual Recovery look(const DeliveryKey& key) const;

  private:
    using Folders = std::shared_ptr<const SpoolFolders>;
    struct Looked {
        Folders folders;
        std::shared_ptr<const LiveFolder> run;
    };

    Result<Looked> folders() const EXCLUDES(mutex_);
    Result<Looked> checkedFolders() const;
    void noteUnread(const Standing& standing, Job& job) const;
    Outcome publishOne(Job& job, const Looked& looked, const std::function<void()>& beat) const;
    Outcome outcomeOf(const Standing& standing, const DeliveryKey& key) const;
    Outcome inDoubt(const DeliveryKey& key, const std::string& why) const;
    std::optional<Outcome> withdrawn(const Looked& looked, const SpoolEvidence& evidence,
                                     const Outcome& outcome) const;
    Outcome giveUp(const Looked& looked, const SpoolEvidence& evidence, const Outcome& outcome) const;
    std::optional<Outcome> run(const Job& job, const Looked& looked, File lock,
                               const std::function<void()>& beat) const;
    Recovery recovered(Standing standing, const Looked& looked, const DeliveryKey& key,
                       const SpoolEvidence& evidence) const;
    Recovery foundTaken(const std::string& text) const;

    const AdapterContext context_;
    const CommandPlan plan_;
    mutable Mutex mutex_;
    Folders folders_ GUARDED_BY(mutex_);
    std::atomic<bool> hasty_{false};
    std::atomic<int> unknownFiles_{0};  // seen by the last sweep; left alone
};

// The settings every such kind shares, to be followed by the kind's own, and the plan they make: folder,
// create, working_folder, environment, time_limit. An error names the setting.
std::vector<Setting> commandSettings(std::vector<Setting> own);
Result<CommandPlan> commandPlan(const Settings& settings);

}  // namespace postern::adapters
