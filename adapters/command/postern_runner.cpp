// postern-runner, started by posternd for each command; people have no use for it.

#include <cstdio>

#include "adapters/command/runner.h"
#include "base/terminal.h"

int main(int count, char** values) {
    postern::useStandardStreams();
    auto arguments = postern::ownArguments(count, values);
    if (!arguments.empty()) arguments.erase(arguments.begin());
    const auto order = postern::adapters::parseOrder(arguments);
    if (!order) {
        std::printf("postern-runner is started by posternd, which tells it what to run\n");
        return postern::adapters::kRunnerUsage;
    }
    return postern::adapters::carryOut(*order);
}
