#pragma once
// A real store in a temporary folder, a clock that stands still, and short words for what the tests do.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "queue/inspect.h"
#include "queue/operate.h"
#include "queue/queue.h"
#include "store/messages.h"
#include "store/store.h"
#include "tests/fake_clock.h"
#include "tests/temp_folder.h"

namespace postern::queue {

class QueueTest : public testing::Test {
  protected:
    QueueTest();

    // Stores a mail and queues it; each adapter named gets one item with `recipients` recipients.
    ItemId post(int recipients = 1, const std::string& adapter = "maildir");
    MessageId message();
    void postMany(int count, const std::string& adapter = "maildir");

    Queue queueOf(const std::string& owner, Guards guards = {});
    Claim claimOne();                // the only due item
    Claim publishing(ItemId& item);  // posts one and brings it to publishing
    static Queue::Mark markOf(const Claim& claim);
    static Settlement settlementOf(const Claim& claim, Settlement::Kind kind);

    // Puts an item into a state as if its way had led there: epoch `epoch`, held by `owner`.
    void force(ItemId item, State state, int epoch = 3, const std::string& owner = "us");

    ItemRow row(ItemId item);
    State state(ItemId item) { return row(item).state; }
    std::vector<RecipientRow> recipients(ItemId item);
    std::vector<HistoryRow> history(ItemId item);
    // Everything stored about an item, as text: equal before and after means that nothing changed.
    std::string everything(ItemId item);

    void sql(const char* text);  // must succeed
    Result<void> trySql(const char* text);
    std::int64_t number(const char* text);  // the one value of a query
    std::vector<VerbResult> operate(Verb verb, std::vector<ItemId> ids);

    void inRead(const std::function<Result<void>(store::ReadSession&)>& work);
    void inWrite(const std::function<Result<void>(store::WriteSession&)>& work);

    tests::TempFolder folder_;
    tests::FakeClock clock_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<Queue> queue_;  // owner "us"
};

std::vector<std::int64_t> idsOf(const std::vector<Claim>& claims);

}  // namespace postern::queue

namespace postern {
template <class Tag>
std::ostream& operator<<(std::ostream& out, const Id<Tag>& id) {
    return out << id.value;
}
}  // namespace postern
