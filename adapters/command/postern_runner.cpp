// postern-runner, started by posternd for each command; people have no use for it.

#include <cstdio>

#include "adapters/command/runner.h"

int main(int count, char** values) {
    const auto order = postern::adapters::parseOrder({values + (count > 0 ? 1 : 0), values + count});
    if (!order) {
        std::printf("postern-runner is started by posternd, which tells it what to run\n");
        return postern::adapters::kRunnerUsage;
    }
    return postern::adapters::carryOut(*order);
}
