// The one gate before every command: who may, and which fields it takes.

#include "connector/admin/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connector/admin/trouble.h"
#include "queue/queue.h"
#include "store/messages.h"
#include "tests/fake_clock.h"
#include "tests/temp_folder.h"

namespace postern::admin {
namespace {

class CommandsTest : public testing::Test {
  protected:
    CommandsTest() {
        store::StoreOptions options;
        options.folder = folder_.path();
        options.migrations = store::messageMigrations();
        for (const store::Migration& each : queue::queueMigrations()) options.migrations.push_back(each);
        auto opened = store::Store::open(std::move(options));
        EXPECT_TRUE(opened.ok()) << opened.error().text;
        store_ = std::move(opened).value();
        acceptor_ = std::make_unique<intake::Acceptor>(*store_, notifier_, clock_, disk::Limits{});
    }

    Result<void> run(Role role, const std::string& verb, std::map<std::string, std::string> fields = {}) {
        const ServiceView view{*store_,
                               notifier_,
                               clock_,
                               *acceptor_,
                               [this] { return config_; },
                               [](const std::string&) { return nullptr; },
                               {},
                               {}};
        Request request;
        request.verb = verb;
        request.fields.insert(fields.begin(), fields.end());
        NoBytes none;
        return runCommand(view, role, request, none, [](const Record&) { return Result<void>(); });
    }
    Errc codeOf(const Result<void>& result) { return result.ok() ? Errc::Exists : result.error().code; }

    tests::TempFolder folder_;
    tests::FakeClock clock_;
    store::Notifier notifier_;
    std::shared_ptr<const config::Config> config_ = std::make_shared<const config::Config>();
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<intake::Acceptor> acceptor_;
};

TEST_F(CommandsTest, ARoleMayWhatItsCommandsSayAndNoMore) {
    for (const Command& command : commands())
        for (const Role role : {Role::Viewer, Role::Operator, Role::Admin}) {
            if (command.takesBytes) continue;
            const bool may = role >= command.role;
            EXPECT_EQ(codeOf(run(role, command.verb)) != Errc::Denied, may)
                << command.verb << " by " << roleName(role);
        }
    EXPECT_EQ(codeOf(run(Role::Viewer, "queue.list")), Errc::Exists) << "done";
    EXPECT_EQ(codeOf(run(Role::Viewer, "operate", {{"change", "hold"}, {"all", "true"}})), Errc::Denied);
    EXPECT_EQ(codeOf(run(Role::Operator, "account", {{"change", "remove"}, {"name", "a"}})), Errc::Denied);
}

TEST_F(CommandsTest, AFieldThatTheCommandDoesNotKnowIsRefusedByName) {
    const auto refused = run(Role::Admin, "queue.list", {{"adpter", "fax"}});
    ASSERT_EQ(codeOf(refused), Errc::Invalid);
    EXPECT_THAT(refused.error().text, testing::HasSubstr("\"adpter\""));
    EXPECT_EQ(codeOf(run(Role::Admin, "no.such")), Errc::Invalid);
}

TEST_F(CommandsTest, AFilterThatNamesNoAdapterIsRefusedNotAnsweredWithNothing) {
    for (const char* verb : {"queue.list", "queue.summary"})
        EXPECT_EQ(codeOf(run(Role::Viewer, verb, {{"adapter", "fax"}})), Errc::NotFound) << verb;
    const auto refused = run(Role::Operator, "operate", {{"change", "hold"}, {"adapter", "fax"}});
    ASSERT_EQ(codeOf(refused), Errc::NotFound);
    EXPECT_THAT(refused.error().text, testing::HasSubstr("there is no adapter \"fax\""));
}

TEST_F(CommandsTest, AChangeOfEverythingMustBeAskedFor) {
    EXPECT_EQ(codeOf(run(Role::Operator, "operate", {{"change", "delete"}})), Errc::Invalid);
    EXPECT_EQ(codeOf(run(Role::Operator, "operate", {{"change", "delete"}, {"limit", "5"}})), Errc::Invalid);
    EXPECT_TRUE(run(Role::Operator, "operate", {{"change", "delete"}, {"all", "true"}}).ok());
    EXPECT_EQ(codeOf(run(Role::Viewer, "queue.list", {{"limit", "5000"}})), Errc::Invalid);
}

// What a mail announces is kept of the free space, and every user of the machine may announce.
TEST_F(CommandsTest, NoSizeThatAMailCanNotHaveIsAnnounced) {
    for (const char* size : {"-1", "-9223372036854775808", "9223372036854775807", "52428801", "x", "1x"}) {
        const auto refused = run(Role::Viewer, "submit", {{"recipients", "u@x.example"}, {"size", size}});
        EXPECT_EQ(codeOf(refused), Errc::Invalid) << size;
        EXPECT_THAT(refused.error().text, testing::AnyOf(testing::HasSubstr("is no size of a mail"),
                                                         testing::HasSubstr("larger than 50 MiB")))
            << size;
    }
    EXPECT_EQ(acceptor_->room().state()->claimed, 0);
}

// "Silently stop" is a defect of its own (Q178627): status says it.
TEST(ChatTroubles, ADeathAndAClosedAddressAreSaid) {
    std::vector<Trouble> troubles;
    addChatTroubles({}, troubles);
    EXPECT_TRUE(troubles.empty());
    ChatState state;
    state.deaths = 2;
    state.lastDeath = "a test's exception";
    state.unavailable = "tls_address 0.0.0.0:6697 is closed: no such file";
    addChatTroubles(state, troubles);
    ASSERT_EQ(troubles.size(), 2u);
    EXPECT_THAT(troubles[0].text,
                testing::HasSubstr("6697 is closed: no such file; then \"postern reload\""));
    EXPECT_THAT(troubles[1].text, testing::HasSubstr("begun anew 2 times"));
    EXPECT_THAT(troubles[1].text, testing::HasSubstr("a test's exception"));
}

TEST(ChatTroubles, OneBadCertificateIsSaidOnce) {
    config::Config config;
    config.chat.tls.address = "0.0.0.0:6697";
    config.chat.certificate = config.chat.key = "/nowhere/c.pem";
    const auto certificate = certificateTroubles(config, fromMillis(0));
    ASSERT_EQ(certificate.size(), 1u);
    ChatState state;
    state.unavailable =
        "tls_address 0.0.0.0:6697 is closed: " + certificate[0].text.substr(0, certificate[0].text.find(';'));
    auto troubles = certificate;
    addChatTroubles(state, troubles);
    ASSERT_EQ(troubles.size(), 1u);
    EXPECT_THAT(troubles[0].text, testing::HasSubstr("is closed: "));
    EXPECT_THAT(troubles[0].text, testing::HasSubstr("/nowhere/c.pem"));
    state.unavailable = "chat listener chat: another process listens there";
    troubles = certificate;
    addChatTroubles(state, troubles);
    EXPECT_EQ(troubles.size(), 2u) << "two things are wrong";
}

}  // namespace
}  // namespace postern::admin
