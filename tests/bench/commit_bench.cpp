// What the store takes from many clients at once (R14): 24 that each hand in a mail of 10 kB, wait until it
// is committed with a full disk sync, and hand in the next. Prints the rate and the longest wait beside their
// targets; exit status 1 where one is missed.
//
//     tests/bench/commit [SECONDS] [FOLDER]      5 seconds in a temporary folder when not said otherwise

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "store/messages.h"
#include "store/store.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kClients = 24;
constexpr std::size_t kMailBytes = 10'000;
constexpr double kMailsPerSecond = 10'000;
constexpr double kLongestMillis = 200;

double millis(Steady::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

[[noreturn]] void give(const Error& error) {
    std::fprintf(stderr, "commit_bench: %s\n", error.text.c_str());
    std::exit(70);
}

// What one client waited for each of its mails, in milliseconds.
std::vector<double> beClient(store::Store& store, Steady::time_point end) {
    const std::string body(kMailBytes, 'x');
    store::NewMessage message;
    message.received = Clock::system().now();
    message.sender = "sender@example.org";
    message.source = "bench";
    message.client = "127.0.0.1:25";
    message.helo = "client.example.org";
    message.protocol = "ESMTP";
    std::vector<double> waits;
    while (Steady::now() < end) {
        const auto begun = Steady::now();
        const Result<void> written = store.write([&](store::WriteSession& session) -> Result<void> {
            POSTERN_TRY(store::insertMessage(session, message, body));
            return {};
        });
        if (!written.ok()) give(written.error());
        waits.push_back(millis(Steady::now() - begun));
    }
    return waits;
}

bool line(const char* what, double value, const char* unit, double target, bool met) {
    std::printf("  %-44s %10.1f %-10s target %-8.0f %s\n", what, value, unit, target, met ? "met" : "MISSED");
    return met;
}

// How many mails a second this disk would take if each group of them were written once, over what is there,
// and synced: what no database can reach, which writes each page twice, once into its log.
double diskAlone(const std::string& folder, double mailsInAGroup) {
    const auto inFolder = Folder::open(folder);
    if (!inFolder.ok()) give(inFolder.error());
    auto file = inFolder->create("disk-alone");
    if (!file.ok()) give(file.error());
    const std::string group(static_cast<std::size_t>(mailsInAGroup * static_cast<double>(kMailBytes)), 'x');
    constexpr int kGroups = 64;
    int groups = -kGroups;  // the first round makes the file
    auto begun = Steady::now();
    while (groups < kGroups || millis(Steady::now() - begun) < 1000) {
        const auto at =
            static_cast<std::int64_t>(static_cast<std::size_t>((groups + kGroups) % kGroups) * group.size());
        if (const auto written = file->writeAt(at, group); !written.ok()) give(written.error());
        if (const auto synced = file->sync(); !synced.ok()) give(synced.error());
        if (++groups == 0) begun = Steady::now();
    }
    return groups * mailsInAGroup / (millis(Steady::now() - begun) / 1000);
}

int run(int seconds, const std::string& folder) {
    store::StoreOptions options;
    options.folder = folder;
    options.migrations = store::messageMigrations();
    auto opened = store::Store::open(std::move(options));
    if (!opened.ok()) give(opened.error());
    store::Store& store = **opened;
    std::vector<std::vector<double>> waits(kClients);
    const auto begun = Steady::now();
    {
        std::vector<std::jthread> clients;
        for (auto& mine : waits)
            clients.emplace_back([&] { mine = beClient(store, begun + std::chrono::seconds(seconds)); });
    }
    const double took = millis(Steady::now() - begun) / 1000;
    std::vector<double> all;
    for (const auto& mine : waits) all.insert(all.end(), mine.begin(), mine.end());
    std::sort(all.begin(), all.end());
    const double rate = static_cast<double>(all.size()) / took;
    const store::StoreCounters counters = store.counters();
    const double inAGroup = static_cast<double>(counters.works) /
                            static_cast<double>(std::max<std::int64_t>(counters.commits, 1));
    const double disk = diskAlone(folder, inAGroup);
    std::printf("%u cores; %d clients, mails of %zu bytes, %zu in %.1f s, %.1f in a commit\n",
                std::thread::hardware_concurrency(), kClients, kMailBytes, all.size(), took, inAGroup);
    std::printf("  waits: middle %.1f ms, 99 in 100 %.1f ms\n", all[all.size() / 2],
                all[all.size() * 99 / 100]);
    std::printf(
        "  this disk alone, each group written and synced once: %.0f mails a second, of which the store "
        "reaches %.2f\n",
        disk, rate / disk);
    const bool fast =
        line("mails stored and synced", rate, "a second", kMailsPerSecond, rate >= kMailsPerSecond);
    const bool soon = line("the longest wait", all.back(), "ms", kLongestMillis, all.back() < kLongestMillis);
    return fast && soon ? 0 : 1;
}

}  // namespace
}  // namespace postern

int main(int count, char** words) {
    const int seconds = count > 1 ? std::atoi(words[1]) : 5;
    const postern::tests::TempFolder temporary;
    return postern::run(std::max(seconds, 1), count > 2 ? words[2] : temporary / "store");
}
