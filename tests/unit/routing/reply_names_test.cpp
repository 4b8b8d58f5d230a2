// Both directions at once: a name that is given out leads back to exactly the address it was asked for.

#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "base/text.h"
#include "connector/routing/router.h"
#include "mail/address.h"
#include "tests/unit/routing/asked_adapter.h"

namespace postern::routing {
namespace {

using config::Route;
using config::RouteUse;

NamedTable table(const std::string& adapter, std::string lines) {
    auto read = AddressTable::parse(std::move(lines), "t");
    EXPECT_TRUE(read.table);
    return {"people", adapter, read.table};
}

class Replies : public testing::Test {
  protected:
    const Router router_{
        {{"sysop@x.org", "cc", "SYSOP at HUB", RouteUse::Both},
         {"old@x.org", "cc", "Joe at PO1", RouteUse::Both},
         {"*@x.org", "cc", "%s, %g at PO1", RouteUse::Both},
         {"*@short.org", "cc", "%3s at PO2", RouteUse::Both},
         {"*", "cc", "%e at INTERNET", RouteUse::Replies},
         {"*@ftn.org", "ftn", "%r. {local}", RouteUse::Both},
         {"*@out.org", "only", "{local}", RouteUse::Recipients}},
        {{"cc", &adapter_}, {"ftn", &adapter_}, {"only", &adapter_}},
        {},
        {table("cc", "boss@x.org,Chief at PO1\njoe@x.org,Joe at PO1\nj2@x.org,JOE at po1\n")}};

    std::string reply(const char* adapter, const char* address) {
        return router_.replyName(adapter, address).value_or("-");
    }
    std::string back(const char* adapter, const char* name) {
        return router_.toInternet(adapter, name).value_or("-");
    }
    AskedAdapter adapter_;
};

TEST_F(Replies, TheFirstNameThatLeadsBack) {
    const struct {
        const char* adapter;
        const char* address;
        const char* wanted;
    } cases[] = {
        {"cc", "boss@x.org", "Chief at PO1"},                    // the table
        {"cc", "SYSOP@x.org", "SYSOP at HUB"},                   // a route for one address
        {"cc", "john.doe@x.org", "doe, john at PO1"},            // a pattern
        {"cc", "john_doe@x.org", "john_doe@x.org at INTERNET"},  // the pattern's name is john.doe's
        {"cc", "j2@x.org", "j2 at PO1"},                         // the table's name leads to joe@x.org
        {"cc", "old@x.org", "old at PO1"},                       // its route's name does, too
        {"cc", "mary.smith@short.org", "mary.smith@short.org at INTERNET"},
        {"cc", "anybody@else.where", "anybody@else.where at INTERNET"},
        {"ftn", "first.last@ftn.org", "first last"},
        {"ftn", "\"first last\"@ftn.org", "-"},
        {"ftn", "a@else.where", "-"},
        {"only", "a@out.org", "-"},
        {"nobody", "a@out.org", "-"},
    };
    for (const auto& each : cases) {
        const std::string wanted = each.wanted;
        EXPECT_EQ(reply(each.adapter, each.address), wanted) << each.adapter << " " << each.address;
        if (wanted == "-") continue;
        EXPECT_TRUE(equalsIgnoreCase(back(each.adapter, each.wanted), each.address)) << each.address;
    }
}

// Mail through another gateway came as user@dom at PO and was answered without the PO.
TEST_F(Replies, Q168356_AnotherGatewaysAddressKeepsItsRoute) {
    EXPECT_EQ(back("cc", "user@dom.org at INTERNET"), "user@dom.org");
    EXPECT_EQ(reply("cc", "user@dom.org"), "user@dom.org at INTERNET");
    EXPECT_EQ(back("cc", "user@dom.org"), "-");
}

// Routes for replies take no mail: they would make a relay of us.
TEST_F(Replies, ARouteForRepliesTakesNoRecipient) {
    EXPECT_EQ(router_.route("anybody@else.where").error().code, Errc::NotFound);
    EXPECT_EQ(router_.route("a@out.org")->legacy, "a");
}

TEST_F(Replies, TheTableComesBeforeTheRoutes) {
    EXPECT_EQ(router_.route("BOSS@x.org")->legacy, "Chief at PO1");
    EXPECT_EQ(router_.route("BOSS@x.org")->route, "table people");
    EXPECT_TRUE(router_.route("boss@x.org")->literal);
    EXPECT_TRUE(router_.route("sysop@x.org")->literal);
    EXPECT_FALSE(router_.route("john.doe@x.org")->literal);
}

std::string localPart(std::mt19937& random) {
    static const std::string_view kPieces[] = {"joe", "Doe", "a",   ".",  "_",  "-",        "+",
                                               "'",   "%",   "!",   "=",  "/",  " ",        "@",
                                               ",",   "[",   "]",   "(",  "\"", "\\",       " at ",
                                               "at",  "PO1", "=41", "..", "  ", "\xC3\xA4", "\xE2\x82\xAC"};
    std::string out;
    for (auto left = 1 + random() % 7; left > 0; --left) out += kPieces[random() % std::size(kPieces)];
    if (random() % 50 == 0) out.resize(60, 'x');
    return out;
}

// Replies to gatewayed mail bounced, or reached somebody else: whatever is given out comes back.
TEST_F(Replies, Q171214_Q184052_Q183588_EveryNameGivenOutComesBack) {
    std::mt19937 random(3);
    const char* const domains[] = {"x.org", "short.org", "ftn.org", "sub.else.where", "[10.0.0.1]"};
    int asked = 0, named = 0;
    for (int round = 0; round < 10'000; ++round) {
        const mail::Address made{localPart(random), domains[random() % std::size(domains)]};
        const auto address = mail::parseAddress(made.text(), {true, false, {}});
        if (!address.ok()) continue;
        const std::string text = address->text();
        for (const char* adapter : {"cc", "ftn"}) {
            ++asked;
            const auto name = router_.replyName(adapter, text);
            if (!name) continue;
            ++named;
            for (const std::string& typed : {*name, upperAscii(*name), "  " + *name + "\t"}) {
                const auto found = router_.toInternet(adapter, typed);
                ASSERT_TRUE(found) << text << " -> " << typed;
                ASSERT_TRUE(equalsIgnoreCase(*found, text)) << text << " -> " << typed << " -> " << *found;
            }
        }
        // With an encapsulating route nobody is left without a name.
        ASSERT_TRUE(router_.replyName("cc", text)) << text;
    }
    EXPECT_GT(asked, 7'000);
    EXPECT_GT(named, 3'000);
}

// Shared routing data that was edited in use sent mail astray.
TEST_F(Replies, Q245740_SixteenThreadsGetTheSameAnswers) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
        threads.emplace_back([this] {
            for (int round = 0; round < 2'000; ++round) {
                ASSERT_EQ(router_.route("boss@x.org")->legacy, "Chief at PO1");
                ASSERT_EQ(router_.route("john.doe@x.org")->legacy, "doe, john at PO1");
                ASSERT_EQ(back("cc", "Doe, John at PO1"), "John.Doe@x.org");
            }
        });
    }
}

}  // namespace
}  // namespace postern::routing
