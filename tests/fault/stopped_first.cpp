// Stops a program before its main(), until whoever wants to watch it has come and lets it go on; preloaded by
// scenes.py. So the loader's calls are not among those that are counted.

#include <csignal>

namespace {

[[gnu::constructor]] void stop() {
    (void)std::raise(SIGSTOP);
}

}  // namespace
