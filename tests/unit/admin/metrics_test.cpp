#include "connector/admin/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::admin {
namespace {

using testing::HasSubstr;

TEST(MetricsText, IsWhatPrometheusReads) {
    MetricsText text;
    text.family("a_total", "counter", "Things.");
    text.sample({}, std::int64_t{3});
    text.sample({{"adapter", "p\"o\\st\n"}, {"state", "held"}}, 1.5);
    EXPECT_EQ(text.take(),
              "# HELP a_total Things.\n# TYPE a_total counter\na_total 3\n"
              "a_total{adapter=\"p\\\"o\\\\st\\n\",state=\"held\"} 1.5\n");
}

TEST(MetricsText, BucketsOfAHistogramAddUp) {
    Histogram histogram;
    histogram.observe(std::chrono::microseconds(250));
    histogram.observe(std::chrono::microseconds(251));
    histogram.observe(std::chrono::hours(1));
    MetricsText text;
    text.family("took_seconds", "histogram", "x");
    text.histogram({{"adapter", "a"}}, histogram.snapshot());
    const std::string all = text.take();
    EXPECT_THAT(all, HasSubstr("took_seconds_bucket{adapter=\"a\",le=\"0.00025\"} 1\n"));
    EXPECT_THAT(all, HasSubstr("took_seconds_bucket{adapter=\"a\",le=\"0.0005\"} 2\n"));
    EXPECT_THAT(all, HasSubstr("took_seconds_bucket{adapter=\"a\",le=\"120\"} 2\n"));
    EXPECT_THAT(all, HasSubstr("took_seconds_bucket{adapter=\"a\",le=\"+Inf\"} 3\n"));
    EXPECT_THAT(all, HasSubstr("took_seconds_count{adapter=\"a\"} 3\n"));
}

}  // namespace
}  // namespace postern::admin
