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

TEST(MailRights, WhatCanNotBeReadNowIsReadLater) {
    tests::TempFolder temp;
    const std::string log = temp / "logs/bob";
    fs::create_directories(log);
    for (const std::string& path : {temp.path(), temp / "logs", log}) fs::permissions(path, fs::perms(0755));
    for (int number = 1; number <= 3; ++number) {
        const std::string path = log + "/" + std::to_string(number);
        tests::spill(path, adapters::chat::entryText({ItemId{number}, "bob", {"a"}}));
        fs::permissions(path, kReadable);
    }
    fs::permissions(log + "/2", fs::perms::none);
    const std::vector<MailPlace> places = {{"board", temp / "logs", {}, 50, 5}};
    MailFound first;
    {
        const Stranger stranger;
        first = lookForMail(places, {});
    }
    ASSERT_EQ(first.parts.size(), 1u) << first.trouble;
    EXPECT_EQ(first.parts[0].mails.size(), 1u);
    EXPECT_EQ(first.parts[0].more, 0);
    EXPECT_NE(first.trouble.find("2: "), std::string::npos) << first.trouble;
    fs::permissions(log + "/2", kReadable);
    const Stranger stranger;
    const MailFound then = lookForMail(places, first.seen);
    ASSERT_EQ(then.parts.size(), 1u) << then.trouble;
    ASSERT_EQ(then.parts[0].mails.size(), 2u);
    EXPECT_EQ(then.parts[0].mails[0].number, 2);
    EXPECT_EQ(then.trouble, "");
}

}  // namespace
}  // namespace postern::chat
