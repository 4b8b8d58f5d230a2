// Mails a second of every kind that writes files and has no figure elsewhere: stage() and publish() in
// batches of 64 on one thread, each synced as in the service, without a queue. Wall time, so the disk and the
// neighbours count, and processor time. No target was set for these; formats with many in one packet or batch
// have one, in `ftn` and `batch`. Ends with 1 when a kind fails.
//
//     tests/bench/kinds [FOLDER [MAILS [KIND]]]      the temporary folder, 8,192 and every kind when not said

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <vector>

#include "adapters/registry.h"
#include "base/log.h"
#include "base/random.h"
#include "base/source.h"

namespace postern::adapters {
namespace {

constexpr int kBatch = 64;
constexpr int kTakenEvery = 8;  // batches after which the consumer has taken a file of many

struct Way {
    const char* kind;
    const char* name;  // bob's, on the legacy side
    std::vector<std::pair<const char*, const char*>> settings = {};
    const char* manyIn = nullptr;  // the file that holds many
};

const std::vector<Way>& ways() {
    static const std::vector<Way> all = {
        {"b2f", "N0BBB", {{"call", "N0AAA"}}},
        {"ccmail", "bob at PO1"},
        {"chat", "#alerts", {{"channels", "#alerts"}}},
        {"drop", "bob"},
        {"gwapi", "DOM.PO.bob"},
        {"maildir", "bob"},
        {"mbox", "bob", {}, "inbox"},
        {"mh", "bob"},
        {"mhs", "bob@HUB"},
        {"mmff", "NET/PO/BOB"},
        {"pickup", "bob@corp.example"},
    };
    return all;
}

// Text and one small file: what people send, and what a format has to unpack.
const std::string kMail =
    "Received: from mx.example.org by gw.example; Tue, 14 Nov 2023 22:13:21 +0000\r\n"
    "From: Alice Example <alice@example.org>\r\nTo: bob@legacy.example\r\nSubject: About tomorrow\r\n"
    "Message-ID: <20231114221320.4711@example.org>\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "Hello Bob,\r\n\r\nthe meeting is at ten, not at nine. Caf\xc3\xa9 afterwards?\r\n\r\nAlice\r\n"
    "--b\r\nContent-Type: application/octet-stream; name=\"list.dat\"\r\n"
    "Content-Disposition: attachment; filename=\"list.dat\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "TWVldGluZyBhdCB0ZW4uIFJvb20gMTIuIFBsZWFzZSBicmluZyB0aGUgbGlzdC4=\r\n--b--\r\n";

Result<std::unique_ptr<Adapter>> make(const Way& way, const std::string& folder) {
    const Kind* kind = kindNamed(way.kind);
    if (kind == nullptr) return fail(Errc::NotFound, "no such kind");
    Settings settings;
    for (const Setting& setting : kind->settings)
        settings.set(setting.key, setting.fallback ? setting.fallback : "");
    settings.set("folder", folder);
    for (const auto& [key, value] : way.settings) settings.set(key, value);
    POSTERN_LET(adapter, kind->make({"bench", "gw.example", "abcdefgh12345678", {}, {}}, settings));
    POSTERN_TRY(adapter->probe());
    return adapter;
}

// One batch; what went wrong, if anything.
std::string handOver(Adapter& adapter, const Way& way, ByteSource& mail, int first) {
    std::vector<Job> jobs(kBatch);
    for (int i = 0; i < kBatch; ++i) {
        Delivery& delivery = jobs[static_cast<std::size_t>(i)].delivery;
        delivery.key = {ItemId{first + i}, Epoch{1}};
        delivery.sender = "alice@example.org";
        delivery.recipients = {{1, "bob@legacy.example", way.name}};
        delivery.received = fromMillis(1'700'000'000'000);
        delivery.message = &mail;
    }
    adapter.stage(jobs, [] {});
    adapter.publish(jobs, [] {});
    for (const Job& job : jobs)
        if (!job.outcome || job.outcome->verdict != Verdict::Exported)
            return job.outcome ? job.outcome->reason : "no outcome";
    return "";
}

// Prints one line. False: it failed.
bool measure(const Way& way, const std::string& folder, int mails) {
    auto adapter = make(way, folder);
    std::string wrong = adapter.ok() ? "" : adapter.error().text;
    StringSource mail(kMail);
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t processorBegin = std::clock();
    int done = 0;
    for (; wrong.empty() && done < mails; done += kBatch) {
        wrong = handOver(**adapter, way, mail, done + 1);
        if (way.manyIn != nullptr && done / kBatch % kTakenEvery == kTakenEvery - 1)
            std::filesystem::remove(folder + "/" + way.manyIn);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const double processor = static_cast<double>(std::clock() - processorBegin) / CLOCKS_PER_SEC;
    if (!wrong.empty()) {
        std::printf("%-8s FAILED: %s\n", way.kind, wrong.c_str());
        return false;
    }
    std::printf("%-8s %8.0f mails/s, %6.0f us of a processor each\n", way.kind, done / took.count(),
                processor / done * 1e6);
    std::fflush(stdout);
    return true;
}

}  // namespace
}  // namespace postern::adapters

int main(int count, char** arguments) {
    using namespace postern;
    const std::string base = count > 1 ? arguments[1] : std::filesystem::temp_directory_path().string();
    const int mails = count > 2 ? std::max(1, std::atoi(arguments[2])) : 8'192;
    const std::string only = count > 3 ? arguments[3] : "";
    setLogLevel(Severity::Error);
    bool fine = true, any = false;
    for (const adapters::Way& way : adapters::ways()) {
        if (!only.empty() && only != way.kind) continue;
        any = true;
        const std::string folder = base + "/postern-kinds-bench-" + randomName(6);
        fine = adapters::measure(way, folder, mails) && fine;
        std::filesystem::remove_all(folder);
    }
    if (!any) std::fprintf(stderr, "no kind %s here\n", only.c_str());
    return fine && any ? 0 : 1;
}
