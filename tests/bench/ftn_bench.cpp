// How many mails a second become FidoNet netmail: one thread, stage() and publish() with every sync, in
// batches of 64 or of a whole packet, as watchers claim them; wall time, so the disk and the neighbours
// count, and processor time. Ends with 1 when the largest packet misses its target.
//
//     tests/bench/ftn [FOLDER [MAILS]]      the folder decides which disk

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "adapters/registry.h"
#include "base/file.h"
#include "base/random.h"

using namespace postern;

namespace {

struct Rates {
    double wall = -1, processor = -1;  // mails a second; negative when something went wrong
};

const std::string kMail =
    "Received: from mx.example.org by gw.example; Tue, 14 Nov 2023 22:13:21 +0000\r\n"
    "From: Alice Example <alice@example.org>\r\nTo: Bob Sysop <bob@legacy.example>\r\n"
    "Subject: About tomorrow\r\nMessage-ID: <20231114221320.4711@example.org>\r\n"
    "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "Hello Bob,\r\n\r\nthe meeting is at ten, not at nine. Please tell the others, and bring the list of\r\n"
    "nodes that we talked about. Caf\xc3\xa9 afterwards?\r\n\r\nAlice\r\n";

adapters::Settings settingsFor(const adapters::Kind& kind, const std::string& folder,
                               const std::string& bundle) {
    adapters::Settings settings;
    for (const adapters::Setting& setting : kind.settings)
        settings.set(setting.key, setting.fallback ? setting.fallback : "");
    settings.set("folder", folder);
    settings.set("address", "2:999/1");
    settings.set("link", "2:999/2");
    settings.set("bundle", bundle);
    return settings;
}

std::vector<adapters::Job> batchFrom(int first, int count, ByteSource& message) {
    std::vector<adapters::Job> jobs(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        adapters::Delivery& delivery = jobs[static_cast<std::size_t>(i)].delivery;
        delivery.key = {ItemId{first + i}, Epoch{1}};
        delivery.sender = "alice@example.org";
        delivery.recipients = {{1, "bob@legacy.example", "Bob Sysop"}};
        delivery.received = fromMillis(1'700'000'000'000);
        delivery.message = &message;
    }
    return jobs;
}

Rates measure(const std::string& folder, const std::string& bundle, int mails) {
    const adapters::Kind* kind = adapters::kindNamed("ftn");
    auto adapter =
        kind->make({"bench", "gw.example", "abcdefgh12345678", {}, {}}, settingsFor(*kind, folder, bundle));
    if (!adapter.ok() || !(*adapter)->probe().ok()) return {};
    StringSource message(kMail);
    const int batch = (*adapter)->batchLimit();
    mails -= mails % batch;
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t processorBegin = std::clock();
    for (int done = 0; done < mails; done += batch) {
        auto jobs = batchFrom(done + 1, batch, message);
        (*adapter)->stage(jobs, [] {});
        (*adapter)->publish(jobs, [] {});
        for (const auto& job : jobs)
            if (!job.outcome || job.outcome->verdict != adapters::Verdict::Exported) return {};
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const double processor = static_cast<double>(std::clock() - processorBegin) / CLOCKS_PER_SEC;
    return {mails / took.count(), mails / processor};
}

}  // namespace

int main(int count, char** arguments) {
    const std::string base = count > 1 ? arguments[1] : std::filesystem::temp_directory_path().string();
    const int mails = count > 2 ? std::atoi(arguments[2]) : 32'000;
    bool fine = true;
    for (const auto& [bundle, target] : {std::pair{"1", 0.0}, {"64", 0.0}, {"256", 0.0}, {"512", 20'000.0}}) {
        const std::string folder = base + "/postern-ftn-bench-" + randomName(6);
        const Rates rates = measure(folder, bundle, std::string(bundle) == "1" ? mails / 8 : mails);
        const double rate = rates.wall;
        std::filesystem::remove_all(folder);
        fine = fine && rate > 0 && rate >= target;
        if (rate < 0) {
            std::printf("ftn, %s mails a packet: FAILED\n", bundle);
            continue;
        }
        std::printf("ftn, %s mails a packet: %.0f mails/s, %.0f a second of processor time", bundle, rate,
                    rates.processor);
        if (target > 0) std::printf("; target %.0f: %s", target, rate >= target ? "met" : "MISSED");
        std::printf("\n");
    }
    return fine ? 0 : 1;
}
