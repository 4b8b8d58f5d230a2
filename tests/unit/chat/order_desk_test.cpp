// Orders have one holder, and end with it (Q254282).

#include "connector/chat/order_desk.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace postern::chat {
namespace {

std::unique_ptr<Order> makeOrder(std::uint64_t number) {
    auto order = std::make_unique<Order>();
    order->number = number;
    return order;
}

// What comes back, by any thread.
class Outcomes {
  public:
    OrderDesk::Done taker() {
        return [this](Outcome outcome) {
            MutexLock lock(mutex_);
            all_.push_back(std::move(outcome));
            changed_.notifyAll();
        };
    }
    void waitFor(std::size_t count) {
        MutexLock lock(mutex_);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (all_.size() < count && changed_.waitUntil(mutex_, deadline)) {
        }
    }
    std::vector<Outcome> wait(std::size_t count) {
        waitFor(count);
        MutexLock lock(mutex_);
        return all_;
    }

  private:
    Mutex mutex_;
    Condition changed_;
    std::vector<Outcome> all_ GUARDED_BY(mutex_);
};

TEST(OrderDesk, AHundredThousandOrdersLeaveNoneBehind) {
    const std::int64_t before = Order::alive();
    constexpr std::size_t kOrders = 100'000, kAtOnce = 1000;
    Outcomes outcomes;
    {
        OrderDesk desk(
            [](const Order& order, const admin::RowSink& row) -> Result<void> {
                if (order.number % 3 == 1) return fail(Errc::NotFound, "no such item");
                if (order.number % 3 == 2) throw std::runtime_error("a fault");
                return row(admin::Record().add("id", static_cast<std::int64_t>(order.number)));
            },
            kAtOnce);
        for (std::size_t i = 0; i < kOrders; i += kAtOnce) {
            for (std::size_t k = 0; k < kAtOnce; ++k) desk.place(makeOrder(i + k), outcomes.taker());
            outcomes.waitFor(i + kAtOnce);
        }
        EXPECT_EQ(Order::alive(), before);
    }
    const auto all = outcomes.wait(kOrders);
    ASSERT_EQ(all.size(), kOrders);
    EXPECT_EQ(all[0].rows.size(), 1U);
    EXPECT_EQ(all[1].error->code, Errc::NotFound);
    EXPECT_EQ(all[2].error->code, Errc::Internal);
}

TEST(OrderDesk, TooManyAreRefusedAndTheRestIsAnsweredAtTheEnd) {
    const std::int64_t before = Order::alive();
    Outcomes outcomes;
    Mutex mutex;
    Condition changed;
    bool begun = false, goOn = false;
    {
        OrderDesk desk(
            [&](const Order&, const admin::RowSink& row) -> Result<void> {
                MutexLock lock(mutex);
                begun = true;
                changed.notifyAll();
                const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
                while (!goOn && changed.waitUntil(mutex, deadline)) {
                }
                return row(admin::Record());
            },
            1);
        desk.place(makeOrder(1), outcomes.taker());
        {
            MutexLock lock(mutex);
            const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
            while (!begun && changed.waitUntil(mutex, deadline)) {
            }
        }
        desk.place(makeOrder(2), outcomes.taker());
        desk.place(makeOrder(3), outcomes.taker());
        const auto refused = outcomes.wait(1);
        ASSERT_EQ(refused.size(), 1U);
        EXPECT_EQ(refused[0].number, 3U);
        EXPECT_EQ(refused[0].error->code, Errc::Busy);
        MutexLock lock(mutex);
        goOn = true;
        changed.notifyAll();
    }
    const auto all = outcomes.wait(3);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(Order::alive(), before);
}

TEST(OrderDesk, OfManyRowsAThousandAreKeptAndTheRestCounted) {
    Outcomes outcomes;
    OrderDesk desk(
        [](const Order&, const admin::RowSink& row) -> Result<void> {
            for (int i = 0; i < 1500; ++i) POSTERN_TRY(row(admin::Record()));
            return {};
        },
        1);
    desk.place(makeOrder(1), outcomes.taker());
    const auto all = outcomes.wait(1);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].rows.size(), 1000U);
    EXPECT_EQ(all[0].more, 500U);
}

TEST(OrderDesk, OfALongHistoryTheNewestRowsAreKept) {
    Outcomes outcomes;
    OrderDesk desk(
        [](const Order&, const admin::RowSink& row) -> Result<void> {
            POSTERN_TRY(row(admin::Record().add("type", "item")));
            for (std::int64_t i = 1; i <= 1500; ++i)
                POSTERN_TRY(row(admin::Record().add("type", "history").add("n", i)));
            return {};
        },
        1);
    desk.place(makeOrder(1), outcomes.taker());
    const auto all = outcomes.wait(1);
    ASSERT_EQ(all.size(), 1U);
    ASSERT_EQ(all[0].rows.size(), 1000U);
    EXPECT_EQ(all[0].more, 501U);
    EXPECT_EQ(all[0].rows.front().text("type"), "item");
    EXPECT_EQ(all[0].rows[1].find("n")->number, 502);
    EXPECT_EQ(all[0].rows.back().find("n")->number, 1500);
}

TEST(OrderDesk, OfManyItemsTheOldestRowsOfHistoriesGoWhereverTheyStand) {
    Outcomes outcomes;
    OrderDesk desk(
        [](const Order&, const admin::RowSink& row) -> Result<void> {
            for (std::int64_t i = 0; i < 900; ++i) {
                POSTERN_TRY(row(admin::Record().add("type", "item").add("n", i)));
                POSTERN_TRY(row(admin::Record().add("type", "history").add("n", i)));
            }
            return {};
        },
        1);
    desk.place(makeOrder(1), outcomes.taker());
    const auto all = outcomes.wait(1);
    ASSERT_EQ(all.size(), 1U);
    ASSERT_EQ(all[0].rows.size(), 1000U);
    EXPECT_EQ(all[0].more, 800U);
    // The items that came before the thousandth row, and the newest of the histories.
    std::int64_t items = 0, histories = 400;
    for (const admin::Record& row : all[0].rows) {
        std::int64_t& next = row.text("type") == "item" ? items : histories;
        EXPECT_EQ(row.find("n")->number, next++);
    }
    EXPECT_EQ(items, 500);
    EXPECT_EQ(histories, 900);
}

TEST(OrderDesk, OfTheServicesOwnOrderNoRowIsKept) {
    Outcomes outcomes;
    OrderDesk desk(
        [](const Order&, const admin::RowSink& row) -> Result<void> {
            for (int i = 0; i < 1500; ++i) POSTERN_TRY(row(admin::Record()));
            return {};
        },
        1);
    auto order = makeOrder(1);
    order->arrived = {"ann"};
    desk.place(std::move(order), outcomes.taker());
    const auto all = outcomes.wait(1);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].rows.size() + all[0].more, 0U);
}

TEST(OrderDesk, ATrialEndsAtTheFirstRowTooMany) {
    Outcomes outcomes;
    int rows = 0;
    OrderDesk desk(
        [&rows](const Order&, const admin::RowSink& row) -> Result<void> {
            for (;; ++rows) POSTERN_TRY(row(admin::Record()));
        },
        1);
    auto order = makeOrder(1);
    order->trial = true;
    desk.place(std::move(order), outcomes.taker());
    const auto all = outcomes.wait(1);
    ASSERT_EQ(all.size(), 1U);
    ASSERT_TRUE(all[0].error);
    EXPECT_EQ(all[0].error->code, Errc::TooLarge);
    EXPECT_EQ(rows, 1000);
}

}  // namespace
}  // namespace postern::chat
