// What the queue costs: claims and settlements per second, whether a claim gets dearer when a million items
// wait, and what a process with a million waiting items needs to start and to live. Prints each number beside
// its target.
//
//     tests/bench/queue [ITEMS] [FOLDER]      1,000,000 items in a temporary folder when not said otherwise
//
// Bodies are left out: the queue never reads them.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "queue/inspect.h"
#include "tests/bench/queue_rig.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

using namespace bench;

// One claim of a full batch, in microseconds. The items go back to the end of the queue, so that as many wait
// as before and the next claim meets other ones.
double claimOnce(Queue& queue) {
    const SteadyTime begin = Clock::system().steady();
    const std::vector<Claim> claims = must(queue.claim("maildir", kBatch));
    const double took = secondsSince(begin) * 1e6;
    if (claims.size() != kBatch) give(fail(Errc::Internal, "too few items to claim"));
    settleAll(queue, claims, Settlement::Kind::Deferred);
    return took;
}

void line(const char* what, const std::string& measured, const std::string& target,
          const char* verdict = "") {
    std::printf("%-58s %16s   %-12s %s\n", what, measured.c_str(), target.c_str(), verdict);
    std::fflush(stdout);
}

std::string number(double value, const char* unit, int digits = 0) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f %s", digits, value, unit);
    return text;
}

const char* verdict(bool reached) {
    return reached ? "reached" : "MISSED";
}

// In turn, so that whatever else the machine does meets both alike.
void compareClaims(store::Store& fewStore, store::Store& manyStore, std::int64_t items) {
    Queue few = queueOn(fewStore), many = queueOn(manyStore);
    std::vector<double> fewTimes, manyTimes;
    for (int warm = 0; warm < 20; ++warm) {
        claimOnce(few);
        claimOnce(many);
    }
    for (int round = 0; round < 400; ++round) {
        fewTimes.push_back(claimOnce(few));
        manyTimes.push_back(claimOnce(many));
    }
    const double ratio = percentile(manyTimes, 0.5) / percentile(fewTimes, 0.5);
    const std::string waiting = "claim of 64, " + std::to_string(items) + " waiting (median, p99)";
    line("claim of 64, 1000 waiting (median, p99)",
         number(percentile(fewTimes, 0.5), "us") + ", " + number(percentile(fewTimes, 0.99), "us"), "");
    line(waiting.c_str(),
         number(percentile(manyTimes, 0.5), "us") + ", " + number(percentile(manyTimes, 0.99), "us"), "");
    line("ratio of the medians", number(ratio, "", 2), "<= 1.20", verdict(ratio <= 1.2));
}

// Claim, mark and settle as watchers do, each step a durable commit shared with the other threads.
void throughput(store::Store& store, int threads, int batches) {
    const SteadyTime begin = Clock::system().steady();
    {
        std::vector<std::jthread> watchers;
        for (int i = 0; i < threads; ++i) {
            watchers.emplace_back([&store, batches] {
                Queue queue = queueOn(store);
                for (int batch = 0; batch < batches; ++batch) {
                    const std::vector<Claim> claims = must(queue.claim("maildir", kBatch));
                    std::vector<Queue::Mark> marks;
                    for (const Claim& claim : claims) marks.push_back({claim.item, claim.epoch, "stage/1.1"});
                    must(queue.markPublishing(marks));
                    settleAll(queue, claims, Settlement::Kind::Exported);
                }
            });
        }
    }
    const std::string what = "claimed, marked and settled, " + std::to_string(threads) + " watcher(s)";
    line(what.c_str(), number(threads * batches * kBatch / secondsSince(begin), "items/s"), "");
}

// What a process that starts with all these items waiting needs; a process of its own, because filling the
// store left memory behind in this one.
int look(const std::string& folder) {
    const SteadyTime begin = Clock::system().steady();
    const std::unique_ptr<store::Store> store = openStore(folder);
    Queue queue = queueOn(*store);
    while (must(queue.takeLapsed("maildir", true, kBatch)).backToReady > 0) {
    }
    const std::vector<Claim> first = must(queue.claim("maildir", kBatch));
    const double opened = secondsSince(begin);
    line("store opened, lapsed looked for, first batch claimed", number(opened, "s", 3), "< 2 s",
         verdict(opened < 2));
    settleAll(queue, first, Settlement::Kind::Deferred);
    for (int i = 0; i < 200; ++i) claimOnce(queue);
    const double worked = residentMiB();
    line("resident after 200 batches", number(worked, "MiB", 1), "< 64 MiB", verdict(worked < 64));

    const SteadyTime counting = Clock::system().steady();
    must(store->read([](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(counts, queue::countItems(session, false));
        return {};
    }));
    line("count of what waits", number(secondsSince(counting), "s", 3), "");
    const SteadyTime listing = Clock::system().steady();
    std::int64_t listed = 0;
    must(store->read([&](store::ReadSession& session) {
        return queue::listItems(session, {}, [&](const queue::ItemRow&) { return ++listed > 0; });
    }));
    const std::string what = "list of all " + std::to_string(listed) + " items";
    line(what.c_str(), number(secondsSince(listing), "s", 2), "");
    const double after = residentMiB();
    line("resident after the list", number(after, "MiB", 1), "< 64 MiB", verdict(after < 64));
    return 0;
}

int measure(const char* self, std::int64_t items, const std::string& folder) {
    const std::string few = folder + "/few", many = folder + "/many";
    {
        const auto fewStore = openStore(few), manyStore = openStore(many);
        const SteadyTime filling = Clock::system().steady();
        fill(*fewStore, 1000);
        fill(*manyStore, items);
        std::printf("%s items filled in, in %.1f s\n\n", std::to_string(items).c_str(),
                    secondsSince(filling));
        line("measured", "", "target");
        compareClaims(*fewStore, *manyStore, items);
    }
    std::fflush(stdout);
    const std::string command = "'" + std::string(self) + "' --look '" + many + "'";
    if (std::system(command.c_str()) != 0) give(fail(Errc::Internal, "the second process failed"));
    const auto store = openStore(many);
    throughput(*store, 1, 300);
    throughput(*store, 8, 150);
    return 0;
}

int run(int count, char** arguments) {
    setLogLevel(Severity::Warning);
    if (count == 3 && std::strcmp(arguments[1], "--look") == 0) return look(arguments[2]);
    const std::int64_t items = count > 1 ? std::atoll(arguments[1]) : 1'000'000;
    if (items < 100'000)
        give(fail(Errc::Invalid, "at least 100000 items, or the throughput runs out of them"));
    const tests::TempFolder temporary;
    return measure(arguments[0], items, count > 2 ? arguments[2] : temporary.path());
}

}  // namespace
}  // namespace postern

int main(int count, char** arguments) {
    return postern::run(count, arguments);
}
