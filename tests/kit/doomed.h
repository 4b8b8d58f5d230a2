#pragma once
// A process of its own that is killed in the middle of its work, as by a power cut: nothing is tidied up.
//
// On POSIX it is a copy of this process. Windows has none: there this program is started anew with this one
// test of GoogleTest, which has to ask doomedWords() first, and when there are some, do its work inside of
// doomed():
//
//     const auto work = [](AdapterRig& rig, const Step& step) { ... };
//     if (const auto folder = doomedWords()) {
//         AdapterRig rig(*folder);
//         doomed([&](const Step& step) { work(rig, step); });
//     }
//     AdapterRig rig;
//     killedAtCall(n, rig.folder(), [&](const Step& step) { work(rig, step); });

#include <functional>
#include <optional>
#include <string>

namespace postern::tests {

using Step = std::function<void()>;
using DoomedWork = std::function<void(const Step& step)>;

// Killed as it enters its n-th system call; on Windows of those that may change a file. False: its work was
// done before.
bool killedAtCall(int n, const std::string& words, const DoomedWork& work);
// Killed after it said `step` so often, on POSIX while it goes on.
void killedAfterSteps(int steps, const std::string& words, const DoomedWork& work);

// The words of who started us to be killed; nothing on POSIX, and in a program that was started by hand.
std::optional<std::string> doomedWords();
[[noreturn]] void doomed(const DoomedWork& work);

}  // namespace postern::tests
