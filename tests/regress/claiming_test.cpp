// Theme A: who has an item, and that nothing of it goes out twice.
#include <filesystem>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "base/digest.h"
#include "base/text.h"
#include "connector/routing/router.h"
#include "queue/inspect.h"
#include "tests/ccmail_reader.h"
#include "tests/conformance/adapter_cases.h"
#include "tests/fake_clock.h"
#include "tests/kit/post_office.h"
#include "tests/legacy_readers.h"
#include "tests/regress/mails.h"
#include "tests/regress/one_process.h"
#include "tests/unit/intake/house.h"

namespace postern::tests {
namespace {

namespace fs = std::filesystem;
using adapters::Job;
using queue::State;
using testing::HasSubstr;
using testing::SizeIs;

queue::ItemRow rowOf(store::Store& store, ItemId item) {
    queue::ItemRow found;
    const auto read = store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(row, queue::readItem(session, item));
        found = row;
        return {};
    });
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text);
    return found;
}

// The lock was released before the message's own files were cleared, and another program took it.
TEST(Regress, Q136004_a_claim_is_held_until_it_is_settled) {
    PostOffice office;
    queue::Queue other(office.store(), office.clock(), {.owner = "another"});
    int looks = 0;
    const auto nobodyElseGetsIt = [&](Job&) {
        ++looks;
        EXPECT_TRUE(other.claim("a", 64)->empty());
        EXPECT_TRUE(other.takeLapsed("a", false, 64)->interrupted.empty());
    };
    auto adapter = std::make_shared<Watched>();
    adapter->onStage = adapter->onPublish = nobodyElseGetsIt;
    office.post("a", 1, 5);
    EXPECT_EQ(OneProcess(office.store(), office.clock(), adapter).run(), 5);
    EXPECT_EQ(looks, 10);
    EXPECT_EQ(office.states()[State::Exported], 5) << "settled by the first holder's token";
    EXPECT_TRUE(other.claim("a", 64)->empty());
}

// After an unclean stop with more than 32,767 files, the rest was deleted: numbers had 16 bits.
TEST(Regress, Q271600_ids_beyond_2_to_the_32_keep_their_mail) {
    constexpr std::int64_t kEdges[] = {std::int64_t{1} << 15, std::int64_t{1} << 31, std::int64_t{1} << 32};
    for (const AdapterCase& which : adapterCases()) {
        AdapterRig rig(which.kind, which.settings);
        if (which.settings.contains("bundle")) rig.setCount(&mailsOfPacket);
        for (const std::int64_t edge : kEdges) {
            std::vector<Job> left;
            for (const std::int64_t item : {edge - 1, edge, edge + 1})
                rig.stageJob(left.emplace_back(rig.job(item, 1)));
            rig.restart();  // unclean
            ASSERT_TRUE(rig.probed().ok()) << which.label;
            EXPECT_EQ(rig.adapter().sweep([](const adapters::DeliveryKey&) { return false; }).value(), 0)
                << which.label << " took files away that are needed, at " << edge;
            for (const Job& job : left) {
                EXPECT_EQ(rig.adapter().recover(job.delivery.key, job.evidence).found,
                          adapters::Found::NotPublished)
                    << which.label << " " << job.delivery.key.item.value;
                const Job done = rig.exportJob(rig.job(job.delivery.key.item.value, 2));
                EXPECT_EQ(done.outcome->verdict, adapters::Verdict::Exported)
                    << which.label << outcomeText(done);
            }
            EXPECT_THAT(rig.visible(), SizeIs(3)) << which.label << " at " << edge;
            while (!rig.visible().empty()) rig.take(rig.visible().front());
        }
    }
    // Cut to 16, 31 or 32 bits all of these were item 1, or one of a negative number, which is over.
    const std::set<std::int64_t> kAlike = {1, (std::int64_t{1} << 16) + 1, (std::int64_t{1} << 31) + 1,
                                           (std::int64_t{1} << 32) + 1};
    for (const AdapterCase& which : adapterCases()) {
        AdapterRig rig(which.kind, which.settings);
        if (which.settings.contains("bundle")) rig.setCount(&mailsOfPacket);
        std::vector<Job> left;
        for (const std::int64_t item : kAlike) rig.stageJob(left.emplace_back(rig.job(item, 1)));
        rig.restart();  // unclean
        ASSERT_TRUE(rig.probed().ok()) << which.label;
        const auto isOver = [&](const adapters::DeliveryKey& key) {
            return !kAlike.contains(key.item.value);
        };
        EXPECT_EQ(rig.adapter().sweep(isOver).value(), 0) << which.label << " took them for others";
        for (const Job& job : left)
            EXPECT_EQ(rig.adapter().recover(job.delivery.key, job.evidence).found,
                      adapters::Found::NotPublished)
                << which.label << " " << job.delivery.key.item.value;
        for (const std::int64_t item : kAlike) {
            const Job done = rig.exportJob(rig.job(item, 2));
            EXPECT_EQ(done.outcome->verdict, adapters::Verdict::Exported) << which.label << outcomeText(done);
            ASSERT_THAT(rig.visible(), SizeIs(1)) << which.label << " " << item;
            rig.take(rig.visible().front());  // short names come again: the next one waits for that
        }
    }
    PostOffice office;
    OneProcess process(office.store(), office.clock(),
                       makeAdapter("drop", "a", {{"folder", office.folder("live")}}));
    Consumer consumer(office.folder("live"));
    office.post("a", 1, 1);
    int serial = 1;
    for (const std::int64_t edge : kEdges) {
        ASSERT_TRUE(office.store()
                        .write([&](store::WriteSession& session) -> Result<void> {
                            for (const char* table : {"item", "message"})
                                POSTERN_TRY(session.run("UPDATE sqlite_sequence SET seq = ? WHERE name = ?",
                                                        edge - 2, std::string_view(table)));
                            return {};
                        })
                        .ok());
        office.post("a", serial + 1, 4);
        serial += 4;
        EXPECT_EQ(rowOf(office.store(), ItemId{edge + 2}).state, State::Ready)
            << "numbers go on where they were";
    }
    EXPECT_EQ(process.run(), serial);
    consumer.take();
    EXPECT_EQ(consumer.verdict(serial), "");
}

// A working file that can not be deleted stays for ever: it is looked at again, and nothing is made of it.
TEST(Regress, Q198958_a_failed_cleanup_never_resends) {
    PostOffice office;
    const std::string folder = office.folder("live"), stage = folder + "/.postern-a/stage";
    const auto process = [&] {
        return std::make_unique<OneProcess>(office.store(), office.clock(),
                                            makeAdapter("drop", "a", {{"folder", folder}}));
    };
    office.post("a", 1, 3);
    EXPECT_EQ(process()->run(), 3);
    Consumer consumer(folder);
    EXPECT_EQ(consumer.take(), 3);
    spill(stage + "/1.1", "X-Serial: 1\r\n\r\nx\r\n");
    fs::create_directories(stage + "/2.1/in the way");  // not even root can unlink it
    const auto everybody = [](const adapters::DeliveryKey&) { return true; };
    for (int start = 1; start <= 3; ++start) {
        const auto one = process();
        EXPECT_EQ(one->run(), 0) << start;
        EXPECT_FALSE(one->adapter().sweep(everybody).ok()) << "said, to be tried again";
        EXPECT_EQ(consumer.take(), 0) << start;
        EXPECT_EQ(office.states()[State::Exported], 3) << start;
    }
    fs::remove_all(stage + "/2.1");
    EXPECT_TRUE(process()->adapter().sweep(everybody).ok());
    EXPECT_FALSE(fs::exists(stage + "/1.1"));
    EXPECT_EQ(consumer.verdict(3), "");
}

// One mail came again and again, as often as the service was started.
TEST(Regress, Q239420_a_mail_without_its_content_fails_once_with_the_reason) {
    FakeClock clock;
    PostOffice office(clock);
    const ItemId whole = enqueued(office.store(), clock.now(), {"bob"});
    const ItemId empty = enqueued(office.store(), clock.now(), {"joe"});
    ASSERT_TRUE(office.store()
                    .write([](store::WriteSession& session) -> Result<void> {
                        POSTERN_TRY(session.run("DELETE FROM body WHERE message_id = 2"));
                        return {};
                    })
                    .ok());
    int exported = 0;
    for (int start = 1; start <= 3; ++start) {
        auto adapter = std::make_shared<Watched>();
        adapter->onPublish = [&](Job&) { ++exported; };
        EXPECT_EQ(OneProcess(office.store(), clock, adapter).run(), start == 1 ? 2 : 0) << start;
        const queue::ItemRow row = rowOf(office.store(), empty);
        EXPECT_EQ(row.state, State::Failed);
        EXPECT_EQ(row.attempts, 1);
        EXPECT_THAT(row.reason, HasSubstr("not in the database"));
        EXPECT_EQ(rowOf(office.store(), whole).state, State::Exported);
        clock.advance(Millis(3'600'000));
    }
    EXPECT_EQ(exported, 1);
}

// The list of failures was too long to be handed back, so the good ones got the mail again every hour.
TEST(Regress, Q232391_each_recipients_end_is_kept_and_only_the_others_are_tried_again) {
    FakeClock clock;
    PostOffice office(clock);
    std::vector<std::string> people;
    for (int i = 1; i <= 500; ++i) people.push_back("u" + std::to_string(i));
    const ItemId item = enqueued(office.store(), clock.now(), people);
    std::map<std::string, int> copies;
    std::vector<std::size_t> named;
    auto adapter = std::make_shared<Watched>();
    adapter->onPublish = [&](Job& job) {  // each time, fifty find room
        named.push_back(job.delivery.recipients.size());
        job.outcome = adapters::exported("here");
        for (std::size_t i = 0; i < job.delivery.recipients.size(); ++i) {
            const adapters::Recipient& each = job.delivery.recipients[i];
            if (i < 50)
                ++copies[each.address];
            else
                job.outcome->recipients.push_back(
                    {each.ordinal, adapters::Verdict::Deferred, "mailbox full", "", adapters::Cause::Full});
        }
    };
    for (int turn = 0; turn < 12; ++turn) {
        OneProcess(office.store(), clock, adapter).run();
        clock.advance(Millis(7'200'000));  // longer than any back-off
    }
    EXPECT_EQ(named, (std::vector<std::size_t>{500, 450, 400, 350, 300, 250, 200, 150, 100, 50}));
    EXPECT_THAT(copies, SizeIs(500));
    for (const auto& [who, count] : copies) EXPECT_EQ(count, 1) << who;
    EXPECT_EQ(rowOf(office.store(), item).state, State::Exported);
}

// A key that nobody had set made different mails equal, and one mail different.
TEST(Regress, Q274200_mails_without_a_Message_ID_are_kept_apart) {
    intake::House house;
    const auto send = [&](const std::string& text) {
        intake::IncomingMail mail = house.mail({"joe@example.org"}, "Received: us\r\n" + text);
        mail.message.headerId.clear();
        mail.digest = sha256(text);
        return house.accept(std::move(mail)).message.value;
    };
    const std::int64_t first = send("Subject: one\r\n\r\nx\r\n");
    EXPECT_NE(send("Subject: two\r\n\r\nx\r\n"), first);
    EXPECT_EQ(send("Subject: one\r\n\r\nx\r\n"), first) << "its 250 was lost: the same mail";
    EXPECT_EQ(house.count("SELECT count(*) FROM item"), 2);
    const auto without = house.store().write([](store::WriteSession& session) -> Result<void> {
        POSTERN_TRY(session.run("INSERT INTO unconfirmed (message_id, digest, at_ms) VALUES (99, x'', 0)"));
        return {};
    });
    EXPECT_FALSE(without.ok()) << "a row without a key";
}

store::StoreOptions optionsFor(const std::string& folder) {
    store::StoreOptions options;
    options.folder = folder;
    options.migrations = store::messageMigrations();
    for (const store::Migration& migration : queue::queueMigrations())
        options.migrations.push_back(migration);
    return options;
}

TEST(Regress, Q196895_a_store_that_was_moved_sends_nothing_again) {
    const TempFolder folder;
    FakeClock clock;
    int exported = 0;
    const auto runIn = [&](const std::string& place, int fresh) {
        auto store = store::Store::open(optionsFor(place));
        ASSERT_TRUE(store.ok()) << store.error().text;
        for (int i = 0; i < fresh; ++i) enqueued(**store, clock.now(), {"bob"});
        auto adapter = std::make_shared<Watched>();
        adapter->onPublish = [&](Job&) { ++exported; };
        OneProcess(**store, clock, adapter).run();
    };
    runIn(folder / "old", 7);
    EXPECT_EQ(exported, 7);
    fs::create_directories(folder / "another/place");
    fs::copy(folder / "old", folder / "another/place/new", fs::copy_options::recursive);
    runIn(folder / "another/place/new", 2);
    EXPECT_EQ(exported, 9);
}

// What an adapter finds of its own work does not hang on the host's name.
TEST(Regress, Q196895_under_another_host_name_an_artifact_is_known) {
    for (const AdapterCase& which : adapterCases()) {
        SCOPED_TRACE(which.label);
        AdapterRig rig(which.kind, which.settings);
        const Job job = rig.exportJob(rig.job(1, 1));
        ASSERT_TRUE(job.outcome && job.outcome->verdict == adapters::Verdict::Exported) << outcomeText(job);
        SettingMap settings = which.settings;
        settings["folder"] = rig.folder();
        adapters::AdapterContext moved = kRigContext;
        moved.hostname = "another.example.net";
        const auto adapter = makeKind(which.kind, settings, moved);
        ASSERT_TRUE(adapter.ok());
        ASSERT_TRUE((*adapter)->probe().ok());
        EXPECT_EQ((*adapter)->recover({ItemId{1}, Epoch{1}}, job.evidence).found, adapters::Found::Published);
        EXPECT_THAT(rig.visible(), SizeIs(1));
    }
}

// How a kind names five people: as it names bob, with another code of three letters in his place.
std::vector<std::string> fivePeople(const std::string& bob) {
    std::vector<std::string> names;
    for (std::string code : {"qza", "qzb", "qzc", "qzd", "qze"}) {
        std::size_t place = bob.find("bob");
        for (const char* upper : {"BOB", "USR", "BBB"}) {
            if (place != std::string::npos) break;
            place = bob.find(upper);
            if (place != std::string::npos) code = upperAscii(code);
        }
        if (place == std::string::npos) return {};
        names.push_back(std::string(bob).replace(place, 3, code));
    }
    return names;
}

std::vector<Job> jobsFor(AdapterRig& rig, const std::vector<std::string>& names, const std::string& mail) {
    std::vector<routing::Router::Routed> routed;
    for (const std::string& name : names)
        routed.push_back({"u" + std::to_string(routed.size()) + "@legacy.example", {"a", name, "*"}});
    const routing::Router router({}, {{"a", &rig.adapter()}});
    std::vector<Job> jobs;
    for (const queue::NewItem& item : router.items(routed, fromMillis(1'700'000'000'000))) {
        Job& job = jobs.emplace_back(rig.job(static_cast<std::int64_t>(jobs.size()) + 1, 1, mail));
        job.delivery.recipients.clear();
        for (const queue::RecipientRow& row : item.recipients) {
            const int ordinal = static_cast<int>(job.delivery.recipients.size()) + 1;
            job.delivery.recipients.push_back({ordinal, row.address, row.legacy});
        }
    }
    return jobs;
}

// Every transfer program delivered to all whom it saw in the header: as many copies as recipients, for each.
TEST(Regress, Q159181_five_recipients_never_get_five_times_five) {
    const std::string mail = wire(
        "From: alice@example.org\nTo: u0@legacy.example, u1@legacy.example, u2@legacy.example,\n"
        " u3@legacy.example, u4@legacy.example\nSubject: five\n\nHello.\n");
    for (const AdapterCase& which : adapterCases()) {
        SCOPED_TRACE(which.label);
        AdapterRig rig(which.kind, which.settings);
        const std::vector<std::string> names = fivePeople(rig.bob());
        if (names.empty()) continue;  // a channel has no people; the same kind has a case with them
        std::vector<Job> jobs = jobsFor(rig, names, mail);
        EXPECT_TRUE(jobs.size() == 1 || jobs.size() == 5) << jobs.size();
        std::vector<std::string> before = rig.visible();
        std::size_t served = 0;
        for (const Job& ready : jobs) {
            const Job job = rig.exportJob(ready);
            ASSERT_TRUE(job.outcome && job.outcome->verdict == adapters::Verdict::Exported)
                << outcomeText(job);
            served += job.delivery.recipients.size();
            std::vector<std::string> fresh, now = rig.visible();
            std::set_difference(now.begin(), now.end(), before.begin(), before.end(),
                                std::back_inserter(fresh));
            ASSERT_THAT(fresh, SizeIs(1)) << "one artifact for an item";
            const std::string bytes = rig.content(fresh[0]);
            for (const std::string& name : names) {
                const auto& own = job.delivery.recipients;
                const bool mayStand = std::any_of(own.begin(), own.end(),
                                                  [&](const auto& each) { return each.legacy == name; });
                if (!mayStand) {
                    EXPECT_EQ(bytes.find(name), std::string::npos) << name;
                }
            }
            before = now;
        }
        EXPECT_EQ(served, 5U);
        EXPECT_THAT(before, SizeIs(jobs.size()));
    }
}

// Grouping goes by route: one host for three domains gets one mail.
TEST(Regress, Q174035_three_domains_of_one_relay_are_one_item) {
    const auto relay = makeAdapter("smtp", "relay", {{"hosts", "127.0.0.1:1"}});
    const routing::Router router({{"*", "relay", ""}}, {{"relay", relay.get()}});
    std::vector<routing::Router::Routed> routed;
    for (const char* address : {"a@one.example", "b@two.example", "c@three.example"})
        routed.push_back({address, *router.route(address)});
    const auto items = router.items(routed, {});
    ASSERT_THAT(items, SizeIs(1));
    EXPECT_THAT(items[0].recipients, SizeIs(3));
}

// Two attachments of one length had changed places.
TEST(Regress, Q151249_names_and_bytes_of_equally_long_files_stay_together) {
    std::map<std::string, std::string> files;
    std::string body = "--b\n\ntext\n";
    for (const char* name : {"ONE.DAT", "TWO.DAT", "THREE.DAT"}) {
        std::string bytes;
        for (int i = 0; i < 3000; ++i) bytes += static_cast<char>((i * 7 + name[1]) % 256);
        files[name] = bytes;
        body += std::string("--b\nContent-Type: application/octet-stream; name=") + name +
                "\nContent-Disposition: attachment; filename=" + name +
                "\nContent-Transfer-Encoding: base64\n\n" + base64Of(bytes) + "\n";
    }
    const std::string mail =
        mailOf("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n", body + "--b--\n");
    const auto exported = [&](const char* kind, const SettingMap& settings) {
        AdapterRig rig(kind, settings);
        const Job job = rig.exportJob(rig.job(1, 1, mail));
        EXPECT_TRUE(job.outcome && job.outcome->verdict == adapters::Verdict::Exported) << outcomeText(job);
        return rig.content(rig.visible().at(0));
    };
    const auto expectAll = [&](const char* kind, const auto& found) {
        EXPECT_THAT(found, SizeIs(3)) << kind;
        for (const auto& file : found) EXPECT_EQ(file.data, files[file.name]) << kind << " " << file.name;
    };
    const auto b2f = readB2f(exported("b2f", {{"call", "N0AAA"}, {"total_limit", "0"}}));
    ASSERT_TRUE(b2f.ok()) << b2f.error().text;
    expectAll("b2f", b2f->files);
    const auto mmff = readMmff(exported("mmff", {{"line_ends", "crlf"}}), "\r\n");
    ASSERT_TRUE(mmff.ok()) << mmff.error().text;
    expectAll("mmff", mmff->files);
    const auto ccmail = readCcmail(exported("ccmail", {}));
    ASSERT_TRUE(ccmail.ok()) << ccmail.error().text;
    std::vector<CcmailItem> parts = ccmail->items;
    std::erase_if(parts, [](const CcmailItem& each) { return !each.isFile; });
    expectAll("ccmail", parts);
}

}  // namespace
}  // namespace postern::tests
