#pragma once
// What operators ask of the queue in the chat, on its way to where it is carried out, and back. The chat's
// loop never waits for the store: one thread carries the orders out, in turn.
//
// An order has one holder all its life, which frees it (Q254282); how many there are is counted.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/work_queue.h"
#include "connector/admin/control.h"
#include "connector/admin/role.h"
#include "connector/chat/model.h"

namespace postern::chat {

struct Order {
    Order() { ++alive_; }
    ~Order() { --alive_; }
    Order(const Order&) = delete;
    Order& operator=(const Order&) = delete;

    ConnectionId from = 0;     // 0: the service itself
    std::uint64_t number = 0;  // of this order, of all there have been
    // The account is asked for its roles again when the order is carried out; it may never do more than this.
    admin::Role most = admin::Role::Viewer;
    admin::Request request{};  // `who`: the account
    std::string peer{};        // where it came from, for the log
    bool trial = false;        // changes nothing; ends at the first row too many
    // Accounts that have just come. It is the service's own order then, and nobody waits for its outcome:
    // mail that waits for them is tried now. Its rows are empty, and only ask whether to go on.
    std::vector<std::string> arrived{};

    static std::int64_t alive() { return alive_; }  // in the whole process

  private:
    static inline std::atomic<std::int64_t> alive_{0};
};

struct Outcome {
    ConnectionId from = 0;
    std::uint64_t number = 0;
    std::vector<admin::Record> rows{};
    std::size_t more = 0;  // rows beyond kMostRows: of a history the oldest, else the last
    std::optional<Error> error{};
};

class OrderDesk {
  public:
    // Called on the desk's thread; what it throws becomes the outcome's error.
    using CarryOut = std::function<Result<void>(const Order& order, const admin::RowSink& row)>;
    using Done = std::function<void(Outcome)>;

    static constexpr std::size_t kMostRows = 1000;  // kept of an outcome

    OrderDesk(CarryOut carryOut, std::size_t mostWaiting);
    ~OrderDesk() { stopping_ = true; }  // what is carried out just now ends at its next row

    // `done` is called exactly once: on the desk's thread; on the caller's, with Busy, when too many wait;
    // in our destructor, with Stopped.
    void place(std::unique_ptr<const Order> order, Done done);

  private:
    struct Placed {
        std::unique_ptr<const Order> order;
        Done done;
    };
    // Of a history of any length the oldest rows go, close to the front.
    struct Kept {
        std::deque<admin::Record> rows{};
        std::size_t oldest = 0;  // no row of a history is before it
        std::size_t more = 0;
    };
    Outcome outcomeOf(const Order& order) const;
    static Result<void> keep(const Order& order, const admin::Record& row, Kept& kept);

    const CarryOut carryOut_;
    std::atomic<bool> stopping_{false};
    WorkQueue<Placed> queue_;
};

}  // namespace postern::chat
