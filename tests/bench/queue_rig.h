#pragma once
// What the benches of the queue share: a store filled as intake leaves it, and claims that are settled. Ends
// the program at the first error. Thread rule: any thread; a Queue for each.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "queue/queue.h"
#include "store/messages.h"
#include "store/store.h"

namespace postern::bench {

using queue::Claim;
using queue::Queue;
using queue::Settlement;

constexpr int kBatch = 64;

[[noreturn]] inline void give(const Error& error) {
    std::fprintf(stderr, "the bench: %s\n", error.text.c_str());
    std::exit(1);
}

template <class T>
T must(Result<T> result) {
    if (!result.ok()) give(result.error());
    return std::move(result).value();
}

inline void must(const Result<void>& result) {
    if (!result.ok()) give(result.error());
}

inline double secondsSince(SteadyTime begin) {
    return std::chrono::duration<double>(Clock::system().steady() - begin).count();
}

inline std::unique_ptr<store::Store> openStore(const std::string& folder) {
    store::StoreOptions options;
    options.folder = folder;
    options.migrations = store::messageMigrations();
    for (const store::Migration& migration : queue::queueMigrations())
        options.migrations.push_back(migration);
    return must(store::Store::open(std::move(options)));
}

inline Queue queueOn(store::Store& store) {
    queue::QueueOptions options;
    options.owner = "bench";
    return Queue(store, Clock::system(), options);
}

// Messages, items, recipients and history as intake leaves them, numbered from `from` to `items`, in chunks
// of one commit each.
inline void fill(store::Store& store, std::int64_t items, std::int64_t from = 1) {
    constexpr const char* kMessages = R"sql(
WITH RECURSIVE n(x) AS (SELECT ?1 UNION ALL SELECT x + 1 FROM n WHERE x < ?2)
INSERT INTO message (id, received_ms, sender, source, client, helo, protocol, header_id, subject, size, eight_bit)
SELECT x, ?3 + x, 'sender' || (x % 1000) || '@example.com', 'smtp', '192.0.2.1:4711', 'client.example.com', 'ESMTP',
       '<' || x || '@example.com>', 'Subject number ' || x, 4096, 0 FROM n)sql";
    constexpr const char* kItems = R"sql(
INSERT INTO item (id, message_id, adapter, grp, due_ms, expires_ms)
SELECT id, id, 'maildir', '1', received_ms, received_ms + 432000000 FROM message WHERE id BETWEEN ?1 AND ?2)sql";
    constexpr const char* kRecipients = R"sql(
INSERT INTO recipient (item_id, ordinal, address, legacy)
SELECT id, 1, 'user' || id || '@example.org', 'USER' || id FROM message WHERE id BETWEEN ?1 AND ?2)sql";
    constexpr const char* kHistory = R"sql(
INSERT INTO history (item_id, n, at_ms, who, what, detail)
SELECT id, 1, received_ms, 'postern', 'queued', 'for maildir, recipients: 1' FROM message WHERE id BETWEEN ?1 AND ?2)sql";
    constexpr std::int64_t kChunk = 20'000;
    const std::int64_t begin = toMillis(Clock::system().now()) - 3'600'000;
    for (std::int64_t first = from; first <= items; first += kChunk) {
        const std::int64_t last = std::min(items, first + kChunk - 1);
        must(store.write([&](store::WriteSession& session) -> Result<void> {
            POSTERN_TRY(session.run(kMessages, first, last, begin));
            for (const char* sql : {kItems, kRecipients, kHistory})
                POSTERN_TRY(session.run(sql, first, last));
            return {};
        }));
    }
}

inline Settlement settlementOf(const Claim& claim, Settlement::Kind kind) {
    Settlement settlement;
    settlement.kind = kind;
    settlement.item = claim.item;
    settlement.epoch = claim.epoch;
    settlement.due = Clock::system().now();
    if (kind == Settlement::Kind::Exported) settlement.target = "new/1700000000.M1P1.example";
    return settlement;
}

inline void settleAll(Queue& queue, const std::vector<Claim>& claims, Settlement::Kind kind) {
    std::vector<Settlement> settlements;
    for (const Claim& claim : claims) settlements.push_back(settlementOf(claim, kind));
    if (must(queue.settle(settlements)).size() != claims.size())
        give(fail(Errc::Internal, "a claim was lost"));
}

inline double percentile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

inline double residentMiB() {
    std::ifstream status("/proc/self/status");
    std::string key;
    while (status >> key) {
        long kilobytes = 0;
        if (key == "VmRSS:" && status >> kilobytes) return static_cast<double>(kilobytes) / 1024.0;
    }
    return 0;
}

}  // namespace postern::bench
