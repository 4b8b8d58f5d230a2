#include "connector/chat/order_desk.h"

#include <exception>
#include <iterator>

namespace postern::chat {

namespace {

Outcome refused(const Order& order, Error error) {
    Outcome outcome;
    outcome.from = order.from;
    outcome.number = order.number;
    outcome.error = std::move(error);
    return outcome;
}

}  // namespace

OrderDesk::OrderDesk(CarryOut carryOut, std::size_t mostWaiting)
    : carryOut_(std::move(carryOut)), queue_("chat-orders", mostWaiting, [this](Placed placed, bool stopped) {
          Outcome outcome = stopped
                                ? refused(*placed.order, fail(Errc::Stopped, "the service is shutting down"))
                                : outcomeOf(*placed.order);
          // Gone before its outcome is told: who has heard that it is done finds it done.
          placed.order.reset();
          placed.done(std::move(outcome));
      }) {}

void OrderDesk::place(std::unique_ptr<const Order> order, Done done) {
    Placed placed{std::move(order), std::move(done)};
    if (queue_.put(std::move(placed))) return;
    placed.done(
        refused(*placed.order, fail(Errc::Busy, "too much waits to be done; say it again in a moment")));
}

Result<void> OrderDesk::keep(const Order& order, const admin::Record& row, Kept& kept) {
    const auto bygone = [](const admin::Record& each) { return each.text("type") == "history"; };
    if (!order.arrived.empty()) return {};  // nobody waits for them
    auto& rows = kept.rows;
    if (rows.size() >= kMostRows) {
        ++kept.more;
        if (order.trial)
            return fail(Errc::TooLarge, "more than " + std::to_string(kMostRows) +
                                            " items; choose fewer, or use 'postern queue'");
        if (!bygone(row)) return {};
        while (kept.oldest < rows.size() && !bygone(rows[kept.oldest])) ++kept.oldest;
        if (kept.oldest == rows.size()) return {};
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(kept.oldest));
    }
    rows.push_back(row);
    return {};
}

Outcome OrderDesk::outcomeOf(const Order& order) const {
    Outcome outcome;
    outcome.from = order.from;
    outcome.number = order.number;
    Kept kept;
    try {
        const auto done = carryOut_(order, [this, &kept, &order](const admin::Record& row) -> Result<void> {
            if (stopping_) return fail(Errc::Stopped, "the service stops; the rows are what was done");
            return keep(order, row, kept);
        });
        if (!done.ok()) outcome.error = done.error();
    } catch (const std::exception& exception) {
        outcome.error =
            fail(Errc::Internal, std::string("a fault of ours, please report it: ") + exception.what());
    } catch (...) {
        outcome.error = fail(Errc::Internal, "a fault of ours, please report it");
    }
    outcome.rows.assign(std::make_move_iterator(kept.rows.begin()), std::make_move_iterator(kept.rows.end()));
    outcome.more = kept.more;
    return outcome;
}

}  // namespace postern::chat
