// Themes L and M: one way of looking at an address, names compared as a whole, and mail that comes back.
#include <random>

#include <gmock/gmock.h>

#include "connector/routing/router.h"
#include "mail/address.h"
#include "queue/move.h"
#include "tests/conformance/adapter_cases.h"
#include "tests/fake_clock.h"
#include "tests/kit/post_office.h"
#include "tests/regress/front_desk.h"
#include "tests/regress/one_process.h"
#include "tests/unit/intake/house.h"
#include "tests/unit/routing/asked_adapter.h"

namespace postern::tests {
namespace {

using intake::House;
using intake::Talk;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

// The bytes of the last mail, as an adapter hands them on: with what we put above it.
std::string lastStored(House& house) {
    std::string bytes;
    const auto read = house.store().read([&](store::ReadSession& session) -> Result<void> {
        auto rows = session.query("SELECT max(id) FROM message");
        const MessageId id{rows.next() ? rows.integer(0) : 0};
        POSTERN_TRY(rows.finish());
        POSTERN_LET(body, store::openBody(session, house.store().folder(), id));
        POSTERN_LET(all, readAll(*body, 1 << 20));
        bytes = all;
        return {};
    });
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text);
    return bytes;
}

// A relay behind a route for everything sends mail for a name that nobody has back to us: that ends.
TEST(Regress, Q241213_mail_that_a_relay_sends_back_ends) {
    House house;
    house.acceptor().setRouter(house.router({{"*", "demo", "{local}", {}}}));
    std::string mail = "From: a@c.example\r\nSubject: nobody has it\r\n\r\nx\r\n", answer;
    int rounds = 0;
    for (; rounds < 40; ++rounds) {
        Talk talk(house, house.acceptor(), patient());
        talk.read();
        talk.say("EHLO relay.example");
        talk.say("MAIL FROM:<a@c.example>");
        ASSERT_THAT(talk.say("RCPT TO:<unknown@mx.example.org>"), StartsWith("250"));
        talk.say("DATA");
        talk.send(mail);
        answer = talk.say(".");
        if (!answer.starts_with("250")) break;
        mail = lastStored(house);
    }
    EXPECT_EQ(rounds, 5);
    EXPECT_THAT(answer, StartsWith("554 5.4.6"));
}

TEST(Regress, Q241213_a_name_that_our_node_does_not_have_leads_nowhere) {
    Desk desk;
    desk.from("<a@c.example>");
    for (const char* path :
         {"<unknown@mx.example.org>", "<unknown@MX.Example.ORG>", "<\"unknown\"@mx.example.org>",
          "<@example.org:unknown@mx.example.org>", "<joe%example.org@mx.example.org>",
          "<joe@example.org@mx.example.org>", "<example.org!joe@mx.example.org>"})
        EXPECT_THAT(desk.to(path), StartsWith("5")) << path;
    EXPECT_THAT(desk.talk.say("DATA"), StartsWith("5"));
    EXPECT_THAT(desk.house.stored(), IsEmpty());
}

// What an adapter brought in is not moved to it, whoever asks: not by hand, and not by its fallback rule.
TEST(Regress, Q241213_mail_of_an_adapter_never_goes_back_to_it) {
    FakeClock clock;
    PostOffice office(clock);
    const ItemId item = enqueued(office.store(), clock.now(), {"bob"}, queue::sourceOfAdapter("x"));
    const auto move = [&](const std::string& to, std::optional<Epoch> epoch) {
        queue::Moved moved;
        const auto done = office.store().write([&](store::WriteSession& session) -> Result<void> {
            const queue::MoveOrder order{item, epoch, to, "somebody", "a test", Millis(0)};
            const auto regroup = [&](const std::vector<queue::RecipientRow>& rows,
                                     WallTime) -> Result<std::vector<queue::NewItem>> {
                return std::vector<queue::NewItem>{{to, "", rows, clock.now() + Millis(1000)}};
            };
            POSTERN_LET(made, queue::moveItem(session, order, regroup, clock.now()));
            moved = made;
            return {};
        });
        EXPECT_TRUE(done.ok()) << (done.ok() ? "" : done.error().text);
        return moved;
    };
    EXPECT_THAT(move("x", std::nullopt).items, IsEmpty());
    EXPECT_THAT(move("x", Epoch{0}).text, HasSubstr("came in by adapter x"));
    EXPECT_THAT(move("y", std::nullopt).items, SizeIs(1));
}

std::vector<config::Rule> someRules() {
    config::Rule reject, send;
    reject.name = "no-eve";
    reject.recipient = "eve@*";
    reject.action = config::RuleAction::Reject;
    send.name = "ann-elsewhere";
    send.recipient = "ann@*.example.org";
    send.action = config::RuleAction::Route;
    send.adapter = "other";
    return {reject, send};
}

// An address of parts that the routes below tell apart, and of some that they do not.
std::string someAddress(std::mt19937& random) {
    static const std::vector<std::string> kLocals = {"joe", "JOE",           "ann",    "eve",  "unwanted",
                                                     "a+b", "\"full name\"", "o'hara", "joe=x"};
    static const std::vector<std::string> kDomains = {
        "example.org",  "Example.ORG",     "sub.example.org",   "a.sub.example.org", "example.net",
        "xexample.org", "example.org.net", "elsewhere.example", "[192.0.2.1]",       "nowhere.test"};
    return kLocals[random() % kLocals.size()] + "@" + kDomains[random() % kDomains.size()];
}

// Two views of one address made a loop: what accepts it, what explains it and what queues it are one
// function.
TEST(Regress, Q230498_one_router_accepts_explains_and_queues) {
    House house;
    const std::vector<config::Route> routes = {{"joe@example.org", "other", "JOE", {}},
                                               {"*@example.org", "demo", "{local}", {}},
                                               {"*@*.example.org", "other", "{address}", {}},
                                               {"gone@nowhere.test", "gone", "{local}", {}},
                                               {"*@example.net", "other", "{address}", {}}};
    const auto router = house.router(routes, someRules());
    house.acceptor().setRouter(router);
    Talk talk(house, house.acceptor(), patient());
    talk.read();
    talk.say("EHLO client.example");
    std::mt19937 random(230498);
    int taken = 0;
    for (int round = 0; round < 400; ++round) {
        const std::string address = someAddress(random);
        const routing::Mail mail{"a@c.example", "smtp"};
        std::vector<routing::Router::Step> steps;
        const auto admitted = router->admit(address, mail);
        const auto explained = router->explain(address, mail, steps);
        ASSERT_EQ(admitted.ok(), explained.ok()) << address;
        if (admitted.ok()) {
            EXPECT_EQ(admitted->destination.adapter, explained->destination.adapter) << address;
            EXPECT_EQ(admitted->destination.legacy, explained->destination.legacy) << address;
        }
        talk.say("MAIL FROM:<a@c.example>");
        const std::string answer = talk.say("RCPT TO:<" + address + ">");
        ASSERT_EQ(answer.starts_with("250"), admitted.ok()) << address << ": " << answer;
        if (!admitted.ok()) {
            talk.say("RSET");
            continue;
        }
        talk.say("DATA");
        ASSERT_THAT(talk.say("\r\nx\r\n."), StartsWith("250"));
        ++taken;
        const std::int64_t there = house.count(("SELECT count(*) FROM item JOIN recipient ON "
                                                "recipient.item_id = item.id WHERE item.message_id = (SELECT "
                                                "max(id) FROM message) AND adapter = '" +
                                                admitted->destination.adapter + "'")
                                                   .c_str());
        EXPECT_EQ(there, 1) << address;
    }
    EXPECT_GT(taken, 100);
    EXPECT_LT(taken, 400);
}

// A post office whose name contains another's hid its users.
TEST(Regress, Q219030_names_are_compared_as_a_whole) {
    routing::AskedAdapter adapter;
    const routing::Router router(
        {{"*@ab.example", "a", "{local} at AB"}, {"*@abc.example", "a", "{local} at ABC"}},
        {{"a", &adapter}});
    EXPECT_EQ(router.route("joe@ab.example")->legacy, "joe at AB");
    EXPECT_EQ(router.route("joe@abc.example")->legacy, "joe at ABC");
    EXPECT_FALSE(router.route("joe@b.example").ok());
    EXPECT_FALSE(router.route("joe@xab.example").ok());
    EXPECT_EQ(router.toInternet("a", "joe at AB"), "joe@ab.example");
    EXPECT_EQ(router.toInternet("a", "joe at ABC"), "joe@abc.example");
    EXPECT_EQ(router.toInternet("a", "joe at A"), std::nullopt);
}

// Peers that know the type of an address in capitals only.
TEST(Regress, Q157712_types_of_addresses_are_read_in_any_case_and_written_in_capitals) {
    for (const char* name : {"smtp:bob@example.org", "SMTP:bob@example.org", "Smtp:bob@example.org"}) {
        AdapterRig rig("mmff", {});
        adapters::Job job = rig.job(1, 1);
        job.delivery.recipients[0].legacy = name;
        job = rig.exportJob(job);
        ASSERT_TRUE(job.outcome && job.outcome->verdict == adapters::Verdict::Exported) << outcomeText(job);
        EXPECT_THAT(rig.content(rig.visible().at(0)), HasSubstr("SMTP:bob@example.org")) << name;
    }
}

}  // namespace
}  // namespace postern::tests
