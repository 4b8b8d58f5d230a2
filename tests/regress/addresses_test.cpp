// Theme D: names and addresses on their way to the legacy side. envelopes_test.cpp has what a client says.
#include <gmock/gmock.h>

#include "base/text.h"
#include "connector/routing/router.h"
#include "mail/mailboxes.h"
#include "tests/regress/exported.h"
#include "tests/regress/mails.h"

namespace postern::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

std::string from(const std::string& field, const SettingMap& settings = {}) {
    return ccmailOf(wire("From: " + field + "\nSubject: s\n\nx\n"), settings).from;
}

TEST(Regress, Q154099_each_address_is_quoted_by_itself) {
    const auto read = mail::parseMailboxes("Smith <s@po1.example>, \"Doe, J\" <d@po2.example>");
    ASSERT_THAT(read, SizeIs(2));
    EXPECT_EQ(read[0], (mail::Mailbox{"Smith", "s@po1.example"}));
    EXPECT_EQ(read[1], (mail::Mailbox{"Doe, J", "d@po2.example"}));

    AdapterRig rig("ccmail", {});
    const std::vector<std::pair<std::string, std::string>> people = {{"s@x.example", "Smith at PO-1"},
                                                                     {"d@x.example", "Doe, J at PO2"}};
    const CcmailMessage file = exportedCcmail(
        rig, jobFor(rig, people, wire("To: s@x.example, \"Doe, J\" <d@x.example>\nSubject: s\n\nx\n")));
    EXPECT_THAT(file.recipients, ElementsAre(Pair("To", "Smith at PO-1"), Pair("To", "Doe, J at PO2")));

    const auto table = routing::AddressTable::parse(
        "s@x.example,Smith at PO-1\nd@x.example,\"Doe, J at PO2\"\n", "people.csv");
    ASSERT_TRUE(table.table);
    EXPECT_EQ(table.table->legacyOf("d@x.example"), "Doe, J at PO2");
    EXPECT_EQ(table.table->addressOf("smith at po-1"), "s@x.example");
}

TEST(Regress, Q196255_names_keep_their_punctuation) {
    for (const std::string name :
         {"Doe, John Q.", "O'Hara, Jr., Mr. P. (Pat)", "A. B. C.", "Smith-Jones; X"}) {
        EXPECT_EQ(from("\"" + name + "\" <x@y.example>"), name + " (SMTP:x@y.example) at INTERNET");
        AdapterRig rig("ccmail", {});
        const std::string legacy = name + " at PO1";
        const CcmailMessage file = exportedCcmail(rig, jobFor(rig, {{"a@x.example", legacy}}, rig.kPlain));
        EXPECT_THAT(file.recipients, ElementsAre(Pair("To", legacy)));
        const auto table = routing::AddressTable::parse("a@x.example,\"" + legacy + "\"\n", "people.csv");
        ASSERT_TRUE(table.table);
        EXPECT_EQ(table.table->legacyOf("a@x.example"), legacy);
        EXPECT_EQ(table.table->addressOf(legacy), "a@x.example");
    }
}

TEST(Regress, Q247647_a_colon_in_a_name_is_a_colon) {
    EXPECT_EQ(from("\"a:b\" <x@y.example>"), "a:b (SMTP:x@y.example) at INTERNET");
    EXPECT_EQ(from("\"SMTP:evil@z.example\" <x@y.example>"),
              "SMTP:evil@z.example (SMTP:x@y.example) at INTERNET");
    const auto box = mail::parseMailboxes("\"a:b\" <x@y.example>");
    ASSERT_THAT(box, SizeIs(1));
    EXPECT_EQ(box[0], (mail::Mailbox{"a:b", "x@y.example"}));
}

TEST(Regress, Q184054_four_forms_of_one_author) {
    for (const char* form :
         {"\"User\" <u@d.example>", "First Last <u@d.example>", "First (c) <u@d.example>", "u@d.example"}) {
        const auto boxes = mail::parseMailboxes(form);
        ASSERT_THAT(boxes, SizeIs(1)) << form;
        EXPECT_EQ(boxes[0].address, "u@d.example") << form;
        EXPECT_THAT(from(form), HasSubstr("u@d.example")) << form;
    }
}

TEST(Regress, Q152432_all_comments_behind_an_address_are_taken_off) {
    for (const char* field :
         {"U@H.example (c1) (c2 (c3))", "(c0) U@H.example (c1)(c2(c3(c4)))", "U@H.example (a \\) b) (c)"}) {
        const auto boxes = mail::parseMailboxes(field);
        ASSERT_THAT(boxes, SizeIs(1)) << field;
        EXPECT_EQ(boxes[0].address, "U@H.example") << field;
        EXPECT_THAT(from(field), HasSubstr("SMTP:U@H.example) at INTERNET")) << field;
    }
}

TEST(Regress, Q176538_an_empty_group_is_text_and_the_envelope_decides) {
    const std::string mail = wire(
        "From: a@b.example\nTo: undisclosed-recipients:;\nSubject: s\nDate: Tue, 14 Nov 2023 22:13:20 "
        "+0000\n\nx\n");
    EXPECT_THAT(ccmailOf(mail).recipients, ElementsAre(Pair("To", "bob")));
    AdapterRig drop("drop", {});
    ASSERT_TRUE(drop.exportJob(drop.job(1, 1, mail)).outcome);
    ASSERT_THAT(drop.visible(), SizeIs(1));
    EXPECT_THAT(drop.content(drop.visible()[0]), HasSubstr("X-Receiver: bob\r\n"));
    EXPECT_THAT(drop.content(drop.visible()[0]), HasSubstr("To: undisclosed-recipients:;\r\n"));
    EXPECT_EQ(ReadMail(mail).message.to.at(0).address, "");
}

TEST(Regress, Q236601_letters_with_strokes_and_carons_become_plain_letters) {
    const struct {
        const char* name;
        const char* page;
        const char* wanted;
    } cases[] = {
        {"Øre", "us-ascii", "Ore"},     {"Šimek", "cp437", "Simek"},    {"Žižka", "cp850", "Zizka"},
        {"Łódź", "us-ascii", "Lodz"},   {"Đorđe", "cp437", "Dorde"},    {"Ægir", "us-ascii", "AEgir"},
        {"Ståle", "us-ascii", "Stale"}, {"Märta", "us-ascii", "Marta"},
    };
    for (const auto& each : cases)
        EXPECT_EQ(from("\"" + std::string(each.name) + "\" <x@y.example>", {{"charset", each.page}}),
                  std::string(each.wanted) + " (SMTP:x@y.example) at INTERNET")
            << each.name;
}

// Where each kind shows a recipient's legacy name.
std::vector<std::pair<std::string, SettingMap>> namingKinds() {
    return {{"ccmail", {}}, {"drop", {}}, {"maildir", {{"layout", "per-recipient"}}}};
}

std::string namesIn(const AdapterRig& rig) {
    std::string all;
    for (const std::string& file : rig.visible()) all += file + "\n" + rig.content(file);
    return all;
}

// Too long a name for the other side was dropped or cut in silence: here it is whole, or refused with the
// limit before the mail is taken.
TEST(Regress, Q193842_a_long_name_is_whole_or_refused_with_the_limit) {
    for (const auto& [kind, settings] : namingKinds()) {
        for (const std::size_t length : {8U, 9U, 10U, 11U, 31U, 32U, 200U, 256U, 257U, 5000U}) {
            AdapterRig rig(kind, settings);
            const std::string name(length, 'n');
            if (const auto why = rig.adapter().refuses({1, "x@y.example", name})) {
                EXPECT_GT(length, 200U) << kind << ": " << *why;
                EXPECT_THAT(*why, testing::AnyOf(HasSubstr("too long"), HasSubstr("longer than"))) << kind;
                continue;
            }
            rig.exportJob(jobFor(rig, {{"x@y.example", name}}, rig.kPlain));
            EXPECT_THAT(namesIn(rig), HasSubstr(name)) << kind << " cut a name of " << length;
        }
    }
}

TEST(Regress, Q193842_names_that_begin_alike_stay_apart) {
    for (const auto& [kind, settings] : namingKinds()) {
        AdapterRig rig(kind, settings);
        for (int item = 1; item <= 2; ++item) {
            const std::string name = "abcdefgh" + std::to_string(item);
            rig.exportJob(jobFor(rig, {{"x@y.example", name}}, rig.kPlain, item));
        }
        EXPECT_THAT(namesIn(rig), HasSubstr("abcdefgh1")) << kind;
        EXPECT_THAT(namesIn(rig), HasSubstr("abcdefgh2")) << kind;
    }
}

const std::string kManyPeople = wire(
    "From: a@b.example\nTo: T1 <t1@x.example>,\n t2@x.example\nCc: c1@x.example, \"C, 2\" <c2@x.example>,\n"
    "\tC3 <c3@x.example>\nSubject: s\nDate: Tue, 14 Nov 2023 22:13:20 +0000\n\nx\n");

std::vector<std::pair<std::string, std::string>> sevenPeople() {
    std::vector<std::pair<std::string, std::string>> people;
    for (const char* name : {"b1", "c3", "t1", "c1", "b2", "c2", "t2"})
        people.emplace_back(std::string(name) + "@x.example", std::string(name) + " at PO");
    return people;
}

TEST(Regress, Q231803_no_visible_recipient_is_lost_when_there_are_hidden_ones) {
    AdapterRig rig("ccmail", {});
    const CcmailMessage file = exportedCcmail(rig, jobFor(rig, sevenPeople(), kManyPeople));
    EXPECT_THAT(file.recipients,
                ElementsAre(Pair("To", "t1 at PO"), Pair("To", "t2 at PO"), Pair("cc", "c3 at PO"),
                            Pair("cc", "c1 at PO"), Pair("cc", "c2 at PO"), Pair("Bcc", "b1 at PO"),
                            Pair("Bcc", "b2 at PO")));
    AdapterRig drop("drop", {});
    drop.exportJob(jobFor(drop, sevenPeople(), kManyPeople));
    ASSERT_THAT(drop.visible(), SizeIs(1));
    EXPECT_TRUE(drop.content(drop.visible()[0]).ends_with(kManyPeople)) << "not a byte of the header changes";
}

TEST(Regress, Q192519_a_recipient_keeps_its_role_whatever_its_name) {
    AdapterRig rig("ccmail", {});
    const CcmailMessage file = exportedCcmail(
        rig, jobFor(rig, {{"t1@x.example", "boss at PO"}, {"c1@x.example", "user@host {CCMAIL:test,user}"}},
                    kManyPeople));
    EXPECT_THAT(file.recipients,
                ElementsAre(Pair("To", "boss at PO"), Pair("cc", "user@host {CCMAIL:test,user}")));
}

// Two of the four are not ours: the header still names them all, and each of ours has its line.
TEST(Regress, Q103800_the_header_names_everybody) {
    const std::string mail = wire(
        "From: a@b.example\nTo: l1@x.example, far1@other.example, l2@x.example,\n far2@other.example\n"
        "Subject: s\n\nx\n");
    const std::vector<std::pair<std::string, std::string>> ours = {{"l1@x.example", "l1"},
                                                                   {"l2@x.example", "l2"}};
    for (const char* kind : {"drop", "maildir"}) {
        AdapterRig rig(kind, {});
        adapters::Job job = jobFor(rig, ours, mail);
        if (rig.adapter().grouping().mostRecipients == 1) job.delivery.recipients.resize(1);
        rig.exportJob(job);
        ASSERT_THAT(rig.visible(), SizeIs(1)) << kind;
        const auto people = ReadMail(wire("") + rig.content(rig.visible()[0])).message.to;
        ASSERT_THAT(people, SizeIs(4)) << kind;
        EXPECT_EQ(people[3].address, "far2@other.example") << kind;
    }
    AdapterRig rig("ccmail", {});
    EXPECT_THAT(exportedCcmail(rig, jobFor(rig, ours, mail)).recipients,
                ElementsAre(Pair("To", "l1"), Pair("To", "l2")));
}

}  // namespace
}  // namespace postern::tests
