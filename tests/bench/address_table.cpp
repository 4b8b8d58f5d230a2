// What an address table of a million lines costs: to load, to keep, to look up in both directions.
//
//     tests/bench/address_table [LINES]

#include "connector/routing/address_table.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>

#include "tests/temp_folder.h"

namespace postern::routing {
namespace {

// Of the processor, in seconds: what counts on a machine that is busy with something else.
double work() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// VmHWM or VmRSS of this process, in MiB.
long memory(const std::string& field) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(field + ":")) return std::atol(line.c_str() + field.size() + 1) / 1024;
    return 0;
}

std::string addressOf(int i) {
    return "Given" + std::to_string(i % 977) + ".Surname" + std::to_string(i) + "@office" +
           std::to_string(i % 50) + ".example.org";
}
std::string nameOf(int i) {
    return "Surname" + std::to_string(i) + ", Given" + std::to_string(i % 977) + " at PO" +
           std::to_string(i % 50);
}

template <class Look>
double nanoseconds(int lines, Look look) {
    constexpr int kLooks = 1'000'000;
    std::vector<std::string> keys;
    for (unsigned i = 0; i < 100'000; ++i)
        keys.push_back(look.key(static_cast<int>(i * 7919U % static_cast<unsigned>(lines))));
    int found = 0;
    const double start = work();
    for (int i = 0; i < kLooks; ++i) found += look(keys[static_cast<std::size_t>(i) % keys.size()]) ? 1 : 0;
    const double each = (work() - start) * 1e9 / kLooks;
    if (found != kLooks) std::printf("  only %d of %d found\n", found, kLooks);
    return each;
}

struct ToLegacy {
    const AddressTable& table;
    std::string key(int i) const { return addressOf(i); }
    bool operator()(const std::string& key) const { return table.legacyOf(key).has_value(); }
};
struct ToInternet {
    const AddressTable& table;
    std::string key(int i) const { return nameOf(i); }
    bool operator()(const std::string& key) const { return table.addressOf(key).has_value(); }
};

int run(int lines) {
    tests::TempFolder folder;
    const std::string path = folder / "people.csv";
    {
        std::ofstream out(path);
        for (int i = 0; i < lines; ++i) out << addressOf(i) << ",\"" << nameOf(i) << "\"\n";
    }
    const long before = memory("VmRSS");
    const auto start = std::chrono::steady_clock::now();
    const double worked = work();
    const auto read = AddressTable::read(path);
    const double seconds = since(start), processor = work() - worked;
    if (!read.table) {
        std::printf("the table has problems: %s\n", read.problems.front().text.c_str());
        return 1;
    }
    std::printf("%u cores, %d lines\n", std::thread::hardware_concurrency(), lines);
    std::printf("load             %8.2f s     (target 2 s; %.2f s of the processor)\n", seconds, processor);
    std::printf("memory at most   %8ld MiB   (target 200 MiB, %ld before)\n", memory("VmHWM"), before);
    std::printf("memory kept      %8ld MiB\n", memory("VmRSS"));
    std::printf("to legacy        %8.0f ns    (target: microseconds)\n",
                nanoseconds(lines, ToLegacy{*read.table}));
    std::printf("to internet      %8.0f ns\n", nanoseconds(lines, ToInternet{*read.table}));
    return 0;
}

}  // namespace
}  // namespace postern::routing

int main(int count, char** words) {
    return postern::routing::run(count > 1 ? std::atoi(words[1]) : 1'000'000);
}
