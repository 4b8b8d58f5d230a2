// A log of which something can not be read for now.

#include <filesystem>
#include <unistd.h>

#include <gtest/gtest.h>

#include "adapters/chat/chat_entry.h"
#include "connector/chat/mail_desk.h"
#include "tests/adapter_rig.h"

namespace postern::chat {
namespace {

namespace fs = std::filesystem;

constexpr fs::perms kReadable{0444};  // by whoever the stranger is

// Root may read everything: as long as this lives, it is somebody else.
class Stranger {
  public:
    Stranger() {
        if (root_) {
            EXPECT_EQ(::seteuid(65534), 0);
        }
    }
    ~Stranger() {
        if (root_) {
            EXPECT_EQ(::seteuid(0), 0);
        }
    }
    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;

  private:
    const bool root_ = ::geteuid() == 0;
};

class MailRights : public testing::Test {
  protected:
    // The log of bob, with mails 1 to 3; the second may be read by nobody.
    void SetUp() override {
        fs::create_directories(log_);
        for (const std::string& path : {temp_.path(), temp_ / "logs", log_})
            fs::permissions(path, fs::perms(0755));
        {
            const Stranger stranger;
            std::error_code error;
            if (!fs::exists(log_, error)) GTEST_SKIP() << "strangers may not come to " << temp_.path();
        }
        for (int number = 1; number <= 3; ++number) put(number);
        fs::permissions(log_ + "/2", fs::perms::none);
    }
    void put(int number) {
        const std::string path = log_ + "/" + std::to_string(number);
        tests::spill(path, adapters::chat::entryText({ItemId{number}, "bob", {"a"}}));
        fs::permissions(path, kReadable);
    }
    MailFound look() {
        const Stranger stranger;
        MailFound found = lookForMail({{"board", temp_ / "logs", {}, 50, 5}}, seen_);
        seen_ = found.seen;
        return found;
    }

    tests::TempFolder temp_;
    const std::string log_ = temp_ / "logs/bob";
    MailSeen seen_;
};

TEST_F(MailRights, WhatCanNotBeReadNowIsReadLater) {
    const MailFound first = look();
    ASSERT_EQ(first.parts.size(), 1u) << first.trouble;
    EXPECT_EQ(first.parts[0].mails.size(), 1u);
    EXPECT_EQ(first.parts[0].more, 0);
    EXPECT_NE(first.trouble.find("2: "), std::string::npos) << first.trouble;
    fs::permissions(log_ + "/2", kReadable);
    const MailFound then = look();
    ASSERT_EQ(then.parts.size(), 1u) << then.trouble;
    ASSERT_EQ(then.parts[0].mails.size(), 2u);
    EXPECT_EQ(then.parts[0].mails[0].number, 2);
    EXPECT_EQ(then.trouble, "");
}

TEST_F(MailRights, WhatCanNeverBeReadIsCountedAtLastAndHidesNothing) {
    look();
    MailFound found = look();
    int looks = 2;
    for (; found.parts.empty() && looks < 100; ++looks) found = look();
    EXPECT_GE(looks, 10) << "it may be readable in a moment";
    ASSERT_EQ(found.parts.size(), 1u) << "after " << looks << " looks";
    EXPECT_EQ(found.parts[0].more, 1);
    ASSERT_EQ(found.parts[0].mails.size(), 1u);
    EXPECT_EQ(found.parts[0].mails[0].number, 3);
    put(4);
    ASSERT_EQ(look().parts.size(), 1u);
    EXPECT_TRUE(look().parts.empty());
}

}  // namespace
}  // namespace postern::chat
