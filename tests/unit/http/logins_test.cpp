// Who is logged on to the page, and who may not even try.

#include "connector/http/logins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/http/site_rig.h"

namespace postern::http {
namespace {

class LoginsTest : public testing::Test {
  protected:
    SiteRig rig_;
    Logins& logins_ = rig_.logins();
};

TEST_F(LoginsTest, ARightPasswordGivesATokenAndTheHighestRole) {
    rig_.addAccount("anna", "right horse", "send viewer operator");
    const auto token = logins_.logOn("anna", "right horse", "127.0.0.1");
    ASSERT_TRUE(token.ok()) << token.error().text;
    EXPECT_GE(token->size(), 32u);
    const auto person = logins_.find(*token);
    ASSERT_TRUE(person);
    EXPECT_EQ(person->name, "anna");
    EXPECT_EQ(person->role, admin::Role::Operator);
    EXPECT_NE(logins_.logOn("anna", "right horse", "127.0.0.1").value(), *token) << "each one anew";
}

TEST_F(LoginsTest, AnAccountThatOnlySendsHasNoRole) {
    rig_.addAccount("prn", "right horse", "send");
    EXPECT_EQ(logins_.check("prn", "right horse", "127.0.0.1")->role, std::nullopt);
}

TEST_F(LoginsTest, AWrongPasswordAndAnUnknownNameAreRefusedAlike) {
    rig_.addAccount("anna", "right horse", "viewer");
    const auto wrong = logins_.logOn("anna", "wrong", "127.0.0.1"),
               unknown = logins_.logOn("nobody", "wrong", "127.0.0.1");
    ASSERT_FALSE(wrong.ok());
    ASSERT_FALSE(unknown.ok());
    EXPECT_EQ(wrong.error().code, Errc::Denied);
    EXPECT_EQ(wrong.error().text, unknown.error().text);
    EXPECT_FALSE(logins_.find(""));
    EXPECT_FALSE(logins_.find("guessed"));
}

TEST_F(LoginsTest, AChangedOrRemovedAccountCountsAtOnce) {
    rig_.addAccount("anna", "right horse", "admin");
    const std::string token = logins_.logOn("anna", "right horse", "127.0.0.1").value();
    rig_.removeAccount("anna");
    EXPECT_FALSE(logins_.find(token));
    rig_.addAccount("anna", "right horse", "viewer");
    EXPECT_EQ(logins_.find(token)->role, admin::Role::Viewer);
}

TEST_F(LoginsTest, ATokenEndsByLoggingOffAndAfterADayUnused) {
    rig_.addAccount("anna", "right horse", "viewer");
    const std::string first = logins_.logOn("anna", "right horse", "127.0.0.1").value();
    logins_.logOff(first);
    EXPECT_FALSE(logins_.find(first));
    const std::string second = logins_.logOn("anna", "right horse", "127.0.0.1").value();
    rig_.clock().advance(Millis{7 * 3'600'000});
    EXPECT_TRUE(logins_.find(second)) << "used";
    rig_.clock().advance(Millis{7 * 3'600'000});
    EXPECT_TRUE(logins_.find(second)) << "since then used again";
    rig_.clock().advance(Millis{9 * 3'600'000});
    EXPECT_FALSE(logins_.find(second));
}

TEST_F(LoginsTest, TooManyWrongPasswordsStopTheGuessingForAMinute) {
    rig_.addAccount("anna", "right horse", "viewer");
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(logins_.check("anna", "wrong", "127.0.0.1").error().code, Errc::Denied) << i;
    EXPECT_EQ(logins_.check("anna", "right horse", "127.0.0.1").error().code, Errc::Busy);
    rig_.clock().advance(Millis{61'000});
    EXPECT_TRUE(logins_.check("anna", "right horse", "127.0.0.1").ok());
}

}  // namespace
}  // namespace postern::http
