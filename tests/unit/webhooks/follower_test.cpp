#include "connector/webhooks/follower.h"

#include <set>

#include "adapters/webhook/webhook_settings.h"
#include "base/log.h"
#include "base/text.h"
#include "queue/history.h"
#include "queue/hold.h"
#include "tests/unit/queue/fixture.h"

namespace postern::webhooks {
namespace {

using queue::State;
using queue::Verb;

class FollowerTest : public queue::QueueTest {
  protected:
    FollowerTest()
        : follower_(*store_, notifier_, Clock::system(),
                    {{"gw.example.org", "store0000"}, Millis{3'600'000}}) {
        setLogLevel(Severity::Error);
    }
    void use(std::vector<Hook> hooks) { ASSERT_TRUE(follower_.use(std::move(hooks)).ok()); }
    static Hook hook(const std::string& name, std::vector<std::string> events,
                     std::vector<std::string> adapters = {}) {
        return {name, std::move(events), std::move(adapters), Millis{3'600'000}};
    }
    // The follower's own thread may have done a part of it.
    void follow() { ASSERT_TRUE(follower_.runOnce().ok()); }

    std::vector<queue::ItemRow> itemsOf(const std::string& adapter) {
        std::vector<queue::ItemRow> rows;
        inRead([&](store::ReadSession& session) {
            queue::Filter filter;
            filter.adapter = adapter;
            return queue::listItems(session, filter, [&](const queue::ItemRow& row) {
                rows.push_back(row);
                return true;
            });
        });
        return rows;
    }
    std::string body(MessageId id) {
        std::string text;
        inRead([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(source, store::openBody(session, store_->folder(), id));
            POSTERN_LET(bytes, readAll(*source, 1 << 20));
            text = std::move(bytes);
            return {};
        });
        return text;
    }
    std::vector<std::string> subjects(const std::string& adapter) {
        std::vector<std::string> found;
        for (const queue::ItemRow& row : itemsOf(adapter)) found.push_back(row.subject);
        return found;
    }

    store::Notifier notifier_;
    Follower follower_;
};

using Lines = std::vector<std::string>;

TEST_F(FollowerTest, EachChosenEventBecomesOneItemAndIsTakenFromTheOutbox) {
    post();  // before its time
    use({hook("hook", {"item.held", "item.released"})});
    const ItemId item = post(2);
    operate(Verb::Hold, {item});
    operate(Verb::Release, {item});
    follow();
    follow();
    EXPECT_EQ(subjects("hook"),
              (Lines{"item.held of item 2, adapter maildir", "item.released of item 2, adapter maildir"}));
    EXPECT_EQ(number("SELECT count(*) FROM event"), 0);
    const queue::ItemRow row = itemsOf("hook").at(0);
    EXPECT_EQ(row.state, State::Ready);
    EXPECT_EQ(row.sender, "");
    EXPECT_EQ(row.firstRecipient, "hook@webhook.invalid");
    EXPECT_EQ(row.expires, row.received + Millis{3'600'000});
    EXPECT_EQ(number("SELECT count(*) FROM message WHERE source = 'webhook' AND protocol = 'event'"), 2);
}

TEST_F(FollowerTest, TheMailCarriesTheDocument) {
    use({hook("hook", {"item.held"})});
    const ItemId item = post(2);
    operate(Verb::Hold, {item});
    follow();
    const std::string mail = body(itemsOf("hook").at(0).message);
    const auto end = mail.find("\r\n\r\n");
    ASSERT_NE(end, std::string::npos);
    const std::string head = mail.substr(0, end), text = mail.substr(end + 4);
    EXPECT_NE(head.find("\r\nContent-Type: application/json\r\n"), std::string::npos) << head;
    EXPECT_NE(head.find("\r\nAuto-Submitted: auto-generated\r\n"), std::string::npos) << head;
    for (const char* wanted :
         {"{\"type\":\"item.held\"", "\"timestamp\":\"", "\"event\":1", "\"host\":\"gw.example.org\"",
          "\"store\":\"store0000\"", "\"adapter\":\"maildir\"", "\"what\":\"hold\"", "\"id\":1",
          "\"item\":{\"id\":1,\r\n\"state\":\"held\",\r\n\"adapter\":\"maildir\",\r\n\"message\":\"m1\"",
          "\"recipients\":2", "\"recipient_rows\":[\r\n{\"recipient\":\""})
        EXPECT_NE(text.find(wanted), std::string::npos) << wanted << " is missing in\n" << text;
    EXPECT_TRUE(text.ends_with("}]}}\r\n")) << text;
    for (const std::string_view line : split(mail, '\n')) EXPECT_LT(line.size(), 998u);
}

TEST_F(FollowerTest, LongValuesStandInLinesThatAMailMayHave) {
    use({hook("hook", {"item.held"})});
    const ItemId item = post(3);
    const std::string half(490, 'r');
    sql(("UPDATE item SET target = '" + half + "', reason = '" + half + half + half + "'").c_str());
    sql(("UPDATE message SET subject = '" + half + "', source = '" + half + "', header_id = '" + half + "'")
            .c_str());
    sql(("UPDATE recipient SET legacy = '" + half + "', reason = '" + half + "'").c_str());
    operate(Verb::Hold, {item});
    sql(("UPDATE event SET detail = '" + half + half + "\"\"' || char(1, 1, 1, 8364) || '" + half + "'")
            .c_str());
    follow();
    const std::string mail = body(itemsOf("hook").at(0).message);
    for (const std::string_view line : split(mail, '\n')) EXPECT_LT(line.size(), 999u) << line;
    EXPECT_NE(mail.find("\"subject\":\"" + half + "\""), std::string::npos) << mail;
}

TEST_F(FollowerTest, EachWebhookHasItsOwnChoice) {
    use({hook("all", {"item.queued"}), hook("some", {"item.queued", "item.held"}, {"drop"})});
    post();
    operate(Verb::Hold, {post(1, "drop")});
    follow();
    EXPECT_EQ(subjects("all"),
              (Lines{"item.queued of item 1, adapter maildir", "item.queued of item 2, adapter drop"}));
    EXPECT_EQ(subjects("some"),
              (Lines{"item.queued of item 2, adapter drop", "item.held of item 2, adapter drop"}));
}

TEST_F(FollowerTest, ANewWebhookBeginsWithThePresentBesideAnOldOne) {
    use({hook("old", {"item.queued"})});
    post();
    follow();
    use({hook("new", {"item.queued"}), hook("old", {"item.queued"})});
    // One of before that still waits.
    sql("INSERT INTO event (id, at_ms, word, who, detail, adapter) VALUES (1, 1000, 'queued', 'p', '', "
        "'maildir')");
    post();
    follow();
    EXPECT_EQ(itemsOf("old").size(), 3u);
    EXPECT_EQ(itemsOf("new").size(), 1u);
}

// Otherwise they would go round for ever.
TEST_F(FollowerTest, ItemsOfWebhooksMakeNoEvents) {
    use({hook("hook", {"item.queued", "item.held", "adapter.suspended"})});
    post();
    follow();
    ASSERT_EQ(itemsOf("hook").size(), 1u);
    operate(Verb::Hold, {itemsOf("hook").at(0).id});
    inWrite([&](store::WriteSession& session) {
        return queue::holdAdapter(session, {"hook", clock_.now(), "anna", "", std::nullopt});
    });
    follow();
    EXPECT_EQ(itemsOf("hook").size(), 1u);
}

TEST_F(FollowerTest, WithoutAWebhookNothingIsRecordedAnyMore) {
    use({hook("hook", {"item.queued"})});
    use({});
    post();
    follow();
    EXPECT_TRUE(itemsOf("hook").empty());
    EXPECT_EQ(number("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"), 0);
}

TEST_F(FollowerTest, AnItemThatIsPurgedStillHasItsEvent) {
    use({hook("hook", {"item.queued"})});
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_TRY(
            session.run("INSERT INTO event (at_ms, word, who, detail, adapter, item_id)"
                        " VALUES (1000, 'queued', 'postern', 'gone', 'maildir', 4711)"));
        return {};
    });
    follow();
    ASSERT_EQ(itemsOf("hook").size(), 1u);
    const std::string mail = body(itemsOf("hook").at(0).message);
    EXPECT_NE(mail.find("\"id\":4711"), std::string::npos) << mail;
    EXPECT_NE(mail.find("\"item\":null"), std::string::npos) << mail;
}

// The follower's own thread, woken by a hint long before its poll.
TEST_F(FollowerTest, AHintWakesIt) {
    use({hook("hook", {"item.queued"})});
    const auto inbox = notifier_.subscribe("hook");
    post();
    follower_.hint();
    EXPECT_TRUE(inbox->waitUntil(Clock::system().steady() + Millis{20'000}));
    EXPECT_EQ(itemsOf("hook").size(), 1u);
}

TEST(WebhookWords, EveryEventHasItsWordsAndEveryWordOneEvent) {
    std::set<std::string_view> words;
    for (const adapters::WebhookEvent& event : adapters::webhookEvents()) {
        EXPECT_FALSE(wordsOf(event.name).empty()) << event.name;
        for (const std::string_view word : wordsOf(event.name)) {
            EXPECT_TRUE(words.insert(word).second) << word;
            EXPECT_EQ(eventOf(word), event.name);
        }
    }
    for (const queue::Verb verb : queue::kAllVerbs)
        EXPECT_TRUE(words.contains(queue::verbName(verb))) << queue::verbName(verb);
    namespace history = queue::history;
    for (const std::string_view word :
         {history::kQueued, history::kExported, history::kPartly, history::kDeferred, history::kFailed,
          history::kHeld, history::kMoved, history::kReplayed, history::kInDoubt, history::kReturned,
          history::kRecipient, queue::adapter_event::kSuspended, queue::adapter_event::kRunning,
          queue::adapter_event::kHeld, queue::adapter_event::kReleased})
        EXPECT_TRUE(words.contains(word)) << word;
}

}  // namespace
}  // namespace postern::webhooks
