// The line that says how far long work is.

#include "connector/cli/bar.h"

#include <sstream>

#include <gtest/gtest.h>

#include "connector/cli/width.h"
#include "tests/fake_clock.h"

namespace postern::cli {
namespace {

TEST(BarText, SaysHowMuchOfHowMany) {
    EXPECT_EQ(barText("exporting", 0, 1000, 50), "exporting [...................]    0 %  0 of 1000");
    EXPECT_EQ(barText("exporting", 500, 1000, 60),
              "exporting [#############..............]   50 %  500 of 1000");
    EXPECT_EQ(barText("x", 10, 10, 200), "x [########################################]  100 %  10 of 10");
    EXPECT_EQ(barText("x", 99, 10, 40), barText("x", 10, 10, 40)) << "more than all is all";
    EXPECT_EQ(barText("changing", 12, 0, 80), "changing  12") << "of nobody knows how many";
    EXPECT_EQ(barText("exporting", 5, 10, 30), "exporting   50 %  5 of 10") << "no room for a bar";
    for (const int width : {1, 2, 10, 20, 30, 40, 79, 300})
        for (const std::int64_t done : {std::int64_t{0}, std::int64_t{7}, INT64_MAX / 200})
            EXPECT_LT(displayWidth(barText("exporting", done, done + 3, width)), std::max(width, 2));
}

class BarTest : public testing::Test {
  protected:
    std::string drawn() {
        const std::string text = err_.str();
        err_.str("");
        return text;
    }
    tests::FakeClock clock_;
    std::istringstream in_;
    std::ostringstream out_, err_;
    Console console_{in_, out_, err_, clock_};
    cli::Run run_{console_, ""};
};

TEST_F(BarTest, DrawsTenTimesASecondAndIsGoneAtTheEnd) {
    console_.bars = true;
    {
        Bar bar(run_, "exporting");
        bar.at(0, 100);
        EXPECT_EQ(drawn(), "\r\x1b[K" + barText("exporting", 0, 100, 80));
        bar.at(50, 100);
        EXPECT_EQ(drawn(), "") << "too soon";
        clock_.advance(Millis{100});
        bar.at(60, 100);
        EXPECT_EQ(drawn(), "\r\x1b[K" + barText("exporting", 60, 100, 80));
        bar.hide();
        EXPECT_EQ(drawn(), "\r\x1b[K");
        bar.hide();
        EXPECT_EQ(drawn(), "") << "hidden once";
        bar.begin("checking");
        bar.at(1, 100);
        EXPECT_EQ(drawn(), "\r\x1b[K" + barText("checking", 1, 100, 80)) << "the next part at once";
    }
    EXPECT_EQ(drawn(), "\r\x1b[K");
    EXPECT_EQ(out_.str(), "");
}

TEST_F(BarTest, DrawsNothingOfLittleWork) {
    console_.bars = true;
    Bar bar(run_, "exporting");
    bar.at(3, Bar::kFew - 1);
    bar.at(Bar::kFew - 1, 0);
    EXPECT_EQ(drawn(), "");
    bar.at(Bar::kFew, 0);
    EXPECT_NE(drawn(), "");
}

TEST_F(BarTest, DrawsNothingWithoutATerminalAndNothingForPrograms) {
    {
        Bar bar(run_, "exporting");
        bar.at(50, 100);
    }
    console_.bars = true;
    run_.json = true;
    {
        Bar bar(run_, "exporting");
        bar.at(50, 100);
    }
    EXPECT_EQ(drawn(), "");
}

}  // namespace
}  // namespace postern::cli
