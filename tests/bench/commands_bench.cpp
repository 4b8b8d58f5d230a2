// Mails a second through the kinds that run a program, and into batch SMTP files: stage() and publish() of
// the adapter alone, durable as in the service, without a queue. A command costs two processes and five
// syncs; a batch file is one of many in a batch. One watcher, and four.
//
//     tests/bench/commands [MAILS]      for each kind, 200 when not said; 20 times as many batch files

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "tests/command_rig.h"

namespace postern::tests {
namespace {

// What the program does is not measured: it reads and forgets.
const std::string kForget = "exec cat >/dev/null";

std::string mailOf(std::size_t size) {
    std::string mail = AdapterRig::kPlain;
    while (mail.size() < size) mail += "All work and no play makes a long message, line after line.\r\n";
    return mail;
}

// Exports `mails` in batches by so many threads; mails a second, or 0 when one was not exported.
template <class Rig>
double rate(Rig& rig, int mails, int watchers, std::size_t batch) {
    std::vector<std::vector<adapters::Job>> parts(static_cast<std::size_t>(watchers));
    for (int item = 1; item <= mails; ++item)
        parts[static_cast<std::size_t>(item % watchers)].push_back(rig.job(item, 1, mailOf(4096)));
    const auto begin = std::chrono::steady_clock::now();
    {
        std::vector<std::jthread> threads;
        for (auto& part : parts)
            threads.emplace_back([&rig, &part, batch] {
                for (std::size_t at = 0; at < part.size(); at += batch) {
                    const std::span<adapters::Job> jobs(&part[at], std::min(batch, part.size() - at));
                    rig.adapter().stage(jobs, [] {});
                    rig.adapter().publish(jobs, [] {});
                }
            });
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    for (const auto& part : parts)
        for (const adapters::Job& job : part)
            if (!job.outcome || job.outcome->verdict != adapters::Verdict::Exported) {
                std::printf("  not exported: %s\n", outcomeText(job).c_str());
                return 0;
            }
    return mails / took.count();
}

}  // namespace
}  // namespace postern::tests

int main(int count, char** values) {
    using namespace postern::tests;
    const int mails = count > 1 ? std::max(1, std::atoi(values[1])) : 200;
    for (const int watchers : {1, 4}) {
        for (const char* kind : {"pipe", "uucp", "nncp"}) {
            CommandRig rig(kind, {}, kForget);
            const auto batch = static_cast<std::size_t>(rig.adapter().batchLimit());
            std::printf("%-6s %d watchers: %8.0f mails/s\n", kind, watchers,
                        rate(rig, mails, watchers, batch));
        }
        AdapterRig rig("bsmtp", {});
        std::printf("%-6s %d watchers: %8.0f mails/s\n", "bsmtp", watchers,
                    rate(rig, mails * 20, watchers, 64));
    }
    return 0;
}
