// What the site answers and whom: roles, other people's pages, other names, wrong input.

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/http/site_rig.h"

namespace postern::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string headerOf(const HttpAnswer& answer, const std::string& name) {
    for (const auto& [each, value] : answer.headers)
        if (each == name) return value;
    return "";
}

std::string cookieFrom(const HttpAnswer& answer) {
    const std::string set = headerOf(answer, "Set-Cookie");
    return set.substr(0, set.find(';'));
}

Poco::JSON::Object::Ptr parsed(const std::string& text) {
    return Poco::JSON::Parser().parse(text).extract<Poco::JSON::Object::Ptr>();
}

class SiteTest : public testing::Test {
  protected:
    SiteTest() {
        rig_.addAccount("vera", "password 1", "viewer");
        rig_.addAccount("olaf", "password 1", "operator");
        rig_.addAccount("ada", "password 1", "admin");
        rig_.addAccount("prn", "password 1", "send");
    }
    static auto as(const std::string& name) { return SiteRig::basic(name, "password 1"); }

    SiteRig rig_;
};

TEST_F(SiteTest, WithoutALoginNothingIsToldButHealthAndThePage) {
    for (const char* path : {"/", "/app.js", "/style.css", "/healthz", "/readyz", "/openapi.json", "/api/me"})
        EXPECT_EQ(rig_.get(path).status, 200) << path;
    for (const char* path : {"/metrics", "/events", "/api/run/status", "/api/run/queue.list", "/api/mail/1"})
        EXPECT_EQ(rig_.get(path).status, 401) << path;
    EXPECT_EQ(rig_.post("/api/run/operate", "{}").status, 401);
    EXPECT_EQ(headerOf(rig_.get("/metrics"), "WWW-Authenticate"), "Basic realm=\"Postern\"");
    EXPECT_EQ(headerOf(rig_.get("/api/run/status"), "WWW-Authenticate"), "") << "browsers show our own form";
    EXPECT_THAT(rig_.get("/api/me").body, HasSubstr("\"role\":null"));
}

TEST(AnonymousSite, LooksWhereThatIsAllowedAndChangesNothing) {
    SiteRig rig({true, {}});
    EXPECT_EQ(rig.get("/api/run/status").status, 200);
    EXPECT_EQ(rig.get("/metrics").status, 200);
    EXPECT_EQ(rig.post("/api/run/operate", R"({"change":"delete","all":"true"})").status, 403);
    EXPECT_EQ(rig.post("/api/run/reload", "{}").status, 403);
}

TEST_F(SiteTest, EveryCommandAsksForItsRole) {
    const std::pair<const char*, admin::Role> people[] = {
        {"vera", admin::Role::Viewer}, {"olaf", admin::Role::Operator}, {"ada", admin::Role::Admin}};
    for (const admin::Command& command : admin::commands()) {
        if (command.takesBytes || command.verb == std::string_view("watch")) continue;
        for (const auto& [name, role] : people)
            EXPECT_EQ(rig_.post(std::string("/api/run/") + command.verb, "{}", as(name)).status != 403,
                      role >= command.role)
                << command.verb << " by " << name;
        EXPECT_EQ(rig_.post(std::string("/api/run/") + command.verb, "{}", as("prn")).status, 403);
    }
}

TEST_F(SiteTest, WhatTakesAMailOrTalksForLongIsNotReachedSo) {
    for (const char* verb : {"submit", "submit.smtp", "submit.batch", "watch", "no.such", ""})
        EXPECT_EQ(rig_.post(std::string("/api/run/") + verb, "{}", as("ada")).status, 404) << verb;
}

TEST_F(SiteTest, AChangeIsPostedNotGot) {
    EXPECT_EQ(rig_.get("/api/run/operate", as("olaf"), {{"change", "delete"}, {"all", "true"}}).status, 405);
    EXPECT_EQ(rig_.get("/api/run/queue.list", as("vera"), {{"limit", "3"}}).status, 200);
    EXPECT_EQ(rig_.ask("DELETE", "/api/run/operate", as("olaf")).status, 405);
    EXPECT_EQ(rig_.ask("HEAD", "/api/run/status", as("vera")).status, 200);
    EXPECT_EQ(rig_.ask("HEAD", "/api/run/operate", as("olaf")).status, 405);
}

TEST_F(SiteTest, AnotherPageCanNotMakeABrowserChangeAnything) {
    const std::string all = R"({"change":"hold","all":"true"})";
    auto from = [&](const std::string& origin, const std::string& type = "application/json") {
        auto headers = as("olaf");
        if (!origin.empty()) headers["origin"] = origin;
        headers["content-type"] = type;
        return rig_.ask("POST", "/api/run/operate", headers, all).status;
    };
    EXPECT_EQ(from(""), 200);
    EXPECT_EQ(from("http://127.0.0.1:8025"), 200);
    EXPECT_EQ(from("http://127.0.0.1:8026"), 403);
    EXPECT_EQ(from("https://evil.example"), 403);
    EXPECT_EQ(from("null"), 403);
    EXPECT_EQ(from("", "text/plain"), 400) << "a form of another page can send this without asking";
    EXPECT_EQ(from("", "application/x-www-form-urlencoded"), 400);
    EXPECT_EQ(from("", "application/json; charset=utf-8"), 200);
    for (const char* path : {"/api/login", "/api/logout"}) {
        EXPECT_EQ(rig_.post(path, "{}", {{"origin", "https://evil.example"}}).status, 403) << path;
    }
}

TEST_F(SiteTest, ANameThatIsNotOursLeadsNowhere) {
    for (const char* host : {"localhost", "LOCALHOST:8025", "127.0.0.1", "[::1]:80"})
        EXPECT_EQ(rig_.get("/healthz", {{"host", host}}).status, 200) << host;
    for (const char* host :
         {"evil.example", "127.0.0.1.evil.example:8025", "localhost.evil.example", "[::2]"})
        EXPECT_EQ(rig_.get("/healthz", {{"host", host}}).status, 421) << host;
    SiteRig behind({false, {"post.corp.example"}});
    EXPECT_EQ(behind.get("/healthz", {{"host", "post.corp.example"}}).status, 200);
    EXPECT_EQ(behind.get("/healthz", {{"host", "other.corp.example"}}).status, 421);
}

TEST_F(SiteTest, TheCookieOfALoginStandsForTheAccountUntilTheEnd) {
    const HttpAnswer login = rig_.post("/api/login", R"({"name":"olaf","password":"password 1"})");
    ASSERT_EQ(login.status, 200);
    EXPECT_THAT(headerOf(login, "Set-Cookie"), HasSubstr("HttpOnly"));
    EXPECT_THAT(headerOf(login, "Set-Cookie"), HasSubstr("SameSite=Strict"));
    const std::map<std::string, std::string> with{{"cookie", "other=1; " + cookieFrom(login)}};
    EXPECT_THAT(rig_.get("/api/me", with).body, HasSubstr(R"("name":"olaf","role":"operator")"));
    EXPECT_EQ(rig_.get("/api/run/status", with).status, 200);
    EXPECT_THAT(headerOf(rig_.post("/api/logout", "{}", with), "Set-Cookie"), HasSubstr("Max-Age=0"));
    EXPECT_EQ(rig_.get("/api/run/status", with).status, 401);
}

TEST_F(SiteTest, WrongPasswordsAreRefusedWithoutSayingWhichPartIsWrong) {
    const HttpAnswer wrong = rig_.post("/api/login", R"({"name":"olaf","password":"no"})");
    const HttpAnswer nobody = rig_.post("/api/login", R"({"name":"nobody","password":"no"})");
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong.body, nobody.body);
    EXPECT_EQ(headerOf(wrong, "Set-Cookie"), "");
    EXPECT_EQ(rig_.get("/metrics", SiteRig::basic("olaf", "no")).status, 401);
    EXPECT_EQ(rig_.get("/metrics", {{"authorization", "Basic %%%"}}).status, 401);
    for (int i = 0; i < 20; ++i) rig_.post("/api/login", R"({"name":"olaf","password":"no"})");
    EXPECT_EQ(rig_.post("/api/login", R"({"name":"olaf","password":"password 1"})").status, 503);
}

TEST_F(SiteTest, BadInputIsToldInWords) {
    for (const char* body : {"{", "[]", "\"text\"", "{\"change\":7}", "{\"a\":{\"b\":{}}}"}) {
        const HttpAnswer answer = rig_.post("/api/run/operate", body, as("olaf"));
        EXPECT_EQ(answer.status, 400) << body;
        EXPECT_FALSE(parsed(answer.body)->getValue<std::string>("error").empty()) << body;
    }
    const HttpAnswer field = rig_.get("/api/run/queue.list", as("vera"), {{"adpter", "fax"}});
    EXPECT_EQ(field.status, 400);
    EXPECT_THAT(parsed(field.body)->getValue<std::string>("error"), HasSubstr("\"adpter\""));
    EXPECT_EQ(rig_.get("/api/mail/abc", as("vera")).status, 404);
    EXPECT_EQ(rig_.get("/api/mail/77", as("vera")).status, 404);
    EXPECT_EQ(rig_.get("/nothing", as("vera")).status, 404);
    EXPECT_EQ(rig_.get("/events", as("vera"), {{"after", "x"}}).status, 400);
    EXPECT_EQ(rig_.get("/api/run/item.preview", as("vera"), {{"ids", "77"}}).status, 404);
}

TEST_F(SiteTest, EveryAnswerCarriesThePolicyAndThePageKeepsIt) {
    for (const char* path : {"/", "/app.js", "/nothing", "/metrics", "/api/run/status"}) {
        const HttpAnswer answer = rig_.get(path);
        EXPECT_THAT(headerOf(answer, "Content-Security-Policy"), HasSubstr("default-src 'none'")) << path;
        EXPECT_EQ(headerOf(answer, "X-Content-Type-Options"), "nosniff") << path;
    }
    const std::string page = rig_.get("/").body;
    EXPECT_THAT(page, Not(HasSubstr("style=")));
    EXPECT_THAT(page, Not(HasSubstr("<style")));
    EXPECT_THAT(page, Not(HasSubstr("onclick")));
    EXPECT_THAT(page, Not(HasSubstr("http://")));
    EXPECT_THAT(page, Not(HasSubstr("https://")));
}

TEST_F(SiteTest, TheInterfaceIsDescribedCommandByCommand) {
    const auto paths = parsed(rig_.get("/openapi.json").body)->getObject("paths");
    for (const admin::Command& command : admin::commands()) {
        const bool reached = !command.takesBytes && command.verb != std::string_view("watch");
        const auto path = paths->getObject(std::string("/api/run/") + command.verb);
        ASSERT_EQ(!path.isNull(), reached) << command.verb;
        if (!reached) continue;
        const auto properties = path->getObject("post")
                                    ->getObject("requestBody")
                                    ->getObject("content")
                                    ->getObject("application/json")
                                    ->getObject("schema")
                                    ->getObject("properties");
        for (const admin::Parameter& each : command.parameters)
            EXPECT_TRUE(properties->has(each.name)) << command.verb << " " << each.name;
    }
}

TEST_F(SiteTest, EventsGoOnFromTheSerialThatTheBrowserSawLast) {
    for (int i = 0; i < 3; ++i)
        rig_.feed().push(rig_.clock().now(), LogEvent::ControlDone, {}, "verb=" + std::to_string(i));
    auto headers = as("vera");
    headers["last-event-id"] = "2";
    const HttpAnswer answer = rig_.get("/events", headers, {{"after", "0"}});
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(answer.type, "text/event-stream");
    std::string got;
    answer.stream([&](std::string_view bytes) {
        got += bytes;
        return got.find("id: 3") == std::string::npos;
    });
    EXPECT_THAT(got, HasSubstr("id: 3\ndata: {"));
    EXPECT_THAT(got, Not(HasSubstr("id: 2\n")));
}

}  // namespace
}  // namespace postern::http
