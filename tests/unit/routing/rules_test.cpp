#include "connector/routing/rules.h"

#include <gtest/gtest.h>

#include "connector/routing/router.h"
#include "tests/unit/routing/asked_adapter.h"

namespace postern::routing {
namespace {

using config::Rule;
using config::RuleAction;

Rule rule(const std::string& name, RuleAction action, const std::function<void(Rule&)>& fill) {
    Rule made;
    made.name = name;
    made.action = action;
    fill(made);
    return made;
}

// "decides", "no" or "not yet" of one rule.
std::string answer(const std::function<void(Rule&)>& fill, const Mail& mail,
                   const std::string& recipient = "joe@x.org") {
    std::vector<Rules::Look> looks;
    const Rules rules({rule("r", RuleAction::Accept, fill)});
    rules.decide(mail, recipient, &looks);
    static constexpr const char* kWords[] = {"yes", "no", "not yet"};
    return kWords[static_cast<int>(looks.at(0).holds)];
}

TEST(Rules, ConditionsHoldOrNot) {
    const Mail named{"jane@y.org", "smtp", 0};
    const struct {
        const char* sender;
        const char* recipient;
        const char* source;
        const char* wanted;
    } cases[] = {
        {"*@y.org", "", "", "yes"},   {"*@z.org", "", "", "no"},       {"<>", "", "", "no"},
        {"", "JOE@X.org", "", "yes"}, {"", "*@*.x.org", "", "no"},     {"", "", "smtp", "yes"},
        {"", "", "lmtp", "no"},       {"*@y.org", "*", "smtp", "yes"}, {"*@y.org", "*", "lmtp", "no"},
    };
    for (const auto& each : cases) {
        const auto fill = [&](Rule& made) {
            made.sender = each.sender;
            made.recipient = each.recipient;
            made.source = each.source;
        };
        EXPECT_EQ(answer(fill, named), each.wanted)
            << each.sender << "|" << each.recipient << "|" << each.source;
    }
    const auto nobody = [](Rule& made) { made.sender = "<>"; };
    const auto anybody = [](Rule& made) { made.sender = "*"; };
    EXPECT_EQ(answer(nobody, Mail{"", "smtp", 0}), "yes");
    EXPECT_EQ(answer(anybody, Mail{"", "smtp", 0}), "no");
}

TEST(Rules, SizeCountsWhenItIsKnown) {
    const auto large = [](Rule& made) { made.largerThan = 100; };
    EXPECT_EQ(answer(large, Mail{"a@b", "s", 101}), "yes");
    EXPECT_EQ(answer(large, Mail{"a@b", "s", 100}), "not yet");  // announced: it may yet be larger
    EXPECT_EQ(answer(large, Mail{"a@b", "s", 0}), "not yet");
    EXPECT_EQ(answer(large, Mail{"a@b", "s", 100, true}), "no");
    EXPECT_EQ(answer(large, Mail{"a@b", "s", 101, true}), "yes");
}

TEST(Rules, HeaderIsReadAsPeopleReadIt) {
    const std::string header =
        "Received: by x\r\nSubject: =?utf-8?q?You_won_the?=\r\n =?utf-8?q?_L=C3=B6ttery?=\r\n"
        "X-Spam: no\r\nx-spam: Yes, very\r\n";
    const struct {
        const char* condition;
        const char* wanted;
    } cases[] = {
        {"Subject: *l?ttery", "yes"}, {"SUBJECT: you won the*", "yes"},
        {"Subject: lottery", "no"},   {"X-Spam: yes*", "yes"},
        {"X-Spam: *", "yes"},         {"Spam: *", "no"},
        {"X-Spa: *", "no"},
    };
    for (const auto& each : cases) {
        const auto fill = [&](Rule& made) { made.header = each.condition; };
        EXPECT_EQ(answer(fill, Mail{"a@b", "s", 1, true, header}), each.wanted) << each.condition;
        EXPECT_EQ(answer(fill, Mail{"a@b", "s", 1}), "not yet") << each.condition;
    }
}

// What is not known yet must not be decided by a rule below: the text may say otherwise.
TEST(Rules, AnUndecidedRuleStopsThoseBelow) {
    const Rules rules({rule("spam", RuleAction::Hold, [](Rule& r) { r.header = "X-Spam: yes"; }),
                       rule("all", RuleAction::Reject, [](Rule& r) { r.recipient = "*"; })});
    EXPECT_EQ(rules.decide(Mail{"a@b", "s", 1}, "j@x"), nullptr);
    EXPECT_EQ(rules.decide(Mail{"a@b", "s", 1, true, "X-Spam: yes\r\n"}, "j@x")->name, "spam");
    EXPECT_EQ(rules.decide(Mail{"a@b", "s", 1, true, "X-Spam: no\r\n"}, "j@x")->name, "all");
}

class RuledRouter : public testing::Test {
  protected:
    Router router(std::vector<Rule> rules) {
        return Router({{"*@x", "post", "{local} at PO"}, {"*@y", "fax", ""}},
                      {{"post", &adapter_, Millis(1000), 1000}, {"fax", &adapter_}}, std::move(rules));
    }
    AskedAdapter adapter_;
};

TEST_F(RuledRouter, EachActionDoesWhatItSays) {
    const Router ruled = router({
        rule("vip", RuleAction::Accept, [](Rule& r) { r.sender = "boss@z"; }),
        rule("no", RuleAction::Reject, [](Rule& r) { r.sender = "*@bad"; }),
        rule("told", RuleAction::Reject, [](Rule& r) { r.sender = "*@worse", r.text = "go away"; }),
        rule("look", RuleAction::Hold, [](Rule& r) { r.sender = "*@odd", r.text = "odd sender"; }),
        rule("fax", RuleAction::Route,
             [](Rule& r) { r.recipient = "*@x", r.source = "f", r.adapter = "post"; }),
        rule("away", RuleAction::Route, [](Rule& r) { r.recipient = "*@y", r.adapter = "post"; }),
    });
    const auto admit = [&](const char* sender, const char* to) { return ruled.admit(to, {sender, "s", 0}); };
    EXPECT_EQ(admit("boss@z", "j@x")->hold, "");
    EXPECT_EQ(admit("a@bad", "j@x").error().code, Errc::Denied);
    EXPECT_EQ(admit("a@bad", "j@x").error().text, "not accepted here by policy");
    EXPECT_EQ(admit("a@worse", "j@x").error().text, "go away");
    EXPECT_EQ(admit("a@odd", "j@x")->hold, "rule look: odd sender");
    EXPECT_EQ(admit("a@odd", "j@x")->destination.legacy, "j at PO");
    EXPECT_EQ(admit("a@z", "j@y")->destination.adapter, "post");
    EXPECT_EQ(admit("a@z", "j@y")->destination.legacy, "j at PO");
    EXPECT_EQ(admit("a@z", "j@y")->destination.route, "rule away");
    EXPECT_EQ(admit("a@z", "j@nowhere").error().code, Errc::NotFound);
}

TEST_F(RuledRouter, TheCompleteMailIsJudgedAgain) {
    const Router ruled = router({rule("spam", RuleAction::Reject, [](Rule& r) { r.header = "X-Spam: yes"; }),
                                 rule("odd", RuleAction::Hold, [](Rule& r) { r.header = "X-Odd: *"; })});
    auto routed = ruled.admit("j@x", {"a@b", "s", 0});
    ASSERT_TRUE(routed.ok());
    routed->notify = "never";
    EXPECT_TRUE(ruled.readmit(*routed, {"a@b", "s", 10, true, "X-Odd: 1\r\n"}).ok());
    EXPECT_EQ(routed->hold, "rule odd");
    EXPECT_EQ(routed->notify, "never");
    EXPECT_EQ(ruled.readmit(*routed, {"a@b", "s", 10, true, "X-Spam: yes\r\n"}).error().code, Errc::Denied);
}

TEST_F(RuledRouter, LargerMailThanTheAdapterTakesIsRefused) {
    const Router plain = router({});
    EXPECT_TRUE(plain.admit("j@x", {"a@b", "s", 1000}).ok());
    EXPECT_EQ(plain.admit("j@x", {"a@b", "s", 1001}).error().code, Errc::TooLarge);
    EXPECT_EQ(plain.admit("j@x", {"a@b", "s", 1001}).error().text,
              "the mail has 1001 bytes, adapter post takes at most 1000");
    EXPECT_TRUE(plain.admit("j@y", {"a@b", "s", 1 << 30}).ok());
    auto routed = plain.admit("j@x", {"a@b", "s", 0});
    EXPECT_TRUE(plain.readmit(*routed, {"a@b", "s", 1000, true}).ok());
    EXPECT_EQ(plain.readmit(*routed, {"a@b", "s", 1001, true}).error().code, Errc::TooLarge);
}

TEST_F(RuledRouter, HeldRecipientsHaveItemsOfTheirOwn) {
    const Router ruled = router({rule("look", RuleAction::Hold, [](Rule& r) { r.recipient = "odd@x"; })});
    std::vector<Router::Routed> all;
    for (const char* to : {"a@x", "odd@x", "b@x"}) all.push_back(*ruled.admit(to, {"s@s", "s", 0}));
    const auto items = ruled.items(all, {});
    ASSERT_EQ(items.size(), 2U);
    EXPECT_EQ(items[0].recipients.size(), 2U);
    EXPECT_EQ(items[0].hold, "");
    EXPECT_EQ(items[1].hold, "rule look");
    EXPECT_EQ(items[1].group, "2");
}

// Two addresses of one legacy name share an item, but what a rule holds waits.
TEST_F(RuledRouter, ATwinDoesNotCarryAHeldRecipientOut) {
    const Router ruled = router({rule("look", RuleAction::Hold, [](Rule& r) { r.recipient = "odd@x"; })});
    std::vector<Router::Routed> all;
    for (const char* to : {"a@x", "odd@x"}) {
        all.push_back(*ruled.admit(to, {"s@s", "s", 0}));
        all.back().destination.legacy = "One Name";
    }
    const auto items = ruled.items(all, {});
    ASSERT_EQ(items.size(), 2U);
    EXPECT_EQ(items[0].hold, "");
    EXPECT_EQ(items[1].hold, "rule look");
}

}  // namespace
}  // namespace postern::routing
