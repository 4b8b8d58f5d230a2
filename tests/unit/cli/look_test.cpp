// What operators look at: lists on narrow screens, what adapters wait for, and what a check of the
// configuration finds beside it.

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/log_tap.h"
#include "base/text.h"
#include "connector/cli/width.h"
#include "queue/operate.h"
#include "queue/queue.h"
#include "tests/unit/cli/gateway.h"

namespace postern {
namespace {

using queue::Settlement;
using tests::Gateway;
using tests::Ran;

TEST(QueueListScreen, TheReasonIsReadableOnEveryWidth) {
    Gateway gateway;
    const std::string to = "a.person.with.a.rather.long.name.indeed@legacy.example";
    ASSERT_EQ(gateway
                  .run({"submit", "--from", "somebody.else.of.a.long.name@mail.far-away.example.org", to},
                       "Subject: a subject that is not short either\n\nx\n")
                  .exit,
              0);
    const std::string reason = "old.example[192.0.2.1]:25: 451 4.7.1 try again in an hour, said the host";
    gateway.settle(ItemId{1}, Settlement::Kind::Deferred, reason);
    for (const int width : {80, 120}) {
        const Ran ran = gateway.run({"queue", "list"}, "", {.terminal = true, .width = width});
        std::string joined;
        for (const std::string_view line : split(ran.out, '\n')) {
            EXPECT_LE(cli::displayWidth(line), width) << line;
            joined += (joined.ends_with(' ') || joined.empty() ? "" : " ") + std::string(trim(line));
        }
        EXPECT_NE(joined.find(reason), std::string::npos) << ran.out;
    }
}

TEST(QueueShowScreen, AnItemInDoubtNamesTheWaysOut) {
    Gateway gateway;
    ASSERT_EQ(
        gateway.run({"submit", "--from", "a@example.org", "b@legacy.example"}, "Subject: x\n\nx\n").exit, 0);
    const auto shown = [&](bool terminal) {
        return gateway.run({"queue", "show", "1"}, "", {.terminal = terminal}).out;
    };
    EXPECT_EQ(shown(true).find("postern queue resolve"), std::string::npos);
    gateway.settle(ItemId{1}, Settlement::Kind::InDoubt, "connection lost after the dot");
    for (const char* line :
         {"postern queue resolve 1 --exported  it is there: nothing more is sent\n",
          "postern queue resolve 1 --resend    it is not there: it is sent again at once\n",
          "postern queue resolve 1 --failed    it is not there and shall not be sent: "})
        EXPECT_NE(shown(true).find(line), std::string::npos) << shown(true);
    EXPECT_EQ(shown(false).find("resolve"), std::string::npos) << "for people only";
}

// A mailbox that nobody may open: the adapter works, that item waits.
TEST(StatusScreen, ShowsWhatCanNotBeTold) {
    Gateway gateway;
    ASSERT_EQ(
        gateway.run({"submit", "--from", "a@example.org", "b@legacy.example"}, "Subject: x\n\nx\n").exit, 0);
    gateway.withStore([&](store::Store& store) {
        queue::Queue queue(store, gateway.clock, {.owner = "test"});
        const auto claims = queue.claim("drop1", 1).value();
        const queue::Queue::Mark mark{claims.at(0).item, claims[0].epoch, "evidence"};
        ASSERT_EQ(queue.markPublishing({&mark, 1})->size(), 1u);
        ASSERT_TRUE(queue.noteUnanswered(claims[0], "inbox: permission denied", true).ok());
    });
    const std::string why = "not known yet: inbox: permission denied";
    EXPECT_NE(gateway.run({"status"}).out.find("item 1: " + why), std::string::npos)
        << gateway.run({"status"}).out;
    EXPECT_NE(gateway.run({"queue", "list"}).out.find(why), std::string::npos);
    EXPECT_NE(gateway.run({"queue", "log", "1"}).out.find("not known yet\tinbox: permission denied"),
              std::string::npos)
        << gateway.run({"queue", "log", "1"}).out;
}

void store(Gateway& gateway, const queue::AdapterState& state) {
    gateway.withStore([&](store::Store& store) {
        ASSERT_TRUE(
            store.write([&](store::WriteSession& session) { return writeAdapterState(session, state); })
                .ok());
    });
}

TEST(StatusScreen, ANextLookThatIsOverIsDue) {
    Gateway gateway;
    queue::AdapterState state{"drop1", true, gateway.clock.now(), "postern", "no folder", {}, {}};
    state.probe = gateway.clock.now() + Millis(1'000);
    store(gateway, state);
    EXPECT_NE(gateway.run({"status"}).out.find(", next look 2"), std::string::npos);
    gateway.clock.advance(Millis(1'000));
    EXPECT_NE(gateway.run({"status"}).out.find("is unhealthy, the next look is due: no folder"),
              std::string::npos);
}

TEST(AdapterList, SaysWhatTheServiceFound) {
    Gateway gateway;
    const auto list = [&] { return gateway.run({"adapter", "list"}).out; };
    EXPECT_NE(list().find("; the service has not opened it"), std::string::npos) << list();
    const std::string text = "files in " + (gateway.folder / "drop1") + ", staged in " +
                             (gateway.folder / "drop1/.postern-drop1/stage");
    queue::AdapterState state{"drop1", false, gateway.clock.now(), "postern", text + "; it is durable",
                              {},      {}};
    store(gateway, state);
    EXPECT_NE(list().find("; it is durable"), std::string::npos) << list();
    state.reason = "files in another folder; it is weaker";
    store(gateway, state);
    EXPECT_EQ(list().find("weaker"), std::string::npos) << "the configuration is another one since";
    EXPECT_EQ(gateway.run({"status"}).out.find("weaker"), std::string::npos) << "and no trouble";
}

TEST(ConfigCheck, APasswordThatCanNotBeReadIsAProblem) {
    Gateway gateway;
    const std::string path = gateway.folder / "password";
    std::ofstream(gateway.configPath, std::ios::app)
        << "[adapter.relay]\nkind = \"smtp\"\nhosts = [\"old.example\"]\ntls = \"required\"\nusername = "
           "\"u\"\n"
        << "password_file = \"" << path << "\"\n";
    const auto check = [&] { return gateway.run({"config", "check"}); };
    EXPECT_EQ(check().exit, 78);
    EXPECT_NE(check().out.find("adapter \"relay\": password_file: " + path + ": "), std::string::npos)
        << check().out;
    std::ofstream(path) << "\nsecret\n";
    EXPECT_EQ(check().exit, 78) << "its first line is empty";
    std::ofstream(path) << "secret\n";
    EXPECT_EQ(check().exit, 0) << check().out;
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);  // unreadable for every user
    EXPECT_EQ(check().exit, 78);
}

// The channel of the queue tells this line: who did it somewhere else said why.
TEST(QueueHold, TheReasonIsInTheLog) {
    Gateway gateway;
    ASSERT_EQ(
        gateway.run({"submit", "--from", "a@example.org", "b@legacy.example"}, "Subject: x\n\nx\n").exit, 0);
    std::vector<std::string> lines;
    setLogTap([&](LogEvent event, ItemId, std::string_view line) {
        if (event == LogEvent::ItemChanged) lines.emplace_back(line);
    });
    EXPECT_EQ(gateway.run({"queue", "hold", "1", "--reason", "wrong address"}).exit, 0);
    EXPECT_EQ(gateway.run({"queue", "release", "1"}).exit, 0);
    setLogTap({});
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_TRUE(lines[0].ends_with("change=hold what=held reason=\"wrong address\"")) << lines[0];
    EXPECT_EQ(lines[1].find("reason"), std::string::npos) << lines[1];
}

TEST(ConfigCheck, AChatThatNobodyCanEnterIsSaid) {
    Gateway gateway;
    std::ofstream(gateway.configPath, std::ios::app) << "[chat]\naddress = \"127.0.0.1:0\"\n";
    const auto check = [&] {
        const Ran ran = gateway.run({"config", "check"});
        EXPECT_EQ(ran.exit, 0) << ran.out;
        return ran.out;
    };
    const auto add = [&](const char* name, const char* role) {
        const Ran ran = gateway.run({"account", "add", name, "--role", role}, "long enough 1\n");
        EXPECT_EQ(ran.exit, 0) << ran.err;
    };
    constexpr const char* kAdvice = "Make one: postern account add NAME --role operator";
    EXPECT_NE(check().find("nobody can enter #queue: there is no account. " + std::string(kAdvice)),
              std::string::npos)
        << check();
    add("prn", "send");
    EXPECT_NE(check().find("no account has the role viewer, operator or admin. " + std::string(kAdvice)),
              std::string::npos)
        << check();
    add("vera", "viewer");
    EXPECT_EQ(check().find("nobody can enter"), std::string::npos) << check();
    std::filesystem::remove_all(gateway.folder / "store");
    EXPECT_NE(check().find("there is no account. "), std::string::npos) << "before the first start";
}

TEST(ConfigCheck, TheCertificateOfTheChatIsLookedAt) {
    Gateway gateway;
    std::ofstream(gateway.configPath, std::ios::app) << "[chat]\naddress = \"127.0.0.1:0\"\ntls_address = "
                                                        "\"127.0.0.1:0\"\ncertificate = \"/nowhere/c.pem\"\n"
                                                     << "key = \"/nowhere/c.key\"\n";
    const Ran ran = gateway.run({"config", "check"});
    EXPECT_EQ(ran.exit, 78);
    EXPECT_NE(ran.out.find("/nowhere/c.pem"), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace postern
