#pragma once
// An adapter of a kind that runs a program, on a temporary folder, with a script for the program. What the
// script stored is what the legacy side has: one file per run, its name made of the script's process id, so
// that a second run of one mail is seen. On Windows there is no shell, and kStore is done by
// tests/kit/child.cpp.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/adapter_rig.h"
#include "tests/kit/platform.h"
#include "tests/kit/programs.h"

namespace postern::tests {

class CommandRig {
  public:
    // Stores what it reads and its arguments, and ends well.
    static inline const std::string kStore =
        "n=\"$here/taken/.$$\"; cat >\"$n\" || exit 75; printf '%s\\n' \"$@\" >\"$here/args\"; "
        "mv \"$n\" \"$here/taken/$$\"";

    explicit CommandRig(const std::string& kind, SettingMap settings = {}, const std::string& script = kStore)
        : kind_(kind), settings_(std::move(settings)) {
        context_ = kRigContext;
        context_.runner = builtProgram(POSTERN_RUNNER);
        std::filesystem::create_directories(temp_ / "taken");
        std::filesystem::create_directories(temp_ / "spool");
        setScript(script);
        settings_.emplace("folder", temp_ / "live");
        fillIn();
        restart();
    }

    void setScript(const std::string& script) const {
        namespace fs = std::filesystem;
        // Renamed into place: a program that is just being written can not be started.
        const std::string fresh = program() + ".new";
        if (!kOnWindows)
            spill(fresh, "#!/bin/sh\nhere='" + temp_.path() + "'\n" + script + "\n");
        else if (script == kStore)
            fs::copy_file(builtProgram(POSTERN_TEST_CHILD), fresh);
        else
            throw std::logic_error("no shell on Windows for: " + script);
        fs::permissions(fresh, fs::perms::owner_all);
        fs::rename(fresh, program());
    }
    std::string program() const { return temp_ / (kOnWindows ? "standin.exe" : "standin"); }

    // Another runner than the one that was built; behind the next restart.
    void setRunner(const std::string& path) { context_.runner = path; }

    // As after a crash: nothing is remembered but what is on the disk.
    void restart() {
        adapter_ = makeKind(kind_, settings_, context_).value();
        probed_ = adapter_->probe();
    }

    adapters::Adapter& adapter() { return *adapter_; }
    const Result<void>& probed() const { return probed_; }
    const adapters::AdapterContext& context() const { return context_; }
    const SettingMap& settings() const { return settings_; }
    std::string folder() const { return settings_.at("folder"); }
    std::string temp() const { return temp_.path(); }
    std::string stage() const { return folder() + "/.postern-" + context_.name + "/stage"; }
    std::vector<std::string> taken() const { return visibleFiles(temp_ / "taken"); }
    std::string content(const std::string& name) const { return slurp(temp_ / ("taken/" + name)); }
    std::string only() const { return taken().size() == 1 ? content(taken().front()) : std::string(); }
    std::string arguments() const { return slurp(temp_ / "args"); }

    // A delivery of `message` to bob. The rig keeps the bytes alive.
    adapters::Job job(std::int64_t item, std::int64_t epoch, std::string message = AdapterRig::kPlain) {
        return jobs_.make(item, epoch, "bob@corp.example", std::move(message));
    }
    void stageJob(adapters::Job& job) {
        adapter_->stage({&job, 1}, [] {});
    }
    void publishJob(adapters::Job& job) {
        adapter_->publish({&job, 1}, [] {});
    }
    adapters::Job exportJob(adapters::Job job) {
        stageJob(job);
        if (!job.outcome) publishJob(job);
        return job;
    }

  private:
    void fillIn() {
        if (kind_ == "pipe") settings_.emplace("command", program() + "\n{sender}\n--\n{recipient}");
        if (kind_ != "pipe") settings_.emplace("program", program());
        if (kind_ != "pipe") settings_.emplace("spool", temp_ / "spool");
        if (kind_ == "uucp") settings_.emplace("system", "oldbox");
        if (kind_ == "nncp") settings_.emplace("node", "oldbox");
    }

    TempFolder temp_;
    std::string kind_;
    SettingMap settings_;
    adapters::AdapterContext context_;
    std::unique_ptr<adapters::Adapter> adapter_;
    Result<void> probed_;
    JobMaker jobs_;
};

}  // namespace postern::tests
