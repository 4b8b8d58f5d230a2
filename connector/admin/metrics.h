#pragma once
// What the service measures of itself, as text for Prometheus (exposition format 0.0.4). Counts of items are
// queries of this moment (KB Q199258); counters begin at 0 with the process, and an adapter's with its
// settings.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/histogram.h"
#include "base/result.h"
#include "base/volume.h"

namespace postern::admin {

struct ServiceView;

// Builds such a text. Families must come one after the other, each once.
class MetricsText {
  public:
    using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

    // `type`: "counter", "gauge" or "histogram"; the samples that follow are of this family.
    void family(std::string_view name, std::string_view type, std::string_view help);
    void sample(const Labels& labels, std::int64_t value);
    void sample(const Labels& labels, double value);
    void histogram(const Labels& labels, const Histogram::Snapshot& snapshot);  // in seconds
    std::string take() { return std::move(text_); }

  private:
    void line(std::string_view suffix, const Labels& labels, std::string_view value);
    std::string name_, text_;
};

// What one adapter's watchers counted.
struct AdapterMeasures {
    std::string adapter;
    bool claims = false;  // false: unusable, suspended, or outside its send windows
    std::vector<std::pair<std::string_view, std::int64_t>> results;  // "exported", "deferred", ...
    std::int64_t claimed = 0, fenced = 0, lapsed = 0, recovered = 0, faults = 0, hinted = 0, timed = 0;
    Histogram::Snapshot batchTimes, deliveryTimes;
    std::optional<Volume> volume{};  // of its folder; not set: it has none, or it was not looked at yet
};

// All of it. docs/METRICS.md lists every family; a test holds the two together.
Result<std::string> metricsText(const ServiceView& view);

}  // namespace postern::admin
