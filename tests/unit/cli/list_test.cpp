// The whole queue, in order, however long (KB Q147051, Q185109, Q199258).

#include <gtest/gtest.h>

#include "base/text.h"
#include "queue/queue.h"
#include "store/messages.h"
#include "tests/kit/platform.h"
#include "tests/unit/cli/gateway.h"

namespace postern {
namespace {

constexpr int kItems = tests::kOnWindows ? 2'501 : 25'001;  // Wine takes its time for each

// Sender names run against the order of arrival, so that a list sorted by them is seen.
void fill(tests::Gateway& gateway) {
    gateway.withStore([&](store::Store& store) {
        store::BodyWriter body(store);
        ASSERT_TRUE(body.append("Subject: x\r\n\r\nx\r\n").ok());
        ASSERT_TRUE(body.seal().ok());
        const Result<void> stored = store.write([&](store::WriteSession& session) -> Result<void> {
            for (int i = 0; i < kItems; ++i) {
                store::NewMessage message;
                message.received = gateway.clock.now() + Millis(i);
                message.sender = std::to_string(kItems - i) + "@example.org";
                message.source = "smtp";
                message.protocol = "ESMTP";
                POSTERN_LET(id, store::insertMessage(session, message, body));
                const queue::NewItem item{"drop1",
                                          "1",
                                          {{1, "u@legacy.example", "u", "pending", ""}},
                                          fromMillis(4'000'000'000'000)};
                POSTERN_LET(items, queue::enqueue(session, id, {&item, 1}, message.received));
                if (items.size() != 1) return fail(Errc::Internal, "no item");
            }
            return {};
        });
        ASSERT_TRUE(stored.ok()) << stored.error().text;
    });
}

TEST(QueueList, Q147051_Q185109_AllItemsOldestFirstAndTheCountsAgree) {
    tests::Gateway gateway;
    fill(gateway);
    const tests::Ran ran = gateway.run({"queue", "list"});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    std::int64_t expected = 0;
    for (const std::string_view line : split(ran.out, '\n'))
        if (!line.empty()) {
            ++expected;
            ASSERT_TRUE(line.starts_with(std::to_string(expected) + "\tready\t")) << line;
        }
    EXPECT_EQ(expected, kItems);
    const tests::Ran status = gateway.run({"status", "--json"});
    EXPECT_NE(status.out.find("\"ready\":" + std::to_string(kItems)), std::string::npos) << status.out;
}

}  // namespace
}  // namespace postern
