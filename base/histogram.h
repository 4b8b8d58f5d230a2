#pragma once
// How long something took, counted in fixed buckets, as Prometheus reads them. Thread rule: any thread;
// observing takes no lock. A snapshot taken meanwhile may miss what is being counted.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace postern {

class Histogram {
  public:
    // Upper bounds in microseconds, each included; what is longer stands in one more bucket.
    static constexpr std::array<std::int64_t, 14> kBounds{
        250,    500,     1'000,   2'500,     5'000,     10'000,     25'000,
        50'000, 100'000, 250'000, 1'000'000, 5'000'000, 30'000'000, 120'000'000};

    struct Snapshot {
        std::array<std::int64_t, kBounds.size() + 1> counts{};  // of each bucket alone
        std::int64_t total = 0;                                 // of all buckets
        std::int64_t micros = 0;                                // of all together
    };

    void observe(std::chrono::steady_clock::duration took) {
        const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
        std::size_t bucket = 0;
        while (bucket < kBounds.size() && micros > kBounds[bucket]) ++bucket;
        counts_[bucket].fetch_add(1, std::memory_order_relaxed);
        micros_.fetch_add(micros, std::memory_order_relaxed);
    }
    Snapshot snapshot() const {
        Snapshot now;
        for (std::size_t i = 0; i < counts_.size(); ++i)
            now.total += now.counts[i] = counts_[i].load(std::memory_order_relaxed);
        now.micros = micros_.load(std::memory_order_relaxed);
        return now;
    }

  private:
    std::array<std::atomic<std::int64_t>, kBounds.size() + 1> counts_{};
    std::atomic<std::int64_t> micros_{0};
};

}  // namespace postern
