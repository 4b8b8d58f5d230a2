// Who reads the log to keep guessers out (fail2ban) misses no password: not of the page's form, not of a
// program that says it with each request, and not of a client that hangs up.

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log_tap.h"
#include "base/service_manager.h"
#include "connector/http/server.h"
#include "tests/kit/wait.h"
#include "tests/unit/http/site_rig.h"

namespace postern::http {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class HttpGuesses : public testing::Test {
  protected:
    HttpGuesses() {
        ignoreBrokenPipes();
        setLogTap([this](LogEvent event, ItemId, std::string_view line) {
            MutexLock lock(mutex_);
            if (event == LogEvent::AuthFailed) lines_.emplace_back(line);
        });
        rig_.addAccount("anna", "right horse", "viewer");
    }
    ~HttpGuesses() override { setLogTap({}); }

    int tryBasic(const std::string& password) {
        return rig_.get("/api/me", SiteRig::basic("anna", password)).status;
    }
    std::vector<std::string> lines() {
        MutexLock lock(mutex_);
        return lines_;
    }

    Mutex mutex_;
    std::vector<std::string> lines_ GUARDED_BY(mutex_);
    SiteRig rig_;
};

TEST_F(HttpGuesses, OfTheFormAndOfEachRequestAreInTheLog) {
    EXPECT_EQ(rig_.post("/api/login", R"({"name":"anna","password":"no"})").status, 401);
    EXPECT_EQ(tryBasic("no"), 401);
    const auto line =
        AllOf(HasSubstr("name=anna"), HasSubstr("from=127.0.0.1"), HasSubstr("way=http"), HasSubstr("why="));
    EXPECT_THAT(lines(), ElementsAre(line, line));
    EXPECT_EQ(tryBasic("right horse"), 200);
    EXPECT_EQ(lines().size(), 2u);
}

TEST_F(HttpGuesses, ThatAreBarredAreCountedInALineAMinute) {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(tryBasic("no"), 401);
    for (int i = 0; i < 30; ++i) EXPECT_EQ(tryBasic("no"), 503);
    ASSERT_EQ(lines().size(), 21u);
    EXPECT_THAT(lines().back(),
                AllOf(HasSubstr("barred"), HasSubstr("tries=1"), HasSubstr("from=127.0.0.1")));
    rig_.clock().advance(Millis{60'001});
    for (int i = 0; i < 20; ++i) EXPECT_EQ(tryBasic("no"), 401);
    EXPECT_EQ(tryBasic("no"), 503);
    ASSERT_EQ(lines().size(), 42u);
    EXPECT_THAT(lines().back(), AllOf(HasSubstr("barred"), HasSubstr("tries=30")));
}

TEST_F(HttpGuesses, OfWhoHangsUpBehindThemAreInTheLog) {
    ServerOptions options;
    options.host = "127.0.0.1";
    HttpServer server(options, rig_.site());
    ASSERT_TRUE(server.start().ok());
    const std::string request = "GET /api/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: " +
                                SiteRig::basic("anna", "no")["authorization"] + "\r\n\r\n";
    for (int i = 0; i < 5; ++i) {
        Poco::Net::StreamSocket client;
        client.connect(Poco::Net::SocketAddress("127.0.0.1", static_cast<std::uint16_t>(server.port())));
        client.sendBytes(request.data(), static_cast<int>(request.size()));
        client.close();
    }
    EXPECT_TRUE(tests::waitFor([&] { return lines().size() == 5; })) << lines().size();
    server.stop();
    EXPECT_THAT(lines().back(), HasSubstr("from=127.0.0.1"));
}

TEST_F(HttpGuesses, AFieldThatHoldsNoPasswordIsNone) {
    EXPECT_EQ(rig_.get("/api/me", {{"authorization", "Basic !!"}}).status, 401);
    EXPECT_EQ(rig_.get("/", SiteRig::basic("anna", "no")).status, 200) << "asked of nobody";
    EXPECT_THAT(lines(), IsEmpty());
}

}  // namespace
}  // namespace postern::http
