#include "connector/routing/router.h"

#include <gtest/gtest.h>

#include "tests/unit/routing/asked_adapter.h"

namespace postern::routing {
namespace {

config::Route route(std::string pattern, std::string adapter, std::string legacy = "{local}") {
    return {std::move(pattern), std::move(adapter), std::move(legacy)};
}

std::vector<Router::Routed> routeAll(const Router& router, const std::vector<std::string>& addresses) {
    std::vector<Router::Routed> out;
    for (const std::string& address : addresses) {
        const auto destination = router.route(address);
        EXPECT_TRUE(destination.ok()) << address;
        if (destination.ok()) out.push_back({address, *destination});
    }
    return out;
}

// "adapter/group: address address; ..."
std::string shape(const std::vector<queue::NewItem>& items) {
    std::string out;
    for (const auto& item : items) {
        out += item.adapter + "/" + item.group + ":";
        for (const auto& recipient : item.recipients) out += " " + recipient.address;
        out += ";";
    }
    return out;
}

TEST(Router, FirstMatchWinsWhateverItsKind) {
    AskedAdapter adapter;
    const Router wideFirst({route("*@*.org", "a"), route("joe@x.org", "b"), route("*", "c")},
                           {{"a", &adapter}, {"b", &adapter}, {"c", &adapter}});
    EXPECT_EQ(wideFirst.route("joe@x.org")->adapter, "a");
    EXPECT_EQ(wideFirst.route("joe@x.com")->adapter, "c");
    const Router exactFirst({route("joe@x.org", "b"), route("*@x.org", "a"), route("JOE@x.org", "c")},
                            {{"a", &adapter}, {"b", &adapter}, {"c", &adapter}});
    EXPECT_EQ(exactFirst.route("JOE@X.org")->adapter, "b");
    EXPECT_EQ(exactFirst.route("jane@X.org")->adapter, "a");
    EXPECT_EQ(exactFirst.route("jane@x.org")->route, "*@x.org");
}

TEST(Router, RefusesWithTheReason) {
    AskedAdapter adapter({}, "TOO LONG");
    const Router router({route("*@a", "here", "TOO LONG"), route("*@b", "gone")}, {{"here", &adapter}});
    EXPECT_EQ(router.route("x@nowhere").error().code, Errc::NotFound);
    EXPECT_EQ(router.route("x@a").error().code, Errc::Invalid);
    EXPECT_EQ(router.route("x@a").error().text, "the post office can not hold this name");
    EXPECT_EQ(router.route("x@b").error().code, Errc::Unavailable);
}

// Without its node a name is nobody's, or another person's.
TEST(Router, AnAddressWithoutItsNodeIsRefusedAtOnce) {
    AskedAdapter ftn, other;
    config::Rule all;
    all.name = "all";
    all.action = config::RuleAction::Route;
    all.adapter = "ftn";
    const std::vector<config::Route> routes = {route("*@*.fidonet.org", "ftn", "{local}, {node}"),
                                               route("*", "other")};
    const std::vector<Target> targets = {{"ftn", &ftn}, {"other", &other}};
    const Router plain(routes, targets), ruled(routes, targets, {all});
    EXPECT_EQ(plain.route("Bob@f2.n999.z2.fidonet.org")->legacy, "Bob, 2:999/2");
    for (const char* address : {"Bob@f2.n999.fidonet.org", "Bob@www.fidonet.org"}) {
        const auto refused = plain.admit(address, {});
        ASSERT_FALSE(refused.ok()) << address;
        EXPECT_EQ(refused.error().code, Errc::Invalid);
        EXPECT_EQ(refused.error().text, "its domain names no FidoNet node with its zone, as f1.n2.z3 does");
    }
    EXPECT_EQ(plain.route("Bob@example.org")->adapter, "other");
    EXPECT_EQ(ruled.admit("Bob@example.org", {}).error().code, Errc::Invalid);
    EXPECT_EQ(ruled.admit("Bob@f2.n999.z2.example.org", {})->destination.legacy, "Bob, 2:999/2");
}

TEST(Router, ItemsAreGroupedByAdapterInOrderOfAppearance) {
    AskedAdapter together;
    AskedAdapter apart({1, 0, {}});
    const Router router({route("*@m", "maildir"), route("*@c", "ccmail")},
                        {{"ccmail", &together, Millis(1000)}, {"maildir", &apart, Millis(2000)}});
    const auto items = router.items(routeAll(router, {"a@c", "b@m", "c@c", "d@m"}), fromMillis(5000));
    EXPECT_EQ(shape(items), "ccmail/1: a@c c@c;maildir/1: b@m;maildir/2: d@m;");
    EXPECT_EQ(items[0].expires, fromMillis(6000));
    EXPECT_EQ(items[2].expires, fromMillis(7000));
    EXPECT_EQ(items[0].recipients[1].legacy, "c");
}

TEST(Router, ItemsAreCutAtTheLimits) {
    const struct {
        int most, bytes;
        const char* wanted;
    } cases[] = {
        {0, 0, "a/1: 1@x 22@x 333@x 4@x 5@x;"},
        {2, 0, "a/1: 1@x 22@x;a/2: 333@x 4@x;a/3: 5@x;"},
        {4, 0, "a/1: 1@x 22@x 333@x 4@x;a/2: 5@x;"},
        {5, 0, "a/1: 1@x 22@x 333@x 4@x 5@x;"},
        {0, 3, "a/1: 1@x 22@x;a/2: 333@x;a/3: 4@x 5@x;"},
        {0, 2, "a/1: 1@x;a/2: 22@x;a/3: 333@x;a/4: 4@x 5@x;"},
        {1, 9, "a/1: 1@x;a/2: 22@x;a/3: 333@x;a/4: 4@x;a/5: 5@x;"},
    };
    for (const auto& each : cases) {
        AskedAdapter adapter({each.most, each.bytes, [](const adapters::Recipient& recipient) {
                                  return static_cast<int>(recipient.legacy.size());
                              }});
        const Router router({route("*", "a")}, {{"a", &adapter}});
        EXPECT_EQ(shape(router.items(routeAll(router, {"1@x", "22@x", "333@x", "4@x", "5@x"}), {})),
                  each.wanted)
            << each.most << " recipients, " << each.bytes << " bytes";
    }
}

// The same person by two paths, by another case, or by an alias of the same legacy name gets one copy; each
// address of the envelope keeps a row, so that its sender can be told.
TEST(Router, Q181797_OneCopyPerRecipient) {
    AskedAdapter adapter({1, 0, {}});
    const Router router({route("alias@x", "a", "JOE"), route("*@empty", "a", ""), route("*", "a")},
                        {{"a", &adapter}});
    EXPECT_EQ(shape(router.items(routeAll(router, {"joe@x", "Joe@X", "alias@x", "jane@x", "joe@x"}), {})),
              "a/1: joe@x alias@x;a/2: jane@x;");
    EXPECT_EQ(shape(router.items(routeAll(router, {"1@empty", "2@empty", "1@EMPTY"}), {})),
              "a/1: 1@empty;a/2: 2@empty;");
}

}  // namespace
}  // namespace postern::routing
