#include "connector/cli/cli.h"

#include "base/log.h"
#include "connector/cli/grammar.h"
#include "connector/cli/verbs.h"
#include "connector/config/load.h"

namespace postern::cli {

namespace {

int parseAndCarry(const std::vector<std::string>& arguments, Run& run) {
    Grammar grammar(run);
    if (const auto ended = grammar.parse(arguments)) return *ended;
    return grammar.chosen()();
}

}  // namespace

int runCli(const std::vector<std::string>& arguments, Console& console) {
    Run run{console, config::defaultPath()};
    setLogLevel(Severity::Error);  // what the rooms below log is for services; the user gets answers
    try {
        return parseAndCarry(arguments, run);
    } catch (const std::exception& error) {
        run.complain(std::string("unexpected fault: ") + error.what());
        return kExitSoftware;
    }
}

}  // namespace postern::cli
