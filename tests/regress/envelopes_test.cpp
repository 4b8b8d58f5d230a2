// Theme D: addresses as a client says them, and what the configuration says about them.
#include <fstream>
#include <set>

#include <gmock/gmock.h>

#include "base/log.h"
#include "connector/config/load.h"
#include "connector/routing/router.h"
#include "queue/inspect.h"
#include "queue/queue.h"
#include "tests/kit/drive.h"
#include "tests/kit/post_office.h"
#include "tests/regress/front_desk.h"
#include "tests/temp_folder.h"
#include "tests/unit/intake/house.h"
#include "tests/unit/routing/asked_adapter.h"

namespace postern::tests {
namespace {

using intake::House;
using intake::Stored;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

TEST(Regress, Q244129_every_character_of_an_atom_is_taken_and_kept) {
    Desk desk;
    EXPECT_THAT(desk.itemsFor("<user.o'hara@example.org>"),
                ElementsAre("demo/1: user.o'hara@example.org=user.o'hara"));
    const std::string all = "azAZ09#$&'*+-/=?^_`{|}~";  // RFC 5322 3.2.3, without the signs of relaying
    EXPECT_THAT(desk.itemsFor("<" + all + "@example.org>"),
                ElementsAre("demo/1: " + all + "@example.org=" + all));
}

TEST(Regress, Q140940_a_source_route_is_stripped) {
    Desk desk;
    for (const char* path : {"<@a.example,@b.example:u@example.org>", "<@a.example:u@example.org>"})
        EXPECT_THAT(desk.itemsFor(path), ElementsAre("demo/1: u@example.org=u")) << path;
    EXPECT_THAT(desk.from("<@a.example,@b.example:u@c.example>"), StartsWith("250"));
    EXPECT_THAT(desk.to("<joe@example.org>"), StartsWith("250"));
    EXPECT_EQ(desk.end().row.sender, "u@c.example");
}

TEST(Regress, Q191262_blanks_are_refused_with_the_reason_or_taken_by_an_option) {
    Desk strict;
    EXPECT_EQ(strict.from("<a b@c.example>"), "501 5.1.7 a blank in the local part needs quotes\r\n");
    EXPECT_THAT(strict.from("<a=b@c.example>"), StartsWith("250")) << "\"=\" is an atom's";
    config::Listener listener = patient();
    listener.relaxedAddresses = true;
    Desk relaxed(listener);
    EXPECT_THAT(relaxed.from("<a b@c.example>"), StartsWith("250"));
    EXPECT_THAT(relaxed.to("<john doe@example.org>"), StartsWith("250"));
    const Stored mail = relaxed.end();
    EXPECT_EQ(mail.row.sender, "\"a b\"@c.example");
    EXPECT_THAT(mail.items, ElementsAre("demo/1: \"john doe\"@example.org=john doe"));
}

TEST(Regress, Q156997_a_recipient_without_a_domain_is_refused_at_once) {
    Desk desk;
    desk.from("<a@c.example>");
    EXPECT_EQ(desk.to("<joe>"), "501 5.1.3 the address has no @domain\r\n");
    EXPECT_THAT(desk.to("<joe@>"), StartsWith("501"));
    EXPECT_THAT(desk.to("<joe@.>"), StartsWith("501"));
    EXPECT_THAT(desk.to("<postmaster>"), StartsWith("250")) << "RFC 5321 4.5.1";
    EXPECT_THAT(desk.end().items, ElementsAre("demo/1: postmaster@mx.example.org=POSTMASTER"));
}

TEST(Regress, Q156703_a_quoted_local_part_keeps_its_blanks) {
    Desk desk;
    EXPECT_THAT(desk.itemsFor("<\"Full Name\"@example.org>"),
                ElementsAre("demo/1: \"Full Name\"@example.org=Full Name"));
    EXPECT_THAT(desk.itemsFor("<\"two  blanks \"@example.org>"),
                ElementsAre("demo/1: \"two  blanks \"@example.org=two  blanks "));
    desk.from("<\"Full Name\"@c.example>");
    desk.to("<joe@example.org>");
    EXPECT_EQ(desk.end().row.sender, "\"Full Name\"@c.example");

    routing::AskedAdapter adapter;
    const routing::Router router({{"*@example.org", "cc", "{local} at PO"}}, {{"cc", &adapter}});
    EXPECT_EQ(router.route("\"Full Name\"@example.org")->legacy, "Full Name at PO");
    EXPECT_EQ(router.toInternet("cc", "Full Name at PO"), "\"Full Name\"@example.org");
}

TEST(Regress, Q269611_an_empty_recipient_is_refused) {
    Desk desk;
    desk.from("<a@c.example>");
    EXPECT_EQ(desk.to("<>"), "501 5.1.3 a recipient must have an address\r\n");
    EXPECT_THAT(desk.to("< >"), StartsWith("501"));
    EXPECT_THAT(desk.to("<\"\"@example.org>"), StartsWith("501"));
    EXPECT_THAT(desk.talk.say("DATA"), StartsWith("5"));
    EXPECT_THAT(desk.house.stored(), IsEmpty());
}

// Nobody resolves names behind the routes: an address that none of them maps reaches no adapter.
TEST(Regress, Q164697_an_adapter_gets_addresses_that_were_mapped) {
    Desk desk;
    desk.from("<a@c.example>");
    EXPECT_EQ(desk.to("<joe@unmapped.example>"),
              "550 5.1.1 <joe@unmapped.example>: no route takes this address\r\n");
    EXPECT_THAT(desk.to("<joe@example.org>"), StartsWith("250"));
    EXPECT_THAT(desk.end().items, ElementsAre("demo/1: joe@example.org=joe"));
}

TEST(Regress, Q186580_an_unknown_user_of_our_own_node_is_refused_at_once) {
    Desk desk;
    desk.from("<a@c.example>");
    EXPECT_THAT(desk.to("<unknown@mx.example.org>"), StartsWith("550 5.1.1 <unknown@mx.example.org>"));
    EXPECT_THAT(desk.to("<unwanted@example.org>"), HasSubstr("the post office can not hold this name"));
    EXPECT_THAT(desk.talk.say("DATA"), StartsWith("5"));
    EXPECT_THAT(desk.house.stored(), IsEmpty());
}

// Two kinds of trouble had one code, and each alarm was for both.
TEST(Regress, Q217195_each_class_of_refusal_has_its_code) {
    config::Rule reject;
    reject.name = "no-eve";
    reject.recipient = "eve@example.org";
    reject.action = config::RuleAction::Reject;
    Desk desk;
    desk.house.acceptor().setRouter(desk.house.router(House::routes(), {reject}, 1000));
    EXPECT_THAT(desk.from("<a@c.example> SIZE=100"), StartsWith("250"));
    const std::pair<const char*, const char*> cases[] = {{"<joe@unmapped.example>", "550 5.1.1 "},
                                                         {"<unwanted@example.org>", "550 5.1.3 "},
                                                         {"<eve@example.org>", "550 5.7.1 "},
                                                         {"<gone@nowhere.test>", "451 4.3.0 "},
                                                         {"<joe>", "501 5.1.3 "},
                                                         {"<joe@example.org>", "250 2.1.5 "}};
    for (const auto& [path, code] : cases) EXPECT_THAT(desk.to(path), StartsWith(code)) << path;
    desk.talk.say("RSET");
    desk.from("<a@c.example> SIZE=2000");
    EXPECT_THAT(desk.to("<joe@example.org>"), StartsWith("552 5.3.4 "));
    EXPECT_THAT(desk.talk.say("DATA"), StartsWith("554 5.5.1 "));
    std::set<std::string_view> causes;
    for (const adapters::Cause cause : adapters::kAllCauses) causes.insert(adapters::causeName(cause));
    EXPECT_EQ(causes.size(), std::size(adapters::kAllCauses));
    std::set<std::string_view> events;
    for (int i = 0; i < logEventCount(); ++i) events.insert(logEventInfo(static_cast<LogEvent>(i)).id);
    EXPECT_EQ(events.size(), static_cast<std::size_t>(logEventCount()));
}

// What load() says of a configuration.
std::vector<std::string> saidOf(const std::string& text) {
    const TempFolder folder;
    const std::string path = folder / "postern.toml";
    std::ofstream(path) << "store = \"" + folder.path() + "/store\"\n" + onDrive(text);
    const config::Loaded loaded = config::load(path);
    std::vector<std::string> said;
    for (const config::Problem& problem : loaded.problems) said.push_back("problem: " + problem.text);
    for (const config::Problem& warning : loaded.warnings) said.push_back("warning: " + warning.text);
    return said;
}

TEST(Regress, Q201470_an_at_sign_in_a_sites_name_is_a_configuration_error) {
    EXPECT_THAT(saidOf("hostname = \"a@b\"\n"), Contains(HasSubstr("\"hostname\" must be a host name")));
    for (const char* key : {"gateway", "post_office"})
        EXPECT_THAT(saidOf("[adapter.po]\nkind = \"ccmail\"\nfolder = \"/srv/po\"\n" + std::string(key) +
                           " = \"a@b\"\n"),
                    Contains(AllOf(StartsWith("problem:"), HasSubstr(key))))
            << key;
}

TEST(Regress, Q186235_an_adapter_without_a_route_is_said_and_its_mail_refused_with_a_reason) {
    const std::string adapter = "[adapter.po]\nkind = \"drop\"\nfolder = \"/srv/po\"\n";
    EXPECT_THAT(saidOf(adapter), Contains("warning: no route leads to adapter \"po\""));
    EXPECT_THAT(saidOf(adapter), Contains(HasSubstr("every recipient is refused")));
    Desk desk;
    desk.house.acceptor().setRouter(desk.house.router({}));
    desk.from("<a@c.example>");
    EXPECT_THAT(desk.to("<joe@example.org>"), HasSubstr("550 5.1.1 <joe@example.org>: no route takes"));
}

// A recipient number was never set, and went out as -1.
TEST(Regress, Q145875_recipients_are_numbered_from_1) {
    PostOffice office;
    routing::AskedAdapter seven({7, 0, {}});
    const routing::Router router({{"*", "a", "{local}"}}, {{"a", &seven}});
    std::vector<routing::Router::Routed> all;
    for (int i = 1; i <= 300; ++i) {
        const std::string address = "u" + std::to_string(i) + "@x.example";
        all.push_back({address, *router.route(address)});
    }
    std::vector<ItemId> ids;
    ASSERT_TRUE(office.store()
                    .write([&](store::WriteSession& session) -> Result<void> {
                        store::NewMessage message;
                        message.source = "smtp";
                        message.protocol = "ESMTP";
                        message.received = office.clock().now();
                        POSTERN_LET(id, store::insertMessage(session, message, "Subject: s\r\n\r\nx\r\n"));
                        POSTERN_LET(made, queue::enqueue(session, id, router.items(all, {}), {}));
                        ids = made;
                        return {};
                    })
                    .ok());
    ASSERT_THAT(ids, SizeIs(43));
    queue::Queue queue(office.store(), office.clock(), {.owner = "us"});
    int seen = 0;
    while (seen < 300) {
        const auto claims = queue.claim("a", 64);
        ASSERT_TRUE(claims.ok());
        ASSERT_FALSE(claims->empty());
        for (const queue::Claim& claim : *claims) {
            int wanted = 0;
            for (const queue::RecipientRow& row : claim.recipients) {
                EXPECT_EQ(row.ordinal, ++wanted);
                EXPECT_EQ(row.address, "u" + std::to_string(++seen) + "@x.example");
            }
        }
    }
    EXPECT_EQ(seen, 300);
}

}  // namespace
}  // namespace postern::tests
