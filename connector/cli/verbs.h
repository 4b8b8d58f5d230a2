#pragma once
// Every command of `postern`, in one list (verbs.cpp) that a person can read; the help comes from it.

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "connector/cli/console.h"
#include "connector/cli/exits.h"
#include "connector/cli/output.h"
#include "connector/config/config.h"

namespace CLI {
class App;
}

namespace postern::cli {

// One run of the program.
struct Run {
    Console& console;
    std::string configPath;
    bool json = false;

    Form form() const;
    // Prints "postern: text" and gives the exit status for it.
    int fails(const Error& error) const;
    void complain(const std::string& text) const;
    int end(const Result<int>& result) const { return result.ok() ? *result : fails(result.error()); }
    // The configuration; its problems are printed when there is none: then exit with kExitConfig.
    std::optional<config::Config> config() const;
};

// Adds the verb's options to its command and returns what carries it out. REQUIRES: `run` outlives both.
using Carry = std::function<int()>;
using Setup = Carry (*)(CLI::App& command, Run& run);

struct VerbGroup {
    const char* name;
    const char* summary;
};
struct Verb {
    const char* group;  // "" for a command of its own
    const char* name;
    const char* summary;
    Setup setup;
    bool forPrograms = false;  // not in the help: nobody types it
};
std::span<const VerbGroup> verbGroups();
std::span<const Verb> verbs();

Carry setupList(CLI::App&, Run&);
Carry setupSummary(CLI::App&, Run&);
Carry setupShow(CLI::App&, Run&);
Carry setupLog(CLI::App&, Run&);
Carry setupExport(CLI::App&, Run&);
Carry setupCaptured(CLI::App&, Run&);
Carry setupTrack(CLI::App&, Run&);
Carry setupWatch(CLI::App&, Run&);
Carry setupTop(CLI::App&, Run&);
Carry setupHold(CLI::App&, Run&);
Carry setupRelease(CLI::App&, Run&);
Carry setupRetry(CLI::App&, Run&);
Carry setupBounce(CLI::App&, Run&);
Carry setupDelete(CLI::App&, Run&);
Carry setupResolve(CLI::App&, Run&);
Carry setupMove(CLI::App&, Run&);
Carry setupRequeue(CLI::App&, Run&);
Carry setupReplay(CLI::App&, Run&);
Carry setupSubmit(CLI::App&, Run&);
Carry setupAdapterKinds(CLI::App&, Run&);
Carry setupAdapterList(CLI::App&, Run&);
Carry setupAdapterTest(CLI::App&, Run&);
Carry setupAdapterShow(CLI::App&, Run&);
Carry setupAdapterAdd(CLI::App&, Run&);
Carry setupAdapterSet(CLI::App&, Run&);
Carry setupAdapterUnset(CLI::App&, Run&);
Carry setupAdapterRemove(CLI::App&, Run&);
Carry setupAdapterSuspend(CLI::App&, Run&);
Carry setupAdapterResume(CLI::App&, Run&);
Carry setupConvert(CLI::App&, Run&);
Carry setupRouteTest(CLI::App&, Run&);
Carry setupRouteList(CLI::App&, Run&);
Carry setupAddressLookup(CLI::App&, Run&);
Carry setupAddressExport(CLI::App&, Run&);
Carry setupAddressImport(CLI::App&, Run&);
Carry setupAccountAdd(CLI::App&, Run&);
Carry setupAccountList(CLI::App&, Run&);
Carry setupAccountRemove(CLI::App&, Run&);
Carry setupAccountPasswd(CLI::App&, Run&);
Carry setupConfigCheck(CLI::App&, Run&);
Carry setupConfigShow(CLI::App&, Run&);
Carry setupConfigExample(CLI::App&, Run&);
Carry setupConfigDefaults(CLI::App&, Run&);
Carry setupDbCheck(CLI::App&, Run&);
Carry setupDbBackup(CLI::App&, Run&);
Carry setupDbRestore(CLI::App&, Run&);
Carry setupDbVacuum(CLI::App&, Run&);
Carry setupStatus(CLI::App&, Run&);
Carry setupMan(CLI::App&, Run&);
Carry setupCompletion(CLI::App&, Run&);
Carry setupComplete(CLI::App&, Run&);
Carry setupReload(CLI::App&, Run&);
Carry setupServiceInstall(CLI::App&, Run&);
Carry setupServiceRemove(CLI::App&, Run&);
Carry setupServiceStart(CLI::App&, Run&);
Carry setupServiceStop(CLI::App&, Run&);
Carry setupServiceStatus(CLI::App&, Run&);

}  // namespace postern::cli
