// What one mail costs the queue while so many others wait: claimed and settled alone and 64 at a time,
// counted, a page of the list, the whole list, and the memory of a process that does only this. For
// tests/bench/report, which reads the one line of JSON.
//
//     tests/bench/waiting fill FOLDER ITEMS           so many wait in the store, those that are there
//     included tests/bench/waiting look FOLDER SECONDS         for so long each; the items wait afterwards as
//     before
//
// Bodies are left out: the queue never reads them.

#include <cstring>

#include "base/log.h"
#include "queue/inspect.h"
#include "tests/bench/queue_rig.h"

namespace postern::bench {
namespace {

constexpr int kPage = 100;

std::int64_t waiting(store::Store& store) {
    std::int64_t items = 0;
    must(store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(counts, queue::countItems(session, false));
        for (const auto& count : counts) items += count.count;
        return {};
    }));
    return items;
}

int fillUp(const std::string& folder, std::int64_t items) {
    const auto store = openStore(folder);
    const SteadyTime begin = Clock::system().steady();
    fill(*store, items, waiting(*store) + 1);
    std::printf("{\"items\": %lld, \"seconds\": %.3f}\n", static_cast<long long>(items), secondsSince(begin));
    return 0;
}

struct Costs {
    std::vector<double> claims, settlements;  // microseconds for an item
};

// Items go back to the end of the queue, so that as many wait as before and the next claim meets other ones.
Costs work(Queue& queue, int batch, double seconds) {
    Costs costs;
    const SteadyTime begin = Clock::system().steady();
    while (secondsSince(begin) < seconds || costs.claims.size() < 5) {
        const SteadyTime claiming = Clock::system().steady();
        const std::vector<Claim> claims = must(queue.claim("maildir", batch));
        costs.claims.push_back(secondsSince(claiming) * 1e6 / batch);
        if (claims.size() != static_cast<std::size_t>(batch))
            give(fail(Errc::Internal, "too few items to claim"));
        const SteadyTime settling = Clock::system().steady();
        settleAll(queue, claims, Settlement::Kind::Deferred);
        costs.settlements.push_back(secondsSince(settling) * 1e6 / batch);
    }
    return costs;
}

void print(const char* name, const std::vector<double>& values) {
    std::printf("\"%s\": [%.2f, %.2f], ", name, percentile(values, 0.5), percentile(values, 0.99));
}

// Seconds until so many rows of the list were read.
double listed(store::Store& store, std::int64_t most) {
    const SteadyTime begin = Clock::system().steady();
    std::int64_t rows = 0;
    must(store.read([&](store::ReadSession& session) {
        return queue::listItems(session, {}, [&](const queue::ItemRow&) { return ++rows < most; });
    }));
    return secondsSince(begin);
}

int look(const std::string& folder, double seconds) {
    const auto store = openStore(folder);
    Queue queue = queueOn(*store);
    const SteadyTime counting = Clock::system().steady();
    const std::int64_t items = waiting(*store);
    const double counted = secondsSince(counting);
    const Costs one = work(queue, 1, seconds);
    std::printf("{\"items\": %lld, \"count_s\": %.6f, ", static_cast<long long>(items), counted);
    print("claim_1_us", one.claims);
    print("settle_1_us", one.settlements);
    if (items >= kBatch * 2) {
        const Costs many = work(queue, kBatch, seconds);
        print("claim_64_us", many.claims);
        print("settle_64_us", many.settlements);
    }
    const double page = listed(*store, kPage), list = listed(*store, INT64_MAX);
    std::printf("\"page_s\": %.6f, \"list_s\": %.6f, ", page, list);
    std::printf("\"resident_mib\": %.2f}\n", residentMiB());
    return 0;
}

}  // namespace
}  // namespace postern::bench

int main(int count, char** arguments) {
    postern::setLogLevel(postern::Severity::Warning);
    if (count == 4 && std::strcmp(arguments[1], "fill") == 0)
        return postern::bench::fillUp(arguments[2], std::atoll(arguments[3]));
    if (count == 4 && std::strcmp(arguments[1], "look") == 0)
        return postern::bench::look(arguments[2], std::atof(arguments[3]));
    std::fprintf(stderr, "usage: waiting fill FOLDER ITEMS | waiting look FOLDER SECONDS\n");
    return 2;
}
