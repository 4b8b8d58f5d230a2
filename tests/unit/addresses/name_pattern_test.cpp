#include "connector/addresses/name_pattern.h"

#include <random>

#include <gmock/gmock.h>

#include "base/text.h"
#include "connector/addresses/fido_node.h"
#include "mail/address.h"

namespace postern::addresses {
namespace {

NamePattern pattern(std::string_view text) {
    auto parsed = NamePattern::parse(text);
    EXPECT_TRUE(parsed.ok()) << text << ": " << (parsed.ok() ? "" : parsed.error().text);
    return parsed.ok() ? *parsed : NamePattern();
}

TEST(NamePattern, Expands) {
    const struct {
        const char* text;
        const char* address;
        const char* wanted;
    } cases[] = {
        {"{local}", "Joe.Doe@Example.org", "Joe.Doe"},
        {"{local} at PO1", "Joe.Doe@Example.org", "Joe.Doe at PO1"},
        {"{address}", "Joe.Doe@Example.org", "Joe.Doe@Example.org"},
        {"{domain}/{local}", "Joe.Doe@Example.org", "Example.org/Joe.Doe"},
        {"{{local}", "joe@x", "{local}"},
        {"{{{local}}", "joe@x", "{joe}"},
        {"", "joe@x", ""},
        {"plain", "joe@x", "plain"},
        {"100%% {local}", "joe@x", "100% joe"},
        {"%s, %g at PO", "john.doe@x", "doe, john at PO"},
        {"%s, %g at PO", "john_doe@x", "doe, john at PO"},
        {"%g %i %s", "john.q.public@x", "john q public"},
        {"%d", "john.doe@x", "john doe"},
        {"%d", "madonna@x", "madonna"},
        {"%1g%5s", "john.doebauer@x", "jdoeba"},
        {"%2g", "\xC3\xA4\xC3\xB6\xC3\xBC.x@x", "\xC3\xA4\xC3\xB6"},
        {"%8m", "\"Full Name\"@x", "Full Nam"},
        {"%r. {local}", "john.doe@x", "john doe"},
        {"%r.. {local}", "john.doe@x", " johndoe"},
        {"%m%r._%m", "a.b@x", "a.ba_b"},
        {"%e at INTERNET", "\"a b\"@x.org", "=22a=20b=22@x.org at INTERNET"},
        {"%r. {local}@{node}", "Bob.Sysop@p4.f123.n5030.z2.fidonet.org", "Bob Sysop@2:5030/123.4"},
        {"{local}, {node}", "bob@F0.N1.Z32767.x", "bob, 32767:1/0"},
        {"{local}, {node}", "bob@f2.n999.fidonet.org", ""},  // "bob" would be somebody else
    };
    for (const auto& each : cases)
        EXPECT_EQ(pattern(each.text).expand(each.address), each.wanted) << each.text << " " << each.address;
}

// Bob@ is nobody, and without its node a name is one of another system.
TEST(NamePattern, WhoseDomainNamesNoNodeHasNoName) {
    const NamePattern names = pattern("%r. {local}@{node}");
    for (const char* address : {"Bob@f2.n999.fidonet.org", "Bob@example.org", "Bob@f2.n999.z0.x", "Bob"}) {
        EXPECT_THAT(names.refuses(address), testing::HasSubstr("no FidoNet node")) << address;
        EXPECT_EQ(names.expand(address), "") << address;
    }
    EXPECT_EQ(names.refuses("Bob@f2.n999.z2.fidonet.org"), "");
    EXPECT_EQ(pattern("{local}").refuses("Bob@example.org"), "");
}

// Names without a comma gave empty first and last names; what can not be told apart stays whole.
TEST(NamePattern, Q185593_UndecidableNamesStayWhole) {
    for (const char* local : {"madonna", "van.der.berg", "john..doe", "_x", "a_b_c", "john.q.public"})
        EXPECT_EQ(pattern("%s, %g").expand("\"" + std::string(local) + "\"@x"), local);
}

// Templates with an empty field gave John..Doe@, Doe.@ and the like.
TEST(NamePattern, Q230331_AnEmptyFieldTakesItsSeparatorAlong) {
    const struct {
        const char* text;
        const char* wanted;
    } cases[] = {
        {"%g.%s", "doe"},
        {"%s.%g", "doe"},
        {"%g.%i.%s", "doe"},
        {"%s, %g", "doe"},
        {"%s, %g at PO1", "doe at PO1"},
        {"%g%s", "doe"},
        {"PO1/%g.%s", "PO1/doe"},
        {"to %g %s", "to doe"},
        {"%s_%i_%g", "doe"},
        {"%g", ""},
    };
    for (const auto& each : cases) EXPECT_EQ(pattern(each.text).expand("doe@x"), each.wanted) << each.text;
    EXPECT_EQ(pattern("%g.%i.%s").expand("john.doe@x"), "john.doe");
}

TEST(NamePattern, SaysWhatIsWrong) {
    for (const char* text : {"100%", "50% off", "%x", "%3", "%0s", "%1234s", "%3e", "%r", "%ra", "%3r._",
                             "{user}", "{local", "%3{local}"})
        EXPECT_FALSE(NamePattern::parse(text).ok()) << text;
    EXPECT_THAT(NamePattern::parse("50% off").error().text, testing::HasSubstr("%% for a percent sign"));
}

TEST(NamePattern, FindsTheAddressAgain) {
    const struct {
        const char* text;
        const char* takes;
        const char* legacy;
        const char* wanted;  // empty: none
    } cases[] = {
        {"{local} at PO1", "*@x.org", "JOE  at  po1", "JOE@x.org"},
        {"{local} at PO1", "*@x.org", "joe", ""},
        {"{local} at PO1", "*@x.org", "Full Name at PO1", "\"Full Name\"@x.org"},
        {"{local}", "*@*.x.org", "joe", ""},
        {"%s, %g at PO", "*@x", "Doe, John at PO", "John.Doe@x"},
        {"%s, %g at PO", "*@x", "Madonna at PO", "Madonna@x"},
        {"%s, %g at PO", "*@x", "john.doe at PO", ""},
        {"%g %i %s", "*@x", "John Q Public", "John.Q.Public@x"},
        {"%r. {local}", "*@x", "First Last", "First.Last@x"},
        {"{local} at {domain}", "*", "joe at x.org", "joe@x.org"},
        {"{domain}.{local}", "*", "a.b.c", ""},  // a@b.c or b.c@a: nobody knows
        {"%e at INTERNET", "*", "joe@x.org at internet", "joe@x.org"},
        {"%e at INTERNET", "*", "joe+x@x.org at internet", "joe+x@x.org"},
        {"%e at INTERNET", "*", "joe at internet", ""},
        {"%1g%s", "*@x", "jdoe", ""},
        {"SYSOP", "root@x", "sysop", "root@x"},
        {"SYSOP", "root@x", "sysops", ""},
        {"", "*@x", "joe@x", "joe@x"},
        {"", "*@x", "joe@y", ""},
        {"%r. {local}@{node}", "*@*.fidonet.org", "bob  sysop@2:5030/123.4",
         "bob.sysop@p4.f123.n5030.z2.fidonet.org"},
        {"%r. {local}@{node}", "*@*.fidonet.org", "Bob@2:5030/123.0", ""},  // is written without the point
        {"%r. {local}@{node}", "*@*.fidonet.org", "Bob@2:5030/99999", ""},
        {"%r. {local}@{node}", "*@*.fidonet.org", "Bob@5030/123", ""},
        {"%r. {local}@{node}", "*@*.fidonet.org", "@2:5030/123", ""},
        {"{local}, {node}", "*@*.fidonet.org", "Bob Sysop, 2:5030/123.4",
         "\"Bob Sysop\"@p4.f123.n5030.z2.fidonet.org"},
        {"{local}, {node}", "*@f2.n999.z2.fidonet.org", "bob, 2:999/2", "bob@f2.n999.z2.fidonet.org"},
        {"{local}, {node}", "*@f2.n999.z2.fidonet.org", "bob, 2:999/3", ""},
        {"{local}@{domain} {node}", "*", "bob@f2.n999.z2.x.org 2:999/2", "bob@f2.n999.z2.x.org"},
        {"{local}@{domain} {node}", "*", "bob@f2.n999.z2.x.org 2:999/3", ""},
        {"{local}@{domain} {node}", "*@*.x.org", "bob@f2.n999.z2.y.x.org 2:999/2", "bob@f2.n999.z2.y.x.org"},
    };
    for (const auto& each : cases)
        EXPECT_EQ(pattern(each.text).invert(each.legacy, each.takes).value_or(""), each.wanted)
            << each.text << " takes " << each.takes << ": " << each.legacy;
}

TEST(NamePattern, SaysWhyThereIsNoWayBack) {
    const struct {
        const char* text;
        const char* takes;
        bool oneWay;
    } cases[] = {
        {"{local}", "*@x", false},
        {"{local}", "*@*.x", true},
        {"{local}", "*", true},
        {"{address}", "*", false},
        {"%e at NET", "*", false},
        {"%g %s", "*@x", false},
        {"%s", "*@x", true},
        {"%3s, %g", "*@x", true},
        {"%d", "*@x", true},
        {"%r..%m", "*@x", true},
        {"%r. %m", "*@x", false},
        {"%g%s", "*@x", true},
        {"{domain} {local}", "*", false},
        {"ARCHIVE", "*", true},
        {"ARCHIVE", "a@x", false},
        {"%r..%e", "*", false},
        {"{local}@{node}", "*@*.fidonet.org", false},
        {"{local}@{node}", "*", true},
    };
    for (const auto& each : cases)
        EXPECT_EQ(!pattern(each.text).oneWay(each.takes).empty(), each.oneWay)
            << each.text << " takes " << each.takes << ": " << pattern(each.text).oneWay(each.takes);
}

TEST(FidoNode, IsTheInverseOfItsLabels) {
    for (const char* node : {"2:5030/123.4", "1:1/0", "32767:32767/32767.32767", "2:999/2"}) {
        const std::string labels = fidoLabels(node);
        EXPECT_EQ(fidoNode(labels), node) << labels;
        EXPECT_EQ(fidoNode(labels + ".fidonet.org"), node) << labels;
    }
    EXPECT_EQ(fidoLabels("2:5030/123.4"), "p4.f123.n5030.z2");
    EXPECT_EQ(fidoNode("p0.f2.n999.z2.x"), "2:999/2");
    for (const char* none : {"", "fidonet.org", "f2.n999", "f2.n0.z2", "f2.n999.z0", "f32768.n1.z1",
                             "f-1.n1.z1", "n1.f1.z1", "p.f1.n1.z1", "f1.n1.z1x.org", "p1.p2.f1.n1.z1"})
        EXPECT_EQ(fidoNode(none), "") << none;
    for (const char* none : {"", "2:5030", "5030/1", "2:5030/", "2:5030/1.", "0:1/1", "1:0/1", "1:1/1.2.3",
                             "1:1/99999", " 1:1/1", "1:1/1@fidonet", "1/1:1"})
        EXPECT_EQ(fidoLabels(none), "") << none;
}

// A hostile name: every dot could be the border.
TEST(NamePattern, ManyReadingsEnd) {
    std::string name;
    for (int i = 0; i < 20'000; ++i) name += "a.";
    EXPECT_FALSE(pattern("{local}.{domain}.%g.%s").invert(name, "*"));
}

std::string word(std::mt19937& random) {
    static const std::string_view kBytes[] = {"a", "B", "z",        "0", "-", "_", "+",  "'",  "%", "!",
                                              "=", "/", "\xC3\xA4", " ", ".", "@", "\"", "\\", ",", " at "};
    std::string out;
    for (auto left = 1 + random() % 6; left > 0; --left) out += kBytes[random() % std::size(kBytes)];
    return out;
}

// Whatever name is claimed to lead back leads back to that very address, or to none.
TEST(NamePattern, Q171214_ANameNeverLeadsToAnotherAddressOfItsOwn) {
    const char* const patterns[] = {"{local}",
                                    "{local} at PO",
                                    "%s, %g at PO",
                                    "%g %i %s",
                                    "%r. {local}",
                                    "%r_ %r. %m",
                                    "%e at NET",
                                    "%e",
                                    "{local} at {domain}",
                                    "{domain}!{local}",
                                    "{address}",
                                    "%g.%s"};
    std::mt19937 random(11);
    int back = 0;
    for (int round = 0; round < 5'000; ++round) {
        mail::Address address{word(random), "x.org"};
        if (random() % 2 == 0) address.local += (random() % 2 == 0 ? "." : "_") + word(random);
        const auto parsed = mail::parseAddress(address.text(), {true, false, {}});
        if (!parsed.ok()) continue;
        const std::string text = parsed->text();
        for (const char* each : patterns) {
            const NamePattern names = pattern(each);
            const std::string takes = names.oneWay("*@x.org").empty() ? "*@x.org" : "*";
            const auto found = names.invert(names.expand(text), takes);
            if (!found) continue;
            const bool same = equalsIgnoreCase(*found, text);
            back += same ? 1 : 0;
            // Another address may be found only where it makes the very same name.
            ASSERT_EQ(mail::foldLegacyName(names.expand(*found)), mail::foldLegacyName(names.expand(text)))
                << each << " on " << text;
            const bool whole = std::string_view(each).starts_with("%e");
            ASSERT_TRUE(same || !whole) << each << " on " << text << " gave " << *found;
        }
    }
    EXPECT_GT(back, 10'000);
}

TEST(NamePattern, ANameAtANodeLeadsBackOrNowhere) {
    const NamePattern names = pattern("%r. {local}@{node}");
    std::mt19937 random(12);
    int back = 0;
    for (int round = 0; round < 5'000; ++round) {
        mail::Address address{word(random), "f" + std::to_string(random() % 4) + ".n1.z2.x.org"};
        if (random() % 2 == 0) address.local += "." + word(random);
        if (random() % 2 == 0) address.domain.insert(0, "p" + std::to_string(random() % 3) + ".");
        const auto parsed = mail::parseAddress(address.text(), {true, false, {}});
        if (!parsed.ok()) continue;
        const auto found = names.invert(names.expand(parsed->text()), "*@*.x.org");
        if (!found) continue;
        back += equalsIgnoreCase(*found, parsed->text()) ? 1 : 0;
        ASSERT_EQ(mail::foldLegacyName(names.expand(*found)),
                  mail::foldLegacyName(names.expand(parsed->text())))
            << parsed->text() << " gave " << *found;
    }
    EXPECT_GT(back, 1'000);
}

}  // namespace
}  // namespace postern::addresses
