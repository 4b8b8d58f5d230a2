#include "connector/pickup/pickup.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/log.h"
#include "base/path.h"
#include "tests/kit/odd_files.h"
#include "tests/kit/platform.h"
#include "tests/unit/intake/house.h"

namespace postern::pickup {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMail = "From: a@x.org\nTo: b@example.org\nSubject: s\n\nhello\n";

// Passes everything on, as the service's door does, and loses what a test asks for.
class Door final : public intake::Door {
  public:
    explicit Door(intake::Door& inner) : inner_(inner) {}
    Result<void> checkRoom(std::int64_t announced) override {
        return room.ok() ? inner_.checkRoom(announced) : room;
    }
    Result<disk::Claim> claimRoom(std::int64_t announced) override {
        if (!room.ok()) return room.error();
        return inner_.claimRoom(announced);
    }
    Result<routing::Router::Routed> routeRecipient(const std::string& address,
                                                   const intake::Envelope& envelope) const override {
        envelopes.push_back(envelope);
        return inner_.routeRecipient(address, envelope);
    }
    void logOn(intake::LogOnStep step, intake::LogOnDesk::Done done) override {
        inner_.logOn(std::move(step), std::move(done));
    }
    const std::string& storeId() const override { return inner_.storeId(); }
    std::unique_ptr<store::BodyWriter> newBody() const override { return inner_.newBody(); }
    void accept(intake::IncomingMail mail, std::function<void(const intake::Answer&)> done) override {
        digests.push_back(mail.digest);
        inner_.accept(std::move(mail), std::move(done));
    }
    void confirm(MessageId message) override {
        confirmed.push_back(message);
        inner_.confirm(message);
    }

    Result<void> room;
    mutable std::vector<intake::Envelope> envelopes;
    std::vector<std::string> digests;
    std::vector<MessageId> confirmed;

  private:
    intake::Door& inner_;
};

class PickupTest : public testing::Test {
  protected:
    PickupTest() {
        settings.name = "drop";
        settings.folder = house.folder() + "/in";
        settings.setAside = settings.folder + "/bad";
        settings.messageSize = 100'000;
        fs::create_directory(settings.folder);
        setLogSink([this](Severity, std::string_view line) { log += std::string(line) + "\n"; });
    }
    ~PickupTest() override { setLogSink({}); }

    std::string path(const std::string& name) const { return settings.folder + "/" + name; }
    void put(const std::string& name, const std::string& text = kMail) const {
        std::ofstream(path(name), std::ios::binary) << text;
    }
    Pickup fresh() { return Pickup(settings, "gw.example.org", door, house.clock()); }
    // Looks, lets the files settle, looks again.
    int lookTwice(Pickup& pickup) {
        int stored = pickup.look();
        house.clock().advance(settings.settle);
        return stored + pickup.look();
    }
    std::vector<std::string> left(const std::string& folder) const {
        std::vector<std::string> names;
        for (const auto& each : fs::directory_iterator(folder))
            names.push_back(each.path().filename().string());
        std::sort(names.begin(), names.end());
        return names;
    }
    std::string reason(const std::string& name) const {
        return readFile(settings.setAside + "/" + name + ".reason.txt", 4000).valueOr("(none)");
    }
    int times(const std::string& text) const {
        int count = 0;
        for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++count;
        return count;
    }

    intake::House house;
    Door door{house.acceptor()};
    config::Pickup settings;
    std::string log;
};

TEST_F(PickupTest, AFileIsStoredCompletedAndRemoved) {
    Pickup pickup = fresh();
    put("a.EML");
    put("a.txt");
    EXPECT_EQ(lookTwice(pickup), 1);
    const auto mails = house.stored();
    ASSERT_EQ(mails.size(), 1u);
    EXPECT_EQ(mails[0].row.sender, "a@x.org");
    EXPECT_EQ(mails[0].row.source, "drop");
    EXPECT_EQ(mails[0].row.client, "a.EML");
    EXPECT_EQ(mails[0].items, std::vector<std::string>{"demo/1: b@example.org=b"});
    EXPECT_TRUE(mails[0].body.starts_with("From: a@x.org\r\nTo: b@example.org\r\nSubject: s\r\nDate: "));
    EXPECT_TRUE(mails[0].body.ends_with("@gw.example.org>\r\n\r\nhello\r\n")) << mails[0].body;
    EXPECT_EQ(left(settings.folder), (std::vector<std::string>{"a.txt", "bad"}));
    EXPECT_EQ(door.confirmed.size(), 1u);
    EXPECT_EQ(door.envelopes.at(0).source, "drop");
}

// An envelope beyond US-ASCII makes it a mail of SMTPUTF8, as one that came over the wire.
TEST_F(PickupTest, AnEnvelopeBeyondAsciiIsOneOfSmtpUtf8) {
    Pickup pickup = fresh();
    put("a.eml", "X-Sender: j\xc3\xb6rg@x.org\nX-Receiver: b@example.org\nSubject: s\n\nhello\n");
    EXPECT_EQ(lookTwice(pickup), 1) << log;
    put("b.eml");
    EXPECT_EQ(lookTwice(pickup), 1) << log;
    const auto mails = house.stored();
    ASSERT_EQ(mails.size(), 2u);
    EXPECT_EQ(mails[0].row.sender, "j\xc3\xb6rg@x.org");
    EXPECT_TRUE(mails[0].row.utf8);
    EXPECT_FALSE(mails[1].row.utf8);
}

TEST_F(PickupTest, Q279320_AWriterThatPausesIsNotJudgedByItsFirstHalf) {
    Pickup pickup = fresh();
    std::ofstream file(path("slow.eml"));
    file << "From: a@x.org\nTo: b@example.org\n" << std::flush;
    EXPECT_EQ(pickup.look(), 0);
    house.clock().advance(settings.settle - Millis{1});
    EXPECT_EQ(pickup.look(), 0);
    file << "\nthe rest\n";
    file.close();  // Windows lets nobody move it before
    house.clock().advance(Millis{1});
    EXPECT_EQ(pickup.look(), 0) << "it changed between two looks";
    house.clock().advance(settings.settle);
    EXPECT_EQ(pickup.look(), 1);
    EXPECT_TRUE(house.stored().at(0).body.ends_with("\r\n\r\nthe rest\r\n"));
}

TEST_F(PickupTest, WithoutASettlingTimeTheFirstLookTakesIt) {
    settings.settle = Millis{0};
    Pickup pickup = fresh();
    put("a.eml");
    EXPECT_EQ(pickup.look(), 1);
}

TEST_F(PickupTest, TwoFilesWithTheSameContentAreTwoMails) {
    Pickup pickup = fresh();
    put("a.eml");
    put("b.eml");
    EXPECT_EQ(lookTwice(pickup), 2);
    put("a.eml");
    EXPECT_EQ(lookTwice(pickup), 1);
    EXPECT_EQ(house.stored().size(), 3u);
    EXPECT_NE(door.digests.at(0), door.digests.at(1));
    EXPECT_NE(door.digests.at(0), door.digests.at(2));
}

// As after a crash between the commit and the removal: the same file stands there again.
TEST_F(PickupTest, ACrashBeforeTheRemovalStoresNothingTwice) {
    put("a.eml");
    fs::create_hard_link(path("a.eml"), path("kept"));
    {
        Pickup pickup = fresh();
        EXPECT_EQ(lookTwice(pickup), 1);
    }
    fs::rename(path("kept"), path("again.eml"));
    Pickup pickup = fresh();
    lookTwice(pickup);
    ASSERT_EQ(door.digests.size(), 2u);
    EXPECT_EQ(door.digests[0], door.digests[1]) << "the door can tell that it is the same file";
}

TEST_F(PickupTest, AFileClaimedBeforeACrashIsTakenAtOnce) {
    put(".taken-a.eml");
    Pickup pickup = fresh();
    EXPECT_EQ(pickup.look(), 1);
    EXPECT_EQ(left(settings.folder), std::vector<std::string>{"bad"});
    put(".taken-b.eml", "no header\n");
    EXPECT_EQ(pickup.look(), 0);
    EXPECT_NE(reason("b.eml"), "(none)") << "under its own name";
    put(".taken-.cut.eml");
    EXPECT_EQ(pickup.look(), 1) << "the end of a long name may begin with a dot";
}

TEST_F(PickupTest, BadFilesAreSetAsideWithTheirReason) {
    struct Bad {
        const char* name;
        std::string text;
        const char* reason;
    };
    const Bad all[] = {
        {"empty.eml", "", "the file is empty\n"},
        {"zeros.eml", std::string(kMail) + '\0', "the mail holds NUL bytes\n"},
        {"large.eml", std::string(100'001, 'x'), "the file is larger than 97.7 KiB\n"},
        {"grows.eml", kMail + std::string(60'000, '\n'), "the mail is larger than 97.7 KiB\n"},
        {"text.eml", "hello\n", "it names no sender: an X-Sender line or From is wanted\n"},
        {"nobody.eml", "From: a@x.org\n\nx\n",
         "it names no recipient: X-Receiver lines, To, Cc or Bcc are wanted\n"},
        {"elsewhere.eml", "From: a@x.org\nTo: b@example.org, c@else.org, d@else.org\n\nx\n",
         "<c@else.org>: no route takes this address; <d@else.org>: no route takes this address\n"},
    };
    Pickup pickup = fresh();
    for (const Bad& bad : all) put(bad.name, bad.text);
    put("good.eml");
    EXPECT_EQ(lookTwice(pickup), 1) << "one bad file stops no other (I7)";
    EXPECT_EQ(left(settings.folder), std::vector<std::string>{"bad"});
    for (const Bad& bad : all) {
        EXPECT_EQ(reason(bad.name), bad.reason) << bad.name;
        EXPECT_EQ(readFile(settings.setAside + "/" + bad.name, 200'000).valueOr("?"), bad.text) << bad.name;
    }
    EXPECT_EQ(times("pickup.set_aside"), 7);
    EXPECT_EQ(house.stored().size(), 1u);
}

TEST_F(PickupTest, TheServicesLimitOfHopsHoldsHereToo) {
    settings.hops = 12;
    Pickup pickup = fresh();
    std::string hop;
    for (int i = 0; i < 12; ++i) hop += "Received: by here\n";
    put("twelve.eml", hop + kMail);
    put("thirteen.eml", "Received: by here\n" + hop + kMail);
    EXPECT_EQ(lookTwice(pickup), 1);
    EXPECT_EQ(reason("thirteen.eml"), "too many trace fields: the mail is in a loop\n");
}

TEST_F(PickupTest, TroubleOfOursLeavesTheFileAndIsToldOnce) {
    Pickup pickup = fresh();
    put("a.eml");
    door.room = fail(Errc::NoSpace, "full");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(lookTwice(pickup), 0);
    EXPECT_EQ(left(settings.folder), (std::vector<std::string>{"a.eml", "bad"}));
    EXPECT_EQ(times("reason=full"), 1) << log;
    door.room = {};
    house.clock().advance(Millis{20'000});
    EXPECT_EQ(pickup.look(), 1);
}

TEST_F(PickupTest, WhatIsNoOrdinaryFileIsNeverOpened) {
    settings.settle = Millis{0};
    fs::create_directory(path("folder.eml"));
    int odd = 1;
    odd += tests::makeLink("/etc/passwd", path("link.eml"));
    odd += tests::makeLink("/nowhere", path("dangling.eml"));
    odd += tests::makePipe(path("pipe.eml"));
    EXPECT_TRUE(odd == 4 || tests::kOnWindows);
    Pickup pickup = fresh();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pickup.look(), 0);
    EXPECT_EQ(times("no ordinary file"), odd) << log;
    EXPECT_EQ(left(settings.folder).size(), static_cast<std::size_t>(odd + 1));
}

TEST_F(PickupTest, HostileNamesAreEscapedInLogsAndKeptOnTheDisk) {
    settings.settle = Millis{0};
    Pickup pickup = fresh();
    std::vector<std::string> names = {"a\nb\x1b[31m.eml", "-rf.eml", "\xff\xfe.eml",
                                      std::string(251, 'x') + ".eml"};
    std::erase_if(names, [](const std::string& name) { return !usableFileName(name).ok(); });
    for (const std::string& name : names) put(name, "From: a@x.org\nTo: b@example.org\n\n" + name);
    EXPECT_EQ(pickup.look(), static_cast<int>(names.size())) << log;
    for (const std::string& name : names) put(name, "bad");
    EXPECT_EQ(pickup.look(), 0);
    EXPECT_EQ(left(settings.setAside).size(), 2 * names.size());
    EXPECT_EQ(log.find('\x1b'), std::string::npos);
    EXPECT_EQ(left(settings.folder), std::vector<std::string>{"bad"});
}

TEST_F(PickupTest, AMissingFolderIsToldOnceAndHeals) {
    Pickup pickup = fresh();
    fs::remove_all(settings.folder);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pickup.look(), 0);
    EXPECT_EQ(times("pickup.trouble"), 1) << log;
    fs::create_directory(settings.folder);
    put("a.eml");
    EXPECT_EQ(lookTwice(pickup), 1);
}

TEST_F(PickupTest, ThousandsOfFilesAtOnce) {
    settings.settle = Millis{0};
    Pickup pickup = fresh();
    const int count = tests::kOnWindows ? 300 : 2'000;  // Wine syncs each
    for (int i = 0; i < count; ++i) put(std::to_string(i) + ".eml");
    EXPECT_EQ(pickup.look(), count);
    EXPECT_EQ(left(settings.folder), std::vector<std::string>{"bad"});
    EXPECT_EQ(door.confirmed.size(), static_cast<std::size_t>(count));
}

}  // namespace
}  // namespace postern::pickup
