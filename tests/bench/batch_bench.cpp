// Messages a second that an adapter with one file for many hands over, staged and published in batches of its
// own size, everything synced: wall time, so the disk and the neighbours count, and processor time. The board
// reads its file every `READ` batches. Ends with 1 when the target is missed.
//
//     tests/bench/batch FOLDER [BATCHES [READ]]      125 and 8 when not said

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "adapters/registry.h"
#include "base/source.h"

namespace postern::adapters {
namespace {

constexpr double kTarget = 20'000;  // messages a second where one file holds many

const std::string kMail =
    "From: Alice Example <alice@example.org>\r\nTo: bob@legacy.example\r\nSubject: Figures for the "
    "meeting\r\n"
    "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <1@example.org>\r\n\r\n"
    "Hello from the gateway.\r\nThis is a mail of the size that people write on the air,\r\nthree lines "
    "long.\r\n";

Result<std::unique_ptr<Adapter>> makeBoard(const std::string& folder) {
    const Kind* kind = kindNamed("fbb");
    Settings settings;
    for (const Setting& setting : kind->settings)
        settings.set(setting.key, setting.fallback ? setting.fallback : "");
    settings.set("folder", folder);
    settings.set("call", "N0GW");
    return kind->make({"bench", "mx.example", "bench0000000000", {}}, settings);
}

// One batch; false when anything was not handed over.
bool handOver(Adapter& adapter, StringSource& mail, std::int64_t& item) {
    std::vector<Job> jobs(static_cast<std::size_t>(adapter.batchLimit()));
    for (Job& job : jobs) {
        job.delivery.key = {ItemId{++item}, Epoch{1}};
        job.delivery.sender = "alice@example.org";
        job.delivery.recipients = {{1, "bob@legacy.example", "N0USR@N0BBS.TST.NOAM"}};
        job.delivery.received = fromMillis(1'700'000'000'000);
        job.delivery.message = &mail;
    }
    adapter.stage(jobs, [] {});
    adapter.publish(jobs, [] {});
    for (const Job& job : jobs) {
        if (job.outcome && job.outcome->verdict == Verdict::Exported) continue;
        std::fprintf(stderr, "not handed over: %s\n",
                     job.outcome ? job.outcome->reason.c_str() : "no outcome");
        return false;
    }
    return true;
}

int run(const std::string& folder, int batches, int readEvery) {
    auto adapter = makeBoard(folder);
    if (!adapter.ok() || !(*adapter)->probe().ok()) {
        std::fprintf(stderr, "%s can not be used\n", folder.c_str());
        return 1;
    }
    StringSource mail(kMail);
    std::int64_t item = 0;
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t processorBegin = std::clock();
    for (int batch = 1; batch <= batches; ++batch) {
        if (!handOver(**adapter, mail, item)) return 1;
        if (batch % readEvery == 0) std::filesystem::remove(folder + "/mail.in");
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const double processor = static_cast<double>(std::clock() - processorBegin) / CLOCKS_PER_SEC;
    const auto messages = static_cast<double>(item);
    const double rate = messages / took.count();
    std::printf(
        "fbb: %lld messages in %.2f s, %.0f a second; %.2f s of processor time, %.0f a second; "
        "target %.0f: %s\n",
        static_cast<long long>(item), took.count(), rate, processor, messages / processor, kTarget,
        rate >= kTarget ? "met" : "MISSED");
    return rate >= kTarget ? 0 : 1;
}

}  // namespace
}  // namespace postern::adapters

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: batch FOLDER [BATCHES [READ]]\n");
        return 2;
    }
    const int batches = argc > 2 ? std::atoi(argv[2]) : 125, readEvery = argc > 3 ? std::atoi(argv[3]) : 8;
    return postern::adapters::run(argv[1], batches, readEvery < 1 ? 1 : readEvery);
}
